//! Float operators and built-ins: exact where WGSL defines them exactly, correctly rounded where it gives a bound.

use crate::{f32_of, u32_of, value, vec4_of};

#[test]
fn each_operation_is_rounded_once_and_never_fused() {
    let a = 1.0 + f32::EPSILON;
    assert_eq!(
        f32_of("a * a - b", &[a, 1.0 + 2.0 * f32::EPSILON]),
        0.0,
        "the square is rounded before the difference"
    );
    assert_eq!(
        f32_of("fma(a, a, -b)", &[a, 1.0 + 2.0 * f32::EPSILON]),
        f32::EPSILON * f32::EPSILON
    );
    assert_eq!(f32_of("a + b", &[16_777_216.0, 1.0]), 16_777_216.0);
    assert_eq!(f32_of("a / b", &[1.0, 3.0]), 0.333_333_34);
    assert_eq!(f32_of("a / b", &[1.0, 0.0]), f32::INFINITY);
    assert_eq!(f32_of("a % b", &[-7.5, 2.0]), -1.5);
    assert_eq!(f32_of("a % b", &[7.5, -2.0]), 1.5);
}

#[test]
fn comparisons_with_nan_are_false_but_not_equal() {
    for (operator, expected) in [
        ("<", 0),
        ("<=", 0),
        (">", 0),
        (">=", 0),
        ("==", 0),
        ("!=", 1),
    ] {
        let nan = f32::NAN.to_bits();
        assert_eq!(
            value("u32", &format!("u32(a {operator} b)"), "f32", &[nan, 0])[0],
            expected,
            "{operator}"
        );
    }
    assert_eq!(
        value("u32", "u32(a == b)", "f32", &[0x8000_0000, 0])[0],
        1,
        "-0 == 0"
    );
}

#[test]
fn rounding_functions() {
    assert_eq!(
        [0.5, 1.5, 2.5, -0.5, -1.5, 2.4].map(|a| f32_of("round(a)", &[a])),
        [0.0, 2.0, 2.0, 0.0, -2.0, 2.0]
    );
    assert_eq!([1.7, -1.2].map(|a| f32_of("floor(a)", &[a])), [1.0, -2.0]);
    assert_eq!([1.2, -1.7].map(|a| f32_of("ceil(a)", &[a])), [2.0, -1.0]);
    assert_eq!([1.7, -1.7].map(|a| f32_of("trunc(a)", &[a])), [1.0, -1.0]);
    assert_eq!(
        [1.25, -1.25].map(|a| f32_of("fract(a)", &[a])),
        [0.25, 0.75]
    );
    assert_eq!(f32_of("fract(a)", &[-1e-10]), 1.0, "x - floor(x), rounded");
}

#[test]
fn sign_abs_and_limits() {
    assert_eq!(
        [-3.0, 0.0, -0.0, 2.0].map(|a| f32_of("sign(a)", &[a])),
        [-1.0, 0.0, 0.0, 1.0]
    );
    assert_eq!(f32_of("abs(a)", &[-3.5]), 3.5);
    assert_eq!(f32_of("min(a, b)", &[-3.5, 2.0]), -3.5);
    assert_eq!(f32_of("max(a, b)", &[-3.5, 2.0]), 2.0);
    assert_eq!(f32_of("clamp(a, b, c)", &[5.0, 0.0, 2.0]), 2.0);
    assert_eq!(
        [-0.5, 0.25, 7.0].map(|a| f32_of("saturate(a)", &[a])),
        [0.0, 0.25, 1.0]
    );
    assert_eq!(f32_of("min(a, b)", &[f32::NAN, 2.0]), 2.0);
    assert_eq!(f32_of("max(a, b)", &[2.0, f32::NAN]), 2.0);
}

