//! How long does work take on a device that nothing disturbs?

use super::link::{Copying, Duplex};
use crate::cost::{DeviceLimits, Link, Work};

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
    /// Number of the set of cores that it shares with others, if it does: software GPUs work on the CPU's.
    pub cores: Option<usize>,
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
            cores: None,
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

    /// A device that reaches its limits, with memory and links of its own.
    pub(crate) fn of_limits(limits: &DeviceLimits) -> Self {
        let far = limits.bandwidth_bytes_per_s;
        let near = if limits.near_bytes > 0.0 {
            limits.near_bytes_per_s
        } else {
            far
        };
        Self {
            launch_ns: limits.launch_ns,
            queued_launch_ns: limits.launch_ns,
            ops_per_ns: limits.ops_per_s / 1e9,
            bytes_per_ns: far / 1e9,
            cache_bytes: limits.near_bytes,
            cache_gain: near / far,
            bus: None,
            cores: None,
            link_up: limits.up,
            link_down: limits.down,
            duplex: Duplex::Full,
            copying: Copying::Serial,
            slowness: 1.0,
        }
    }

    /// What it is for this device to do `ops` operations and move `bytes`, of units that are `density` times as costly as the average.
    pub(crate) fn effort(&self, ops: f64, bytes: f64, density: f64) -> Effort {
        let cached = bytes <= self.cache_bytes;
        let gain = if cached { self.cache_gain } else { 1.0 };
        let arithmetic_ns = ops / self.ops_per_ns * self.slowness;
        let memory_ns = bytes / (self.bytes_per_ns * gain) * density * self.slowness;
        let ns = arithmetic_ns.max(memory_ns).max(1.0);
        let demand = if gain > 1.0 { 0.0 } else { bytes / ns };
        Effort {
            ns,
            arithmetic_ns,
            demand,
        }
    }

    /// What `work` is for a device whose special operations go at the rate of `limits`.
    pub(crate) fn effort_of(&self, work: Work, limits: &DeviceLimits) -> Effort {
        let special = limits.ops_per_s / limits.special_ops_per_s;
        self.effort(
            work.ops + work.special_ops * special,
            limits.moved_bytes(work),
            1.0,
        )
    }
}

/// Some work on one device, undisturbed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Effort {
    /// How long it takes.
    pub(crate) ns: f64,
    /// Of that, at least this is arithmetic: a slower memory does not slow it down further.
    pub(crate) arithmetic_ns: f64,
    /// Bytes per ns that it draws from memory.
    pub(crate) demand: f64,
}

/// The factor by which something takes longer than it should: within `spread` of 1, and always the same for the same `values`.
pub(crate) fn noise(seed: u64, values: [u64; 3], spread: f64) -> f64 {
    let mut hash = seed ^ 0x9e37_79b9_7f4a_7c15;
    for value in values {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        hash = (hash ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^= hash >> 31;
    }
    let unit = (hash >> 11) as f64 / (1_u64 << 53) as f64;
    1.0 + spread * (2.0 * unit - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_of_measured_limits_takes_as_long_as_they_say() {
        let limits = DeviceLimits {
            bandwidth_bytes_per_s: 1e10,
            near_bytes: 1e6,
            near_bytes_per_s: 4e10,
            ops_per_s: 1e11,
            special_ops_per_s: 1e10,
            ..DeviceLimits::GUESS
        };
        let device = Device::of_limits(&limits);
        for (bytes, ops, special_ops) in [(5e5, 0.0, 0.0), (1e8, 1e6, 0.0), (1e3, 2e6, 3e5)] {
            let work = Work {
                bytes,
                fresh_bytes: bytes / 2.0,
                ops,
                special_ops,
            };
            let ns = device.effort_of(work, &limits).ns;
            assert!((ns / limits.work_ns(work) - 1.0).abs() < 1e-9, "{work}");
        }
    }

    #[test]
    fn noise_stays_within_its_spread_and_repeats_itself() {
        let factors: Vec<f64> = (0..1000).map(|n| noise(7, [n, 1, 2], 0.2)).collect();
        let mean = factors.iter().sum::<f64>() / 1000.0;
        assert!(factors.iter().all(|factor| (0.8..1.2).contains(factor)));
        assert!((mean - 1.0).abs() < 0.02, "{mean}");
        assert!((noise(7, [3, 1, 2], 0.2) - factors[3]).abs() < f64::EPSILON);
    }
}
