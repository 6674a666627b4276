//! What does every operation mean? One lane, in plain Rust: the definition that the other instruction sets agree with.

use crate::buffer::Buffer;
use crate::isa::{Isa, sealed::Sealed};

/// Is a fused multiply-add one instruction of the compiler's target?
pub(crate) const FUSED: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

/// One lane: `f32`, `i32` and `bool` themselves.
#[derive(Clone, Copy, Debug)]
pub struct Single;

// SAFETY: one word each, and any bits are a value of `f32` and `i32`.
unsafe impl Sealed for Single {}

/// Bits of `x` as unsigned, for the operations that care.
#[inline(always)]
fn u(x: i32) -> u32 {
    x.cast_unsigned()
}

macro_rules! define {
    ($($op:ident($($arg:ident: $ty:ty),*) -> $ret:ty = $value:expr;)*) => {
        $(#[inline(always)]
        fn $op(self, $($arg: $ty),*) -> $ret {
            $value
        })*
    };
}

#[allow(clippy::inline_always, clippy::float_cmp)]
impl Isa for Single {
    const LANES: usize = 1;
    type F32 = f32;
    type I32 = i32;
    type Mask = bool;

    define! {
        mask_splat(value: bool) -> bool = value;
        any(m: bool) -> bool = m;
        all(m: bool) -> bool = m;
        mask_bits(m: bool) -> u64 = u64::from(m);
        mask_from_bits(bits: u64) -> bool = bits & 1 == 1;
        first_lanes(n: u32) -> bool = n > 0;
        f32_splat(value: f32) -> f32 = value;
        i32_splat(value: i32) -> i32 = value;
        i32_iota() -> i32 = 0;
        uniform_contract(a: f32, b: f32, c: f32) -> f32 = if FUSED { a.mul_add(b, c) } else { a * b + c };

        mask_and(a: bool, b: bool) -> bool = a & b;
        mask_or(a: bool, b: bool) -> bool = a | b;
        mask_xor(a: bool, b: bool) -> bool = a ^ b;
        mask_not(a: bool) -> bool = !a;
        mask_and_not(a: bool, b: bool) -> bool = a && !b;

        f32_add(a: f32, b: f32) -> f32 = a + b;
        f32_sub(a: f32, b: f32) -> f32 = a - b;
        f32_mul(a: f32, b: f32) -> f32 = a * b;
        f32_div(a: f32, b: f32) -> f32 = a / b;
        f32_neg(a: f32) -> f32 = -a;
        f32_abs(a: f32) -> f32 = a.abs();
        f32_min(a: f32, b: f32) -> f32 = if b < a { b } else { a };
        f32_max(a: f32, b: f32) -> f32 = if b > a { b } else { a };
        f32_mul_add(a: f32, b: f32, c: f32) -> f32 = a.mul_add(b, c);
        f32_contract(a: f32, b: f32, c: f32) -> f32 = if FUSED { a.mul_add(b, c) } else { a * b + c };
        f32_lt(a: f32, b: f32) -> bool = a < b;
        f32_le(a: f32, b: f32) -> bool = a <= b;
        f32_gt(a: f32, b: f32) -> bool = a > b;
        f32_ge(a: f32, b: f32) -> bool = a >= b;
        f32_eq(a: f32, b: f32) -> bool = a == b;
        f32_ne(a: f32, b: f32) -> bool = a != b;
        f32_select(m: bool, a: f32, b: f32) -> f32 = if m { a } else { b };
        f32_sqrt(a: f32) -> f32 = a.sqrt();
        f32_floor(a: f32) -> f32 = a.floor();
        f32_ceil(a: f32) -> f32 = a.ceil();
        f32_round(a: f32) -> f32 = a.round_ties_even();
        f32_trunc(a: f32) -> f32 = a.trunc();

        i32_add(a: i32, b: i32) -> i32 = a.wrapping_add(b);
        i32_sub(a: i32, b: i32) -> i32 = a.wrapping_sub(b);
        i32_mul(a: i32, b: i32) -> i32 = a.wrapping_mul(b);
        i32_and(a: i32, b: i32) -> i32 = a & b;
        i32_or(a: i32, b: i32) -> i32 = a | b;
        i32_xor(a: i32, b: i32) -> i32 = a ^ b;
        i32_shl(a: i32, b: i32) -> i32 = a.wrapping_shl(u(b));
        i32_shr(a: i32, b: i32) -> i32 = a.wrapping_shr(u(b));
        u32_shr(a: i32, b: i32) -> i32 = u(a).wrapping_shr(u(b)).cast_signed();
        i32_min(a: i32, b: i32) -> i32 = if b < a { b } else { a };
        i32_max(a: i32, b: i32) -> i32 = if b > a { b } else { a };
        u32_min(a: i32, b: i32) -> i32 = if u(b) < u(a) { b } else { a };
        u32_max(a: i32, b: i32) -> i32 = if u(b) > u(a) { b } else { a };
        i32_lt(a: i32, b: i32) -> bool = a < b;
        i32_le(a: i32, b: i32) -> bool = a <= b;
        i32_gt(a: i32, b: i32) -> bool = a > b;
        i32_ge(a: i32, b: i32) -> bool = a >= b;
        u32_lt(a: i32, b: i32) -> bool = u(a) < u(b);
        u32_le(a: i32, b: i32) -> bool = u(a) <= u(b);
        u32_gt(a: i32, b: i32) -> bool = u(a) > u(b);
        u32_ge(a: i32, b: i32) -> bool = u(a) >= u(b);
        i32_eq(a: i32, b: i32) -> bool = a == b;
        i32_ne(a: i32, b: i32) -> bool = a != b;
        i32_select(m: bool, a: i32, b: i32) -> i32 = if m { a } else { b };
        i32_div(a: i32, b: i32) -> i32 = if b == 0 { a } else { a.wrapping_div(b) };
        u32_div(a: i32, b: i32) -> i32 = if b == 0 { a } else { (u(a) / u(b)).cast_signed() };
        i32_abs(a: i32) -> i32 = a.wrapping_abs();
        i32_count_one_bits(a: i32) -> i32 = a.count_ones().cast_signed();
        i32_count_leading_zeros(a: i32) -> i32 = a.leading_zeros().cast_signed();
        i32_count_trailing_zeros(a: i32) -> i32 = a.trailing_zeros().cast_signed();
        i32_reverse_bits(a: i32) -> i32 = a.reverse_bits();

        f32_from_i32(a: i32) -> f32 = a as f32;
        f32_from_u32(a: i32) -> f32 = u(a) as f32;
        i32_from_f32(a: f32) -> i32 = a as i32;
        u32_from_f32(a: f32) -> i32 = (a as u32).cast_signed();
        f32_bits(a: f32) -> i32 = a.to_bits().cast_signed();
        f32_from_bits(a: i32) -> f32 = f32::from_bits(u(a));

        i32_from_slice(lanes: &[i32]) -> i32 = lanes[0];
        f32_from_slice(lanes: &[f32]) -> f32 = lanes[0];
        load_linear_i32(buf: Buffer<'_>, addr: u32, _mask: bool) -> i32 = buf.load_i32(addr);
        gather_i32(buf: Buffer<'_>, addr: i32, _mask: bool) -> i32 = buf.load_i32(u(addr));
    }

    #[inline(always)]
    fn i32_to_slice(self, v: i32, out: &mut [i32]) {
        out[0] = v;
    }

    #[inline(always)]
    fn f32_to_slice(self, v: f32, out: &mut [f32]) {
        out[0] = v;
    }

    #[inline(always)]
    fn store_linear_i32(self, buf: Buffer<'_>, addr: u32, mask: bool, v: i32) {
        if mask {
            buf.store_i32(addr, v);
        }
    }

    #[inline(always)]
    fn scatter_i32(self, buf: Buffer<'_>, addr: i32, mask: bool, v: i32) {
        self.store_linear_i32(buf, u(addr), mask, v);
    }
}
