//! How are sine, cosine and tangent computed? Quarter turns are taken off, and two polynomials cover what is left.
//!
//! Up to [`REDUCED_MAX`] the quarter turns come off in three fused steps (Cody and Waite), beyond it lane by lane with as many bits
//! of 2/pi as it takes (Payne and Hanek).

use super::{TO_WHOLE, polynomial};
use crate::isa::{Isa, LANES_MAX};

/// `(sin(r) / r - 1) / r^2` in `r^2` for `|r| <= pi / 4`.
const SIN: [f32; 3] = [-0.16666655, 0.008332187, -0.000195179];

/// `(cos(r) - 1 + r^2 / 2) / r^4` in `r^2`, likewise.
const COS: [f32; 3] = [0.041666646, -0.001388731, 2.4432327e-05];

/// pi / 2 in three parts.
const QUARTER: [f32; 3] = [std::f32::consts::FRAC_PI_2, -4.371139e-08, -1.7151245e-15];

/// Angles up to here lose whole quarter turns by fused steps.
const REDUCED_MAX: f32 = 131_072.0;

/// 2^256 * 2 / pi, the lowest word first.
const TWO_OVER_PI: [u64; 4] = [
    0xfe5163abdebbc561,
    0xdb6295993c439041,
    0xfc2757d1f534ddc0,
    0xa2f9836e4e441529,
];

/// `(r, q)` with `a = r + q * pi / 2` and `|r|` at most little above `pi / 4`; `q` is right modulo 4.
#[inline(always)]
fn without_quarters<S: Isa>(s: S, a: S::F32) -> (S::F32, S::I32) {
    let to_whole = s.f32_splat(TO_WHOLE);
    let shifted = s.f32_mul_add(a, s.f32_splat(std::f32::consts::FRAC_2_PI), to_whole);
    let n = s.f32_sub(shifted, to_whole);
    let r = s.f32_mul_add(n, s.f32_splat(-QUARTER[0]), a);
    let r = s.f32_mul_add(n, s.f32_splat(-QUARTER[1]), r);
    let r = s.f32_mul_add(n, s.f32_splat(-QUARTER[2]), r);
    let size = s.f32_abs(a);
    let huge = s.mask_and(
        s.f32_gt(size, s.f32_splat(REDUCED_MAX)),
        s.f32_lt(size, s.f32_splat(f32::INFINITY)),
    );
    if s.any(huge) {
        return lanes_without_quarters(s, a, r, s.f32_bits(shifted), huge);
    }
    (r, s.f32_bits(shifted))
}

/// `(r, q)` with the lanes of `huge` made anew from `a`.
#[inline(always)]
fn lanes_without_quarters<S: Isa>(
    s: S,
    a: S::F32,
    r: S::F32,
    q: S::I32,
    huge: S::Mask,
) -> (S::F32, S::I32) {
    let (mut angles, mut rests, mut quarters) =
        ([0.0; LANES_MAX], [0.0; LANES_MAX], [0; LANES_MAX]);
    s.f32_to_slice(a, &mut angles);
    s.f32_to_slice(r, &mut rests);
    s.i32_to_slice(q, &mut quarters);
    let mut on = s.mask_bits(huge);
    while on != 0 {
        let l = on.trailing_zeros() as usize;
        (rests[l], quarters[l]) = huge_without_quarters(angles[l]);
        on &= on - 1;
    }
    (s.f32_from_slice(&rests), s.i32_from_slice(&quarters))
}

/// One angle beyond [`REDUCED_MAX`], exactly: `m * 2^e * 2 / pi` modulo 4 with 94 bits after the point.
#[cold]
#[inline(never)]
fn huge_without_quarters(a: f32) -> (f32, i32) {
    let bits = a.abs().to_bits();
    let significand = u128::from((bits & 0x7F_FFFF) | 0x80_0000);
    // The window of 2^e * 2 / pi that matters starts at this bit of the table.
    let start = (162 + 150 - (bits >> 23)) as usize;
    let (word, offset) = (start / 64, start % 64);
    let at = |k: usize| u128::from(TWO_OVER_PI.get(k).copied().unwrap_or(0));
    let low = at(word) | (at(word + 1) << 64);
    let window = if offset == 0 {
        low
    } else {
        (low >> offset) | (at(word + 2) << (128 - offset))
    };
    let below_four = (1 << 96) - 1;
    let turns = (significand * (window & below_four)) & below_four;
    // The nearest whole quarter, and what is left as a signed fraction.
    let quarter = (turns + (1 << 93)) >> 94;
    let fraction = turns.cast_signed() - (quarter << 94).cast_signed();
    let rest = (fraction as f64 * 2f64.powi(-94) * std::f64::consts::FRAC_PI_2) as f32;
    if a < 0.0 {
        (-rest, -(quarter as i32))
    } else {
        (rest, quarter as i32)
    }
}

#[inline(always)]
fn sin_near_zero<S: Isa>(s: S, r: S::F32, square: S::F32) -> S::F32 {
    s.f32_mul_add(polynomial(s, square, SIN), s.f32_mul(square, r), r)
}

#[inline(always)]
fn cos_near_zero<S: Isa>(s: S, square: S::F32) -> S::F32 {
    let curve = s.f32_mul_add(polynomial(s, square, COS), square, s.f32_splat(-0.5));
    s.f32_mul_add(curve, square, s.f32_splat(1.0))
}

/// Sine of `r + q * pi / 2`.
#[inline(always)]
fn sin_of_parts<S: Isa>(s: S, r: S::F32, q: S::I32) -> S::F32 {
    let square = s.f32_mul(r, r);
    let odd = s.i32_ne(s.i32_and(q, s.i32_splat(1)), s.i32_splat(0));
    let y = s.f32_select(odd, cos_near_zero(s, square), sin_near_zero(s, r, square));
    let sign = s.i32_shl(s.i32_and(q, s.i32_splat(2)), s.i32_splat(30));
    s.f32_from_bits(s.i32_xor(s.f32_bits(y), sign))
}

#[inline(always)]
pub(crate) fn sin<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let (r, q) = without_quarters(s, a);
    sin_of_parts(s, r, q)
}

#[inline(always)]
pub(crate) fn cos<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let (r, q) = without_quarters(s, a);
    sin_of_parts(s, r, s.i32_add(q, s.i32_splat(1)))
}

#[inline(always)]
pub(crate) fn tan<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let (r, q) = without_quarters(s, a);
    let square = s.f32_mul(r, r);
    let (sin, cos) = (sin_near_zero(s, r, square), cos_near_zero(s, square));
    let odd = s.i32_ne(s.i32_and(q, s.i32_splat(1)), s.i32_splat(0));
    s.f32_div(
        s.f32_select(odd, s.f32_neg(cos), sin),
        s.f32_select(odd, sin, cos),
    )
}
