//! Does every operation give what plain Rust gives, lane by lane, on every token?
#![allow(clippy::inline_always, clippy::float_cmp)]

mod every_token;

use every_token::{Check, Lanes, combinations, on_every_token};
use impel_lanes::Isa;

/// Compares one operation with its definition on all combinations of samples.
fn compare<S: Isa, A: Lanes<S>, B: Lanes<S>, C: Lanes<S>, R: Lanes<S>>(
    s: S,
    name: &str,
    operation: &dyn Fn(A::Value, B::Value, C::Value) -> R::Value,
    definition: &dyn Fn(A, B, C) -> R,
) {
    let mut samples = combinations::<A, B, C>();
    while !samples.len().is_multiple_of(S::LANES) {
        samples.push(samples[0]);
    }
    for lanes in samples.chunks(S::LANES) {
        let a: Vec<A> = lanes.iter().map(|sample| sample.0).collect();
        let b: Vec<B> = lanes.iter().map(|sample| sample.1).collect();
        let c: Vec<C> = lanes.iter().map(|sample| sample.2).collect();
        let result = R::unpack(s, operation(A::pack(s, &a), B::pack(s, &b), C::pack(s, &c)));
        for (l, (a, b, c)) in lanes.iter().copied().enumerate() {
            let expected = definition(a, b, c);
            assert!(
                result[l].same(expected),
                "{name}({}, {}, {}) is {}, not {}",
                a.show(),
                b.show(),
                c.show(),
                result[l].show(),
                expected.show()
            );
        }
    }
}

/// `operation(arguments) -> type = definition;` for each.
macro_rules! agree {
    ($($test:ident: { $($op:ident($a:ident: $ta:ty $(, $b:ident: $tb:ty $(, $c:ident: $tc:ty)?)?) -> $r:ty = $definition:expr;)* })*) => {
        $(#[test]
        fn $test() {
            struct Agree;
            impl Check for Agree {
                fn check<S: Isa>(&self, s: S, token: &str) {
                    $(agree! { @one s token $op ($a: $ta $(, $b: $tb $(, $c: $tc)?)?) $r, $definition })*
                }
            }
            on_every_token(&Agree);
        })*
    };
    (@one $s:ident $token:ident $op:ident ($a:ident: $ta:ty) $r:ty, $definition:expr) => {
        compare::<S, $ta, bool, bool, $r>($s, &format!("{}: {}", $token, stringify!($op)), &|a, _, _| $s.$op(a), &|$a, _, _| $definition)
    };
    (@one $s:ident $token:ident $op:ident ($a:ident: $ta:ty, $b:ident: $tb:ty) $r:ty, $definition:expr) => {
        compare::<S, $ta, $tb, bool, $r>($s, &format!("{}: {}", $token, stringify!($op)), &|a, b, _| $s.$op(a, b), &|$a, $b, _| $definition)
    };
    (@one $s:ident $token:ident $op:ident ($a:ident: $ta:ty, $b:ident: $tb:ty, $c:ident: $tc:ty) $r:ty, $definition:expr) => {
        compare::<S, $ta, $tb, $tc, $r>($s, &format!("{}: {}", $token, stringify!($op)), &|a, b, c| $s.$op(a, b, c), &|$a, $b, $c| $definition)
    };
}

fn u(x: i32) -> u32 {
    x.cast_unsigned()
}

fn i(x: u32) -> i32 {
    x.cast_signed()
}

/// Clips a bit field to the word: WGSL's rule for `extractBits` and `insertBits`.
fn field(offset: i32, count: i32) -> (u32, u32) {
    let offset = u(offset).min(32);
    (offset, u(count).min(32 - offset))
}

/// The bits of a field, in place, one by one.
fn field_bits(offset: i32, count: i32) -> u64 {
    let (offset, count) = field(offset, count);
    (offset..offset + count).map(|bit| 1u64 << bit).sum()
}

fn frexp(x: f32) -> (f32, i32) {
    let (mut m, mut e) = (f64::from(x), 0);
    if m == 0.0 || !m.is_finite() {
        return (x, 0);
    }
    while m.abs() >= 1.0 {
        m /= 2.0;
        e += 1;
    }
    while m.abs() < 0.5 {
        m *= 2.0;
        e -= 1;
    }
    (m as f32, e)
}