#[test]
fn interpolation() {
    assert_eq!(f32_of("mix(a, b, c)", &[2.0, 6.0, 0.25]), 3.0);
    assert_eq!(f32_of("step(a, b)", &[1.0, 1.0]), 1.0);
    assert_eq!(f32_of("step(a, b)", &[1.0, 0.5]), 0.0);
    assert_eq!(f32_of("smoothstep(a, b, c)", &[0.0, 4.0, 1.0]), 0.156_25);
    assert_eq!(f32_of("smoothstep(a, b, c)", &[0.0, 4.0, 9.0]), 1.0);
}

/// Expected numbers are decimal expansions from mathematical tables.
#[test]
fn transcendental_functions_are_correctly_rounded() {
    let cases: &[(&str, f32, f32)] = &[
        ("sqrt(a)", 2.0, 1.414_213_562_373_095),
        ("inverseSqrt(a)", 4.0, 0.5),
        ("inverseSqrt(a)", 2.0, 0.707_106_781_186_547_5),
        ("exp(a)", 1.0, 2.718_281_828_459_045),
        ("exp2(a)", 0.5, 1.414_213_562_373_095),
        ("log(a)", 10.0, 2.302_585_092_994_046),
        ("log2(a)", 8.0, 3.0),
        ("log2(a)", 10.0, 3.321_928_094_887_362),
        ("sin(a)", 1.0, 0.841_470_984_807_896_5),
        ("cos(a)", 1.0, 0.540_302_305_868_139_7),
        ("tan(a)", 1.0, 1.557_407_724_654_902),
        ("asin(a)", 0.5, 0.523_598_775_598_298_9),
        ("acos(a)", 0.5, 1.047_197_551_196_597_7),
        ("atan(a)", 1.0, 0.785_398_163_397_448_3),
        ("sinh(a)", 1.0, 1.175_201_193_643_801_4),
        ("cosh(a)", 1.0, 1.543_080_634_815_243_7),
        ("tanh(a)", 1.0, 0.761_594_155_955_764_9),
        ("asinh(a)", 1.0, 0.881_373_587_019_543),
        ("acosh(a)", 2.0, 1.316_957_896_924_816_7),
        ("atanh(a)", 0.5, 0.549_306_144_334_054_8),
        ("radians(a)", 180.0, std::f32::consts::PI),
        ("degrees(a)", 1.0, 57.295_779_513_082_32),
    ];
    for (expression, argument, expected) in cases {
        assert_eq!(
            f32_of(expression, &[*argument]),
            *expected,
            "{expression} at {argument}"
        );
    }
}

#[test]
fn powers_and_angles() {
    assert_eq!(f32_of("pow(a, b)", &[2.0, 10.0]), 1024.0);
    assert_eq!(f32_of("pow(a, b)", &[2.0, -0.5]), 0.707_106_781_186_547_5);
    assert!(
        f32_of("pow(a, b)", &[-2.0, 2.0]).is_nan(),
        "exp2(y * log2(x))"
    );
    assert_eq!(f32_of("atan2(a, b)", &[1.0, -1.0]), 2.356_194_490_192_345);
    assert_eq!(
        f32_of("atan2(a, b)", &[-1.0, 0.0]),
        -1.570_796_326_794_896_6
    );
    assert_eq!(f32_of("ldexp(a, i32(b))", &[0.75, 4.0]), 12.0);
    assert_eq!(
        f32_of("modf(a).fract + 10.0 * modf(a).whole", &[-2.25]),
        -20.25
    );
    assert_eq!(f32_of("frexp(a).fract + f32(frexp(a).exp)", &[12.0]), 4.75);
}

