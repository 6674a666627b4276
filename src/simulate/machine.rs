//! What does an imagined machine look like, and how long does it take for a range of units?

use crate::cost::{Prediction, Source};
use crate::machine::DeviceId;
use crate::plan::{Candidate, Units};
use crate::timing::{self, Device, Effort, Running};

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
        timing::noise(self.seed, [device as u64, units.lo, units.hi], self.noise)
    }
}

impl Machine {
    /// What `units` of `load` are on device number `device`, noise left out.
    pub(super) fn effort(&self, device: usize, load: &Load, units: Units) -> Effort {
        let bytes = load.bytes_per_unit * units.len() as f64;
        let weight = load.weight(units);
        let density = weight / units.len() as f64;
        self.devices[device].effort(load.ops_per_unit * weight, bytes, density)
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

    /// How fast each of these efforts goes while all of them run, relative to being undisturbed.
    pub(super) fn speeds(&self, running: &[(usize, Effort)]) -> Vec<f64> {
        let running: Vec<Running<'_>> = running
            .iter()
            .map(|(device, effort)| Running {
                device: &self.devices[*device],
                effort: *effort,
            })
            .collect();
        timing::speeds(&self.buses, &running)
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
