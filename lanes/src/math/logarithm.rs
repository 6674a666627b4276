//! How are logarithms computed? The exponent, plus a polynomial of the significand around 1.

use super::{LN_2, exact_product, exact_sum, polynomial};
use crate::isa::Isa;

/// `(ln(1 + f) - f + f^2 / 2) / f^3` for `sqrt(1/2) <= 1 + f <= sqrt(2)`.
const LOG: [f32; 8] = [
    0.3333333,
    -0.2500082,
    0.20001242,
    -0.16623409,
    0.1420158,
    -0.1315961,
    0.12762217,
    -0.07636439,
];

/// `(log2(1 + f) - f * log2(e)) / f^2`, likewise.
const LOG2: [f32; 9] = [
    -0.72134733,
    0.4808982,
    -0.36069867,
    0.28857142,
    -0.23956735,
    0.20448658,
    -0.19139083,
    0.18708819,
    -0.11025592,
];

/// `(log2((1 + t) / (1 - t)) - 2 * t * log2(e)) / t^3` in `t^2` for `t` up to `(sqrt(2) - 1) / (sqrt(2) + 1)`.
const LOG2_RATIO: [f32; 4] = [0.96179664, 0.5770899, 0.41131556, 0.34689084];

/// log2(e) in two parts.
const LOG2_E: [f32; 2] = [std::f32::consts::LOG2_E, 1.925963e-8];

/// `(e, f)` with `x = 2^e * (1 + f)`, where `1 + f` lies between `sqrt(1/2)` and `sqrt(2)`, for finite `x > 0`.
#[inline(always)]
fn split<S: Isa>(s: S, x: S::F32) -> (S::F32, S::F32) {
    let subnormal = s.f32_lt(x, s.f32_splat(f32::MIN_POSITIVE));
    let scaled = s.f32_select(subnormal, s.f32_mul(x, s.f32_splat(8_388_608.0)), x);
    let bits = s.f32_bits(scaled);
    let from_root = s.i32_sub(
        bits,
        s.f32_bits(s.f32_splat(std::f32::consts::FRAC_1_SQRT_2)),
    );
    let exponent = s.i32_shr(from_root, s.i32_splat(23));
    let significand = s.f32_from_bits(s.i32_sub(bits, s.i32_shl(exponent, s.i32_splat(23))));
    let extra = s.f32_select(subnormal, s.f32_splat(23.0), s.f32_splat(0.0));
    (
        s.f32_sub(s.f32_from_i32(exponent), extra),
        s.f32_sub(significand, s.f32_splat(1.0)),
    )
}

/// `y`, the logarithm of `x` if `x` is positive and finite, else what it is at 0, at infinity, below 0 and of NaN.
#[inline(always)]
fn with_special_cases<S: Isa>(s: S, x: S::F32, y: S::F32) -> S::F32 {
    let zero = s.f32_splat(0.0);
    let below = s.f32_select(
        s.f32_eq(x, zero),
        s.f32_splat(f32::NEG_INFINITY),
        s.f32_splat(f32::NAN),
    );
    let above = s.f32_select(s.f32_lt(x, s.f32_splat(f32::INFINITY)), y, x);
    s.f32_select(s.f32_gt(x, zero), above, below)
}

#[inline(always)]
pub(crate) fn log<S: Isa>(s: S, a: S::F32) -> S::F32 {
    log_corrected(s, a, s.f32_splat(0.0))
}

/// `ln(a) + correction`, for a correction that is far below either.
#[inline(always)]
fn log_corrected<S: Isa>(s: S, a: S::F32, correction: S::F32) -> S::F32 {
    let (e, f) = split(s, a);
    let square = s.f32_mul(f, f);
    let low = s.f32_mul_add(e, s.f32_splat(LN_2[1]), correction);
    let tail = s.f32_mul_add(polynomial(s, f, LOG), s.f32_mul(square, f), low);
    let tail = s.f32_mul_add(square, s.f32_splat(-0.5), tail);
    let y = s.f32_mul_add(e, s.f32_splat(LN_2[0]), s.f32_add(f, tail));
    with_special_cases(s, a, y)
}

/// `ln(1 + a)`, precise where `a` is small.
#[inline(always)]
pub(super) fn log_1p<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let one = s.f32_splat(1.0);
    let sum = s.f32_add(one, a);
    let lost = s.f32_sub(a, s.f32_sub(sum, one));
    let correction = s.f32_div(lost, sum);
    let usable = s.f32_lt(s.f32_abs(correction), one);
    log_corrected(s, sum, s.f32_select(usable, correction, s.f32_splat(0.0)))
}

#[inline(always)]
pub(crate) fn log2<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let (e, f) = split(s, a);
    let tail = s.f32_mul(polynomial(s, f, LOG2), s.f32_mul(f, f));
    let tail = s.f32_mul_add(f, s.f32_splat(LOG2_E[1]), tail);
    let y = s.f32_add(e, s.f32_mul_add(f, s.f32_splat(LOG2_E[0]), tail));
    with_special_cases(s, a, y)
}

/// log2(a) as a number and a correction to it, together off by less than 2^-32.
#[inline(always)]
pub(super) fn log2_in_parts<S: Isa>(s: S, a: S::F32) -> (S::F32, S::F32) {
    let (e, f) = split(s, a);
    let (two, one) = (s.f32_splat(2.0), s.f32_splat(1.0));
    // 1 + f is (1 + t) / (1 - t) with t = f / (2 + f), here as `t + t_low`.
    let sum = s.f32_add(two, f);
    let sum_error = s.f32_sub(f, s.f32_sub(sum, two));
    let inverse = s.f32_div(one, sum);
    let t = s.f32_mul(f, inverse);
    let minus_t = s.f32_neg(t);
    let left = s.f32_mul_add(minus_t, sum_error, s.f32_mul_add(minus_t, sum, f));
    let t_low = s.f32_mul(left, inverse);
    let (square, square_error) = exact_product(s, t, t);
    let factor = s.f32_splat(2.0 * LOG2_E[0]);
    let (linear, linear_error) = exact_product(s, t, factor);
    let low = s.f32_mul_add(t, s.f32_splat(2.0 * LOG2_E[1]), linear_error);
    // The derivative by t is `factor / (1 - t^2)`.
    let low = s.f32_mul_add(t_low, s.f32_mul_add(factor, square, factor), low);
    let curve = polynomial(s, square, LOG2_RATIO);
    let (curved, curved_error) = exact_product(s, square, curve);
    let curved_low = s.f32_mul_add(square_error, curve, curved_error);
    let (cubic, cubic_error) = exact_product(s, t, curved);
    let low = s.f32_add(low, s.f32_mul_add(t, curved_low, cubic_error));
    let (fraction, fraction_error) = exact_sum(s, linear, cubic);
    let (number, number_error) = exact_sum(s, e, fraction);
    let low = s.f32_add(low, s.f32_add(fraction_error, number_error));
    let (high, low) = exact_sum(s, number, low);
    (with_special_cases(s, a, high), low)
}
