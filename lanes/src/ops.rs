//! Which lane-wise operations exist? One table of signature, meaning and, where an operation follows from others, its definition.
//!
//! The trait [`Isa`](crate::Isa), the module [`scalar`](crate::scalar) and the tokens that wrap others are all printed from it, so
//! that they cannot drift apart.

/// Hands the table to the macro `$print`. An entry `fn op(a: F32) -> F32 = path` is defined by `path(token, a)` unless an instruction set
/// knows better; an entry without `=` is primitive.
macro_rules! lane_ops {
    ($print:ident) => {
        $print! {
            /// `a & b`
            fn mask_and(a: Mask, b: Mask) -> Mask;
            /// `a | b`
            fn mask_or(a: Mask, b: Mask) -> Mask;
            /// `a ^ b`
            fn mask_xor(a: Mask, b: Mask) -> Mask;
            /// `!a`
            fn mask_not(a: Mask) -> Mask;
            /// `a & !b`
            fn mask_and_not(a: Mask, b: Mask) -> Mask;
            /// `a == b`
            fn mask_eq(a: Mask, b: Mask) -> Mask = derived::mask_eq;
            /// `m ? a : b`
            fn mask_select(m: Mask, a: Mask, b: Mask) -> Mask = derived::mask_select;

            /// `a + b`
            fn f32_add(a: F32, b: F32) -> F32;
            /// `a - b`
            fn f32_sub(a: F32, b: F32) -> F32;
            /// `a * b`
            fn f32_mul(a: F32, b: F32) -> F32;
            /// `a / b`, correctly rounded
            fn f32_div(a: F32, b: F32) -> F32;
            /// `-a`
            fn f32_neg(a: F32) -> F32;
            /// `|a|`
            fn f32_abs(a: F32) -> F32;
            /// `|a|` with the sign of `b`
            fn f32_copysign(a: F32, b: F32) -> F32 = derived::f32_copysign;
            /// `b < a ? b : a`, so `a` if either is NaN
            fn f32_min(a: F32, b: F32) -> F32;
            /// `b > a ? b : a`, so `a` if either is NaN
            fn f32_max(a: F32, b: F32) -> F32;
            /// `min(max(x, low), high)`
            fn f32_clamp(x: F32, low: F32, high: F32) -> F32 = derived::f32_clamp;
            /// `a * b + c` with one rounding
            fn f32_mul_add(a: F32, b: F32, c: F32) -> F32;
            /// `a * b + c` with one rounding where that is one instruction, else with two. [`Strict`](crate::Strict) always rounds twice
            fn f32_contract(a: F32, b: F32, c: F32) -> F32;
            /// `a < b`; false if either is NaN
            fn f32_lt(a: F32, b: F32) -> Mask;
            /// `a <= b`; false if either is NaN
            fn f32_le(a: F32, b: F32) -> Mask;
            /// `a > b`; false if either is NaN
            fn f32_gt(a: F32, b: F32) -> Mask;
            /// `a >= b`; false if either is NaN
            fn f32_ge(a: F32, b: F32) -> Mask;
            /// `a == b`; false if either is NaN
            fn f32_eq(a: F32, b: F32) -> Mask;
            /// `a != b`; true if either is NaN
            fn f32_ne(a: F32, b: F32) -> Mask;
            /// `m ? a : b`
            fn f32_select(m: Mask, a: F32, b: F32) -> F32;
            /// Square root, correctly rounded
            fn f32_sqrt(a: F32) -> F32;
            /// `1 / sqrt(a)`
            fn f32_inverse_sqrt(a: F32) -> F32 = math::inverse_sqrt;
            /// Largest whole number not above `a`
            fn f32_floor(a: F32) -> F32;
            /// Smallest whole number not below `a`
            fn f32_ceil(a: F32) -> F32;
            /// Nearest whole number, ties to even
            fn f32_round(a: F32) -> F32;
            /// Whole part, towards zero
            fn f32_trunc(a: F32) -> F32;
            /// `a - floor(a)`
            fn f32_fract(a: F32) -> F32 = derived::f32_fract;
            /// 1 above zero, -1 below, otherwise `a` itself (a zero or NaN)
            fn f32_sign(a: F32) -> F32 = derived::f32_sign;
            /// WGSL `%`: `a - b * trunc(a / b)`, every step rounded
            fn f32_rem(a: F32, b: F32) -> F32 = derived::f32_rem;
            /// `a * 2^b`, also where `2^b` is no `f32`
            fn f32_ldexp(a: F32, b: I32) -> F32 = derived::f32_ldexp;
            /// `a * 2^n` for `0.5 <= |a| <= 2` (or NaN) and a whole number `n` within 250 of 0, rounded once
            fn f32_scale(a: F32, n: F32) -> F32 = derived::f32_scale;
            /// `m` of `a = m * 2^e` with `0.5 <= |m| < 1`; `a` itself for zero, infinity and NaN
            fn f32_frexp_fract(a: F32) -> F32 = derived::f32_frexp_fract;
            /// `e` of `a = m * 2^e` with `0.5 <= |m| < 1`; 0 for zero, infinity and NaN
            fn f32_frexp_exp(a: F32) -> I32 = derived::f32_frexp_exp;
            /// `e^a`
            fn f32_exp(a: F32) -> F32 = math::exp;
            /// `2^a`
            fn f32_exp2(a: F32) -> F32 = math::exp2;
            /// Natural logarithm
            fn f32_log(a: F32) -> F32 = math::log;
            /// Logarithm to base 2
            fn f32_log2(a: F32) -> F32 = math::log2;
            /// `a^b` for `a >= 0`; NaN for negative `a`
            fn f32_pow(a: F32, b: F32) -> F32 = math::pow;
            /// Sine of an angle in radians
            fn f32_sin(a: F32) -> F32 = math::sin;
            /// Cosine of an angle in radians
            fn f32_cos(a: F32) -> F32 = math::cos;
            /// Tangent of an angle in radians
            fn f32_tan(a: F32) -> F32 = math::tan;
            /// Angle in `[-pi/2, pi/2]` whose sine is `a`
            fn f32_asin(a: F32) -> F32 = math::asin;
            /// Angle in `[0, pi]` whose cosine is `a`
            fn f32_acos(a: F32) -> F32 = math::acos;
            /// Angle in `[-pi/2, pi/2]` whose tangent is `a`
            fn f32_atan(a: F32) -> F32 = math::atan;
            /// Angle in `[-pi, pi]` of the point with ordinate `y` and abscissa `x`
            fn f32_atan2(y: F32, x: F32) -> F32 = math::atan2;
            /// Hyperbolic sine
            fn f32_sinh(a: F32) -> F32 = math::sinh;
            /// Hyperbolic cosine
            fn f32_cosh(a: F32) -> F32 = math::cosh;
            /// Hyperbolic tangent
            fn f32_tanh(a: F32) -> F32 = math::tanh;
            /// Inverse hyperbolic sine
            fn f32_asinh(a: F32) -> F32 = math::asinh;
            /// Inverse hyperbolic cosine
            fn f32_acosh(a: F32) -> F32 = math::acosh;
            /// Inverse hyperbolic tangent
            fn f32_atanh(a: F32) -> F32 = math::atanh;

            /// `a + b`, wrapping
            fn i32_add(a: I32, b: I32) -> I32;
            /// `a - b`, wrapping
            fn i32_sub(a: I32, b: I32) -> I32;
            /// `a * b`, wrapping
            fn i32_mul(a: I32, b: I32) -> I32;
            /// `-a`, wrapping
            fn i32_neg(a: I32) -> I32 = derived::i32_neg;
            /// `a & b`
            fn i32_and(a: I32, b: I32) -> I32;
            /// `a | b`
            fn i32_or(a: I32, b: I32) -> I32;
            /// `a ^ b`
            fn i32_xor(a: I32, b: I32) -> I32;
            /// `!a`, every bit
            fn i32_not(a: I32) -> I32 = derived::i32_not;
            /// `a << (b mod 32)`
            fn i32_shl(a: I32, b: I32) -> I32;
            /// `a >> (b mod 32)`, copies of the sign move in
            fn i32_shr(a: I32, b: I32) -> I32;
            /// `a >> (b mod 32)`, zeros move in
            fn u32_shr(a: I32, b: I32) -> I32;
            /// Smaller, signed
            fn i32_min(a: I32, b: I32) -> I32;
            /// Larger, signed
            fn i32_max(a: I32, b: I32) -> I32;
            /// Smaller, unsigned
            fn u32_min(a: I32, b: I32) -> I32;
            /// Larger, unsigned
            fn u32_max(a: I32, b: I32) -> I32;
            /// `min(max(x, low), high)`, signed
            fn i32_clamp(x: I32, low: I32, high: I32) -> I32 = derived::i32_clamp;
            /// `min(max(x, low), high)`, unsigned
            fn u32_clamp(x: I32, low: I32, high: I32) -> I32 = derived::u32_clamp;
            /// `a < b`, signed
            fn i32_lt(a: I32, b: I32) -> Mask;
            /// `a <= b`, signed
            fn i32_le(a: I32, b: I32) -> Mask;
            /// `a > b`, signed
            fn i32_gt(a: I32, b: I32) -> Mask;
            /// `a >= b`, signed
            fn i32_ge(a: I32, b: I32) -> Mask;
            /// `a < b`, unsigned
            fn u32_lt(a: I32, b: I32) -> Mask;
            /// `a <= b`, unsigned
            fn u32_le(a: I32, b: I32) -> Mask;
            /// `a > b`, unsigned
            fn u32_gt(a: I32, b: I32) -> Mask;
            /// `a >= b`, unsigned
            fn u32_ge(a: I32, b: I32) -> Mask;
            /// `a == b`
            fn i32_eq(a: I32, b: I32) -> Mask;
            /// `a != b`
            fn i32_ne(a: I32, b: I32) -> Mask;
            /// `m ? a : b`
            fn i32_select(m: Mask, a: I32, b: I32) -> I32;
            /// Signed quotient towards zero; `a / 0 = a`, `i32::MIN / -1 = i32::MIN`
            fn i32_div(a: I32, b: I32) -> I32;
            /// Signed remainder with the sign of `a`; `a % 0 = 0`, `i32::MIN % -1 = 0`
            fn i32_rem(a: I32, b: I32) -> I32 = derived::i32_rem;
            /// Unsigned quotient; `a / 0 = a`
            fn u32_div(a: I32, b: I32) -> I32;
            /// Unsigned remainder; `a % 0 = 0`
            fn u32_rem(a: I32, b: I32) -> I32 = derived::u32_rem;
            /// `|a|`, wrapping: `|i32::MIN| = i32::MIN`
            fn i32_abs(a: I32) -> I32;
            /// -1, 0 or 1
            fn i32_sign(a: I32) -> I32 = derived::i32_sign;
            /// Number of one bits
            fn i32_count_one_bits(a: I32) -> I32 = derived::i32_count_one_bits;
            /// Number of zeros above the highest one; 32 for 0
            fn i32_count_leading_zeros(a: I32) -> I32;
            /// Number of zeros below the lowest one; 32 for 0
            fn i32_count_trailing_zeros(a: I32) -> I32 = derived::i32_count_trailing_zeros;
            /// Bit `i` becomes bit `31 - i`
            fn i32_reverse_bits(a: I32) -> I32 = derived::i32_reverse_bits;
            /// Position of the highest bit that differs from the sign; -1 for 0 and -1
            fn i32_first_leading_bit(a: I32) -> I32 = derived::i32_first_leading_bit;
            /// Position of the highest one; -1 for 0
            fn u32_first_leading_bit(a: I32) -> I32 = derived::u32_first_leading_bit;
            /// Position of the lowest one; -1 for 0
            fn i32_first_trailing_bit(a: I32) -> I32 = derived::i32_first_trailing_bit;
            /// Bits `offset..offset + count` of `a`, sign-extended; offset and count are unsigned and clipped to the word
            fn i32_extract_bits(a: I32, offset: I32, count: I32) -> I32 = derived::i32_extract_bits;
            /// Bits `offset..offset + count` of `a`, zero-extended; offset and count are unsigned and clipped to the word
            fn u32_extract_bits(a: I32, offset: I32, count: I32) -> I32 = derived::u32_extract_bits;
            /// `a` with its bits `offset..offset + count` taken from the low bits of `b`; clipped likewise
            fn i32_insert_bits(a: I32, b: I32, offset: I32, count: I32) -> I32 = derived::i32_insert_bits;

            /// Nearest `f32` of a signed integer
            fn f32_from_i32(a: I32) -> F32;
            /// Nearest `f32` of an unsigned integer
            fn f32_from_u32(a: I32) -> F32;
            /// Towards zero, saturating; NaN becomes 0
            fn i32_from_f32(a: F32) -> I32;
            /// Towards zero, saturating; NaN becomes 0
            fn u32_from_f32(a: F32) -> I32;
            /// The same 32 bits as an integer
            fn f32_bits(a: F32) -> I32;
            /// The same 32 bits as a float
            fn f32_from_bits(a: I32) -> F32;
            /// 1 where on, else 0
            fn i32_from_mask(m: Mask) -> I32 = derived::i32_from_mask;
            /// 1 where on, else 0
            fn f32_from_mask(m: Mask) -> F32 = derived::f32_from_mask;
            /// Bits of the nearest `f16` in the low half of the word, zeros in the high half; too large becomes infinity
            fn f16_from_f32(a: F32) -> I32 = derived::f16_from_f32;
            /// Value of the `f16` whose bits are the low half of the word
            fn f32_from_f16(a: I32) -> F32 = derived::f32_from_f16;
        }
    };
}
pub(crate) use lane_ops;