/// The nearest f16, found among all of them.
fn nearest_f16(x: f32) -> i32 {
    let magnitude = f64::from(x.abs());
    let sign = if x.is_sign_negative() { 0x8000 } else { 0 };
    if x.is_nan() {
        return sign | 0x7E00;
    }
    let (mut low, mut high) = (0, 0x7C00);
    while high - low > 1 {
        let middle = i32::midpoint(low, high);
        if f16_value(middle) <= magnitude {
            low = middle;
        } else {
            high = middle;
        }
    }
    // Beyond the largest number, infinity stands where the next one would.
    let above = if high == 0x7C00 {
        65536.0
    } else {
        f16_value(high)
    };
    let (down, up) = (magnitude - f16_value(low), above - magnitude);
    sign | if down < up || down == up && low & 1 == 0 {
        low
    } else {
        high
    }
}

fn f16_value(bits: i32) -> f64 {
    let (exponent, fraction) = (bits >> 10 & 31, f64::from(bits & 0x3FF));
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 {
        magnitude
    } else {
        -magnitude
    }
}

fn sign_of_zero(x: f32, like: f32) -> f32 {
    x.abs().copysign(like)
}

agree! {
    masks: {
        mask_and(a: bool, b: bool) -> bool = a && b;
        mask_or(a: bool, b: bool) -> bool = a || b;
        mask_xor(a: bool, b: bool) -> bool = a != b;
        mask_not(a: bool) -> bool = !a;
        mask_and_not(a: bool, b: bool) -> bool = a && !b;
        mask_eq(a: bool, b: bool) -> bool = a == b;
        mask_select(m: bool, a: bool, b: bool) -> bool = if m { a } else { b };
        i32_from_mask(m: bool) -> i32 = i32::from(m);
        f32_from_mask(m: bool) -> f32 = f32::from(u8::from(m));
    }
    float_arithmetic: {
        f32_add(a: f32, b: f32) -> f32 = a + b;
        f32_sub(a: f32, b: f32) -> f32 = a - b;
        f32_mul(a: f32, b: f32) -> f32 = a * b;
        f32_div(a: f32, b: f32) -> f32 = a / b;
        f32_neg(a: f32) -> f32 = -a;
        f32_abs(a: f32) -> f32 = a.abs();
        f32_copysign(a: f32, b: f32) -> f32 = a.copysign(b);
        f32_min(a: f32, b: f32) -> f32 = if b < a { b } else { a };
        f32_max(a: f32, b: f32) -> f32 = if b > a { b } else { a };
        f32_mul_add(a: f32, b: f32, c: f32) -> f32 = a.mul_add(b, c);
        f32_sqrt(a: f32) -> f32 = a.sqrt();
        f32_rem(a: f32, b: f32) -> f32 = a - b * (a / b).trunc();
    }
    float_comparisons: {
        f32_lt(a: f32, b: f32) -> bool = a < b;
        f32_le(a: f32, b: f32) -> bool = a <= b;
        f32_gt(a: f32, b: f32) -> bool = a > b;
        f32_ge(a: f32, b: f32) -> bool = a >= b;
        f32_eq(a: f32, b: f32) -> bool = a == b;
        f32_ne(a: f32, b: f32) -> bool = a != b;
        f32_select(m: bool, a: f32, b: f32) -> f32 = if m { a } else { b };
        f32_clamp(x: f32, low: f32, high: f32) -> f32 = {
            let raised = if low > x { low } else { x };
            if high < raised { high } else { raised }
        };
    }
    rounding: {
        f32_floor(a: f32) -> f32 = a.floor();
        f32_ceil(a: f32) -> f32 = a.ceil();
        f32_round(a: f32) -> f32 = a.round_ties_even();
        f32_trunc(a: f32) -> f32 = a.trunc();
        f32_fract(a: f32) -> f32 = a - a.floor();
        f32_sign(a: f32) -> f32 = if a > 0.0 { 1.0 } else if a < 0.0 { -1.0 } else { a };
    }
    exponents: {
        f32_frexp_fract(a: f32) -> f32 = frexp(a).0;
        f32_frexp_exp(a: f32) -> i32 = frexp(a).1;
        f32_ldexp(a: f32, b: i32) -> f32 = sign_of_zero((f64::from(a) * 2f64.powi(b.clamp(-500, 500))) as f32, a);
    }
    integer_arithmetic: {
        i32_add(a: i32, b: i32) -> i32 = a.wrapping_add(b);
        i32_sub(a: i32, b: i32) -> i32 = a.wrapping_sub(b);
        i32_mul(a: i32, b: i32) -> i32 = a.wrapping_mul(b);
        i32_neg(a: i32) -> i32 = a.wrapping_neg();
        i32_abs(a: i32) -> i32 = a.wrapping_abs();
        i32_sign(a: i32) -> i32 = a.signum();
        i32_min(a: i32, b: i32) -> i32 = a.min(b);
        i32_max(a: i32, b: i32) -> i32 = a.max(b);
        u32_min(a: i32, b: i32) -> i32 = i(u(a).min(u(b)));
        u32_max(a: i32, b: i32) -> i32 = i(u(a).max(u(b)));
        i32_clamp(x: i32, low: i32, high: i32) -> i32 = x.max(low).min(high);
        u32_clamp(x: i32, low: i32, high: i32) -> i32 = i(u(x).max(u(low)).min(u(high)));
    }
    integer_division_is_defined_for_every_divisor: {
        i32_div(a: i32, b: i32) -> i32 = if b == 0 { a } else { a.wrapping_div(b) };
        i32_rem(a: i32, b: i32) -> i32 = if b == 0 { 0 } else { a.wrapping_rem(b) };
        u32_div(a: i32, b: i32) -> i32 = u(a).checked_div(u(b)).map_or(a, i);
        u32_rem(a: i32, b: i32) -> i32 = u(a).checked_rem(u(b)).map_or(0, i);
    }
    integer_comparisons: {
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
    }
    bits: {
        i32_and(a: i32, b: i32) -> i32 = a & b;
        i32_or(a: i32, b: i32) -> i32 = a | b;
        i32_xor(a: i32, b: i32) -> i32 = a ^ b;
        i32_not(a: i32) -> i32 = !a;
        i32_shl(a: i32, b: i32) -> i32 = a << (b & 31);
        i32_shr(a: i32, b: i32) -> i32 = a >> (b & 31);
        u32_shr(a: i32, b: i32) -> i32 = i(u(a) >> (b & 31));
        i32_count_one_bits(a: i32) -> i32 = i(a.count_ones());
        i32_count_leading_zeros(a: i32) -> i32 = i(a.leading_zeros());
        i32_count_trailing_zeros(a: i32) -> i32 = i(a.trailing_zeros());
        i32_reverse_bits(a: i32) -> i32 = a.reverse_bits();
        i32_first_leading_bit(a: i32) -> i32 = (0..31).rev().find(|bit| (a >> bit & 1) != (a >> 31 & 1)).unwrap_or(-1);
        u32_first_leading_bit(a: i32) -> i32 = (0..32).rev().find(|bit| a >> bit & 1 == 1).unwrap_or(-1);
        i32_first_trailing_bit(a: i32) -> i32 = (0..32).find(|bit| a >> bit & 1 == 1).unwrap_or(-1);
    }
    bit_fields: {
        u32_extract_bits(a: i32, offset: i32, count: i32) -> i32 = {
            ((u64::from(u(a)) & field_bits(offset, count)) >> field(offset, count).0) as i32
        };
        i32_extract_bits(a: i32, offset: i32, count: i32) -> i32 = {
            let (offset, count) = field(offset, count);
            if count == 0 { 0 } else { (i64::from(a) << (64 - offset - count) >> (64 - count)) as i32 }
        };
    }
    conversions: {
        f32_from_i32(a: i32) -> f32 = a as f32;
        f32_from_u32(a: i32) -> f32 = u(a) as f32;
        i32_from_f32(a: f32) -> i32 = a as i32;
        u32_from_f32(a: f32) -> i32 = i(a as u32);
        f32_bits(a: f32) -> i32 = i(a.to_bits());
        f32_from_bits(a: i32) -> f32 = f32::from_bits(u(a));
        f16_from_f32(a: f32) -> i32 = nearest_f16(a);
        f32_from_f16(a: i32) -> f32 = f16_value(a & 0xFFFF) as f32;
    }
}

