//! What would a Rust programmer write instead? Each kernel as a plain rayon loop, without explicit SIMD.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

/// `y += alpha * x`.
pub(crate) fn saxpy(alpha: f32, x: &[f32], y: &mut [f32]) {
    y.par_iter_mut().zip(x).for_each(|(y, x)| *y += alpha * x);
}

/// Accelerations of all bodies by all bodies.
pub(crate) fn nbody(softening_squared: f32, bodies: &[[f32; 4]], accelerations: &mut [[f32; 4]]) {
    accelerations
        .par_iter_mut()
        .zip(bodies)
        .for_each(|(acceleration, here)| {
            let (mut ax, mut ay, mut az) = (0.0, 0.0, 0.0);
            for other in bodies {
                let (dx, dy, dz) = (other[0] - here[0], other[1] - here[1], other[2] - here[2]);
                let distance_squared = dx * dx + dy * dy + dz * dz + softening_squared;
                let inverse = 1.0 / distance_squared.sqrt();
                let strength = other[3] * inverse * inverse * inverse;
                ax += strength * dx;
                ay += strength * dy;
                az += strength * dz;
            }
            *acceleration = [ax, ay, az, 0.0];
        });
}

/// Escape times of a square picture whose sides have `side` pixels and the length `extent`.
pub(crate) fn mandelbrot(
    (left, top, extent): (f32, f32, f32),
    max_iterations: u32,
    side: usize,
    counts: &mut [u32],
) {
    let step = extent / side as f32;
    counts
        .par_chunks_mut(side)
        .enumerate()
        .for_each(|(row, counts)| {
            let c_im = top + row as f32 * step;
            for (column, count) in counts.iter_mut().enumerate() {
                let c_re = left + column as f32 * step;
                *count = escape_time(c_re, c_im, max_iterations);
            }
        });
}

/// The number of steps of z ← z² + c after which |z| exceeds 2.
fn escape_time(c_re: f32, c_im: f32, max_iterations: u32) -> u32 {
    let (mut re, mut im, mut count) = (0.0_f32, 0.0_f32, 0);
    while count < max_iterations && re * re + im * im <= 4.0 {
        (re, im) = (re * re - im * im + c_re, 2.0 * re * im + c_im);
        count += 1;
    }
    count
}

/// Call and put prices.
pub(crate) fn black_scholes(
    (rate, volatility): (f32, f32),
    [spot, strike, years]: &[Vec<f32>; 3],
    call: &mut [f32],
    put: &mut [f32],
) {
    call.par_iter_mut()
        .zip(put)
        .zip(spot)
        .zip(strike)
        .zip(years)
        .for_each(|((((call, put), &s), &k), &t)| {
            let deviation = volatility * t.sqrt();
            let d1 = ((s / k).ln() + (rate + 0.5 * volatility * volatility) * t) / deviation;
            let d2 = d1 - deviation;
            let (below_d1, below_d2) = (normal_below(d1), normal_below(d2));
            let discounted = k * (-rate * t).exp();
            *call = s * below_d1 - discounted * below_d2;
            *put = discounted * (1.0 - below_d2) - s * (1.0 - below_d1);
        });
}

/// The standard normal distribution, by formula 7.1.26 of Abramowitz and Stegun (1964).
fn normal_below(d: f32) -> f32 {
    let x = d.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let polynomial = t
        * (0.254_829_6
            + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4))));
    let tail = 0.5 * polynomial * (-x * x).exp();
    if d > 0.0 { 1.0 - tail } else { tail }
}

/// One damped sweep over a square grid; the edges are copied.
pub(crate) fn jacobi(relaxation: f32, side: usize, src: &[f32], dst: &mut [f32]) {
    dst.par_chunks_mut(side).enumerate().for_each(|(row, dst)| {
        let start = row * side;
        let here = &src[start..start + side];
        if row == 0 || row == side - 1 {
            dst.copy_from_slice(here);
            return;
        }
        let above = &src[start - side..start];
        let below = &src[start + side..start + 2 * side];
        dst[0] = here[0];
        dst[side - 1] = here[side - 1];
        for x in 1..side - 1 {
            let around = here[x - 1] + here[x + 1] + above[x] + below[x];
            dst[x] = here[x] + relaxation * (0.25 * around - here[x]);
        }
    });
}

/// The product of two square matrices, row by row, innermost along the rows of `b` and `c`.
pub(crate) fn matmul(side: usize, a: &[f32], b: &[f32], c: &mut [f32]) {
    c.par_chunks_mut(side)
        .zip(a.par_chunks(side))
        .for_each(|(row_of_c, row_of_a)| {
            row_of_c.fill(0.0);
            for (&from_a, row_of_b) in row_of_a.iter().zip(b.chunks_exact(side)) {
                for (c, &from_b) in row_of_c.iter_mut().zip(row_of_b) {
                    *c += from_a * from_b;
                }
            }
        });
}

/// The sum of everything.
pub(crate) fn sum(x: &[f32]) -> f32 {
    x.par_iter().sum()
}

/// Counts of the lowest bytes, in bins that all threads share.
pub(crate) fn histogram_shared(words: &[u32], bins: &[AtomicU32; 256]) {
    words.par_iter().for_each(|word| {
        bins[(word & 255) as usize].fetch_add(1, Ordering::Relaxed);
    });
}

/// Counts of the lowest bytes, in bins of each thread's own, added up at the end.
pub(crate) fn histogram_private(words: &[u32], bins: &mut [u32; 256]) {
    let chunk = words.len().div_ceil(rayon::current_num_threads()).max(1);
    let counted: Vec<[u32; 256]> = words.par_chunks(chunk).map(count_bytes).collect();
    for own in counted {
        for (bin, count) in bins.iter_mut().zip(own) {
            *bin += count;
        }
    }
}

/// Counts of the lowest bytes on one thread.
fn count_bytes(words: &[u32]) -> [u32; 256] {
    let mut bins = [0; 256];
    for word in words {
        bins[(word & 255) as usize] += 1;
    }
    bins
}
