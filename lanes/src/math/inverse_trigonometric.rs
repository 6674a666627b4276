//! How are angles found from sine, cosine and tangent? A polynomial near 0, and symmetries that lead there.

use super::polynomial;
use crate::isa::Isa;

/// `(atan(t) / t - 1) / t^2` in `t^2` for `|t| <= 1`.
const ATAN: [f32; 9] = [
    -0.333333,
    0.1999853,
    -0.14264016,
    0.109508805,
    -0.08399306,
    0.057881393,
    -0.031097002,
    0.01086871,
    -0.001782832,
];

/// `(asin(t) / t - 1) / t^2` in `t^2` for `|t| <= 1 / 2`.
const ASIN: [f32; 5] = [
    0.16666752,
    0.074953094,
    0.04546915,
    0.024184778,
    0.042158306,
];

/// pi / 2 and pi, with what their `f32` lacks.
const HALF_TURN: [f32; 2] = [std::f32::consts::PI, -8.742278e-08];
const QUARTER_TURN: [f32; 2] = [std::f32::consts::FRAC_PI_2, -4.371139e-08];

/// `turn - a`, the turn in two parts.
#[inline(always)]
fn turn_minus<S: Isa>(s: S, turn: [f32; 2], a: S::F32) -> S::F32 {
    s.f32_add(s.f32_sub(s.f32_splat(turn[0]), a), s.f32_splat(turn[1]))
}

#[inline(always)]
fn odd_polynomial<S: Isa, const N: usize>(s: S, t: S::F32, square: S::F32, c: [f32; N]) -> S::F32 {
    s.f32_mul_add(polynomial(s, square, c), s.f32_mul(square, t), t)
}

#[inline(always)]
pub(crate) fn atan<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let one = s.f32_splat(1.0);
    let size = s.f32_abs(a);
    let steep = s.f32_gt(size, one);
    let t = s.f32_select(steep, s.f32_div(one, size), size);
    let angle = odd_polynomial(s, t, s.f32_mul(t, t), ATAN);
    let angle = s.f32_select(steep, turn_minus(s, QUARTER_TURN, angle), angle);
    s.f32_copysign(angle, a)
}

#[inline(always)]
pub(crate) fn atan2<S: Isa>(s: S, y: S::F32, x: S::F32) -> S::F32 {
    let (height, width) = (s.f32_abs(y), s.f32_abs(x));
    let steep = s.f32_gt(height, width);
    // Of two operands the first is chosen if either is NaN: one or the other quotient is NaN then.
    let (small, large) = (s.f32_min(height, width), s.f32_max(width, height));
    let zero = s.f32_splat(0.0);
    let diagonal = s.f32_select(s.f32_eq(small, zero), zero, s.f32_splat(1.0));
    let t = s.f32_select(s.f32_eq(small, large), diagonal, s.f32_div(small, large));
    let angle = odd_polynomial(s, t, s.f32_mul(t, t), ATAN);
    let angle = s.f32_select(steep, turn_minus(s, QUARTER_TURN, angle), angle);
    let left = s.i32_lt(s.f32_bits(x), s.i32_splat(0));
    let angle = s.f32_select(left, turn_minus(s, HALF_TURN, angle), angle);
    s.f32_copysign(angle, y)
}

/// Half of the angle whose cosine is `size`, for `1 / 2 <= size <= 1`; NaN above.
#[inline(always)]
fn half_acos<S: Isa>(s: S, size: S::F32) -> S::F32 {
    let square = s.f32_mul_add(size, s.f32_splat(-0.5), s.f32_splat(0.5));
    odd_polynomial(s, s.f32_sqrt(square), square, ASIN)
}

#[inline(always)]
pub(crate) fn asin<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let size = s.f32_abs(a);
    let flat = s.f32_mul_add(
        half_acos(s, size),
        s.f32_splat(-2.0),
        s.f32_splat(QUARTER_TURN[0]),
    );
    let flat = s.f32_add(flat, s.f32_splat(QUARTER_TURN[1]));
    let near = odd_polynomial(s, size, s.f32_mul(size, size), ASIN);
    let angle = s.f32_select(s.f32_lt(size, s.f32_splat(0.5)), near, flat);
    s.f32_copysign(angle, a)
}

#[inline(always)]
pub(crate) fn acos<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let size = s.f32_abs(a);
    let half = half_acos(s, size);
    let acute = s.f32_add(half, half);
    let far = s.f32_select(
        s.f32_lt(a, s.f32_splat(0.0)),
        turn_minus(s, HALF_TURN, acute),
        acute,
    );
    let near = turn_minus(s, QUARTER_TURN, odd_polynomial(s, a, s.f32_mul(a, a), ASIN));
    s.f32_select(s.f32_lt(size, s.f32_splat(0.5)), near, far)
}
