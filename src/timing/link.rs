//! When does a copy arrive? A device's link to main memory, in both directions.

use super::Device;

/// Whether both directions of a link run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplex {
    /// One copy at a time.
    Half,
    /// One copy each way at a time.
    Full,
}

/// Whether copies and work overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copying {
    /// A device copies or works.
    Serial,
    /// The words of the next chunk travel while one runs.
    Overlapped,
}

/// A direction between main memory and a device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// When a device's link is free again, in each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Links {
    up_free_ns: f64,
    down_free_ns: f64,
}

impl Links {
    /// When the link could take a copy that is ready at `from_ns`.
    pub(crate) fn free_ns(&self, device: &Device, way: Way, from_ns: f64) -> f64 {
        let free_ns = match (device.duplex, way) {
            (Duplex::Half, _) => self.up_free_ns.max(self.down_free_ns),
            (Duplex::Full, Way::Up) => self.up_free_ns,
            (Duplex::Full, Way::Down) => self.down_free_ns,
        };
        free_ns.max(from_ns)
    }

    /// Takes the link until `until_ns`.
    pub(crate) fn take(&mut self, way: Way, until_ns: f64) {
        match way {
            Way::Up => self.up_free_ns = until_ns,
            Way::Down => self.down_free_ns = until_ns,
        }
    }

    /// Sends `bytes` from `from_ns` on, one copy after the other: when they have arrived.
    pub(crate) fn send(&mut self, device: &Device, way: Way, from_ns: f64, bytes: u64) -> f64 {
        let start_ns = self.free_ns(device, way, from_ns);
        let end_ns = start_ns + device.copy_ns(way, bytes);
        self.take(way, end_ns);
        end_ns
    }
}

impl Device {
    /// Time of a copy, in ns.
    pub(crate) fn copy_ns(&self, way: Way, bytes: u64) -> f64 {
        match way {
            Way::Up => self.link_up.copy_ns(bytes as f64),
            Way::Down => self.link_down.copy_ns(bytes as f64),
        }
    }

    /// Of that, the time in which the link can take the next copy already, if copies are queued on it.
    pub(crate) fn latency_ns(&self, way: Way, bytes: u64) -> f64 {
        match way {
            _ if bytes == 0 => 0.0,
            Way::Up => self.link_up.latency_ns,
            Way::Down => self.link_down.latency_ns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_a_direction_or_the_whole_link() {
        let mut device = Device::gpu(1.0, 1.0);
        let ends = |device: &Device| {
            let mut links = Links::default();
            [Way::Up, Way::Down, Way::Up].map(|way| links.send(device, way, 0.0, 100_000))
        };
        assert_eq!(ends(&device), [20_000.0, 20_000.0, 40_000.0]);
        device.duplex = Duplex::Half;
        assert_eq!(ends(&device), [20_000.0, 40_000.0, 60_000.0]);
    }
}
