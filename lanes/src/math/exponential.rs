//! How are powers computed? `2^n` times a polynomial of what is left, which is at most half a step.

use super::logarithm::log2_in_parts;
use super::{LN_2, TO_WHOLE, exact_product, polynomial};
use crate::isa::Isa;

/// `(e^r - 1 - r) / r^2` for `|r| <= ln(2) / 2`.
const EXP: [f32; 5] = [
    0.49999994,
    0.16666521,
    0.041668274,
    0.008368684,
    0.001382008,
];

/// `(2^r - 1) / r` for `|r| <= 1 / 2`.
const EXP2: [f32; 6] = [
    std::f32::consts::LN_2,
    0.24022648,
    0.055503596,
    0.009618503,
    0.0013390998,
    0.00015327842,
];

#[inline(always)]
pub(crate) fn exp<S: Isa>(s: S, a: S::F32) -> S::F32 {
    exp_scaled(s, a, 0.0)
}

/// `2^scale * e^a` without overflow in between; `scale` is a small whole number.
#[inline(always)]
pub(super) fn exp_scaled<S: Isa>(s: S, a: S::F32, scale: f32) -> S::F32 {
    // Beyond these bounds the result is 0 or infinite.
    let x = s.f32_max(s.f32_min(a, s.f32_splat(90.0)), s.f32_splat(-105.0));
    let to_whole = s.f32_splat(TO_WHOLE);
    let n = s.f32_sub(
        s.f32_mul_add(x, s.f32_splat(std::f32::consts::LOG2_E), to_whole),
        to_whole,
    );
    let r = s.f32_mul_add(
        n,
        s.f32_splat(-LN_2[1]),
        s.f32_mul_add(n, s.f32_splat(-LN_2[0]), x),
    );
    let tail = s.f32_mul_add(polynomial(s, r, EXP), s.f32_mul(r, r), r);
    let n = if scale == 0.0 {
        n
    } else {
        s.f32_add(n, s.f32_splat(scale))
    };
    s.f32_scale(s.f32_add(tail, s.f32_splat(1.0)), n)
}

#[inline(always)]
pub(crate) fn exp2<S: Isa>(s: S, a: S::F32) -> S::F32 {
    exp2_in_parts(s, a, s.f32_splat(0.0))
}

/// `2^(high + low)` for `low` far below `high`.
#[inline(always)]
fn exp2_in_parts<S: Isa>(s: S, high: S::F32, low: S::F32) -> S::F32 {
    // Beyond these bounds the result is 0 or infinite.
    let x = s.f32_max(s.f32_min(high, s.f32_splat(129.0)), s.f32_splat(-151.0));
    let to_whole = s.f32_splat(TO_WHOLE);
    let n = s.f32_sub(s.f32_add(x, to_whole), to_whole);
    let r = s.f32_add(s.f32_sub(x, n), low);
    s.f32_scale(
        s.f32_mul_add(polynomial(s, r, EXP2), r, s.f32_splat(1.0)),
        n,
    )
}

#[inline(always)]
pub(crate) fn pow<S: Isa>(s: S, a: S::F32, b: S::F32) -> S::F32 {
    let (log_high, log_low) = log2_in_parts(s, a);
    let (high, error) = exact_product(s, b, log_high);
    let low = s.f32_mul_add(b, log_low, error);
    // Far beyond the bounds `low` may be anything, even NaN.
    let near = s.f32_lt(s.f32_abs(high), s.f32_splat(256.0));
    let power = exp2_in_parts(s, high, s.f32_select(near, low, s.f32_splat(0.0)));
    let one = s.f32_splat(1.0);
    let is_one = s.mask_or(s.f32_eq(b, s.f32_splat(0.0)), s.f32_eq(a, one));
    s.f32_select(is_one, one, power)
}
