//! How fast is this CPU? Memory bandwidth, arithmetic rate and the cost of a launch, all workers together.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::Cpu;
use crate::cost::{DeviceLimits, Link};
use crate::lanes::{self, Body, Buffer, Isa, Launch, Tile};

/// Words of each of the two arrays whose traffic is timed: together they exceed most last-level caches, and can be touched in
/// a fraction of the time that a measurement may take.
const WORDS: usize = 1 << 23;
/// Rounds of the arithmetic loop per call.
const ROUNDS: u32 = 20_000;
/// Independent chains of multiply-adds: enough to hide the latency of one.
const CHAINS: usize = 12;
/// A division, square root or exponential takes about this many times as long as an addition.
const SPECIAL_COST: f64 = 8.0;

/// Chains of multiply-adds on registers only.
struct MultiplyAdds;

impl Body for MultiplyAdds {
    const LANES_MAX: usize = 16;

    // Without it the loop would lose the instruction set.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn run<S: Isa>(&self, s: S, launch: &Launch<'_>, _tile: Tile) {
        let factor = s.f32_splat(launch.buffers[0].load_f32(0));
        let mut chains = [factor; CHAINS];
        let mut round = 0;
        while round < ROUNDS {
            let mut chain = 0;
            while chain < CHAINS {
                chains[chain] = s.f32_mul_add(chains[chain], factor, factor);
                chain += 1;
            }
            round += 1;
        }
        let mut sum = chains[0];
        let mut chain = 1;
        while chain < CHAINS {
            sum = s.f32_add(sum, chains[chain]);
            chain += 1;
        }
        launch.buffers[0].store_f32(1, s.f32_lane(sum, 0));
    }
}

impl Cpu {
    /// Measures the limits of all workers together; takes some tens of milliseconds.
    pub(crate) fn measure(&self) -> DeviceLimits {
        let ops_per_s = self.arithmetic_rate();
        DeviceLimits {
            bandwidth_bytes_per_s: self.bandwidth(),
            ops_per_s,
            special_ops_per_s: ops_per_s / SPECIAL_COST,
            launch_ns: self.launch_ns(),
            up: Link::NONE,
            down: Link::NONE,
        }
    }

    /// Bytes per second of `y += x`, reads and writes counted.
    fn bandwidth(&self) -> f64 {
        let source = vec![1.0_f32; WORDS];
        let mut target = vec![0.0_f32; WORDS];
        let chunk = WORDS.div_ceil(self.threads());
        let best = best_of(3, || {
            self.on_all(
                source.chunks(chunk).zip(target.chunks_mut(chunk)),
                |(source, target)| {
                    for (to, from) in target.iter_mut().zip(source) {
                        *to += *from;
                    }
                },
            );
        });
        black_box(&target);
        WORDS as f64 * 12.0 / best.as_secs_f64()
    }

    /// Additions and multiplications per second.
    fn arithmetic_rate(&self) -> f64 {
        let lanes = self.level.lanes();
        let best = best_of(3, || {
            self.on_all(0..self.threads(), |_| {
                let mut words = [0.5_f32.to_bits(), 0];
                let buffers = [Buffer::exclusive(&mut words)];
                let launch = Launch {
                    buffers: &buffers,
                    num_workgroups: [1; 3],
                };
                lanes::run(
                    self.level,
                    &MultiplyAdds,
                    &launch,
                    Tile {
                        lo: [0; 3],
                        hi: [1; 3],
                    },
                );
                black_box(&buffers);
            });
        });
        let each = f64::from(ROUNDS) * (CHAINS * lanes * 2) as f64;
        each * self.threads() as f64 / best.as_secs_f64()
    }

    /// Time of handing nothing to all workers, in ns.
    fn launch_ns(&self) -> f64 {
        best_of(20, || self.on_all(0..self.threads(), |_| {}))
            .as_nanos()
            .max(1) as f64
    }

    /// Hands each item to a worker, and does the first itself.
    fn on_all<T: Send>(&self, items: impl Iterator<Item = T>, work: impl Fn(T) + Sync) {
        let Some(pool) = &self.pool else {
            return items.for_each(work);
        };
        let work = &work;
        pool.in_place_scope(|scope| {
            let mut items = items;
            let own = items.next();
            for item in items {
                scope.spawn(move |_| work(item));
            }
            own.into_iter().for_each(work);
        });
    }
}

fn best_of(times: u32, mut run: impl FnMut()) -> Duration {
    let timed = (0..times).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    timed.min().unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::Level;

    #[test]
    fn measured_limits_are_believable() {
        let limits = Cpu::new(2, Level::detect()).unwrap().measure();
        assert!(
            limits.bandwidth_bytes_per_s > 1e8 && limits.bandwidth_bytes_per_s < 1e13,
            "{limits:?}"
        );
        assert!(
            limits.ops_per_s > 1e8 && limits.ops_per_s < 1e15,
            "{limits:?}"
        );
        assert!(
            limits.launch_ns > 0.0 && limits.launch_ns < 1e8,
            "{limits:?}"
        );
    }
}
