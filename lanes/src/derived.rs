//! How do operations follow from others? Definitions for any instruction set that has nothing better.

use crate::isa::Isa;
use crate::math::TO_WHOLE;

#[inline(always)]
pub(crate) fn mask_eq<S: Isa>(s: S, a: S::Mask, b: S::Mask) -> S::Mask {
    s.mask_not(s.mask_xor(a, b))
}

#[inline(always)]
pub(crate) fn mask_select<S: Isa>(s: S, m: S::Mask, a: S::Mask, b: S::Mask) -> S::Mask {
    s.mask_or(s.mask_and(m, a), s.mask_and_not(b, m))
}

#[inline(always)]
pub(crate) fn f32_copysign<S: Isa>(s: S, a: S::F32, b: S::F32) -> S::F32 {
    let magnitude = s.i32_and(s.f32_bits(a), s.i32_splat(i32::MAX));
    let sign = s.i32_and(s.f32_bits(b), s.i32_splat(i32::MIN));
    s.f32_from_bits(s.i32_or(magnitude, sign))
}

#[inline(always)]
pub(crate) fn f32_clamp<S: Isa>(s: S, x: S::F32, low: S::F32, high: S::F32) -> S::F32 {
    s.f32_min(s.f32_max(x, low), high)
}

#[inline(always)]
pub(crate) fn f32_fract<S: Isa>(s: S, a: S::F32) -> S::F32 {
    s.f32_sub(a, s.f32_floor(a))
}

#[inline(always)]
pub(crate) fn f32_sign<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let zero = s.f32_splat(0.0);
    let below = s.f32_select(s.f32_lt(a, zero), s.f32_splat(-1.0), a);
    s.f32_select(s.f32_gt(a, zero), s.f32_splat(1.0), below)
}

#[inline(always)]
pub(crate) fn f32_rem<S: Isa>(s: S, a: S::F32, b: S::F32) -> S::F32 {
    s.f32_sub(a, s.f32_mul(b, s.f32_trunc(s.f32_div(a, b))))
}

/// `2^e` for `-126 <= e <= 127`.
#[inline(always)]
pub(crate) fn power_of_two<S: Isa>(s: S, e: S::I32) -> S::F32 {
    s.f32_from_bits(s.i32_shl(s.i32_add(e, s.i32_splat(127)), s.i32_splat(23)))
}

#[inline(always)]
pub(crate) fn f32_scale<S: Isa>(s: S, a: S::F32, n: S::F32) -> S::F32 {
    // Half of the exponent each, so that the first product is exact.
    let to_whole = s.f32_splat(TO_WHOLE);
    let whole = s.i32_sub(s.f32_bits(s.f32_add(n, to_whole)), s.f32_bits(to_whole));
    let half = s.i32_shr(whole, s.i32_splat(1));
    let rest = s.i32_sub(whole, half);
    s.f32_mul(s.f32_mul(a, power_of_two(s, half)), power_of_two(s, rest))
}

#[inline(always)]
pub(crate) fn f32_ldexp<S: Isa>(s: S, a: S::F32, b: S::I32) -> S::F32 {
    // Three factors reach from the largest number to below the smallest. Where one of them rounds, at least 2^-25 is still to come,
    // and the result is zero either way: no number is rounded twice.
    let e = s.i32_clamp(b, s.i32_splat(-330), s.i32_splat(381));
    let first = ldexp_step(s, e);
    let rest = s.i32_sub(e, first);
    let second = ldexp_step(s, rest);
    let third = s.i32_sub(rest, second);
    let scaled = s.f32_mul(
        s.f32_mul(a, power_of_two(s, first)),
        power_of_two(s, second),
    );
    s.f32_mul(scaled, power_of_two(s, third))
}

/// The part of the exponent `e` that one factor takes off.
#[inline(always)]
fn ldexp_step<S: Isa>(s: S, e: S::I32) -> S::I32 {
    s.i32_select(
        s.i32_lt(e, s.i32_splat(-126)),
        s.i32_splat(-102),
        s.i32_min(e, s.i32_splat(127)),
    )
}

/// `a` scaled by `2^24` where it is subnormal, and the exponent to take off again.
#[inline(always)]
fn normalised<S: Isa>(s: S, a: S::F32) -> (S::F32, S::I32) {
    let subnormal = s.f32_lt(s.f32_abs(a), s.f32_splat(f32::MIN_POSITIVE));
    let scaled = s.f32_select(subnormal, s.f32_mul(a, s.f32_splat(16_777_216.0)), a);
    (
        scaled,
        s.i32_select(subnormal, s.i32_splat(24), s.i32_splat(0)),
    )
}

/// Where `a` is neither zero, infinite nor NaN.
#[inline(always)]
fn has_exponent<S: Isa>(s: S, a: S::F32) -> S::Mask {
    s.mask_and(
        s.f32_lt(s.f32_abs(a), s.f32_splat(f32::INFINITY)),
        s.f32_ne(a, s.f32_splat(0.0)),
    )
}

