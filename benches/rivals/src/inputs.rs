//! What do all contestants compute on? Sizes, parameters and input arrays, the same for the rivals and for impel, made by
//! one formula so that results can be compared. Impel's benchmark includes this file by its path.

/// Invocations, elements or rows that a kernel is timed at; `None` for a kernel that is not in the table.
///
/// For `mandelbrot`, `jacobi` and the matrix products this is the length of one side.
pub(crate) fn standard_size(kernel: &str) -> Option<usize> {
    Some(match kernel {
        "saxpy" | "sum" | "histogram" => 1 << 24,
        "nbody" => 8192,
        "mandelbrot" => 2048,
        "black_scholes" => 1 << 22,
        "jacobi" => 4096,
        "matmul_tiled" | "matmul_blocked" => 1024,
        _ => return None,
    })
}

/// The finaliser of `MurmurHash3` on 32 bits, over an index and the number of a stream: every bit of the result depends on
/// every bit of both.
pub(crate) fn hash(stream: u32, index: u32) -> u32 {
    let mut h = index ^ stream.wrapping_mul(0x9e37_79b9);
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

/// A number in `low..high`, evenly spread, exact to 24 bits.
pub(crate) fn between(low: f32, high: f32, stream: u32, index: usize) -> f32 {
    let unit = (hash(stream, index as u32) >> 8) as f32 / 16_777_216.0;
    low + (high - low) * unit
}

/// `n` numbers in `low..high`; another stream gives others.
pub(crate) fn floats(n: usize, low: f32, high: f32, stream: u32) -> Vec<f32> {
    (0..n).map(|i| between(low, high, stream, i)).collect()
}

/// Saxpy's factor.
pub(crate) const SAXPY_ALPHA: f32 = 0.75;

/// `x` and `y` of saxpy, `n` elements each.
pub(crate) fn saxpy(n: usize) -> (Vec<f32>, Vec<f32>) {
    (floats(n, 0.0, 1.0, 1), floats(n, 0.0, 1.0, 2))
}

/// The square of the softening length of n-body, in the unit of the positions.
pub(crate) const NBODY_SOFTENING_SQUARED: f32 = 0.0025;

/// `n` bodies in the cube from -1 to 1, in x, y, z; their masses, in w, add up to about 1.
pub(crate) fn bodies(n: usize) -> Vec<[f32; 4]> {
    let mass = 1.0 / n as f32;
    let body = |i| [3, 4, 5, 6].map(|stream| between(-1.0, 1.0, stream, i));
    (0..n)
        .map(body)
        .map(|[x, y, z, w]| [x, y, z, mass * (1.0 + 0.5 * w)])
        .collect()
}

/// Left end, top end and side of the square that mandelbrot draws, in the plane of complex numbers.
pub(crate) const MANDELBROT_VIEW: (f32, f32, f32) = (-2.0, -1.25, 2.5);

/// Steps after which a point counts as one that never escapes.
pub(crate) const MANDELBROT_MAX_ITERATIONS: u32 = 256;

/// Riskless interest and volatility of the options, a year.
pub(crate) const BLACK_SCHOLES_RATE_VOLATILITY: (f32, f32) = (0.02, 0.3);

/// Spot prices, strikes and years to expiry of `n` options.
pub(crate) fn options(n: usize) -> [Vec<f32>; 3] {
    [
        floats(n, 10.0, 100.0, 7),
        floats(n, 10.0, 100.0, 8),
        floats(n, 0.25, 10.0, 9),
    ]
}

/// The damping of Jacobi: a plain sweep.
pub(crate) const JACOBI_RELAXATION: f32 = 1.0;

/// The grid of Jacobi, `side` × `side` elements, row by row.
pub(crate) fn grid(side: usize) -> Vec<f32> {
    floats(side * side, 0.0, 1.0, 10)
}

/// The factors of the matrix product, `side` × `side` elements each, row by row.
pub(crate) fn matrices(side: usize) -> (Vec<f32>, Vec<f32>) {
    (
        floats(side * side, -1.0, 1.0, 11),
        floats(side * side, -1.0, 1.0, 12),
    )
}

/// The numbers to sum.
pub(crate) fn summands(n: usize) -> Vec<f32> {
    floats(n, 0.0, 1.0, 13)
}

/// The words whose lowest bytes the histogram counts.
pub(crate) fn words(n: usize) -> Vec<u32> {
    (0..n).map(|i| hash(14, i as u32)).collect()
}

/// What stands for a result of floats when contestants are compared: the sum of the magnitudes, in double precision.
pub(crate) fn checksum(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value.abs())).sum()
}

/// What stands for a result of counts: their sum.
pub(crate) fn checksum_counts(values: &[u32]) -> f64 {
    values.iter().map(|&value| f64::from(value)).sum()
}

/// What stands for a histogram: each count weighted by one more than the number of its bin.
pub(crate) fn checksum_bins(bins: &[u32]) -> f64 {
    bins.iter()
        .zip(1_u32..)
        .map(|(&count, weight)| f64::from(count) * f64::from(weight))
        .sum()
}
