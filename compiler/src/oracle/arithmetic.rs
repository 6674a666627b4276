//! What do WGSL's operators and conversions compute on one scalar?
//!
//! Operands and results are 32-bit words: the bits of an `f32`, `i32` or `u32`, or 0 and 1 for a `bool`. `None` means
//! that WGSL has no such operator for the kind.

use naga::{BinaryOperator, ScalarKind, UnaryOperator};

use super::types::Kind;

/// The word of a bool.
pub(super) fn truth(value: bool) -> u32 {
    u32::from(value)
}

/// `op a`.
pub(super) fn unary(op: UnaryOperator, kind: Kind, a: u32) -> Option<u32> {
    match (op, kind) {
        (UnaryOperator::Negate, Kind::F32) => Some((-f32::from_bits(a)).to_bits()),
        (UnaryOperator::Negate, Kind::I32) => Some(a.wrapping_neg()),
        (UnaryOperator::LogicalNot, Kind::Bool) => Some(a ^ 1),
        (UnaryOperator::BitwiseNot, Kind::I32 | Kind::U32) => Some(!a),
        _ => None,
    }
}

/// `a op b`, both of `kind` (the right operand of a shift is always a `u32`).
pub(super) fn binary(op: BinaryOperator, kind: Kind, a: u32, b: u32) -> Option<u32> {
    match kind {
        Kind::F32 => float(op, f32::from_bits(a), f32::from_bits(b)),
        Kind::I32 => signed(op, a as i32, b as i32),
        Kind::U32 => unsigned(op, a, b),
        Kind::Bool => boolean(op, a, b),
    }
}

/// Each operation is rounded once to `f32`; `%` is `a - b * trunc(a / b)`, step by step.
fn float(op: BinaryOperator, a: f32, b: f32) -> Option<u32> {
    let number = match op {
        BinaryOperator::Add => a + b,
        BinaryOperator::Subtract => a - b,
        BinaryOperator::Multiply => a * b,
        BinaryOperator::Divide => a / b,
        BinaryOperator::Modulo => {
            let whole = (a / b).trunc();
            let product = b * whole;
            a - product
        }
        _ => return compare(op, a.partial_cmp(&b)),
    };
    Some(number.to_bits())
}

fn compare(op: BinaryOperator, ordering: Option<std::cmp::Ordering>) -> Option<u32> {
    let answer = match op {
        BinaryOperator::Equal => ordering.is_some_and(std::cmp::Ordering::is_eq),
        BinaryOperator::NotEqual => !ordering.is_some_and(std::cmp::Ordering::is_eq),
        BinaryOperator::Less => ordering.is_some_and(std::cmp::Ordering::is_lt),
        BinaryOperator::LessEqual => ordering.is_some_and(std::cmp::Ordering::is_le),
        BinaryOperator::Greater => ordering.is_some_and(std::cmp::Ordering::is_gt),
        BinaryOperator::GreaterEqual => ordering.is_some_and(std::cmp::Ordering::is_ge),
        _ => return None,
    };
    Some(truth(answer))
}

/// Wraps; `x / 0 = x`, `x % 0 = 0`, `MIN / -1 = MIN`, `MIN % -1 = 0`.
fn signed(op: BinaryOperator, a: i32, b: i32) -> Option<u32> {
    let number = match op {
        BinaryOperator::Divide if b == 0 => a,
        BinaryOperator::Divide => a.wrapping_div(b),
        BinaryOperator::Modulo if b == 0 => 0,
        BinaryOperator::Modulo => a.wrapping_rem(b),
        BinaryOperator::ShiftRight => a >> (b as u32 % 32),
        BinaryOperator::Equal
        | BinaryOperator::NotEqual
        | BinaryOperator::Less
        | BinaryOperator::LessEqual
        | BinaryOperator::Greater
        | BinaryOperator::GreaterEqual => return compare(op, Some(a.cmp(&b))),
        _ => return wrapping(op, a as u32, b as u32),
    };
    Some(number as u32)
}

/// Wraps; `x / 0 = x`, `x % 0 = 0`.
fn unsigned(op: BinaryOperator, a: u32, b: u32) -> Option<u32> {
    match op {
        BinaryOperator::Divide => Some(a.checked_div(b).unwrap_or(a)),
        BinaryOperator::Modulo => Some(a.checked_rem(b).unwrap_or(0)),
        BinaryOperator::ShiftRight => Some(a >> (b % 32)),
        BinaryOperator::Equal
        | BinaryOperator::NotEqual
        | BinaryOperator::Less
        | BinaryOperator::LessEqual
        | BinaryOperator::Greater
        | BinaryOperator::GreaterEqual => compare(op, Some(a.cmp(&b))),
        _ => wrapping(op, a, b),
    }
}

/// The operators that do not depend on the sign; shifts are by the right operand modulo 32.
fn wrapping(op: BinaryOperator, a: u32, b: u32) -> Option<u32> {
    match op {
        BinaryOperator::Add => Some(a.wrapping_add(b)),
        BinaryOperator::Subtract => Some(a.wrapping_sub(b)),
        BinaryOperator::Multiply => Some(a.wrapping_mul(b)),
        BinaryOperator::And => Some(a & b),
        BinaryOperator::InclusiveOr => Some(a | b),
        BinaryOperator::ExclusiveOr => Some(a ^ b),
        BinaryOperator::ShiftLeft => Some(a << (b % 32)),
        _ => None,
    }
}

fn boolean(op: BinaryOperator, a: u32, b: u32) -> Option<u32> {
    match op {
        BinaryOperator::And | BinaryOperator::LogicalAnd => Some(a & b),
        BinaryOperator::InclusiveOr | BinaryOperator::LogicalOr => Some(a | b),
        BinaryOperator::NotEqual => Some(a ^ b),
        BinaryOperator::Equal => Some(a ^ b ^ 1),
        _ => None,
    }
}

/// `T(a)`: the value conversion. Floats to integers truncate and saturate, NaN gives 0.
pub(super) fn convert(from: Kind, to: Kind, a: u32) -> u32 {
    match (from, to) {
        (Kind::F32, Kind::Bool) => truth(f32::from_bits(a) != 0.0),
        (Kind::F32, Kind::I32) => f32::from_bits(a) as i32 as u32,
        (Kind::F32, Kind::U32) => f32::from_bits(a) as u32,
        (Kind::I32, Kind::F32) => (a as i32 as f32).to_bits(),
        (Kind::U32 | Kind::Bool, Kind::F32) => (a as f32).to_bits(),
        (Kind::I32 | Kind::U32, Kind::Bool) => truth(a != 0),
        (Kind::F32, Kind::F32)
        | (Kind::Bool | Kind::I32 | Kind::U32, Kind::Bool | Kind::I32 | Kind::U32) => a,
    }
}

/// The kind that a cast to `kind` of `width` bytes gives, where the oracle has it.
pub(super) fn cast_target(kind: ScalarKind, width: Option<naga::Bytes>) -> Option<Kind> {
    match (kind, width) {
        (ScalarKind::Bool, None | Some(1)) => Some(Kind::Bool),
        (ScalarKind::Sint, None | Some(4)) => Some(Kind::I32),
        (ScalarKind::Uint, None | Some(4)) => Some(Kind::U32),
        (ScalarKind::Float, None | Some(4)) => Some(Kind::F32),
        _ => None,
    }
}