#[inline(always)]
pub(crate) fn f32_frexp_fract<S: Isa>(s: S, a: S::F32) -> S::F32 {
    let (x, _) = normalised(s, a);
    let kept = s.i32_and(s.f32_bits(x), s.i32_splat(0x807F_FFFF_u32.cast_signed()));
    let fract = s.f32_from_bits(s.i32_or(kept, s.i32_splat(0x3F00_0000)));
    s.f32_select(has_exponent(s, a), fract, a)
}

#[inline(always)]
pub(crate) fn f32_frexp_exp<S: Isa>(s: S, a: S::F32) -> S::I32 {
    let (x, extra) = normalised(s, a);
    let biased = s.i32_and(s.u32_shr(s.f32_bits(x), s.i32_splat(23)), s.i32_splat(255));
    let e = s.i32_sub(s.i32_sub(biased, s.i32_splat(126)), extra);
    s.i32_select(has_exponent(s, a), e, s.i32_splat(0))
}

#[inline(always)]
pub(crate) fn i32_neg<S: Isa>(s: S, a: S::I32) -> S::I32 {
    s.i32_sub(s.i32_splat(0), a)
}

#[inline(always)]
pub(crate) fn i32_not<S: Isa>(s: S, a: S::I32) -> S::I32 {
    s.i32_xor(a, s.i32_splat(-1))
}

#[inline(always)]
pub(crate) fn i32_clamp<S: Isa>(s: S, x: S::I32, low: S::I32, high: S::I32) -> S::I32 {
    s.i32_min(s.i32_max(x, low), high)
}

#[inline(always)]
pub(crate) fn u32_clamp<S: Isa>(s: S, x: S::I32, low: S::I32, high: S::I32) -> S::I32 {
    s.u32_min(s.u32_max(x, low), high)
}

#[inline(always)]
pub(crate) fn i32_rem<S: Isa>(s: S, a: S::I32, b: S::I32) -> S::I32 {
    let rem = s.i32_sub(a, s.i32_mul(s.i32_div(a, b), b));
    s.i32_select(s.i32_eq(b, s.i32_splat(0)), s.i32_splat(0), rem)
}

#[inline(always)]
pub(crate) fn u32_rem<S: Isa>(s: S, a: S::I32, b: S::I32) -> S::I32 {
    let rem = s.i32_sub(a, s.i32_mul(s.u32_div(a, b), b));
    s.i32_select(s.i32_eq(b, s.i32_splat(0)), s.i32_splat(0), rem)
}

#[inline(always)]
pub(crate) fn i32_sign<S: Isa>(s: S, a: S::I32) -> S::I32 {
    s.i32_clamp(a, s.i32_splat(-1), s.i32_splat(1))
}

#[inline(always)]
pub(crate) fn i32_count_one_bits<S: Isa>(s: S, a: S::I32) -> S::I32 {
    let pairs = s.i32_sub(
        a,
        s.i32_and(s.u32_shr(a, s.i32_splat(1)), s.i32_splat(0x5555_5555)),
    );
    let high = s.i32_and(s.u32_shr(pairs, s.i32_splat(2)), s.i32_splat(0x3333_3333));
    let nibbles = s.i32_add(s.i32_and(pairs, s.i32_splat(0x3333_3333)), high);
    let bytes = s.i32_and(
        s.i32_add(nibbles, s.u32_shr(nibbles, s.i32_splat(4))),
        s.i32_splat(0x0F0F_0F0F),
    );
    s.u32_shr(s.i32_mul(bytes, s.i32_splat(0x0101_0101)), s.i32_splat(24))
}

#[inline(always)]
pub(crate) fn i32_count_trailing_zeros<S: Isa>(s: S, a: S::I32) -> S::I32 {
    // The bits below the lowest one, which are all 32 for zero.
    s.i32_count_one_bits(s.i32_and(s.i32_not(a), s.i32_sub(a, s.i32_splat(1))))
}

#[inline(always)]
pub(crate) fn i32_reverse_bits<S: Isa>(s: S, a: S::I32) -> S::I32 {
    let mut x = a;
    let mut width = 1;
    while width < 32 {
        let low = s.i32_splat((u32::MAX / ((1u64 << width) + 1) as u32).cast_signed());
        let count = s.i32_splat(width);
        let up = s.i32_shl(s.i32_and(x, low), count);
        x = s.i32_or(up, s.i32_and(s.u32_shr(x, count), low));
        width *= 2;
    }
    x
}

#[inline(always)]
pub(crate) fn u32_first_leading_bit<S: Isa>(s: S, a: S::I32) -> S::I32 {
    s.i32_sub(s.i32_splat(31), s.i32_count_leading_zeros(a))
}

#[inline(always)]
pub(crate) fn i32_first_leading_bit<S: Isa>(s: S, a: S::I32) -> S::I32 {
    u32_first_leading_bit(s, s.i32_xor(a, s.i32_shr(a, s.i32_splat(31))))
}

