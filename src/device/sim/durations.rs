//! How long does it take on an imagined machine? The whole of what the simulator assumes about speed.

use super::Machine;
use super::world::Direction;
use crate::cost::{DeviceLimits, Link, Work};
use crate::machine::DeviceId;

/// Speeds of all devices, the CPU's first.
#[derive(Debug)]
pub(super) struct Durations {
    limits: Vec<DeviceLimits>,
}

impl Durations {
    pub(super) fn of(machine: &Machine) -> Self {
        let gpus = machine.gpus.iter().map(|gpu| gpu.limits);
        Self {
            limits: [machine.cpu].into_iter().chain(gpus).collect(),
        }
    }

    /// Time of a part, in ns, its launch included.
    pub(super) fn compute_ns(&self, device: DeviceId, work: Work) -> f64 {
        let limits = &self.limits[usize::from(device.0)];
        limits.launch_ns + limits.work_ns(work)
    }

    /// Time of a copy, in ns.
    pub(super) fn copy_ns(&self, device: DeviceId, direction: Direction, bytes: u64) -> f64 {
        self.link(device, direction).copy_ns(bytes as f64)
    }

    /// Of that, the time in which the link can take the next copy already, where things overlap.
    pub(super) fn latency_ns(&self, device: DeviceId, direction: Direction, bytes: u64) -> f64 {
        if bytes == 0 {
            return 0.0;
        }
        self.link(device, direction).latency_ns
    }

    fn link(&self, device: DeviceId, direction: Direction) -> &Link {
        let limits = &self.limits[usize::from(device.0)];
        match direction {
            Direction::Up => &limits.up,
            Direction::Down => &limits.down,
        }
    }
}
