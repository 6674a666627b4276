//! What does an imagined machine look like, and how long does it take for a range of units?

use crate::cost::{Link, Prediction, Source};
use crate::machine::DeviceId;
use crate::plan::{Candidate, Units};

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

/// One device as it really is. Rates are per ns, so that 1 byte/ns is 1 GB/s.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// From being asked to working, when it has nothing else to do.
    pub launch_ns: f64,
    /// The same, of work that was queued behind other work.
    pub queued_launch_ns: f64,
    /// Operations per ns.
    pub ops_per_ns: f64,
    /// Bytes per ns from and to its memory.
    pub bytes_per_ns: f64,
    /// Working sets up to this are served from a cache, …
    pub cache_bytes: f64,
    /// … this many times as fast.
    pub cache_gain: f64,
    /// Number of the memory bus that it shares with others, if it does.
    pub bus: Option<usize>,
    /// Copies into its memory; [`Link::NONE`] for the CPU.
    pub link_up: Link,
    /// Copies out of it.
    pub link_down: Link,
    /// Whether both run at once.
    pub duplex: Duplex,
    /// Whether copies and work overlap.
    pub copying: Copying,
    /// How many times slower than usual it is in this launch: clocks drop, others use it, too.
    pub slowness: f64,
}

impl Device {
    /// An ordinary CPU: bus 0, no cache, 3 µs a launch.
    pub fn cpu(ops_per_ns: f64, bytes_per_ns: f64) -> Self {
        Self {
            launch_ns: 3000.0,
            queued_launch_ns: 3000.0,
            ops_per_ns,
            bytes_per_ns,
            cache_bytes: 0.0,
            cache_gain: 1.0,
            bus: Some(0),
            link_up: Link::NONE,
            link_down: Link::NONE,
            duplex: Duplex::Full,
            copying: Copying::Serial,
            slowness: 1.0,
        }
    }

    /// An ordinary GPU with memory of its own: 20 µs a launch, 10 GB/s and 10 µs a copy.
    pub fn gpu(ops_per_ns: f64, bytes_per_ns: f64) -> Self {
        let link = Link {
            latency_ns: 10_000.0,
            bytes_per_s: 1e10,
        };
        Self {
            launch_ns: 20_000.0,
            queued_launch_ns: 4000.0,
            bus: None,
            link_up: link,
            link_down: link,
            ..Self::cpu(ops_per_ns, bytes_per_ns)
        }
    }
}

/// The devices of a machine, the CPU first.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// By device number.
    pub devices: Vec<Device>,
    /// Bytes per ns of each memory bus.
    pub buses: Vec<f64>,
}

/// The work of a launch along its axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Extent of the axis.
    pub units: u64,
    /// Operations of a unit.
    pub ops_per_unit: f64,
    /// Bytes that a unit reads and writes in memory.
    pub bytes_per_unit: f64,
    /// Relative cost of equally long pieces of the axis, 1 on the average: what depends on the data.
    pub density: Vec<f64>,
    /// A chunk takes up to this fraction more or less than it should.
    pub noise: f64,
    /// What the noise is drawn from.
    pub seed: u64,
}

impl Load {
    /// The same cost everywhere, and no noise.
    pub fn even(units: u64, ops_per_unit: f64, bytes_per_unit: f64) -> Self {
        Self {
            units,
            ops_per_unit,
            bytes_per_unit,
            density: vec![1.0],
            noise: 0.0,
            seed: 0,
        }
    }

    /// Cost of `units`, in units of average cost.
    pub fn weight(&self, units: Units) -> f64 {
        let pieces = self.density.len() as f64;
        let at = |unit: u64| unit as f64 * pieces / self.units as f64;
        let (lo, hi) = (at(units.lo), at(units.hi));
        let last = (hi.ceil() as usize).min(self.density.len());
        let piece = |index: usize| {
            let shared = hi.min((index + 1) as f64) - lo.max(index as f64);
            self.density[index] * shared.max(0.0)
        };
        (lo as usize..last).map(piece).sum::<f64>() * self.units as f64 / pieces
    }

    /// The factor by which noise lengthens a chunk.
    pub(super) fn noise_of(&self, device: usize, units: Units) -> f64 {
        let mut hash = self.seed ^ 0x9e37_79b9_7f4a_7c15;
        for value in [device as u64, units.lo, units.hi] {
            // SplitMix64 (Steele, Lea and Flood, 2014).
            hash = (hash ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
            hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            hash ^= hash >> 31;
        }
        let unit = (hash >> 11) as f64 / (1_u64 << 53) as f64;
        1.0 + self.noise * (2.0 * unit - 1.0)
    }
}

/// A range of units on one device, undisturbed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Effort {
    /// How long it takes.
    pub(super) ns: f64,
    /// Of that, at least this is arithmetic: a slower memory does not slow it down further.
    pub(super) arithmetic_ns: f64,
    /// Bytes per ns that it draws from memory.
    pub(super) demand: f64,
}

impl Machine {
    /// What `units` of `load` are on device number `device`, noise left out.
    pub(super) fn effort(&self, device: usize, load: &Load, units: Units) -> Effort {
        let own = &self.devices[device];
        let bytes = load.bytes_per_unit * units.len() as f64;
        let gain = if bytes <= own.cache_bytes {
            own.cache_gain
        } else {
            1.0
        };
        let weight = load.weight(units);
        let arithmetic_ns = load.ops_per_unit * weight / own.ops_per_ns * own.slowness;
        let memory_ns =
            bytes / (own.bytes_per_ns * gain) * (weight / units.len() as f64) * own.slowness;
        let ns = arithmetic_ns.max(memory_ns).max(1.0);
        let demand = if gain > 1.0 { 0.0 } else { bytes / ns };
        Effort {
            ns,
            arithmetic_ns,
            demand,
        }
    }

