//! What does impel do in the contest? Every kernel as a user launches it: arrays that stay where they are, a launch, a wait.

use impel::{Array, DeviceId, Element, Launch, Level, Policy, Runtime};
use impel_kernels::{
    black_scholes, histogram, jacobi, mandelbrot, matmul_blocked, matmul_tiled, nbody, saxpy, sum,
};

use super::inputs;
use super::subject::{Job, Subject};

/// On what impel runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Devices {
    /// The CPU alone, with these instructions.
    Cpu(Level),
    /// The first GPU alone. Needs the feature `gpu`.
    Gpu,
    /// The CPU and the first GPU, an eighth of the work on the GPU. Needs the feature `gpu`.
    Split,
}

impl Devices {
    /// A runtime on these devices, with `threads` CPU workers, that knows and keeps no costs.
    pub(crate) fn runtime(self, threads: usize) -> Result<Runtime, String> {
        let builder = Runtime::builder().threads(threads).without_cache();
        let builder = match self {
            Devices::Cpu(level) => builder.isa(level).policy(Policy::CpuOnly),
            Devices::Gpu => builder.policy(Policy::GpuOnly(FIRST_GPU)),
            Devices::Split => {
                builder.policy(Policy::Split(vec![(DeviceId::CPU, 7.0), (FIRST_GPU, 1.0)]))
            }
        };
        #[cfg(feature = "gpu")]
        let builder = match self {
            Devices::Cpu(_) => builder.gpus(false),
            Devices::Gpu | Devices::Split => builder.require_gpu(),
        };
        builder.build().map_err(|error| error.to_string())
    }
}

/// The GPU that competes.
pub(crate) const FIRST_GPU: DeviceId = DeviceId(1);

/// A kernel on its inputs; none if there is no such kernel.
pub(crate) fn prepare(kernel: &str, rt: Runtime, size: usize) -> Option<Box<dyn Subject>> {
    Some(match kernel {
        "saxpy" => saxpy(rt, size),
        "nbody" => nbody(rt, size),
        "mandelbrot" => mandelbrot(rt, size),
        "black_scholes" => black_scholes(rt, size),
        "jacobi" => jacobi(rt, size),
        "matmul_tiled" => matmul_tiled(rt, size),
        "matmul_blocked" => matmul_blocked(rt, size),
        "sum" => sum(rt, size),
        "histogram" => histogram(rt, size),
        _ => return None,
    })
}

/// The array that takes `elements` over.
pub(crate) fn array<T: Element>(rt: &Runtime, elements: Vec<T>) -> Array<T> {
    rt.array_from_vec(elements)
        .expect("the inputs are far smaller than an array may be")
}

/// Launches and waits for the end.
pub(crate) fn finish(rt: &Runtime, launch: Launch<'_>) {
    let pending = rt.launch(launch).expect("the contest's launches are valid");
    pending.wait().expect("the contest's launches succeed");
}

/// A subject of which each run is one launch on arrays that stay.
fn launches<S: 'static>(
    rt: Runtime,
    state: S,
    run: impl Fn(&Runtime, &mut S) + 'static,
    checksum: impl Fn(&S) -> f64 + 'static,
) -> Box<dyn Subject> {
    Box::new(Job {
        state,
        run: move |state: &mut S| run(&rt, state),
        checksum,
    })
}

/// The magnitudes of all elements, added up.
fn magnitudes(array: &Array<f32>) -> f64 {
    inputs::checksum(&array.read().expect("the launch succeeded"))
}

fn saxpy(rt: Runtime, size: usize) -> Box<dyn Subject> {
    let (x, y) = inputs::saxpy(size);
    let (x, y) = (array(&rt, x), array(&rt, y));
    let params = saxpy::wgsl::Params {
        alpha: inputs::SAXPY_ALPHA,
        n: size as u32,
    };
    let run = move |rt: &Runtime, y: &mut Array<f32>| {
        finish(rt, saxpy::wgsl::saxpy { params, x: &x, y }.over(size));
    };
    launches(rt, y, run, magnitudes)
}

fn nbody(rt: Runtime, size: usize) -> Box<dyn Subject> {
    let bodies = array(&rt, inputs::bodies(size));
    let accelerations = array(&rt, vec![[0.0_f32; 4]; size]);
    let params = nbody::wgsl::Params {
        n: size as u32,
        softening_squared: inputs::NBODY_SOFTENING_SQUARED,
    };
    let run = move |rt: &Runtime, accelerations: &mut Array<[f32; 4]>| {
        finish(
            rt,
            nbody::wgsl::nbody {
                params,
                bodies: &bodies,
                accelerations,
            }
            .over(size),
        );
    };
    launches(rt, accelerations, run, |accelerations| {
        inputs::checksum(
            accelerations
                .read()
                .expect("the launch succeeded")
                .as_flattened(),
        )
    })
}

