//! Who competes in what? Prepares the inputs of one contestant, runs it, and returns its times and checksum.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use crate::{inputs, kernels, machine};

/// How often to run, and on how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Elements, bodies, or elements along one side.
    pub(crate) size: usize,
    /// Runs that are not timed, at least one.
    pub(crate) warm_up: usize,
    /// Runs that are timed.
    pub(crate) iterations: usize,
}

/// What a contestant did.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Stands for the result after the first run; 0 where there is no result.
    pub(crate) checksum: f64,
    /// What one run moves or computes, where that is what is measured: a number and its unit.
    pub(crate) work: Option<(u64, &'static str)>,
    /// Time of each timed run, in nanoseconds.
    pub(crate) ns: Vec<u64>,
}

/// One who competes in one kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contestant {
    /// The kernel's name.
    pub(crate) kernel: &'static str,
    /// The contestant's name.
    pub(crate) name: &'static str,
    /// Whether this machine can run it.
    pub(crate) runs_here: fn() -> bool,
    /// Prepares the inputs, runs, and reports.
    pub(crate) run: fn(Run) -> Outcome,
}

/// All of them.
pub(crate) const CONTESTANTS: &[Contestant] = &[
    anywhere("saxpy", "rayon_plain", saxpy),
    anywhere("nbody", "rayon_plain", nbody),
    anywhere("mandelbrot", "rayon_plain", mandelbrot),
    anywhere("black_scholes", "rayon_plain", black_scholes),
    anywhere("jacobi", "rayon_plain", jacobi),
    anywhere("matmul_tiled", "rayon_plain", matmul),
    anywhere("matmul_blocked", "rayon_plain", matmul),
    anywhere("sum", "rayon_plain", sum),
    anywhere("histogram", "rayon_plain", histogram_shared),
    anywhere("histogram", "rayon_private", histogram_private),
    anywhere("memory", "saxpy", memory_saxpy),
    anywhere("memory", "triad", memory_triad),
    Contestant {
        runs_here: machine::has_avx2,
        ..anywhere("fma", "avx2", fma_avx2)
    },
    Contestant {
        runs_here: machine::has_avx512,
        ..anywhere("fma", "avx512", fma_avx512)
    },
];

/// A contestant that needs nothing of the machine.
const fn anywhere(kernel: &'static str, name: &'static str, run: fn(Run) -> Outcome) -> Contestant {
    Contestant {
        kernel,
        name,
        runs_here: || true,
        run,
    }
}

impl Run {
    /// Runs `work` on `state` once, takes the checksum, warms up for the rest, and times.
    fn measure<S>(
        self,
        state: &mut S,
        work: impl Fn(&mut S),
        checksum: impl Fn(&S) -> f64,
    ) -> Outcome {
        work(state);
        let checksum = checksum(state);
        for _ in 1..self.warm_up {
            work(state);
        }
        let ns = (0..self.iterations)
            .map(|_| {
                let start = Instant::now();
                work(black_box(state));
                u64::try_from(start.elapsed().as_nanos()).expect("a run takes less than 584 years")
            })
            .collect();
        Outcome {
            checksum,
            work: None,
            ns,
        }
    }
}

fn saxpy(run: Run) -> Outcome {
    let (x, mut y) = inputs::saxpy(run.size);
    run.measure(
        &mut y,
        |y| kernels::saxpy(inputs::SAXPY_ALPHA, &x, y),
        |y| inputs::checksum(y),
    )
}

fn nbody(run: Run) -> Outcome {
    let bodies = inputs::bodies(run.size);
    let mut accelerations = vec![[0.0; 4]; run.size];
    run.measure(
        &mut accelerations,
        |accelerations| kernels::nbody(inputs::NBODY_SOFTENING_SQUARED, &bodies, accelerations),
        |accelerations| inputs::checksum(accelerations.as_flattened()),
    )
}

fn mandelbrot(run: Run) -> Outcome {
    let mut counts = vec![0; run.size * run.size];
    let (view, limit) = (inputs::MANDELBROT_VIEW, inputs::MANDELBROT_MAX_ITERATIONS);
    run.measure(
        &mut counts,
        |counts| kernels::mandelbrot(view, limit, run.size, counts),
        |counts| inputs::checksum_counts(counts),
    )
}

fn black_scholes(run: Run) -> Outcome {
    let options = inputs::options(run.size);
    let mut prices = (vec![0.0; run.size], vec![0.0; run.size]);
    run.measure(
        &mut prices,
        |(call, put)| {
            kernels::black_scholes(inputs::BLACK_SCHOLES_RATE_VOLATILITY, &options, call, put);
        },
        |(call, put)| inputs::checksum(call) + inputs::checksum(put),
    )
}

fn jacobi(run: Run) -> Outcome {
    let src = inputs::grid(run.size);
    let mut dst = vec![0.0; src.len()];
    run.measure(
        &mut dst,
        |dst| kernels::jacobi(inputs::JACOBI_RELAXATION, run.size, &src, dst),
        |dst| inputs::checksum(dst),
    )
}

fn matmul(run: Run) -> Outcome {
    let (a, b) = inputs::matrices(run.size);
    let mut c = vec![0.0; a.len()];
    run.measure(
        &mut c,
        |c| kernels::matmul(run.size, &a, &b, c),
        |c| inputs::checksum(c),
    )
}

fn sum(run: Run) -> Outcome {
    let x = inputs::summands(run.size);
    run.measure(
        &mut 0.0,
        |sum| *sum = kernels::sum(&x),
        |sum| inputs::checksum(&[*sum]),
    )
}

fn histogram_shared(run: Run) -> Outcome {
    let words = inputs::words(run.size);
    let mut bins = [const { AtomicU32::new(0) }; 256];
    let plain = |bins: &[AtomicU32; 256]| bins.each_ref().map(|bin| bin.load(Ordering::Relaxed));
    run.measure(
        &mut bins,
        |bins| kernels::histogram_shared(&words, bins),
        |bins| inputs::checksum_bins(&plain(bins)),
    )
}

fn histogram_private(run: Run) -> Outcome {
    let words = inputs::words(run.size);
    run.measure(
        &mut [0; 256],
        |bins| kernels::histogram_private(&words, bins),
        |bins| inputs::checksum_bins(bins),
    )
}

fn memory_saxpy(run: Run) -> Outcome {
    let outcome = saxpy(run);
    Outcome {
        work: Some((machine::SAXPY_BYTES * run.size as u64, "bytes")),
        ..outcome
    }
}

fn memory_triad(run: Run) -> Outcome {
    let (b, c) = inputs::saxpy(run.size);
    let mut a = vec![0.0; run.size];
    let outcome = run.measure(
        &mut a,
        |a| machine::triad(inputs::SAXPY_ALPHA, a, &b, &c),
        |a| inputs::checksum(a),
    );
    Outcome {
        work: Some((machine::TRIAD_BYTES * run.size as u64, "bytes")),
        ..outcome
    }
}

fn fma_avx2(run: Run) -> Outcome {
    fma(run, machine::fma_avx2, 8)
}

fn fma_avx512(run: Run) -> Outcome {
    fma(run, machine::fma_avx512, 16)
}

/// Times `rate`, which has `lanes` lanes.
fn fma(run: Run, rate: fn(), lanes: u64) -> Outcome {
    let operations = machine::FMA_OPERATIONS_A_LANE * lanes * rayon::current_num_threads() as u64;
    let outcome = run.measure(&mut (), |()| rate(), |()| 0.0);
    Outcome {
        work: Some((operations, "flop")),
        ..outcome
    }
}