#[test]
fn bits_are_inserted_where_the_field_lies() {
    struct Insert;
    impl Check for Insert {
        fn check<S: Isa>(&self, s: S, token: &str) {
            for count in [0, 1, 5, 8, 31, 32, 40, -1] {
                compare::<S, i32, i32, i32, i32>(
                    s,
                    &format!("{token}: i32_insert_bits, {count} of"),
                    &|a, b, offset| s.i32_insert_bits(a, b, offset, s.i32_splat(count)),
                    &|a, b, offset| {
                        let bits = field_bits(offset, count) as u32;
                        let moved = if bits == 0 { 0 } else { u(b) << offset };
                        i(u(a) & !bits | moved & bits)
                    },
                );
            }
        }
    }
    on_every_token(&Insert);
}

#[test]
fn contraction_rounds_once_or_twice_and_never_in_strict() {
    struct Contract;
    impl Check for Contract {
        fn check<S: Isa>(&self, s: S, token: &str) {
            // The product is 1 + 2^-11 + 2^-24, of which the last term is lost when it is rounded.
            let (a, c) = (1.0 + 2f32.powi(-12), -(1.0 + 2f32.powi(-11)));
            let lanes = f32::unpack(
                s,
                s.f32_contract(s.f32_splat(a), s.f32_splat(a), s.f32_splat(c)),
            );
            let fused = token.starts_with("avx") && !token.ends_with("strict") && S::LANES > 1;
            let unknown =
                cfg!(any(target_feature = "fma", target_arch = "aarch64")) || S::LANES == 1;
            for lane in lanes {
                assert_eq!(
                    lane,
                    s.uniform_contract(a, a, c),
                    "{token}: lanes and uniform values agree"
                );
                if !unknown {
                    assert_eq!(lane, if fused { 2f32.powi(-24) } else { 0.0 }, "{token}");
                }
            }
        }
    }
    on_every_token(&Contract);
}

