//! How are the transcendental functions computed? Lane by lane through the standard library.

use crate::isa::{Isa, LANES_MAX};

#[inline(always)]
pub(crate) fn inverse_sqrt<S: Isa>(s: S, a: S::F32) -> S::F32 {
    s.f32_div(s.f32_splat(1.0), s.f32_sqrt(a))
}

macro_rules! unary {
    ($($op:ident = $f:path;)*) => {
        $(#[inline(always)]
        pub(crate) fn $op<S: Isa>(s: S, a: S::F32) -> S::F32 {
            let mut lanes = [0.0; LANES_MAX];
            s.f32_to_slice(a, &mut lanes);
            for lane in &mut lanes[..S::LANES] {
                *lane = $f(*lane);
            }
            s.f32_from_slice(&lanes)
        })*
    };
}
unary! {
    exp = f32::exp; exp2 = f32::exp2; log = f32::ln; log2 = f32::log2; sin = f32::sin; cos = f32::cos; tan = f32::tan;
    asin = f32::asin; acos = f32::acos; atan = f32::atan; sinh = f32::sinh; cosh = f32::cosh; tanh = f32::tanh;
    asinh = f32::asinh; acosh = f32::acosh; atanh = f32::atanh;
}

macro_rules! binary {
    ($($op:ident = $f:path;)*) => {
        $(#[inline(always)]
        pub(crate) fn $op<S: Isa>(s: S, a: S::F32, b: S::F32) -> S::F32 {
            let (mut lanes, mut other) = ([0.0; LANES_MAX], [0.0; LANES_MAX]);
            s.f32_to_slice(a, &mut lanes);
            s.f32_to_slice(b, &mut other);
            for (lane, b) in lanes[..S::LANES].iter_mut().zip(other) {
                *lane = $f(*lane, b);
            }
            s.f32_from_slice(&lanes)
        })*
    };
}
binary! { pow = f32::powf; atan2 = f32::atan2; }
