//! How are hyperbolic functions and their inverses computed? From exponentials and logarithms, by polynomials where those cancel.

use super::exponential::exp_scaled;
use super::logarithm::{log, log_1p};
use super::polynomial;
use crate::isa::Isa;

/// `(sinh(x) / x - 1) / x^2` in `x^2` for `|x| <= 1`.
const SINH: [f32; 4] = [0.16666667, 0.0083333105, 0.00019842896, 2.7822132e-06];

/// `(tanh(x) / x - 1) / x^2` in `x^2` for `|x| <= 0.6`.
const TANH: [f32; 5] = [
    -0.333333,
    0.13331936,
    -0.053784717,
    0.020798625,
    -0.0058979667,
];

/// Beyond this, `x^2 + 1` and `x^2 - 1` are `x^2`, and the inverse functions are `ln(2 x)`.
const LARGE: f32 = 16_384.0;

#[inline(always)]
pub(crate) fn sinh<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let size = s.f32_abs(a);
    let half = exp_scaled(s, size, -1.0);
    let far = s.f32_sub(half, s.f32_div(s.f32_splat(0.25), half));
    let square = s.f32_mul(size, size);
    let near = s.f32_mul_add(polynomial(s, square, SINH), s.f32_mul(square, size), size);
    s.f32_copysign(s.f32_select(s.f32_lt(size, s.f32_splat(1.0)), near, far), a)
}

#[inline(always)]
pub(crate) fn cosh<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let half = exp_scaled(s, s.f32_abs(a), -1.0);
    s.f32_add(half, s.f32_div(s.f32_splat(0.25), half))
}

#[inline(always)]
pub(crate) fn tanh<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let size = s.f32_abs(a);
    let one = s.f32_splat(1.0);
    let power = exp_scaled(s, s.f32_add(size, size), 0.0);
    let far = s.f32_sub(one, s.f32_div(s.f32_splat(2.0), s.f32_add(power, one)));
    let square = s.f32_mul(size, size);
    let near = s.f32_mul_add(polynomial(s, square, TANH), s.f32_mul(square, size), size);
    s.f32_copysign(s.f32_select(s.f32_lt(size, s.f32_splat(0.6)), near, far), a)
}

#[inline(always)]
pub(crate) fn asinh<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let (size, one) = (s.f32_abs(a), s.f32_splat(1.0));
    let square = s.f32_mul(size, size);
    let root = s.f32_sqrt(s.f32_add(square, one));
    let near = log_1p(s, s.f32_add(size, s.f32_div(square, s.f32_add(root, one))));
    let large = s.f32_gt(size, s.f32_splat(LARGE));
    s.f32_copysign(s.f32_select(large, log_of_double(s, size), near), a)
}

#[inline(always)]
pub(crate) fn acosh<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let above = s.f32_sub(a, s.f32_splat(1.0));
    let square = s.f32_mul(above, s.f32_add(above, s.f32_splat(2.0)));
    let near = log_1p(s, s.f32_add(above, s.f32_sqrt(square)));
    let large = s.f32_gt(a, s.f32_splat(LARGE));
    let y = s.f32_select(large, log_of_double(s, a), near);
    s.f32_select(s.f32_ge(a, s.f32_splat(1.0)), y, s.f32_splat(f32::NAN))
}

#[inline(always)]
pub(crate) fn atanh<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let size = s.f32_abs(a);
    let ratio = s.f32_div(s.f32_add(size, size), s.f32_sub(s.f32_splat(1.0), size));
    s.f32_copysign(s.f32_mul(log_1p(s, ratio), s.f32_splat(0.5)), a)
}

/// `ln(2 x)` for large `x`, without overflow.
#[inline(always)]
fn log_of_double<S: Isa>(s: S, x: S::F32) -> S::F32 {
    s.f32_add(log(s, x), s.f32_splat(std::f32::consts::LN_2))
}
