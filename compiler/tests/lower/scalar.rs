//! What does a KIR operation compute on scalars? Words in, word out; floats as the oracle computes them: each operation rounded
//! once, transcendental functions in f64.

use impel_compiler::ir::{Binary, Math, Scalar, Unary};

fn float(bits: u32) -> f32 {
    f32::from_bits(bits)
}

pub(crate) fn unary(op: Unary, ty: Scalar, a: u32) -> u32 {
    match (op, ty) {
        (Unary::Negate, Scalar::F32) => (-float(a)).to_bits(),
        (Unary::Negate, _) => a.wrapping_neg(),
        (Unary::LogicalNot, _) => u32::from(a == 0),
        (Unary::BitwiseNot, _) => !a,
    }
}

/// `ty` is that of the left operand.
pub(crate) fn binary(op: Binary, ty: Scalar, a: u32, b: u32) -> u32 {
    match ty {
        Scalar::F32 => float_binary(op, float(a), float(b)),
        Scalar::I32 => int_binary(op, a as i32, b as i32, b),
        Scalar::U32 | Scalar::Bool => uint_binary(op, a, b),
    }
}

fn compare<T: PartialOrd + Copy>(op: Binary, a: T, b: T) -> u32 {
    u32::from(match op {
        Binary::Equal => a == b,
        Binary::NotEqual => a != b,
        Binary::Less => a < b,
        Binary::LessEqual => a <= b,
        Binary::Greater => a > b,
        Binary::GreaterEqual => a >= b,
        other => unreachable!("{other:?} is no comparison of this type"),
    })
}

fn float_binary(op: Binary, a: f32, b: f32) -> u32 {
    match op {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::Modulo => a - b * (a / b).trunc(),
        _ => return compare(op, a, b),
    }
    .to_bits()
}

fn int_binary(op: Binary, a: i32, b: i32, count: u32) -> u32 {
    (match op {
        Binary::Divide => a.checked_div(b).unwrap_or(a),
        Binary::Modulo => a.checked_rem(b).unwrap_or(0),
        Binary::ShiftRight => a.wrapping_shr(count),
        Binary::Less | Binary::LessEqual | Binary::Greater | Binary::GreaterEqual => {
            return compare(op, a, b);
        }
        _ => return uint_binary(op, a as u32, count),
    }) as u32
}

fn uint_binary(op: Binary, a: u32, b: u32) -> u32 {
    match op {
        Binary::Add => a.wrapping_add(b),
        Binary::Subtract => a.wrapping_sub(b),
        Binary::Multiply => a.wrapping_mul(b),
        Binary::Divide => a.checked_div(b).unwrap_or(a),
        Binary::Modulo => a.checked_rem(b).unwrap_or(0),
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::ExclusiveOr => a ^ b,
        Binary::ShiftLeft => a.wrapping_shl(b),
        Binary::ShiftRight => a.wrapping_shr(b),
        _ => compare(op, a, b),
    }
}

pub(crate) fn convert(from: Scalar, to: Scalar, a: u32) -> u32 {
    match (from, to) {
        (Scalar::F32, Scalar::I32) => (float(a) as i32) as u32,
        (Scalar::F32, Scalar::U32) => float(a) as u32,
        (Scalar::F32, Scalar::Bool) => u32::from(float(a) != 0.0),
        (Scalar::I32, Scalar::F32) => (a as i32 as f32).to_bits(),
        (Scalar::U32 | Scalar::Bool, Scalar::F32) => (a as f32).to_bits(),
        (_, Scalar::Bool) => u32::from(a != 0),
        _ => a,
    }
}

pub(crate) fn math(function: Math, ty: Scalar, a: &[u32]) -> u32 {
    match ty {
        Scalar::F32 => {
            let floats: Vec<f32> = a.iter().map(|bits| float(*bits)).collect();
            float_math(function, &floats).to_bits()
        }
        _ => int_math(function, ty == Scalar::I32, a),
    }
}

fn smaller(a: f32, b: f32) -> f32 {
    if a.is_nan() || b < a { b } else { a }
}

fn larger(a: f32, b: f32) -> f32 {
    if a.is_nan() || a < b { b } else { a }
}

