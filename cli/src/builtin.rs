//! Which kernels come with impel, and how is each launched at some size? As data: uniforms, arrays, workgroups.

use impel::kernel::{Kernel, Space};
use impel::launch::WordArgument;
use impel::{Array, Launch, Runtime};
use impel_kernels::{
    black_scholes, histogram, jacobi, mandelbrot, matmul_blocked, matmul_tiled, nbody, saxpy, sum,
};

use crate::Failure;

/// A ready-made kernel.
#[derive(Clone, Copy)]
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    /// What its size is the number of.
    pub(crate) size_of: &'static str,
    /// A size at which a launch takes long enough to be worth a GPU.
    pub(crate) size: usize,
    problem: fn(usize) -> Problem,
}

/// A kernel with all that it is launched with.
struct Problem {
    kernel: &'static Kernel,
    uniform: Vec<u32>,
    /// The storage arrays' words, in the order of the bindings.
    arrays: Vec<Vec<u32>>,
    workgroups: [usize; 3],
}

/// A ready-made kernel whose arrays are a runtime's.
pub(crate) struct Prepared {
    kernel: &'static Kernel,
    uniform: Vec<u32>,
    arrays: Vec<Array<u32>>,
    workgroups: [usize; 3],
}

/// All ready-made kernels, in the order of the alphabet.
pub(crate) const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "black_scholes",
        size_of: "options",
        size: 1 << 22,
        problem: black_scholes_problem,
    },
    Builtin {
        name: "histogram",
        size_of: "elements",
        size: 1 << 24,
        problem: histogram_problem,
    },
    Builtin {
        name: "jacobi",
        size_of: "elements along a side",
        size: 4096,
        problem: jacobi_problem,
    },
    Builtin {
        name: "mandelbrot",
        size_of: "pixels along a side",
        size: 2048,
        problem: mandelbrot_problem,
    },
    Builtin {
        name: "matmul_blocked",
        size_of: "elements along a side",
        size: 1024,
        problem: |n| matmul_problem(&matmul_blocked::wgsl::MATMUL_BLOCKED_KERNEL, 64, n),
    },
    Builtin {
        name: "matmul_tiled",
        size_of: "elements along a side",
        size: 1024,
        problem: |n| matmul_problem(&matmul_tiled::wgsl::MATMUL_TILED_KERNEL, 16, n),
    },
    Builtin {
        name: "nbody",
        size_of: "bodies",
        size: 1 << 13,
        problem: nbody_problem,
    },
    Builtin {
        name: "saxpy",
        size_of: "elements",
        size: 1 << 24,
        problem: saxpy_problem,
    },
    Builtin {
        name: "sum",
        size_of: "elements",
        size: 1 << 24,
        problem: sum_problem,
    },
];

/// The ready-made kernel of this name.
pub(crate) fn builtin(name: &str) -> Result<&'static Builtin, Failure> {
    BUILTINS
        .iter()
        .find(|builtin| builtin.name == name)
        .ok_or_else(|| {
            let names: Vec<&str> = BUILTINS.iter().map(|builtin| builtin.name).collect();
            Failure::Usage(format!(
                "`{name}` is no ready-made kernel; there are {}",
                names.join(", ")
            ))
        })
}

impl Builtin {
    /// Makes the arrays for a launch of this size.
    pub(crate) fn prepare(&self, rt: &Runtime, size: usize) -> Result<Prepared, Failure> {
        if size == 0 || u32::try_from(size).is_err() {
            let (name, size_of) = (self.name, self.size_of);
            return Err(Failure::Usage(format!(
                "{name} takes 1 to 4294967295 {size_of}"
            )));
        }
        let problem = (self.problem)(size);
        let arrays = problem.arrays.into_iter();
        let arrays = arrays.map(|words| rt.array_from_vec(words));
        Ok(Prepared {
            kernel: problem.kernel,
            uniform: problem.uniform,
            arrays: arrays.collect::<Result<_, _>>().map_err(Failure::of)?,
            workgroups: problem.workgroups,
        })
    }
}

impl Prepared {
    /// A launch on the arrays.
    pub(crate) fn launch(&mut self) -> Result<Launch<'_>, Failure> {
        let mut arrays = self.arrays.iter_mut();
        let mut array = || arrays.next().expect("an array for every storage binding");
        let bindings = self.kernel.bindings.iter();
        let arguments = bindings.map(|binding| match binding.space {
            Space::Uniform => WordArgument::Uniform(&self.uniform),
            Space::StorageRead => WordArgument::Read(array()),
            Space::StorageReadWrite => WordArgument::Write(array()),
        });
        let arguments: Vec<WordArgument<'_>> = arguments.collect();
        Launch::of_words(self.kernel, arguments, self.workgroups).map_err(Failure::of)
    }

    /// Bytes of all arrays: what a launch that touches every word once moves through the caches.
    pub(crate) fn bytes(&self) -> u64 {
        self.arrays.iter().map(|array| array.len() as u64 * 4).sum()
    }
}

