//! How are the transcendental functions computed? Polynomials after exact range reduction, one definition for all instruction sets.
//!
//! All of it is fused multiply-adds and exact steps, so that every token gives the same bits. The coefficients are minimax fits
//! rounded to `f32` one after the other; `coefficients.py` in this crate makes them.
#![allow(clippy::unreadable_literal, reason = "coefficients are not read")]

mod exponential;
mod hyperbolic;
mod inverse_trigonometric;
mod logarithm;
mod trigonometric;

pub(crate) use exponential::{exp, exp2, pow};
pub(crate) use hyperbolic::{acosh, asinh, atanh, cosh, sinh, tanh};
pub(crate) use inverse_trigonometric::{acos, asin, atan, atan2};
pub(crate) use logarithm::{log, log2};
pub(crate) use trigonometric::{cos, sin, tan};

use crate::isa::Isa;

/// 1.5 * 2^23: adding it to `|x| < 2^22` leaves the nearest whole number in the low bits of the significand.
pub(crate) const TO_WHOLE: f32 = 12_582_912.0;

/// ln 2 in two parts.
const LN_2: [f32; 2] = [std::f32::consts::LN_2, -1.9046542e-9];

#[inline(always)]
pub(crate) fn inverse_sqrt<S: Isa>(s: S, a: S::F32) -> S::F32 {
    s.f32_div(s.f32_splat(1.0), s.f32_sqrt(a))
}

/// `c[0] + c[1] * x + c[2] * x^2 + …`
#[inline(always)]
fn polynomial<S: Isa, const N: usize>(s: S, x: S::F32, c: [f32; N]) -> S::F32 {
    let mut k = N - 1;
    let mut sum = s.f32_splat(c[k]);
    while k > 0 {
        k -= 1;
        sum = s.f32_mul_add(sum, x, s.f32_splat(c[k]));
    }
    sum
}

/// `a + b` and its rounding error, for `|a| >= |b|` or `a = 0`.
#[inline(always)]
fn exact_sum<S: Isa>(s: S, a: S::F32, b: S::F32) -> (S::F32, S::F32) {
    let sum = s.f32_add(a, b);
    (sum, s.f32_sub(b, s.f32_sub(sum, a)))
}

/// `a * b` and its rounding error.
#[inline(always)]
fn exact_product<S: Isa>(s: S, a: S::F32, b: S::F32) -> (S::F32, S::F32) {
    let product = s.f32_mul(a, b);
    (product, s.f32_mul_add(a, b, s.f32_neg(product)))
}