fn float_math(function: Math, a: &[f32]) -> f32 {
    let x = a[0];
    match function {
        Math::Abs => x.abs(),
        Math::Sign if x > 0.0 => 1.0,
        Math::Sign if x < 0.0 => -1.0,
        Math::Sign => 0.0,
        Math::Min => smaller(x, a[1]),
        Math::Max => larger(x, a[1]),
        Math::Clamp => smaller(larger(x, a[1]), a[2]),
        Math::Floor => x.floor(),
        Math::Ceil => x.ceil(),
        Math::Round => x.round_ties_even(),
        Math::Trunc => x.trunc(),
        Math::Fract => x - x.floor(),
        Math::Sqrt => x.sqrt(),
        Math::Fma => x * a[1] + a[2],
        Math::Pow if x < 0.0 => f32::NAN,
        Math::Pow => f64::from(x).powf(f64::from(a[1])) as f32,
        Math::Atan2 => f64::from(x).atan2(f64::from(a[1])) as f32,
        _ => transcendental(function, f64::from(x)) as f32,
    }
}

fn transcendental(function: Math, x: f64) -> f64 {
    match function {
        Math::InverseSqrt => 1.0 / x.sqrt(),
        Math::Exp => x.exp(),
        Math::Exp2 => x.exp2(),
        Math::Log => x.ln(),
        Math::Log2 => x.log2(),
        Math::Sin => x.sin(),
        Math::Cos => x.cos(),
        Math::Tan => x.tan(),
        Math::Asin => x.asin(),
        Math::Acos => x.acos(),
        Math::Atan => x.atan(),
        Math::Sinh => x.sinh(),
        Math::Cosh => x.cosh(),
        Math::Tanh => x.tanh(),
        other => unreachable!("{other:?} is no function of one float"),
    }
}

fn int_math(function: Math, signed: bool, a: &[u32]) -> u32 {
    let x = a[0];
    let less = |a: u32, b: u32| {
        if signed {
            (a as i32) < (b as i32)
        } else {
            a < b
        }
    };
    let smaller = |a: u32, b: u32| if less(b, a) { b } else { a };
    let larger = |a: u32, b: u32| if less(a, b) { b } else { a };
    match function {
        Math::Abs if signed => (x as i32).wrapping_abs() as u32,
        Math::Abs => x,
        Math::Sign if signed => (x as i32).signum() as u32,
        Math::Sign => u32::from(x > 0),
        Math::Min => smaller(x, a[1]),
        Math::Max => larger(x, a[1]),
        Math::Clamp => smaller(larger(x, a[1]), a[2]),
        Math::CountOneBits => x.count_ones(),
        Math::CountLeadingZeros => x.leading_zeros(),
        Math::CountTrailingZeros => x.trailing_zeros(),
        Math::ReverseBits => x.reverse_bits(),
        Math::FirstTrailingBit => {
            if x == 0 {
                u32::MAX
            } else {
                x.trailing_zeros()
            }
        }
        Math::FirstLeadingBit => {
            let telling = if signed && (x as i32) < 0 { !x } else { x };
            31_u32.wrapping_sub(telling.leading_zeros())
        }
        Math::ExtractBits => {
            let (offset, mask) = field(a[1], a[2]);
            let bits = x.checked_shr(offset).unwrap_or(0) & mask;
            let negative = signed && mask != 0 && bits & (mask ^ (mask >> 1)) != 0;
            if negative { bits | !mask } else { bits }
        }
        Math::InsertBits => {
            let (offset, mask) = field(a[2], a[3]);
            let place = mask.checked_shl(offset).unwrap_or(0);
            (x & !place) | (a[1].checked_shl(offset).unwrap_or(0) & place)
        }
        other => unreachable!("{other:?} is no function of integers"),
    }
}

/// Offset of a bit field cut to the word, and as many low ones as it has bits.
fn field(offset: u32, count: u32) -> (u32, u32) {
    let offset = offset.min(32);
    let count = count.min(32 - offset);
    (offset, u32::MAX.checked_shr(32 - count).unwrap_or(0))
}
