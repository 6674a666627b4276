//! How fast does everything go while several devices work? Memory buses and cores are shared out among those who use them.

use super::{Device, Effort};

/// Work that goes on at this moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running<'a> {
    /// Who does it.
    pub(crate) device: &'a Device,
    /// What it is, undisturbed.
    pub(crate) effort: Effort,
}

/// How fast each of these goes while all of them run, relative to being undisturbed, where `buses` carry so many bytes per ns. What
/// a bus has is shared evenly among those who want more than that (max-min fairness), and so are cores.
pub(crate) fn speeds(buses: &[f64], running: &[Running<'_>]) -> Vec<f64> {
    let crowd = |own: &Running<'_>| {
        let together = |other: &&Running<'_>| other.device.cores == own.device.cores;
        let alone = own.device.cores.is_none();
        let count = running.iter().filter(together).count();
        if alone { 1.0 } else { count as f64 }
    };
    // Who has a part of the cores works, and asks for words, that much slower.
    let crowds: Vec<f64> = running.iter().map(crowd).collect();
    let mut speeds: Vec<f64> = crowds.iter().map(|crowd| 1.0 / crowd).collect();
    for (bus, rate) in buses.iter().enumerate() {
        let demand = |at: usize| running[at].effort.demand / crowds[at];
        let mut on_bus: Vec<usize> = (0..running.len())
            .filter(|at| running[*at].device.bus == Some(bus))
            .collect();
        on_bus.sort_by(|a, b| demand(*a).total_cmp(&demand(*b)));
        let mut left = *rate;
        for (served, at) in on_bus.iter().enumerate() {
            let effort = running[*at].effort;
            let share = left / (on_bus.len() - served) as f64;
            let granted = demand(*at).min(share);
            left -= granted;
            if granted < demand(*at) {
                let memory_ns = effort.ns * effort.demand / granted;
                let arithmetic_ns = effort.arithmetic_ns * crowds[*at];
                speeds[*at] = effort.ns / memory_ns.max(arithmetic_ns);
            }
        }
    }
    speeds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_on_the_same_cores_share_them_and_others_do_not() {
        let own = Device::gpu(100.0, 1e3);
        let software = Device {
            cores: Some(0),
            ..own.clone()
        };
        let effort = own.effort(1e6, 0.0, 1.0);
        let [own, software] = [&own, &software].map(|device| Running { device, effort });
        assert_eq!(speeds(&[], &[software]), [1.0]);
        assert_eq!(speeds(&[], &[software, own, software]), [0.5, 1.0, 0.5]);
        assert_eq!(speeds(&[], &[own, own]), [1.0, 1.0]);
    }

    #[test]
    fn what_has_half_of_the_cores_wants_half_of_the_bus() {
        let device = Device {
            cores: Some(0),
            ..Device::cpu(1e6, 40.0)
        };
        let effort = device.effort(1.0, 4e6, 1.0);
        let both = [Running {
            device: &device,
            effort,
        }; 2];
        assert_eq!(speeds(&[40.0], &both), [0.5, 0.5]);
        assert_eq!(speeds(&[20.0], &both), [0.25, 0.25]);
    }
}