#[test]
fn masks_and_lanes_are_made_and_taken_apart() {
    struct Parts;
    impl Check for Parts {
        fn check<S: Isa>(&self, s: S, token: &str) {
            let every: u64 = if S::LANES == 64 {
                u64::MAX
            } else {
                (1 << S::LANES) - 1
            };
            for bits in [
                0,
                1,
                every,
                every >> 1,
                0xAAAA_AAAA_AAAA_AAAA & every,
                1 << (S::LANES - 1),
            ] {
                let m = s.mask_from_bits(bits | !every);
                assert_eq!(s.mask_bits(m), bits, "{token}");
                assert_eq!(s.any(m), bits != 0, "{token}: {bits:#x}");
                assert_eq!(s.all(m), bits == every, "{token}: {bits:#x}");
            }
            assert!(
                s.all(s.mask_splat(true)) && !s.any(s.mask_splat(false)),
                "{token}"
            );
            for n in 0..=S::LANES as u32 {
                assert_eq!(
                    u128::from(s.mask_bits(s.first_lanes(n))),
                    (1u128 << n) - 1,
                    "{token}: first {n}"
                );
            }
            for n in [S::LANES as u32 + 1, 1 << 20, u32::MAX] {
                assert!(s.all(s.first_lanes(n)), "{token}: first {n}");
            }
            let iota = s.i32_iota();
            for l in 0..S::LANES {
                assert_eq!(s.i32_lane(iota, l), l as i32, "{token}");
                let changed = i32::unpack(s, s.i32_with_lane(iota, l, -5));
                let expected: Vec<i32> = (0..S::LANES)
                    .map(|k| if k == l { -5 } else { k as i32 })
                    .collect();
                assert_eq!(changed, expected, "{token}");
                let halves = s.f32_with_lane(s.f32_splat(0.5), l, 2.0);
                assert_eq!(s.f32_lane(halves, l), 2.0, "{token}");
            }
            assert_eq!(
                i32::unpack(s, s.u32_splat(u32::MAX)),
                vec![-1; S::LANES],
                "{token}"
            );
        }
    }
    on_every_token(&Parts);
}
