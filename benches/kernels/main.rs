//! How fast is each kernel? A criterion group for each, with impel on the CPU, the plain rayon loop, and the same WGSL through wgpu.
//!
//! The rayon loop is built here as impel is: plainly. `cargo xtask bench` builds it for the machine's own processor, which is the
//! comparison that counts. The thread counts are rayon's and impel's own: `RAYON_NUM_THREADS`, `IMPEL_THREADS`.

#[allow(dead_code, reason = "what only `contest` uses")]
#[path = "../contest"]
mod contest {
    #[path = "../rivals/src/inputs.rs"]
    pub(crate) mod inputs;
    pub(crate) mod on_impel;
    #[cfg(feature = "gpu")]
    pub(crate) mod on_wgpu;
    #[cfg(feature = "gpu")]
    pub(crate) mod problems;
    #[path = "../rivals/src/kernels.rs"]
    pub(crate) mod rivals;
    pub(crate) mod subject;
}

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode};
use impel::Level;

use contest::on_impel::{self, Devices};
use contest::subject::{Job, Subject};
use contest::{inputs, rivals};
#[cfg(feature = "gpu")]
use contest::{on_wgpu, problems};

/// The kernels; each at the size of the table.
const KERNELS: [&str; 9] = [
    "saxpy",
    "nbody",
    "mandelbrot",
    "black_scholes",
    "jacobi",
    "matmul_tiled",
    "matmul_blocked",
    "sum",
    "histogram",
];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .without_plots()
        .configure_from_args();
    let tested = std::env::args().any(|argument| argument == "--test");
    for kernel in KERNELS {
        let size = if tested {
            small_size(kernel)
        } else {
            inputs::standard_size(kernel).expect("every kernel has a size")
        };
        let mut group = criterion.benchmark_group(kernel);
        group.sampling_mode(SamplingMode::Flat);
        time(&mut group, "impel_cpu", || {
            impel(kernel, Level::detect(), size)
        });
        if Level::detect() != Level::Avx2 && Level::Avx2.is_available() {
            time(&mut group, "impel_cpu_avx2", || {
                impel(kernel, Level::Avx2, size)
            });
        }
        time(&mut group, "rayon_plain", || rayon_plain(kernel, size));
        #[cfg(feature = "gpu")]
        if on_wgpu::has_adapter() {
            time(&mut group, "wgpu_lavapipe", || wgpu(kernel, size));
        }
        group.finish();
    }
    criterion.final_summary();
}

/// A size at which everybody is done at once: `cargo bench -- --test` only looks whether everything runs.
fn small_size(kernel: &str) -> usize {
    match kernel {
        "mandelbrot" | "jacobi" | "matmul_tiled" | "matmul_blocked" => 128,
        "nbody" => 1024,
        _ => 1 << 16,
    }
}

/// Times a subject, which is made only if it is asked for.
fn time(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    prepare: impl Fn() -> Box<dyn Subject>,
) {
    group.bench_function(name, |bencher| {
        let mut subject = prepare();
        bencher.iter(|| subject.run());
    });
}

fn impel(kernel: &str, level: Level, size: usize) -> Box<dyn Subject> {
    let threads = std::env::var("IMPEL_THREADS")
        .ok()
        .and_then(|threads| threads.parse().ok());
    let threads = threads.unwrap_or_else(rayon::current_num_threads);
    let rt = Devices::Cpu(level)
        .runtime(threads)
        .expect("the CPU can be used");
    on_impel::prepare(kernel, rt, size).expect("the kernel is known")
}

#[cfg(feature = "gpu")]
fn wgpu(kernel: &str, size: usize) -> Box<dyn Subject> {
    let problem = problems::problem(kernel, size).expect("the kernel is known");
    Box::new(on_wgpu::OnWgpu::prepare(problem).expect("there is an adapter"))
}

/// A rival on its inputs; nothing is compared here, so that it has no checksum.
fn rival<S: 'static>(state: S, run: impl FnMut(&mut S) + 'static) -> Box<dyn Subject> {
    Box::new(Job {
        state,
        run,
        checksum: |_: &S| 0.0,
    })
}

fn rayon_plain(kernel: &str, size: usize) -> Box<dyn Subject> {
    match kernel {
        "saxpy" => {
            let (x, y) = inputs::saxpy(size);
            rival(y, move |y| rivals::saxpy(inputs::SAXPY_ALPHA, &x, y))
        }
        "nbody" => {
            let bodies = inputs::bodies(size);
            let softening = inputs::NBODY_SOFTENING_SQUARED;
            rival(vec![[0.0; 4]; size], move |accelerations| {
                rivals::nbody(softening, &bodies, accelerations);
            })
        }
        "mandelbrot" => {
            let (view, limit) = (inputs::MANDELBROT_VIEW, inputs::MANDELBROT_MAX_ITERATIONS);
            rival(vec![0; size * size], move |counts| {
                rivals::mandelbrot(view, limit, size, counts);
            })
        }
        "black_scholes" => {
            let options = inputs::options(size);
            let market = inputs::BLACK_SCHOLES_RATE_VOLATILITY;
            let prices = (vec![0.0; size], vec![0.0; size]);
            rival(prices, move |(call, put)| {
                rivals::black_scholes(market, &options, call, put);
            })
        }
        "jacobi" => {
            let src = inputs::grid(size);
            rival(vec![0.0; size * size], move |dst| {
                rivals::jacobi(inputs::JACOBI_RELAXATION, size, &src, dst);
            })
        }
        "matmul_tiled" | "matmul_blocked" => {
            let (a, b) = inputs::matrices(size);
            rival(vec![0.0; size * size], move |c| {
                rivals::matmul(size, &a, &b, c);
            })
        }
        "sum" => {
            let x = inputs::summands(size);
            rival(0.0, move |sum| *sum = rivals::sum(&x))
        }
        "histogram" => {
            let words = inputs::words(size);
            rival([const { AtomicU32::new(0) }; 256], move |bins| {
                rivals::histogram_shared(&words, bins);
            })
        }
        _ => unreachable!("{kernel} is no kernel"),
    }
}