#[test]
fn geometry() {
    let (a, b) = ([1.0, 2.0, 3.0, 4.0], [2.0, -1.0, 0.5, 3.0]);
    assert_eq!(vec4_of("vec4f(dot(a, b))", &[a, b])[0], 13.5);
    assert_eq!(
        vec4_of("vec4f(cross(a.xyz, b.xyz), 0.0)", &[a, b]),
        [4.0, 5.5, -5.0, 0.0]
    );
    assert_eq!(vec4_of("vec4f(length(a.yw * 1.5))", &[a])[0], 6.708_204);
    assert_eq!(
        vec4_of("vec4f(distance(a.xy, b.xy))", &[a, [4.0, 6.0, 0.0, 0.0]])[0],
        5.0
    );
    assert_eq!(
        vec4_of("normalize(a)", &[[0.0, 3.0, 0.0, 4.0]]),
        [0.0, 0.6, 0.0, 0.8]
    );
    assert_eq!(f32_of("length(a)", &[-3.0]), 3.0);
    assert_eq!(
        vec4_of("reflect(a, b)", &[a, [0.0, 1.0, 0.0, 0.0]]),
        [1.0, -2.0, 3.0, 4.0]
    );
    assert_eq!(
        vec4_of("faceForward(a, b, c)", &[a, b, b]),
        [-1.0, -2.0, -3.0, -4.0]
    );
    assert_eq!(
        vec4_of(
            "refract(a, b, 1.0)",
            &[[0.0, -1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]
        ),
        [0.0, -1.0, 0.0, 0.0]
    );
}

#[test]
fn matrices_are_columns() {
    let a = [1.0, 2.0, 3.0, 4.0];
    let b = [5.0, 6.0, 7.0, 8.0];
    let (ma, mb) = ("mat2x2f(a.xy, a.zw)", "mat2x2f(b.xy, b.zw)");
    let columns = |matrix: &str| format!("vec4f(({matrix})[0], ({matrix})[1])");
    assert_eq!(
        vec4_of(&columns(&format!("{ma} * {mb}")), &[a, b]),
        [23.0, 34.0, 31.0, 46.0]
    );
    assert_eq!(
        vec4_of(&columns(&format!("{ma} + {mb}")), &[a, b]),
        [6.0, 8.0, 10.0, 12.0]
    );
    assert_eq!(
        vec4_of(&columns(&format!("2.0 * {ma}")), &[a, b]),
        [2.0, 4.0, 6.0, 8.0]
    );
    assert_eq!(
        vec4_of(&columns(&format!("transpose({ma})")), &[a, b]),
        [1.0, 3.0, 2.0, 4.0]
    );
    assert_eq!(
        vec4_of(&format!("vec4f({ma} * b.xy, b.xy * {ma})"), &[a, b]),
        [23.0, 34.0, 17.0, 39.0]
    );
    assert_eq!(
        vec4_of(&format!("vec4f(determinant({ma}))"), &[a, b])[0],
        -2.0
    );
    let three = "mat3x3f(a.xyz, b.xyz, vec3f(2.0, 0.0, 1.0))";
    assert_eq!(
        vec4_of(&format!("vec4f(determinant({three}))"), &[a, b])[0],
        -12.0
    );
    let wide = "mat3x2f(a.xy, a.zw, b.xy)";
    assert_eq!(
        vec4_of(&format!("vec4f({wide} * b.xyz, 0.0, 0.0)"), &[a, b]),
        [58.0, 76.0, 0.0, 0.0]
    );
}

#[test]
fn select_all_any_and_mixed_vectors() {
    let (a, b) = ([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]);
    assert_eq!(
        vec4_of("select(a, b, a < b)", &[a, b]),
        [4.0, 3.0, 3.0, 4.0]
    );
    assert_eq!(vec4_of("select(a, b, true)", &[a, b]), b);
    assert_eq!(
        vec4_of(
            "vec4f(f32(all(a < b)), f32(any(a < b)), f32(all(a > -b)), 0.0)",
            &[a, b]
        ),
        [0.0, 1.0, 1.0, 0.0]
    );
    assert_eq!(vec4_of("2.0 * a + 1.0", &[a]), [3.0, 5.0, 7.0, 9.0]);
    assert_eq!(vec4_of("a.wzyx - b.xxxx", &[a, b]), [0.0, -1.0, -2.0, -3.0]);
    assert_eq!(
        u32_of("u32(all(vec2<bool>(a == b, c == d)))", &[1, 1, 2, 2]),
        1
    );
}
