//! What can this GPU do at best? Short runs that find its rates and latencies, as the cost model wants them.

use std::time::{Duration, Instant};

use super::bind::Argument;
use super::memory::{Buffer, WORD};
use super::program::{Sharing, Source};
use super::{Gpu, Timing};
use crate::cost::{DeviceLimits, Link, until_believable};
use crate::device::error::DeviceError;
use crate::kernel::{Binding, Space};
use crate::region::Span;

/// A run this long drowns the cost of starting it.
const LONG_ENOUGH: Duration = Duration::from_millis(6);

/// Words of the arrays that are copied: beyond most caches, small beside any device's memory.
const COPY_WORDS: u64 = 4 << 20;

/// Words of the array whose way there and back is timed.
const LINK_WORDS: u64 = 2 << 20;

/// Invocations of the arithmetic kernels: enough to fill the largest devices.
const INVOCATIONS: u32 = 1 << 18;

/// Invocations of a workgroup.
const GROUP: u32 = 64;

/// Runs of which the median is taken where a latency is measured.
const LATENCY_RUNS: usize = 7;

/// Measurements that are tried before one that cannot be believed is reported.
const TRIES: u32 = 3;

/// 32-bit operations per invocation and round of [`OPS`]: eight fused multiply-adds.
const OPS_PER_ROUND: f64 = 16.0;

/// Special operations per invocation and round of [`SPECIAL`].
const SPECIAL_PER_ROUND: f64 = 8.0;

const fn array(name: &'static str, binding: u32, space: Space) -> Binding {
    Binding {
        name,
        group: 0,
        binding,
        space,
        fixed_words: 0,
        stride_words: 4,
    }
}

const COPY: Source = Source {
    name: "measure_bandwidth",
    wgsl: "
@group(0) @binding(0) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<u32>>;
@group(0) @binding(2) var<uniform> unused: vec4<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = x[id.x];
}
",
    entry: "main",
    bindings: &[
        array("x", 0, Space::StorageRead),
        array("y", 1, Space::StorageReadWrite),
    ],
    launch_words: 4,
    sharing: Sharing::None,
};

const OPS: Source = Source {
    name: "measure_arithmetic",
    wgsl: "
@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(1) var<uniform> rounds: vec4<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var a = vec4<f32>(f32(id.x), 1.0, 2.0, 3.0);
    var b = a + 0.5;
    for (var i = 0u; i < rounds.x; i++) {
        a = fma(a, vec4<f32>(0.999), b);
        b = fma(b, vec4<f32>(0.998), a);
    }
    y[id.x] = a + b;
}
",
    entry: "main",
    bindings: &[array("y", 0, Space::StorageReadWrite)],
    launch_words: 4,
    sharing: Sharing::None,
};

const SPECIAL: Source = Source {
    name: "measure_special",
    wgsl: "
@group(0) @binding(0) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(1) var<uniform> rounds: vec4<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var a = vec4<f32>(f32(id.x), 1.0, 2.0, 3.0);
    for (var i = 0u; i < rounds.x; i++) {
        a = exp(-a);
        a = inverseSqrt(a + 1.0);
    }
    y[id.x] = a;
}
",
    entry: "main",
    bindings: &[array("y", 0, Space::StorageReadWrite)],
    launch_words: 4,
    sharing: Sharing::None,
};

impl Gpu {
    /// Measures the device. Takes some tens of milliseconds on a real one, and less than 300 on a software one that has two cores
    /// to itself. Everything recorded before is done first.
    ///
    /// # Errors
    ///
    /// Out of memory, the device is lost, or it gives figures that cannot be.
    pub(crate) fn measure(&self) -> Result<DeviceLimits, DeviceError> {
        let outcome = until_believable(TRIES, || self.measure_once())?;
        outcome
            .check()
            .map_err(|error| self.health.invalid("what was measured", error.to_string()))?;
        Ok(outcome)
    }

    fn measure_once(&self) -> Result<DeviceLimits, DeviceError> {
        let x = self.allocate(COPY_WORDS)?;
        let y = self.allocate(COPY_WORDS)?;
        let launch_ns = self.launch_latency_ns(&y)?;
        let (up, down) = self.links(&x)?;
        let copies = self.grow(1, 1024, |copies| self.copy(&x, &y, copies))?;
        let ops = self.grow(4, 1 << 20, |rounds| self.compute(OPS, &y, rounds))?;
        let special = self.grow(2, 1 << 20, |rounds| self.compute(SPECIAL, &y, rounds))?;
        let per_second = |amount: f64, run: Run| {
            amount * f64::from(run.size) * 1e9 / (run.ns - launch_ns).max(1.0)
        };
        let bandwidth_bytes_per_s = per_second((2 * COPY_WORDS * WORD) as f64, copies);
        Ok(DeviceLimits {
            bandwidth_bytes_per_s,
            near_bytes: 0.0,
            near_bytes_per_s: bandwidth_bytes_per_s,
            ops_per_s: per_second(OPS_PER_ROUND * f64::from(INVOCATIONS), ops),
            special_ops_per_s: per_second(SPECIAL_PER_ROUND * f64::from(INVOCATIONS), special),
            launch_ns,
            up,
            down,
        })
    }

