//! Integer operators, conversions and built-ins, at their edges.

use crate::{f32_of, i32_of, u32_of, value};

const MIN: i32 = i32::MIN;

#[test]
fn signed_arithmetic_wraps_and_division_is_total() {
    assert_eq!(i32_of("a + b", &[i32::MAX, 1]), MIN);
    assert_eq!(i32_of("a - b", &[MIN, 1]), i32::MAX);
    assert_eq!(i32_of("a * b", &[65_536, 65_537]), 65_536);
    assert_eq!(i32_of("-a", &[MIN]), MIN);
    assert_eq!(i32_of("a / b", &[-7, 2]), -3);
    assert_eq!(i32_of("a % b", &[-7, 2]), -1);
    assert_eq!(i32_of("a % b", &[7, -2]), 1);
    assert_eq!(i32_of("a / b", &[-7, 0]), -7);
    assert_eq!(i32_of("a % b", &[-7, 0]), 0);
    assert_eq!(i32_of("a / b", &[MIN, -1]), MIN);
    assert_eq!(i32_of("a % b", &[MIN, -1]), 0);
}

#[test]
fn unsigned_arithmetic_wraps_and_division_is_total() {
    assert_eq!(u32_of("a + b", &[u32::MAX, 2]), 1);
    assert_eq!(u32_of("a - b", &[0, 1]), u32::MAX);
    assert_eq!(u32_of("a / b", &[4_000_000_000, 3]), 1_333_333_333);
    assert_eq!(u32_of("a % b", &[4_000_000_000, 7]), 3);
    assert_eq!(u32_of("a / b", &[9, 0]), 9);
    assert_eq!(u32_of("a % b", &[9, 0]), 0);
}

#[test]
fn shifts_are_modulo_32_and_keep_the_sign() {
    assert_eq!(u32_of("a << b", &[1, 31]), 0x8000_0000);
    assert_eq!(u32_of("a << b", &[3, 33]), 6);
    assert_eq!(u32_of("a >> b", &[0x8000_0000, 31]), 1);
    assert_eq!(u32_of("a >> b", &[0x8000_0000, 32]), 0x8000_0000);
    assert_eq!(i32_of("a >> u32(b)", &[-8, 1]), -4);
    assert_eq!(i32_of("a >> u32(b)", &[-1, 35]), -1);
    assert_eq!(i32_of("a << u32(b)", &[-3, 2]), -12);
}

#[test]
fn bitwise_operators() {
    assert_eq!(u32_of("a & b", &[0b1100, 0b1010]), 0b1000);
    assert_eq!(u32_of("a | b", &[0b1100, 0b1010]), 0b1110);
    assert_eq!(u32_of("a ^ b", &[0b1100, 0b1010]), 0b0110);
    assert_eq!(i32_of("~a", &[5]), -6);
}

#[test]
fn comparisons_know_the_sign() {
    assert_eq!(i32_of("select(0, 1, a < b)", &[-1, 1]), 1);
    assert_eq!(u32_of("select(0u, 1u, a < b)", &[u32::MAX, 1]), 0);
    assert_eq!(i32_of("select(0, 1, a >= b)", &[MIN, i32::MAX]), 0);
    assert_eq!(
        u32_of("select(0u, 1u, a >= b)", &[0x8000_0000, 0x7fff_ffff]),
        1
    );
    assert_eq!(i32_of("select(10, 20, a != b)", &[3, 3]), 10);
}

#[test]
fn absolute_value_and_sign() {
    assert_eq!(i32_of("abs(a)", &[-5]), 5);
    assert_eq!(i32_of("abs(a)", &[MIN]), MIN);
    assert_eq!(u32_of("abs(a)", &[0x8000_0001]), 0x8000_0001);
    assert_eq!([-9, 0, 9].map(|a| i32_of("sign(a)", &[a])), [-1, 0, 1]);
}

