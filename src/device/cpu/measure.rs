//! How fast is this CPU? Memory bandwidth, arithmetic rate and the cost of a launch, all workers together.

use std::hint::black_box;
use std::sync::{Mutex, PoisonError};
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
/// Independent chains of functions: as many as kernels have at a time.
const SPECIAL_CHAINS: usize = 4;
/// Rounds of the loop of functions per call.
const SPECIAL_ROUNDS: u32 = 1000;
/// Second-level cache of a core where nobody tells.
const L2_BYTES: u64 = 256 << 10;
/// Passes over what is in the caches, so that handing it out does not count.
const NEAR_PASSES: usize = 32;
/// Passes over what is not; the first meets new pages.
const FAR_PASSES: usize = 3;
/// Words that are timed at once: some ten microseconds.
const PIECE: usize = 1 << 16;
/// Tries of which the fastest counts: other programs only ever slow one down.
const TRIES: u32 = 8;

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

/// Chains of an exponential and an inverse square root on registers only.
struct Specials;

impl Body for Specials {
    const LANES_MAX: usize = 16;

    // As above.
    #[allow(clippy::inline_always)]
    #[inline(always)]
    fn run<S: Isa>(&self, s: S, launch: &Launch<'_>, _tile: Tile) {
        let one = s.f32_splat(launch.buffers[0].load_f32(0));
        let mut chains = [one; SPECIAL_CHAINS];
        let mut round = 0;
        while round < SPECIAL_ROUNDS {
            let mut chain = 0;
            while chain < SPECIAL_CHAINS {
                let small = s.f32_exp(s.f32_neg(chains[chain]));
                chains[chain] = s.f32_inverse_sqrt(s.f32_add(small, one));
                chain += 1;
            }
            round += 1;
        }
        let mut sum = chains[0];
        let mut chain = 1;
        while chain < SPECIAL_CHAINS {
            sum = s.f32_add(sum, chains[chain]);
            chain += 1;
        }
        launch.buffers[0].store_f32(1, s.f32_lane(sum, 0));
    }
}

impl Cpu {
    /// Measures the limits of all workers together; takes some tens of milliseconds.
    pub(crate) fn measure(&self) -> DeviceLimits {
        let bandwidth_bytes_per_s = self.bandwidth();
        let (near_bytes, near_bytes_per_s) = self.near();
        let ops = f64::from(ROUNDS) * (CHAINS * 2) as f64;
        let specials = f64::from(SPECIAL_ROUNDS) * (SPECIAL_CHAINS * 2) as f64;
        DeviceLimits {
            bandwidth_bytes_per_s,
            near_bytes,
            near_bytes_per_s: near_bytes_per_s.max(bandwidth_bytes_per_s),
            ops_per_s: self.rate(&MultiplyAdds, ops),
            special_ops_per_s: self.rate(&Specials, specials),
            launch_ns: self.launch_ns(),
            up: Link::NONE,
            down: Link::NONE,
        }
    }

    /// Bytes per second of `y += x`, reads and writes counted.
    fn bandwidth(&self) -> f64 {
        self.traffic(WORDS, FAR_PASSES)
    }

    /// Bytes that the second-level caches of all workers hold, and the bandwidth of half as many.
    fn near(&self) -> (f64, f64) {
        let l2_bytes = self.describe().caches.l2_bytes.unwrap_or(L2_BYTES);
        let bytes = l2_bytes * self.threads() as u64;
        let words = (bytes / 16) as usize;
        (bytes as f64, self.traffic(words, NEAR_PASSES))
    }

    /// Bytes per second of some passes of `y += x` over arrays of so many words, reads and writes counted.
    ///
    /// Every worker times small pieces, and the median counts: it does not see how often other programs interrupt.
    fn traffic(&self, words: usize, passes: usize) -> f64 {
        let source = vec![1.0_f32; words];
        let mut target = vec![0.0_f32; words];
        let chunk = words.div_ceil(self.threads());
        let times = Mutex::new(Vec::new());
        self.on_all(
            source.chunks(chunk).zip(target.chunks_mut(chunk)),
            |(source, target)| {
                let mut own = Vec::new();
                for _ in 0..passes {
                    for (to, from) in target.chunks_mut(PIECE).zip(source.chunks(PIECE)) {
                        let start = Instant::now();
                        for (to, from) in to.iter_mut().zip(from) {
                            *to += *from;
                        }
                        black_box(&mut *to);
                        own.push(start.elapsed().as_secs_f64() / to.len() as f64);
                    }
                }
                let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
                times.append(&mut own);
            },
        );
        let mut times = times.into_inner().unwrap_or_else(PoisonError::into_inner);
        times.sort_by(f64::total_cmp);
        12.0 * self.threads() as f64 / times[times.len() / 2]
    }

    /// Operations per second of a body of which each lane does so many.
    fn rate(&self, body: &impl Body, operations: f64) -> f64 {
        let best = best_of(TRIES, || {
            self.on_all(0..self.threads(), |_| self.run_alone(body));
        });
        let lanes = (self.level.lanes() * self.threads()) as f64;
        operations * lanes / best.as_secs_f64()
    }

    /// Runs a body on the calling thread.
    fn run_alone(&self, body: &impl Body) {
        let mut words = [0.5_f32.to_bits(), 0];
        let buffers = [Buffer::exclusive(&mut words)];
        let launch = Launch {
            buffers: &buffers,
            num_workgroups: [1; 3],
        };
        let tile = Tile {
            lo: [0; 3],
            hi: [1; 3],
        };
        lanes::run(self.level, body, &launch, tile);
        black_box(&buffers);
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