    fn copy(&self, x: &Buffer, y: &Buffer, copies: u32) -> Result<(), DeviceError> {
        let arguments = [whole(x), whole(y)];
        let groups = (COPY_WORDS / 4) as u32 / GROUP;
        for _ in 0..copies {
            self.record(COPY, &arguments, &[0], [groups, 1, 1], Timing::Off)?;
        }
        Ok(())
    }

    fn compute(&self, source: Source, y: &Buffer, rounds: u32) -> Result<(), DeviceError> {
        self.record(
            source,
            &[whole(y)],
            &[rounds],
            [INVOCATIONS / GROUP, 1, 1],
            Timing::Off,
        )
        .map(drop)
    }

    /// Time of the smallest launch, from recording to knowing that it is done.
    fn launch_latency_ns(&self, y: &Buffer) -> Result<f64, DeviceError> {
        median_ns(|| {
            self.record(OPS, &[whole(y)], &[1], [1; 3], Timing::Off)?;
            self.wait(&self.flush()?, self.patience())
        })
    }

    fn links(&self, buffer: &Buffer) -> Result<(Link, Link), DeviceError> {
        let words = vec![1; LINK_WORDS as usize];
        let upload = |count: u64| {
            self.upload(buffer, 0, &words[..count as usize])?;
            self.wait(&self.flush()?, self.patience())
        };
        let download =
            |count: u64| self.download(buffer, &[Span { lo: 0, hi: count }], &mut |_, _| {});
        let link = |copy: &dyn Fn(u64) -> Result<(), DeviceError>| {
            let latency_ns = median_ns(|| copy(1))?;
            // The first long copy also makes the staging memory, which later ones reuse.
            copy(LINK_WORDS)?;
            let long_ns = best_ns(|| copy(LINK_WORDS))?;
            let bytes = ((LINK_WORDS - 1) * WORD) as f64;
            Ok(Link {
                latency_ns,
                bytes_per_s: bytes * 1e9 / (long_ns - latency_ns).max(1.0),
            })
        };
        Ok((link(&upload)?, link(&download)?))
    }

    /// Runs `work` in growing sizes until one run is long enough, once more at that size, and returns the faster of the two.
    fn grow(
        &self,
        first: u32,
        most: u32,
        work: impl Fn(u32) -> Result<(), DeviceError>,
    ) -> Result<Run, DeviceError> {
        let run = |size| {
            time_ns(|| {
                work(size)?;
                self.wait(&self.flush()?, self.patience())
            })
        };
        // The first run compiles and touches memory for the first time.
        run(first)?;
        let mut size = first;
        loop {
            let ns = run(size)?;
            let enough = LONG_ENOUGH.as_nanos() as f64;
            if ns >= enough || size >= most {
                return Ok(Run {
                    size,
                    ns: ns.min(run(size)?),
                });
            }
            let factor = (1.2 * enough / ns).clamp(2.0, 16.0);
            size = (f64::from(size) * factor).min(f64::from(most)) as u32;
        }
    }
}

/// A run of some size, and its time.
#[derive(Clone, Copy, Debug)]
struct Run {
    size: u32,
    ns: f64,
}

fn whole(buffer: &Buffer) -> Argument<'_> {
    Argument::Storage {
        buffer,
        bound: Span {
            lo: 0,
            hi: buffer.words(),
        },
    }
}

fn time_ns(act: impl FnOnce() -> Result<(), DeviceError>) -> Result<f64, DeviceError> {
    let start = Instant::now();
    act()?;
    Ok(start.elapsed().as_nanos() as f64)
}

fn best_ns(act: impl Fn() -> Result<(), DeviceError>) -> Result<f64, DeviceError> {
    Ok(time_ns(&act)?.min(time_ns(&act)?))
}

fn median_ns(act: impl Fn() -> Result<(), DeviceError>) -> Result<f64, DeviceError> {
    act()?;
    let mut times = (0..LATENCY_RUNS)
        .map(|_| time_ns(&act))
        .collect::<Result<Vec<_>, _>>()?;
    times.sort_by(f64::total_cmp);
    Ok(times[LATENCY_RUNS / 2])
}
