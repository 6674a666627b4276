//! What do WGSL's floating-point built-in functions compute?
//!
//! Functions that WGSL defines by a formula are that formula, each step rounded to `f32`. Exponential, logarithmic,
//! trigonometric and hyperbolic functions and the inverse square root are computed in `f64` and rounded once: the
//! reference that the accuracy bounds of the WGSL specification (section "Accuracy of floating point expressions")
//! are measured against.

use naga::MathFunction;

/// A function of one number; `None` if `fun` is none.
pub(super) fn float1(fun: MathFunction, x: f32) -> Option<f32> {
    let exact = match fun {
        MathFunction::Abs => x.abs(),
        MathFunction::Saturate => float_clamp(x, 0.0, 1.0),
        MathFunction::Ceil => x.ceil(),
        MathFunction::Floor => x.floor(),
        MathFunction::Round => x.round_ties_even(),
        MathFunction::Fract => x - x.floor(),
        MathFunction::Trunc => x.trunc(),
        MathFunction::Sqrt => x.sqrt(),
        MathFunction::Sign => sign(x),
        _ => return transcendental(fun, f64::from(x)).map(|result| result as f32),
    };
    Some(exact)
}

fn transcendental(fun: MathFunction, x: f64) -> Option<f64> {
    Some(match fun {
        MathFunction::InverseSqrt => 1.0 / x.sqrt(),
        MathFunction::Exp => x.exp(),
        MathFunction::Exp2 => x.exp2(),
        MathFunction::Log => x.ln(),
        MathFunction::Log2 => x.log2(),
        MathFunction::Sin => x.sin(),
        MathFunction::Cos => x.cos(),
        MathFunction::Tan => x.tan(),
        MathFunction::Asin => x.asin(),
        MathFunction::Acos => x.acos(),
        MathFunction::Atan => x.atan(),
        MathFunction::Sinh => x.sinh(),
        MathFunction::Cosh => x.cosh(),
        MathFunction::Tanh => x.tanh(),
        MathFunction::Asinh => x.asinh(),
        MathFunction::Acosh => x.acosh(),
        MathFunction::Atanh => x.atanh(),
        MathFunction::Radians => x.to_radians(),
        MathFunction::Degrees => x.to_degrees(),
        _ => return None,
    })
}

/// A function of two numbers; `None` if `fun` is none.
pub(super) fn float2(fun: MathFunction, x: f32, y: f32) -> Option<f32> {
    Some(match fun {
        MathFunction::Min => float_min(x, y),
        MathFunction::Max => float_max(x, y),
        MathFunction::Step => f32::from(u8::from(x <= y)),
        MathFunction::Atan2 => f64::from(x).atan2(f64::from(y)) as f32,
        MathFunction::Pow => power(x, y),
        _ => return None,
    })
}

/// A function of three numbers; `None` if `fun` is none.
pub(super) fn float3(fun: MathFunction, x: f32, y: f32, z: f32) -> Option<f32> {
    Some(match fun {
        MathFunction::Clamp => float_clamp(x, y, z),
        MathFunction::Fma => x.mul_add(y, z),
        MathFunction::Mix => mix(x, y, z),
        MathFunction::SmoothStep => smoothstep(x, y, z),
        _ => return None,
    })
}

/// `-1`, `0` or `1`.
fn sign(x: f32) -> f32 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// The smaller; the other operand if one is NaN, the first if both are equal.
fn float_min(x: f32, y: f32) -> f32 {
    if x.is_nan() || y < x { y } else { x }
}

/// The larger; the other operand if one is NaN, the first if both are equal.
fn float_max(x: f32, y: f32) -> f32 {
    if x.is_nan() || x < y { y } else { x }
}

fn float_clamp(x: f32, low: f32, high: f32) -> f32 {
    float_min(float_max(x, low), high)
}

/// `x * (1 - z) + y * z`.
fn mix(x: f32, y: f32, z: f32) -> f32 {
    let from_x = x * (1.0 - z);
    let from_y = y * z;
    from_x + from_y
}

fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let above = x - low;
    let width = high - low;
    let t = float_clamp(above / width, 0.0, 1.0);
    let weight = 3.0 - 2.0 * t;
    t * t * weight
}

/// `exp2(y * log2(x))`: NaN for negative `x`, as the logarithm is.
fn power(x: f32, y: f32) -> f32 {
    if x < 0.0 {
        f32::NAN
    } else {
        f64::from(x).powf(f64::from(y)) as f32
    }
}

/// `sum of x[i] * y[i]`, in order, each step rounded.
pub(super) fn dot(x: &[f32], y: &[f32]) -> f32 {
    let mut products = x.iter().zip(y).map(|(a, b)| a * b);
    let first = products.next().unwrap_or(0.0);
    products.fold(first, |sum, product| sum + product)
}

/// The square root of `dot(x, x)`; the absolute value of a scalar.
pub(super) fn length(x: &[f32]) -> f32 {
    if let [single] = x {
        single.abs()
    } else {
        dot(x, x).sqrt()
    }
}

/// The cross product.
pub(super) fn cross(x: [f32; 3], y: [f32; 3]) -> [f32; 3] {
    let part = |i: usize, j: usize| {
        let one = x[i] * y[j];
        let other = x[j] * y[i];
        one - other
    };
    [part(1, 2), part(2, 0), part(0, 1)]
}

/// `i - 2 * dot(n, i) * n`.
pub(super) fn reflect(i: &[f32], n: &[f32]) -> Vec<f32> {
    let twice = 2.0 * dot(n, i);
    i.iter().zip(n).map(|(i, n)| i - twice * n).collect()
}

/// The refracted direction of `i` at a surface with normal `n` and ratio of indices `eta`; zero where all is reflected.
pub(super) fn refract(i: &[f32], n: &[f32], eta: f32) -> Vec<f32> {
    let cosine = dot(n, i);
    let k = 1.0 - eta * eta * (1.0 - cosine * cosine);
    if k < 0.0 {
        return vec![0.0; i.len()];
    }
    let along = eta * cosine + k.sqrt();
    i.iter().zip(n).map(|(i, n)| eta * i - along * n).collect()
}

/// `x * 2^exponent`, rounded once.
pub(super) fn ldexp(x: f32, exponent: i32) -> f32 {
    (f64::from(x) * f64::from(exponent.clamp(-400, 400)).exp2()) as f32
}

/// Fraction in `[0.5, 1)` and exponent of `x`; zero, infinity and NaN have exponent 0.
pub(super) fn frexp(x: f32) -> (f32, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let bits = f64::from(x).to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1022;
    (
        f64::from_bits((bits & !(0x7ff << 52)) | (1022 << 52)) as f32,
        exponent,
    )
}

/// Determinant of a square matrix given as columns, by expansion along the first column, each step rounded.
pub(super) fn determinant(columns: &[f32], size: usize) -> f32 {
    if size == 1 {
        return columns[0];
    }
    let mut sum = 0.0;
    for row in 0..size {
        let minor: Vec<f32> = (1..size)
            .flat_map(|c| {
                (0..size)
                    .filter(move |r| *r != row)
                    .map(move |r| columns[c * size + r])
            })
            .collect();
        let term = columns[row] * determinant(&minor, size - 1);
        sum = if row % 2 == 0 { sum + term } else { sum - term };
    }
    sum
}
