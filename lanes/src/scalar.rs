//! What are the operations on uniform values? The functions of [`Isa`] by the same names, on plain scalars.
//!
//! Where [`Isa`] has one type for both integers, these functions take and return `i32` or `u32` ([`Word`]); a result has the type
//! of the first operand, and the signedness is the operation's, not the type's. Results are those of the lanes bit for bit, except
//! [`f32_inverse_sqrt`], which is computed more exactly than by the vector instructions, and [`f32_contract`], for which
//! [`Isa::uniform_contract`] knows whether the lanes fuse.
//!
//! ```
//! use impel_lanes::scalar;
//! assert_eq!(scalar::i32_div(7, 0), 7);
//! assert_eq!(scalar::u32_min(1u32, u32::MAX), 1);
//! assert_eq!(scalar::i32_shl(1i32, 33u32), 2);
//! ```

use crate::isa::Isa;
use crate::single::Single;

/// `i32` or `u32`: 32 bits whose signedness the operation knows.
pub trait Word: Copy + sealed::Sealed {
    /// The same bits, signed.
    fn bits(self) -> i32;
    /// The same bits.
    fn of_bits(bits: i32) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for i32 {}
    impl Sealed for u32 {}
}

#[allow(clippy::inline_always)]
impl Word for i32 {
    #[inline(always)]
    fn bits(self) -> i32 {
        self
    }
    #[inline(always)]
    fn of_bits(bits: i32) -> i32 {
        bits
    }
}

#[allow(clippy::inline_always)]
impl Word for u32 {
    #[inline(always)]
    fn bits(self) -> i32 {
        self.cast_signed()
    }
    #[inline(always)]
    fn of_bits(bits: i32) -> u32 {
        bits.cast_unsigned()
    }
}

/// Operations without integers: `name(arguments) -> result`.
macro_rules! plain {
    ($($op:ident($($arg:ident: $ty:ty),*) -> $ret:ty;)*) => {
        $(#[doc = concat!("[`Isa::", stringify!($op), "`] of one value.")]
        #[inline(always)]
        #[must_use]
        pub fn $op($($arg: $ty),*) -> $ret {
            Single.$op($($arg),*)
        })*
    };
}

/// Operations on integers of any signedness whose result has the type of the first one.
macro_rules! words {
    ($($op:ident($first:ident $(, $arg:ident)*);)*) => {
        $(#[doc = concat!("[`Isa::", stringify!($op), "`] of one value.")]
        #[inline(always)]
        #[must_use]
        pub fn $op<T: Word>($first: T $(, $arg: impl Word)*) -> T {
            T::of_bits(Single.$op($first.bits() $(, $arg.bits())*))
        })*
    };
}

/// Comparisons of integers.
macro_rules! comparisons {
    ($($op:ident)*) => {
        $(#[doc = concat!("[`Isa::", stringify!($op), "`] of one value.")]
        #[inline(always)]
        #[must_use]
        pub fn $op<T: Word>(a: T, b: T) -> bool {
            Single.$op(a.bits(), b.bits())
        })*
    };
}

plain! {
    mask_and(a: bool, b: bool) -> bool;
    mask_or(a: bool, b: bool) -> bool;
    mask_xor(a: bool, b: bool) -> bool;
    mask_not(a: bool) -> bool;
    mask_and_not(a: bool, b: bool) -> bool;
    mask_eq(a: bool, b: bool) -> bool;
    mask_select(m: bool, a: bool, b: bool) -> bool;
    f32_add(a: f32, b: f32) -> f32;
    f32_sub(a: f32, b: f32) -> f32;
    f32_mul(a: f32, b: f32) -> f32;
    f32_div(a: f32, b: f32) -> f32;
    f32_neg(a: f32) -> f32;
    f32_abs(a: f32) -> f32;
    f32_copysign(a: f32, b: f32) -> f32;
    f32_min(a: f32, b: f32) -> f32;
    f32_max(a: f32, b: f32) -> f32;
    f32_clamp(x: f32, low: f32, high: f32) -> f32;
    f32_mul_add(a: f32, b: f32, c: f32) -> f32;
    f32_contract(a: f32, b: f32, c: f32) -> f32;
    f32_lt(a: f32, b: f32) -> bool;
    f32_le(a: f32, b: f32) -> bool;
    f32_gt(a: f32, b: f32) -> bool;
    f32_ge(a: f32, b: f32) -> bool;
    f32_eq(a: f32, b: f32) -> bool;
    f32_ne(a: f32, b: f32) -> bool;
    f32_select(m: bool, a: f32, b: f32) -> f32;
    f32_sqrt(a: f32) -> f32;
    f32_inverse_sqrt(a: f32) -> f32;
    f32_floor(a: f32) -> f32;
    f32_ceil(a: f32) -> f32;
    f32_round(a: f32) -> f32;
    f32_trunc(a: f32) -> f32;
    f32_fract(a: f32) -> f32;
    f32_sign(a: f32) -> f32;
    f32_rem(a: f32, b: f32) -> f32;
    f32_scale(a: f32, n: f32) -> f32;
    f32_frexp_fract(a: f32) -> f32;
    f32_frexp_exp(a: f32) -> i32;
    f32_exp(a: f32) -> f32;
    f32_exp2(a: f32) -> f32;
    f32_log(a: f32) -> f32;
    f32_log2(a: f32) -> f32;
    f32_pow(a: f32, b: f32) -> f32;
    f32_sin(a: f32) -> f32;
    f32_cos(a: f32) -> f32;
    f32_tan(a: f32) -> f32;
    f32_asin(a: f32) -> f32;
    f32_acos(a: f32) -> f32;
    f32_atan(a: f32) -> f32;
    f32_atan2(y: f32, x: f32) -> f32;
    f32_sinh(a: f32) -> f32;
    f32_cosh(a: f32) -> f32;
    f32_tanh(a: f32) -> f32;
    f32_asinh(a: f32) -> f32;
    f32_acosh(a: f32) -> f32;
    f32_atanh(a: f32) -> f32;
    i32_from_f32(a: f32) -> i32;
    i32_from_mask(m: bool) -> i32;
    f32_from_mask(m: bool) -> f32;
}