#[inline(always)]
pub(crate) fn i32_first_trailing_bit<S: Isa>(s: S, a: S::I32) -> S::I32 {
    let position = s.i32_count_trailing_zeros(a);
    s.i32_select(s.i32_eq(a, s.i32_splat(0)), s.i32_splat(-1), position)
}

/// Shifts that bring the field to the top of the word and down again, and where the field has any bits.
#[inline(always)]
fn field_shifts<S: Isa>(s: S, offset: S::I32, count: S::I32) -> (S::I32, S::I32, S::Mask) {
    let word = s.i32_splat(32);
    let offset = s.u32_min(offset, word);
    let count = s.u32_min(count, s.i32_sub(word, offset));
    let down = s.i32_sub(word, count);
    (
        s.i32_sub(down, offset),
        down,
        s.i32_ne(count, s.i32_splat(0)),
    )
}

#[inline(always)]
pub(crate) fn i32_extract_bits<S: Isa>(s: S, a: S::I32, offset: S::I32, count: S::I32) -> S::I32 {
    let (up, down, any) = field_shifts(s, offset, count);
    s.i32_select(any, s.i32_shr(s.i32_shl(a, up), down), s.i32_splat(0))
}

#[inline(always)]
pub(crate) fn u32_extract_bits<S: Isa>(s: S, a: S::I32, offset: S::I32, count: S::I32) -> S::I32 {
    let (up, down, any) = field_shifts(s, offset, count);
    s.i32_select(any, s.u32_shr(s.i32_shl(a, up), down), s.i32_splat(0))
}

#[inline(always)]
pub(crate) fn i32_insert_bits<S: Isa>(
    s: S,
    a: S::I32,
    b: S::I32,
    offset: S::I32,
    count: S::I32,
) -> S::I32 {
    let (_, down, any) = field_shifts(s, offset, count);
    let field = s.i32_shl(s.u32_shr(s.i32_splat(-1), down), offset);
    let moved = s.i32_shl(b, offset);
    let inserted = s.i32_xor(a, s.i32_and(s.i32_xor(a, moved), field));
    s.i32_select(any, inserted, a)
}

#[inline(always)]
pub(crate) fn i32_from_mask<S: Isa>(s: S, m: S::Mask) -> S::I32 {
    s.i32_select(m, s.i32_splat(1), s.i32_splat(0))
}

#[inline(always)]
pub(crate) fn f32_from_mask<S: Isa>(s: S, m: S::Mask) -> S::F32 {
    s.f32_select(m, s.f32_splat(1.0), s.f32_splat(0.0))
}

#[inline(always)]
pub(crate) fn f16_from_f32<S: Isa>(s: S, a: S::F32) -> S::I32 {
    let bits = s.f32_bits(a);
    let magnitude = s.i32_and(bits, s.i32_splat(i32::MAX));
    let sign = s.u32_shr(s.i32_xor(bits, magnitude), s.i32_splat(16));
    // Rebias the exponent and round off 13 bits, to even.
    let odd = s.i32_and(s.u32_shr(magnitude, s.i32_splat(13)), s.i32_splat(1));
    let rebias = s.i32_splat(0xFFF - (112 << 23));
    let normal = s.u32_shr(
        s.i32_add(s.i32_add(magnitude, odd), rebias),
        s.i32_splat(13),
    );
    // One unit in the last place of 0.5 is the smallest f16, so that this addition rounds.
    let half = s.f32_splat(0.5);
    let unit = s.i32_sub(
        s.f32_bits(s.f32_add(s.f32_from_bits(magnitude), half)),
        s.f32_bits(half),
    );
    let finite = s.i32_select(s.i32_lt(magnitude, s.i32_splat(113 << 23)), unit, normal);
    let special = s.i32_select(
        s.i32_gt(magnitude, s.i32_splat(0x7F80_0000)),
        s.i32_splat(0x7E00),
        s.i32_splat(0x7C00),
    );
    let overflow = s.i32_ge(magnitude, s.f32_bits(s.f32_splat(65520.0)));
    s.i32_or(s.i32_select(overflow, special, finite), sign)
}

#[inline(always)]
pub(crate) fn f32_from_f16<S: Isa>(s: S, a: S::I32) -> S::F32 {
    let magnitude = s.i32_shl(s.i32_and(a, s.i32_splat(0x7FFF)), s.i32_splat(13));
    let sign = s.i32_shl(s.i32_and(a, s.i32_splat(0x8000)), s.i32_splat(16));
    let finite = s.f32_bits(s.f32_mul(
        s.f32_from_bits(magnitude),
        power_of_two(s, s.i32_splat(112)),
    ));
    let special = s.i32_or(magnitude, s.i32_splat(0x7F80_0000));
    let is_special = s.i32_ge(magnitude, s.i32_splat(0x7C00 << 13));
    s.f32_from_bits(s.i32_or(s.i32_select(is_special, special, finite), sign))
}