#[test]
fn min_max_and_clamp() {
    assert_eq!(i32_of("min(a, b)", &[-1, 1]), -1);
    assert_eq!(u32_of("min(a, b)", &[u32::MAX, 1]), 1);
    assert_eq!(i32_of("max(a, b)", &[-1, 1]), 1);
    assert_eq!(u32_of("max(a, b)", &[u32::MAX, 1]), u32::MAX);
    assert_eq!(i32_of("clamp(a, b, c)", &[-10, -3, 3]), -3);
    assert_eq!(i32_of("clamp(a, b, c)", &[10, -3, 3]), 3);
    assert_eq!(u32_of("clamp(a, b, c)", &[5, 1, 9]), 5);
    assert_eq!(i32_of("clamp(a, b, c)", &[0, 5, 2]), 2, "min(max(0, 5), 2)");
}

#[test]
fn counting_bits() {
    assert_eq!(u32_of("countOneBits(a)", &[0xf0f0_0001]), 9);
    assert_eq!(u32_of("countLeadingZeros(a)", &[1]), 31);
    assert_eq!(u32_of("countLeadingZeros(a)", &[0]), 32);
    assert_eq!(u32_of("countTrailingZeros(a)", &[8]), 3);
    assert_eq!(u32_of("countTrailingZeros(a)", &[0]), 32);
    assert_eq!(i32_of("countLeadingZeros(a)", &[-1]), 0);
    assert_eq!(u32_of("reverseBits(a)", &[0b1011]), 0xd000_0000);
}

#[test]
fn first_bits() {
    assert_eq!(u32_of("firstLeadingBit(a)", &[0x0010_0001]), 20);
    assert_eq!(u32_of("firstLeadingBit(a)", &[0]), u32::MAX);
    assert_eq!(i32_of("firstLeadingBit(a)", &[0]), -1);
    assert_eq!(i32_of("firstLeadingBit(a)", &[-1]), -1);
    assert_eq!(i32_of("firstLeadingBit(a)", &[-2]), 0);
    assert_eq!(i32_of("firstLeadingBit(a)", &[MIN]), 30);
    assert_eq!(i32_of("firstLeadingBit(a)", &[6]), 2);
    assert_eq!(u32_of("firstTrailingBit(a)", &[0x50]), 4);
    assert_eq!(u32_of("firstTrailingBit(a)", &[0]), u32::MAX);
}

#[test]
fn bit_fields_are_cut_to_the_width() {
    assert_eq!(u32_of("extractBits(a, b, c)", &[0xabcd_ef01, 8, 12]), 0xdef);
    assert_eq!(u32_of("extractBits(a, b, c)", &[0xabcd_ef01, 28, 12]), 0xa);
    assert_eq!(
        u32_of("extractBits(a, b, c)", &[0xabcd_ef01, 0, 32]),
        0xabcd_ef01
    );
    assert_eq!(u32_of("extractBits(a, b, c)", &[0xabcd_ef01, 40, 4]), 0);
    assert_eq!(u32_of("extractBits(a, b, c)", &[0xabcd_ef01, 4, 0]), 0);
    assert_eq!(
        i32_of("extractBits(a, u32(b), u32(c))", &[0x0000_0f50, 4, 8]),
        -11,
        "0xf5 as a signed byte"
    );
    assert_eq!(
        i32_of("extractBits(a, u32(b), u32(c))", &[0x0000_0750, 4, 8]),
        0x75
    );
    assert_eq!(
        u32_of("insertBits(a, b, c, d)", &[0xffff_ffff, 0, 8, 8]),
        0xffff_00ff
    );
    assert_eq!(
        u32_of("insertBits(a, b, c, d)", &[0, 0xabc, 24, 16]),
        0xbc00_0000
    );
    assert_eq!(u32_of("insertBits(a, b, c, d)", &[7, 0xabc, 32, 4]), 7);
    assert_eq!(u32_of("insertBits(a, b, c, d)", &[7, 9, 0, 32]), 9);
}