words! {
    i32_add(a, b);
    i32_sub(a, b);
    i32_mul(a, b);
    i32_neg(a);
    i32_and(a, b);
    i32_or(a, b);
    i32_xor(a, b);
    i32_not(a);
    i32_shl(a, b);
    i32_shr(a, b);
    u32_shr(a, b);
    i32_min(a, b);
    i32_max(a, b);
    u32_min(a, b);
    u32_max(a, b);
    i32_clamp(x, low, high);
    u32_clamp(x, low, high);
    i32_div(a, b);
    i32_rem(a, b);
    u32_div(a, b);
    u32_rem(a, b);
    i32_abs(a);
    i32_sign(a);
    i32_count_one_bits(a);
    i32_count_leading_zeros(a);
    i32_count_trailing_zeros(a);
    i32_reverse_bits(a);
    i32_first_leading_bit(a);
    u32_first_leading_bit(a);
    i32_first_trailing_bit(a);
    i32_extract_bits(a, offset, count);
    u32_extract_bits(a, offset, count);
    i32_insert_bits(a, b, offset, count);
}

comparisons! { i32_lt i32_le i32_gt i32_ge u32_lt u32_le u32_gt u32_ge i32_eq i32_ne }

/// [`Isa::i32_select`] of one value.
#[inline(always)]
#[must_use]
pub fn i32_select<T: Word>(m: bool, a: T, b: T) -> T {
    if m { a } else { b }
}

/// [`Isa::f32_ldexp`] of one value.
#[inline(always)]
#[must_use]
pub fn f32_ldexp(a: f32, b: impl Word) -> f32 {
    Single.f32_ldexp(a, b.bits())
}

/// [`Isa::f32_from_i32`] of one value.
#[inline(always)]
#[must_use]
pub fn f32_from_i32(a: impl Word) -> f32 {
    Single.f32_from_i32(a.bits())
}

/// [`Isa::f32_from_u32`] of one value.
#[inline(always)]
#[must_use]
pub fn f32_from_u32(a: impl Word) -> f32 {
    Single.f32_from_u32(a.bits())
}

/// [`Isa::u32_from_f32`] of one value.
#[inline(always)]
#[must_use]
pub fn u32_from_f32(a: f32) -> u32 {
    Single.u32_from_f32(a).cast_unsigned()
}

/// [`Isa::f32_bits`] of one value.
#[inline(always)]
#[must_use]
pub fn f32_bits(a: f32) -> u32 {
    a.to_bits()
}

/// [`Isa::f32_from_bits`] of one value.
#[inline(always)]
#[must_use]
pub fn f32_from_bits(a: impl Word) -> f32 {
    Single.f32_from_bits(a.bits())
}

/// [`Isa::f16_from_f32`] of one value.
#[inline(always)]
#[must_use]
pub fn f16_from_f32(a: f32) -> u32 {
    Single.f16_from_f32(a).cast_unsigned()
}

/// [`Isa::f32_from_f16`] of one value.
#[inline(always)]
#[must_use]
pub fn f32_from_f16(a: impl Word) -> f32 {
    Single.f32_from_f16(a.bits())
}