    /// Time of the whole of `load` on device number `device`: no launch, no copies, no company.
    pub fn alone_ns(&self, device: usize, load: &Load) -> f64 {
        let all = Units {
            lo: 0,
            hi: load.units,
        };
        let effort = self.effort(device, load, all);
        let bus = self.devices[device]
            .bus
            .map_or(f64::INFINITY, |bus| self.buses[bus]);
        effort.ns * (effort.demand / bus).max(1.0)
    }

    /// How fast each of these efforts goes while all of them run, relative to being undisturbed: what a bus has is shared evenly among
    /// those who want more than that (max-min fairness).
    pub(super) fn speeds(&self, running: &[(usize, Effort)]) -> Vec<f64> {
        let mut speeds = vec![1.0; running.len()];
        for (bus, rate) in self.buses.iter().enumerate() {
            let mut on_bus: Vec<usize> = (0..running.len())
                .filter(|at| self.devices[running[*at].0].bus == Some(bus))
                .collect();
            on_bus.sort_by(|a, b| running[*a].1.demand.total_cmp(&running[*b].1.demand));
            let mut left = *rate;
            for (served, at) in on_bus.iter().enumerate() {
                let (_, effort) = &running[*at];
                let share = left / (on_bus.len() - served) as f64;
                let granted = effort.demand.min(share);
                left -= granted;
                if granted < effort.demand {
                    let memory_ns = effort.ns * effort.demand / granted;
                    speeds[*at] = effort.ns / memory_ns.max(effort.arithmetic_ns);
                }
            }
        }
        speeds
    }

    /// The planner's candidate for device number `device`, with its true costs as far as `a + b·units` can say them.
    pub fn candidate(&self, device: usize, load: &Load) -> Candidate {
        let own = &self.devices[device];
        let usual = Self {
            devices: self
                .devices
                .iter()
                .map(|device| Device {
                    slowness: 1.0,
                    ..device.clone()
                })
                .collect(),
            buses: self.buses.clone(),
        };
        let work_ns = usual.alone_ns(device, load);
        let mean = load.density.iter().sum::<f64>() / load.density.len() as f64;
        let square = |density: &f64| (density / mean - 1.0).powi(2);
        let variance = load.density.iter().map(square).sum::<f64>() / load.density.len() as f64;
        Candidate {
            device: DeviceId(device as u8),
            unusable: None,
            ready_ns: 0.0,
            whole: Prediction {
                ns: own.launch_ns + work_ns,
                fixed_ns: own.launch_ns,
                work_ns,
                spread: variance.sqrt().max(load.noise / 2.0),
                confidence: 0.8,
                idle_launches: 0,
                source: Source::Measured(5),
            },
            up: own.link_up,
            down: own.link_down,
            dispatch_ns_max: f64::INFINITY,
            power: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(lo: u64, hi: u64) -> Units {
        Units { lo, hi }
    }

    #[test]
    fn the_weight_of_parts_adds_up_to_that_of_the_whole() {
        let load = Load {
            density: vec![0.5, 2.0, 0.5],
            ..Load::even(100, 1.0, 1.0)
        };
        let parts =
            load.weight(units(0, 17)) + load.weight(units(17, 80)) + load.weight(units(80, 100));
        assert!((parts - 100.0).abs() < 1e-9, "{parts}");
        assert!(load.weight(units(40, 60)) > 39.9);
    }

    #[test]
    fn devices_on_one_bus_slow_each_other_down_but_not_their_arithmetic() {
        let machine = Machine {
            devices: vec![
                Device::cpu(100.0, 40.0),
                Device {
                    bus: Some(0),
                    ..Device::gpu(100.0, 40.0)
                },
            ],
            buses: vec![50.0],
        };
        let hungry = Load::even(100, 1.0, 4000.0);
        let effort = |device| (device, machine.effort(device, &hungry, units(0, 50)));
        assert_eq!(machine.speeds(&[effort(0)]), [1.0]);
        for speed in machine.speeds(&[effort(0), effort(1)]) {
            assert!((speed - 25.0 / 40.0).abs() < 1e-9, "{speed}");
        }
        let busy = Load::even(100, 1e6, 40.0);
        let effort = |device| (device, machine.effort(device, &busy, units(0, 50)));
        assert_eq!(machine.speeds(&[effort(0), effort(1)]), [1.0, 1.0]);
    }

    #[test]
    fn a_working_set_that_fits_the_cache_is_faster() {
        let mut machine = Machine {
            devices: vec![Device::cpu(1e6, 10.0)],
            buses: vec![1e3],
        };
        let load = Load::even(100, 1.0, 1000.0);
        let before = machine.effort(0, &load, units(0, 10)).ns;
        machine.devices[0] = Device {
            cache_bytes: 20_000.0,
            cache_gain: 4.0,
            ..machine.devices[0].clone()
        };
        assert!((before / machine.effort(0, &load, units(0, 10)).ns - 4.0).abs() < 1e-9);
        assert!((machine.effort(0, &load, units(0, 100)).ns / before - 10.0).abs() < 1e-9);
    }
}