fn mandelbrot(rt: Runtime, size: usize) -> Box<dyn Subject> {
    let counts = array(&rt, vec![0_u32; size * size]);
    let (left, top, side) = inputs::MANDELBROT_VIEW;
    let view = mandelbrot::View {
        width: size,
        height: size,
        re: (left, left + side),
        im: (top, top + side),
        max_iterations: inputs::MANDELBROT_MAX_ITERATIONS,
    };
    let params = view.params().expect("the picture is small");
    let run = move |rt: &Runtime, counts: &mut Array<u32>| {
        finish(
            rt,
            mandelbrot::wgsl::mandelbrot { params, counts }.over([size, size]),
        );
    };
    launches(rt, counts, run, |counts| {
        inputs::checksum_counts(&counts.read().expect("the launch succeeded"))
    })
}

fn black_scholes(rt: Runtime, size: usize) -> Box<dyn Subject> {
    let [spot, strike, years] = inputs::options(size).map(|values| array(&rt, values));
    let prices = [(); 2].map(|()| array(&rt, vec![0.0_f32; size]));
    let (rate, volatility) = inputs::BLACK_SCHOLES_RATE_VOLATILITY;
    let params = black_scholes::wgsl::Params {
        n: size as u32,
        rate,
        volatility,
    };
    let run = move |rt: &Runtime, [call, put]: &mut [Array<f32>; 2]| {
        let (spot, strike, years) = (&spot, &strike, &years);
        finish(
            rt,
            black_scholes::wgsl::black_scholes {
                params,
                spot,
                strike,
                years,
                call,
                put,
            }
            .over(size),
        );
    };
    launches(rt, prices, run, |[call, put]| {
        magnitudes(call) + magnitudes(put)
    })
}

fn jacobi(rt: Runtime, size: usize) -> Box<dyn Subject> {
    let src = array(&rt, inputs::grid(size));
    let dst = array(&rt, vec![0.0_f32; size * size]);
    let (width, height) = (size as u32, size as u32);
    let params = jacobi::wgsl::Params {
        width,
        height,
        relaxation: inputs::JACOBI_RELAXATION,
    };
    let run = move |rt: &Runtime, dst: &mut Array<f32>| {
        finish(
            rt,
            jacobi::wgsl::jacobi {
                params,
                src: &src,
                dst,
            }
            .over([size, size]),
        );
    };
    launches(rt, dst, run, magnitudes)
}

fn matmul_tiled(rt: Runtime, size: usize) -> Box<dyn Subject> {
    let (a, b) = inputs::matrices(size);
    let (a, b) = (array(&rt, a), array(&rt, b));
    let c = array(&rt, vec![0.0_f32; size * size]);
    let n = size as u32;
    let params = matmul_tiled::wgsl::Params { n, m: n, k: n };
    let run = move |rt: &Runtime, c: &mut Array<f32>| {
        finish(
            rt,
            matmul_tiled::wgsl::matmul_tiled {
                params,
                a: &a,
                b: &b,
                c,
            }
            .over([size, size]),
        );
    };
    launches(rt, c, run, magnitudes)
}

fn matmul_blocked(rt: Runtime, size: usize) -> Box<dyn Subject> {
    let (a, b) = inputs::matrices(size);
    let (a, b) = (array(&rt, a), array(&rt, b));
    let c = array(&rt, vec![0.0_f32; size * size]);
    let n = size as u32;
    let params = matmul_blocked::wgsl::Params { n, m: n, k: n };
    let tiles = size.div_ceil(64);
    let run = move |rt: &Runtime, c: &mut Array<f32>| {
        let launch = matmul_blocked::wgsl::matmul_blocked {
            params,
            a: &a,
            b: &b,
            c,
        };
        finish(rt, launch.workgroups([tiles, tiles]));
    };
    launches(rt, c, run, magnitudes)
}

/// The whole sum, as the rival computes it: the chunks' sums are read and added up within the run.
fn sum(rt: Runtime, size: usize) -> Box<dyn Subject> {
    let x = array(&rt, inputs::summands(size));
    let chunks = size.div_ceil(sum::CHUNK);
    let partials = array(&rt, vec![0.0_f32; chunks]);
    let params = sum::wgsl::Params { n: size as u32 };
    let run = move |rt: &Runtime, (partials, total): &mut (Array<f32>, f64)| {
        let launch = sum::wgsl::sum {
            params,
            x: &x,
            partials: &mut *partials,
        };
        rt.launch(launch.workgroups(chunks))
            .expect("the contest's launches are valid");
        let partials = partials.read().expect("the launch succeeded");
        *total = partials.iter().map(|&partial| f64::from(partial)).sum();
    };
    launches(rt, (partials, 0.0), run, |(_, total)| total.abs())
}

fn histogram(rt: Runtime, size: usize) -> Box<dyn Subject> {
    let data = array(&rt, inputs::words(size));
    let bins = array(&rt, vec![0_u32; histogram::BINS]);
    let params = histogram::wgsl::Params {
        n: size as u32,
        shift: 0,
    };
    let chunks = size.div_ceil(histogram::CHUNK);
    let run = move |rt: &Runtime, bins: &mut Array<u32>| {
        finish(
            rt,
            histogram::wgsl::histogram {
                params,
                data: &data,
                bins,
            }
            .workgroups(chunks),
        );
    };
    launches(rt, bins, run, |bins| {
        inputs::checksum_bins(&bins.read().expect("the launch succeeded"))
    })
}
