//! On which machines do programs run? One CPU and one to eight GPUs, of any speed and size, on which things may go wrong.

use impel::sim::{Fault, Gpu, Machine};

use crate::random::Random;

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Faults {
    /// Nothing.
    None,
    /// Memory is short.
    Tight,
    /// Anything but a wrong result.
    Any,
    /// The same, where launches are repeated whose results are lost.
    Repaired,
}

impl Faults {
    fn may_be_any(self) -> bool {
        matches!(self, Self::Any | Self::Repaired)
    }
}

/// A machine, and how many GPUs it has.
pub(crate) fn machine(random: &mut Random, faults: Faults) -> (Machine, u8) {
    let gpus = 1 + (random.next() % 8) as u8;
    let mut machine = Machine::desktop();
    // On slow machines small launches are long, and shared as they go.
    let speed = [1.0, 1.0, 1e-3, 3e-4][(random.next() % 4) as usize];
    scale(random, &mut machine.cpu, speed);
    for number in 1..=gpus {
        let mut gpu = Gpu::card().named(format!("card {number}"));
        scale(random, &mut gpu.limits, speed);
        gpu.overlap = random.next().is_multiple_of(2);
        if faults == Faults::Tight || faults.may_be_any() && random.next().is_multiple_of(8) {
            gpu.memory_bytes = 1 << (8 + random.next() % 12);
        }
        machine = machine.with(gpu);
    }
    if faults.may_be_any() {
        let count = 1 + (random.next() % 5) as usize;
        let among = 1 + (random.next() % 12) as u32;
        machine = machine.with_faults(Fault::random(random.next(), gpus, count, among));
    }
    (machine, gpus)
}

/// Makes a device `speed` times as fast, more or less by a factor of up to twenty, and its links faster or slower as well.
fn scale(random: &mut Random, limits: &mut impel::cost::DeviceLimits, speed: f64) {
    let mut factor = || f64::from(random.float(-1.5, 1.5)).exp2().powi(3);
    let speed = speed * factor();
    limits.bandwidth_bytes_per_s *= speed;
    limits.ops_per_s *= speed * factor();
    limits.special_ops_per_s *= speed;
    limits.launch_ns /= factor();
    if limits.up.latency_ns > 0.0 {
        for link in [&mut limits.up, &mut limits.down] {
            link.latency_ns /= factor();
            link.bytes_per_s *= factor();
        }
    }
}