#[test]
fn conversions_from_float_truncate_and_saturate() {
    let to_i32 = |x: f32| value("i32", "i32(a)", "f32", &[x.to_bits()])[0] as i32;
    assert_eq!([2.9, -2.9, 0.0, -0.0].map(to_i32), [2, -2, 0, 0]);
    assert_eq!(
        [3e9, -3e9, f32::INFINITY, f32::NAN].map(to_i32),
        [i32::MAX, MIN, i32::MAX, 0]
    );
    let to_u32 = |x: f32| value("u32", "u32(a)", "f32", &[x.to_bits()])[0];
    assert_eq!(
        [2.9, -2.9, 4e9, 5e9, f32::NAN].map(to_u32),
        [2, 0, 4_000_000_000, u32::MAX, 0]
    );
}

#[test]
fn conversions_between_integers_and_bool_and_to_float() {
    assert_eq!(value("u32", "u32(a)", "i32", &[u32::MAX])[0], u32::MAX);
    assert_eq!(
        value("f32", "f32(a)", "i32", &[u32::MAX])[0],
        (-1.0f32).to_bits()
    );
    assert_eq!(
        value("f32", "f32(a)", "u32", &[16_777_217])[0],
        16_777_216.0f32.to_bits(),
        "ties to even"
    );
    assert_eq!(
        value("f32", "f32(a)", "u32", &[u32::MAX])[0],
        4_294_967_296.0f32.to_bits()
    );
    assert_eq!(u32_of("u32(bool(a))", &[6]), 1);
    assert_eq!(f32_of("f32(bool(a))", &[-0.0]), 0.0);
    assert_eq!(f32_of("f32(bool(a))", &[0.25]), 1.0);
    assert_eq!(
        value("u32", "bitcast<u32>(a)", "f32", &[0x7f80_0000])[0],
        0x7f80_0000
    );
    assert_eq!(
        value("f32", "bitcast<f32>(a)", "u32", &[0x4049_0fdb])[0],
        std::f32::consts::PI.to_bits()
    );
}

#[test]
fn integer_dot_product_and_packed_dot_product() {
    let found = value(
        "i32",
        "dot(a, b)",
        "vec4i",
        &[1, 2, 3, u32::MAX, 5, 6, 7, 8],
    );
    assert_eq!(found[0] as i32, 5 + 12 + 21 - 8);
    assert_eq!(
        value(
            "u32",
            "dot4U8Packed(a, b)",
            "u32",
            &[0x01ff_0203, 0x02ff_0405]
        )[0],
        2 + 255 * 255 + 8 + 15
    );
    assert_eq!(
        value(
            "i32",
            "dot4I8Packed(a, b)",
            "u32",
            &[0x01ff_0203, 0x02ff_0405]
        )[0],
        2 + 1 + 8 + 15
    );
}

#[test]
fn packing_and_unpacking() {
    let quarter = [1.0f32, -1.0, 0.5, 0.0].map(f32::to_bits);
    assert_eq!(
        value("u32", "pack4x8snorm(a)", "vec4f", &quarter)[0],
        0x0040_817f
    );
    assert_eq!(
        value("u32", "pack4x8unorm(a)", "vec4f", &quarter)[0],
        0x0080_00ff
    );
    assert_eq!(
        value("vec4u", "unpack4xU8(a)", "u32", &[0x0403_02ff])[..4],
        [255, 2, 3, 4]
    );
    assert_eq!(
        value("vec4i", "unpack4xI8(a)", "u32", &[0x0403_02ff])[..4],
        [u32::MAX, 2, 3, 4]
    );
    let halves = value("vec2f", "unpack2x16snorm(a)", "u32", &[0x8000_7fff]);
    assert_eq!(halves[..2], [1.0f32.to_bits(), (-1.0f32).to_bits()]);
}
