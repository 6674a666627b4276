//! What would one hand to wgpu? Every kernel as plain values: WGSL, words of buffers, dispatches.

use std::ops::Range;

use super::inputs;

/// A kernel and its inputs.
pub(crate) struct Problem {
    /// The shader as it is in `shaders/`: one entry point, a uniform buffer at binding 0, storage buffers behind it.
    pub(crate) wgsl: &'static str,
    /// The words of the storage buffers, by binding - 1.
    pub(crate) buffers: Vec<Vec<u32>>,
    /// What to dispatch, in order.
    pub(crate) dispatches: Vec<Dispatch>,
    /// Which buffers hold the result.
    pub(crate) results: Range<usize>,
    /// Stands for the result.
    pub(crate) checksum: fn(&[u32]) -> f64,
}

/// One dispatch.
pub(crate) struct Dispatch {
    /// The words of the uniform buffer.
    pub(crate) uniform: Vec<u32>,
    /// The words that are bound of every buffer; all if there are none. Its start is a multiple of 64 words.
    pub(crate) window: Option<Range<usize>>,
    /// Workgroups along x, y, z.
    pub(crate) workgroups: [usize; 3],
}

/// A kernel on its inputs; none if there is no such kernel.
pub(crate) fn problem(kernel: &str, size: usize) -> Option<Problem> {
    Some(match kernel {
        "saxpy" => saxpy(size),
        "nbody" => nbody(size),
        "mandelbrot" => mandelbrot(size),
        "black_scholes" => black_scholes(size),
        "jacobi" => jacobi(size),
        "matmul_tiled" => matmul(include_str!("../../shaders/matmul_tiled.wgsl"), 16, size),
        "matmul_blocked" => matmul(include_str!("../../shaders/matmul_blocked.wgsl"), 64, size),
        "sum" => sum(size),
        "histogram" => histogram(size),
        _ => return None,
    })
}

/// Invocations in a workgroup of the kernels that have one invocation an element.
const WORKGROUP: usize = 64;

/// Elements to a dispatch of those kernels: wgpu takes at most 65535 workgroups along x, which 2^24 elements exceed.
const ELEMENTS_MAX: usize = 1 << 21;

/// Dispatches that cover `size` elements; the uniform buffer of each holds the number of its own elements.
fn over_elements(size: usize, uniform: impl Fn(u32) -> Vec<u32>) -> Vec<Dispatch> {
    let starts = (0..size).step_by(ELEMENTS_MAX);
    let windows = starts.map(|lo| lo..size.min(lo + ELEMENTS_MAX));
    let dispatch = |window: Range<usize>| Dispatch {
        uniform: uniform(window.len() as u32),
        workgroups: [window.len().div_ceil(WORKGROUP), 1, 1],
        window: Some(window),
    };
    windows.map(dispatch).collect()
}

/// One dispatch on whole buffers.
fn at_once(uniform: Vec<u32>, workgroups: [usize; 3]) -> Vec<Dispatch> {
    vec![Dispatch {
        uniform,
        window: None,
        workgroups,
    }]
}

fn words(values: Vec<f32>) -> Vec<u32> {
    bytemuck::cast_vec(values)
}

fn magnitudes(words: &[u32]) -> f64 {
    inputs::checksum(bytemuck::cast_slice(words))
}

fn saxpy(size: usize) -> Problem {
    let (x, y) = inputs::saxpy(size);
    Problem {
        wgsl: include_str!("../../shaders/saxpy.wgsl"),
        buffers: vec![words(x), words(y)],
        dispatches: over_elements(size, |n| vec![inputs::SAXPY_ALPHA.to_bits(), n]),
        results: 1..2,
        checksum: magnitudes,
    }
}

fn nbody(size: usize) -> Problem {
    let bodies: &[u32] = &bytemuck::cast_vec::<_, [u32; 4]>(inputs::bodies(size)).into_flattened();
    Problem {
        wgsl: include_str!("../../shaders/nbody.wgsl"),
        buffers: vec![bodies.to_vec(), vec![0; 4 * size]],
        dispatches: at_once(
            vec![size as u32, inputs::NBODY_SOFTENING_SQUARED.to_bits()],
            [size.div_ceil(WORKGROUP), 1, 1],
        ),
        results: 1..2,
        checksum: magnitudes,
    }
}

fn mandelbrot(size: usize) -> Problem {
    let (left, top, side) = inputs::MANDELBROT_VIEW;
    let (n, step) = (size as u32, (side / size as f32).to_bits());
    let (left, top) = (left.to_bits(), top.to_bits());
    let groups = size.div_ceil(16);
    Problem {
        wgsl: include_str!("../../shaders/mandelbrot.wgsl"),
        buffers: vec![vec![0; size * size]],
        dispatches: at_once(
            vec![
                n,
                n,
                inputs::MANDELBROT_MAX_ITERATIONS,
                left,
                top,
                step,
                step,
            ],
            [groups, groups, 1],
        ),
        results: 0..1,
        checksum: inputs::checksum_counts,
    }
}

fn black_scholes(size: usize) -> Problem {
    let (rate, volatility) = inputs::BLACK_SCHOLES_RATE_VOLATILITY;
    let mut buffers: Vec<Vec<u32>> = inputs::options(size).into_iter().map(words).collect();
    buffers.extend([vec![0; size], vec![0; size]]);
    Problem {
        wgsl: include_str!("../../shaders/black_scholes.wgsl"),
        buffers,
        dispatches: over_elements(size, |n| vec![n, rate.to_bits(), volatility.to_bits()]),
        results: 3..5,
        checksum: magnitudes,
    }
}

fn jacobi(size: usize) -> Problem {
    let groups = size.div_ceil(16);
    Problem {
        wgsl: include_str!("../../shaders/jacobi.wgsl"),
        buffers: vec![words(inputs::grid(size)), vec![0; size * size]],
        dispatches: at_once(
            vec![
                size as u32,
                size as u32,
                inputs::JACOBI_RELAXATION.to_bits(),
            ],
            [groups, groups, 1],
        ),
        results: 1..2,
        checksum: magnitudes,
    }
}

/// A matrix product whose workgroups compute tiles of `tile` × `tile`.
fn matmul(wgsl: &'static str, tile: usize, size: usize) -> Problem {
    let (a, b) = inputs::matrices(size);
    let groups = size.div_ceil(tile);
    Problem {
        wgsl,
        buffers: vec![words(a), words(b), vec![0; size * size]],
        dispatches: at_once(vec![size as u32; 3], [groups, groups, 1]),
        results: 2..3,
        checksum: magnitudes,
    }
}

/// The sums of the chunks: adding those up is not part of a run.
fn sum(size: usize) -> Problem {
    let chunks = size.div_ceil(4096);
    Problem {
        wgsl: include_str!("../../shaders/sum.wgsl"),
        buffers: vec![words(inputs::summands(size)), vec![0; chunks]],
        dispatches: at_once(vec![size as u32], [chunks, 1, 1]),
        results: 1..2,
        checksum: magnitudes,
    }
}

fn histogram(size: usize) -> Problem {
    Problem {
        wgsl: include_str!("../../shaders/histogram.wgsl"),
        buffers: vec![inputs::words(size), vec![0; 256]],
        dispatches: at_once(vec![size as u32, 0], [size.div_ceil(32_768), 1, 1]),
        results: 1..2,
        checksum: inputs::checksum_bins,
    }
}