/// Words that hold floats from `low` up to `high`, without a pattern that matters.
fn floats(n: usize, low: f32, high: f32) -> Vec<u32> {
    let unit = |index: usize| hash(index as u32) as f32 / 4_294_967_296.0;
    (0..n)
        .map(|index| (low + (high - low) * unit(index)).to_bits())
        .collect()
}

/// Mixes the bits of a number, as in Chris Wellons' `lowbias32`.
fn hash(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

fn black_scholes_problem(n: usize) -> Problem {
    Problem {
        kernel: &black_scholes::wgsl::BLACK_SCHOLES_KERNEL,
        uniform: vec![n as u32, 0.02_f32.to_bits(), 0.3_f32.to_bits()],
        arrays: vec![
            floats(n, 10.0, 100.0),
            floats(n, 10.0, 100.0),
            floats(n, 0.1, 5.0),
            vec![0; n],
            vec![0; n],
        ],
        workgroups: [n.div_ceil(64), 1, 1],
    }
}

fn histogram_problem(n: usize) -> Problem {
    Problem {
        kernel: &histogram::wgsl::HISTOGRAM_KERNEL,
        uniform: vec![n as u32, 0],
        arrays: vec![
            (0..n).map(|index| hash(index as u32)).collect(),
            vec![0; histogram::BINS],
        ],
        workgroups: [n.div_ceil(histogram::CHUNK), 1, 1],
    }
}

fn jacobi_problem(n: usize) -> Problem {
    Problem {
        kernel: &jacobi::wgsl::JACOBI_KERNEL,
        uniform: vec![n as u32, n as u32, 1.0_f32.to_bits()],
        arrays: vec![floats(n * n, 0.0, 1.0), vec![0; n * n]],
        workgroups: [n.div_ceil(16), n.div_ceil(16), 1],
    }
}

fn mandelbrot_problem(n: usize) -> Problem {
    let step = (2.5 / n as f32).to_bits();
    let (left, top) = ((-2.0_f32).to_bits(), (-1.25_f32).to_bits());
    Problem {
        kernel: &mandelbrot::wgsl::MANDELBROT_KERNEL,
        uniform: vec![n as u32, n as u32, 256, left, top, step, step],
        arrays: vec![vec![0; n * n]],
        workgroups: [n.div_ceil(16), n.div_ceil(16), 1],
    }
}

fn matmul_problem(kernel: &'static Kernel, tile: usize, n: usize) -> Problem {
    Problem {
        kernel,
        uniform: vec![n as u32; 3],
        arrays: vec![
            floats(n * n, -1.0, 1.0),
            floats(n * n, -1.0, 1.0),
            vec![0; n * n],
        ],
        workgroups: [n.div_ceil(tile), n.div_ceil(tile), 1],
    }
}

fn nbody_problem(n: usize) -> Problem {
    Problem {
        kernel: &nbody::wgsl::NBODY_KERNEL,
        uniform: vec![n as u32, 0.0025_f32.to_bits()],
        arrays: vec![floats(4 * n, -1.0, 1.0), vec![0; 4 * n]],
        workgroups: [n.div_ceil(64), 1, 1],
    }
}

fn saxpy_problem(n: usize) -> Problem {
    Problem {
        kernel: &saxpy::wgsl::SAXPY_KERNEL,
        uniform: vec![0.75_f32.to_bits(), n as u32],
        arrays: vec![floats(n, -1.0, 1.0), floats(n, -1.0, 1.0)],
        workgroups: [n.div_ceil(64), 1, 1],
    }
}

fn sum_problem(n: usize) -> Problem {
    Problem {
        kernel: &sum::wgsl::SUM_KERNEL,
        uniform: vec![n as u32],
        arrays: vec![floats(n, -1.0, 1.0), vec![0; n.div_ceil(sum::CHUNK)]],
        workgroups: [n.div_ceil(sum::CHUNK), 1, 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ready_made_kernel_runs_at_a_small_size() {
        let rt = Runtime::builder().gpus(false).without_cache().build();
        let rt = rt.expect("a CPU is there");
        for builtin in BUILTINS {
            let prepared = builtin.prepare(&rt, 100);
            let mut prepared = prepared.unwrap_or_else(|failure| panic!("{failure:?}"));
            let launch = prepared.launch();
            let launch = launch.unwrap_or_else(|failure| panic!("{failure:?}"));
            let pending = rt.launch(launch).unwrap_or_else(|error| panic!("{error}"));
            assert!(pending.wait().is_ok(), "{}", builtin.name);
        }
    }
}
