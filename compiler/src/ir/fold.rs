//! What does an operation come to when its operands are constants, or one of them is neutral?

use super::{Binary, Literal, Math, Op, Scalar, Unary, Value, ValueId};

/// What an operation can be replaced by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Folded {
    /// A constant.
    Const(Literal),
    /// A value that is there already.
    Same(ValueId),
    /// A simpler operation.
    Op(Op),
}

/// Folds `op` of type `ty`, whose operands are found in `values`. Exact in every bit, save that an operation on floats whose
/// result is not finite is left for run time.
pub(crate) fn fold(op: &Op, ty: Scalar, values: &[Value]) -> Option<Folded> {
    let literal = |id: ValueId| match values[id.0 as usize].op {
        Op::Const(literal) => Some(literal),
        _ => None,
    };
    match op {
        Op::Unary(op, a) => match literal(*a) {
            Some(a) => unary(*op, a).map(Folded::Const),
            None => negation(*op, *a, values),
        },
        Op::Binary(op, a, b) => match (literal(*a), literal(*b)) {
            (Some(a), Some(b)) => fold_binary(*op, a, b).and_then(finite).map(Folded::Const),
            (a_literal, b_literal) => neutral(*op, (*a, a_literal), (*b, b_literal)),
        },
        Op::Select {
            condition,
            accept,
            reject,
        } => select(*condition, *accept, *reject, ty, values),
        Op::Convert(a) | Op::Bitcast(a) if values[a.0 as usize].ty == ty => Some(Folded::Same(*a)),
        Op::Convert(a) => literal(*a).map(|a| Folded::Const(convert(a, ty))),
        Op::Bitcast(a) => literal(*a).map(|a| Folded::Const(Literal::from_bits(ty, a.bits()))),
        Op::Math(function, arguments) => {
            let arguments: Option<Vec<_>> = arguments.iter().map(|id| literal(*id)).collect();
            math(*function, &arguments?)
                .and_then(finite)
                .map(Folded::Const)
        }
        _ => None,
    }
}

fn finite(literal: Literal) -> Option<Literal> {
    match literal {
        Literal::F32(value) if !value.is_finite() => None,
        _ => Some(literal),
    }
}

fn unary(op: Unary, a: Literal) -> Option<Literal> {
    Some(match (op, a) {
        (Unary::Negate, Literal::F32(a)) => Literal::F32(-a),
        (Unary::Negate, Literal::I32(a)) => Literal::I32(a.wrapping_neg()),
        (Unary::LogicalNot, Literal::Bool(a)) => Literal::Bool(!a),
        (Unary::BitwiseNot, Literal::I32(a)) => Literal::I32(!a),
        (Unary::BitwiseNot, Literal::U32(a)) => Literal::U32(!a),
        _ => return None,
    })
}

/// `!!x` is `x`, and the opposite of a comparison is a comparison where there is no NaN.
fn negation(op: Unary, a: ValueId, values: &[Value]) -> Option<Folded> {
    match (op, &values[a.0 as usize].op) {
        (Unary::LogicalNot, Op::Unary(Unary::LogicalNot, inner)) => Some(Folded::Same(*inner)),
        (Unary::LogicalNot, Op::Binary(op, left, right)) => {
            let total = values[left.0 as usize].ty != Scalar::F32;
            let opposite = match op {
                Binary::Equal => Binary::NotEqual,
                Binary::NotEqual => Binary::Equal,
                Binary::Less if total => Binary::GreaterEqual,
                Binary::LessEqual if total => Binary::Greater,
                Binary::Greater if total => Binary::LessEqual,
                Binary::GreaterEqual if total => Binary::Less,
                _ => return None,
            };
            Some(Folded::Op(Op::Binary(opposite, *left, *right)))
        }
        _ => None,
    }
}

fn select(
    condition: ValueId,
    accept: ValueId,
    reject: ValueId,
    ty: Scalar,
    values: &[Value],
) -> Option<Folded> {
    let op = |id: ValueId| &values[id.0 as usize].op;
    if accept == reject {
        return Some(Folded::Same(accept));
    }
    if let Op::Const(Literal::Bool(condition)) = op(condition) {
        return Some(Folded::Same(if *condition { accept } else { reject }));
    }
    if let Op::Unary(Unary::LogicalNot, inner) = op(condition) {
        return Some(Folded::Op(Op::Select {
            condition: *inner,
            accept: reject,
            reject: accept,
        }));
    }
    if ty != Scalar::Bool {
        return None;
    }
    match (op(accept), op(reject)) {
        (Op::Const(Literal::Bool(true)), Op::Const(Literal::Bool(false))) => {
            Some(Folded::Same(condition))
        }
        (Op::Const(Literal::Bool(false)), Op::Const(Literal::Bool(true))) => {
            Some(Folded::Op(Op::Unary(Unary::LogicalNot, condition)))
        }
        (Op::Const(Literal::Bool(true)), _) => {
            Some(Folded::Op(Op::Binary(Binary::Or, condition, reject)))
        }
        (_, Op::Const(Literal::Bool(false))) => {
            Some(Folded::Op(Op::Binary(Binary::And, condition, accept)))
        }
        _ => None,
    }
}

/// Neutral and absorbing operands. Those of floats are limited to what holds for every value and sign of zero.
fn neutral(
    op: Binary,
    a: (ValueId, Option<Literal>),
    b: (ValueId, Option<Literal>),
) -> Option<Folded> {
    use Binary::{
        Add, And, Divide, ExclusiveOr, Modulo, Multiply, Or, ShiftLeft, ShiftRight, Subtract,
    };
    if let Some(literal) = b.1 {
        let zero = matches!(literal, Literal::I32(0) | Literal::U32(0));
        let one =
            matches!(literal, Literal::I32(1) | Literal::U32(1)) || literal == Literal::F32(1.0);
        return match (op, literal) {
            (Add | Subtract | Or | ExclusiveOr | ShiftLeft | ShiftRight, _) if zero => {
                Some(Folded::Same(a.0))
            }
            (Multiply | And, _) if zero => Some(Folded::Const(literal)),
            (Multiply | Divide, _) if one => Some(Folded::Same(a.0)),
            (Modulo, Literal::U32(1)) => Some(Folded::Const(Literal::U32(0))),
            (And, Literal::Bool(true)) | (Or, Literal::Bool(false)) => Some(Folded::Same(a.0)),
            (And, Literal::Bool(false)) | (Or, Literal::Bool(true)) => Some(Folded::Const(literal)),
            _ => None,
        };
    }
    match op {
        Add | Multiply | And | Or | ExclusiveOr if a.1.is_some() => neutral(op, b, a),
        And | Or if a.0 == b.0 => Some(Folded::Same(a.0)),
        _ => None,
    }
}

/// The result of an operation on constants; none if the types do not fit.
pub(crate) fn fold_binary(op: Binary, a: Literal, b: Literal) -> Option<Literal> {
    Some(match (a, b) {
        (Literal::F32(a), Literal::F32(b)) => return float_binary(op, a, b),
        (Literal::I32(a), Literal::I32(b)) => return int_binary(op, a, b),
        (Literal::U32(a), Literal::U32(b)) => return uint_binary(op, a, b),
        (Literal::I32(a), Literal::U32(b)) if op == Binary::ShiftLeft => {
            Literal::I32(a.wrapping_shl(b))
        }
        (Literal::I32(a), Literal::U32(b)) if op == Binary::ShiftRight => {
            Literal::I32(a.wrapping_shr(b))
        }
        (Literal::Bool(a), Literal::Bool(b)) => Literal::Bool(match op {
            Binary::And => a & b,
            Binary::Or => a | b,
            Binary::ExclusiveOr | Binary::NotEqual => a ^ b,
            Binary::Equal => a == b,
            _ => return None,
        }),
        _ => return None,
    })
}

fn compare<T: PartialOrd + Copy>(op: Binary, a: T, b: T) -> Option<Literal> {
    Some(Literal::Bool(match op {
        Binary::Equal => a == b,
        Binary::NotEqual => a != b,
        Binary::Less => a < b,
        Binary::LessEqual => a <= b,
        Binary::Greater => a > b,
        Binary::GreaterEqual => a >= b,
        _ => return None,
    }))
}

fn float_binary(op: Binary, a: f32, b: f32) -> Option<Literal> {
    Some(Literal::F32(match op {
        Binary::Add => a + b,
        Binary::Subtract => a - b,
        Binary::Multiply => a * b,
        Binary::Divide => a / b,
        Binary::Modulo => a - b * (a / b).trunc(),
        _ => return compare(op, a, b),
    }))
}

fn int_binary(op: Binary, a: i32, b: i32) -> Option<Literal> {
    Some(Literal::I32(match op {
        Binary::Add => a.wrapping_add(b),
        Binary::Subtract => a.wrapping_sub(b),
        Binary::Multiply => a.wrapping_mul(b),
        Binary::Divide => a.checked_div(b).unwrap_or(a),
        Binary::Modulo => a.checked_rem(b).unwrap_or(0),
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::ExclusiveOr => a ^ b,
        _ => return compare(op, a, b),
    }))
}

fn uint_binary(op: Binary, a: u32, b: u32) -> Option<Literal> {
    Some(Literal::U32(match op {
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
        _ => return compare(op, a, b),
    }))
}

fn convert(a: Literal, ty: Scalar) -> Literal {
    match (a, ty) {
        (Literal::F32(a), Scalar::I32) => Literal::I32(a as i32),
        (Literal::F32(a), Scalar::U32) => Literal::U32(a as u32),
        (Literal::F32(a), Scalar::Bool) => Literal::Bool(a != 0.0),
        (Literal::I32(a), Scalar::F32) => Literal::F32(a as f32),
        (Literal::U32(a), Scalar::F32) => Literal::F32(a as f32),
        (Literal::Bool(a), Scalar::F32) => Literal::F32(f32::from(u8::from(a))),
        (a, ty) => Literal::from_bits(ty, a.bits()),
    }
}

/// Only functions whose result is exact, so that folding changes no bit.
fn math(function: Math, arguments: &[Literal]) -> Option<Literal> {
    match *arguments {
        [Literal::F32(a)] => float_math(function, a),
        [Literal::F32(a), Literal::F32(b)] if !a.is_nan() && !b.is_nan() => match function {
            Math::Min => Some(Literal::F32(if b < a { b } else { a })),
            Math::Max => Some(Literal::F32(if a < b { b } else { a })),
            _ => None,
        },
        [Literal::I32(a)] if function == Math::Abs => Some(Literal::I32(a.wrapping_abs())),
        [Literal::I32(a)] if function == Math::Sign => Some(Literal::I32(a.signum())),
        [a @ Literal::U32(_)] if function == Math::Abs => Some(a),
        [Literal::I32(a), Literal::I32(b)] => match function {
            Math::Min => Some(Literal::I32(a.min(b))),
            Math::Max => Some(Literal::I32(a.max(b))),
            _ => None,
        },
        [Literal::U32(a), Literal::U32(b)] => match function {
            Math::Min => Some(Literal::U32(a.min(b))),
            Math::Max => Some(Literal::U32(a.max(b))),
            _ => None,
        },
        _ => None,
    }
}

fn float_math(function: Math, a: f32) -> Option<Literal> {
    Some(Literal::F32(match function {
        Math::Abs => a.abs(),
        Math::Floor => a.floor(),
        Math::Ceil => a.ceil(),
        Math::Round => a.round_ties_even(),
        Math::Trunc => a.trunc(),
        Math::Fract => a - a.floor(),
        Math::Sqrt => a.sqrt(),
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use naga::Span;

    fn folded(op: &Op, ty: Scalar, values: &[Op]) -> Option<Folded> {
        let values: Vec<_> = values
            .iter()
            .map(|op| Value {
                ty: match op {
                    Op::Const(literal) => literal.ty(),
                    Op::Binary(..) => Scalar::Bool,
                    _ => Scalar::U32,
                },
                op: op.clone(),
                span: Span::default(),
            })
            .collect();
        fold(op, ty, &values)
    }

    fn constants(op: Binary, a: Literal, b: Literal) -> Option<Folded> {
        folded(
            &Op::Binary(op, ValueId(0), ValueId(1)),
            a.ty(),
            &[Op::Const(a), Op::Const(b)],
        )
    }

    #[test]
    fn integer_division_has_wgsls_defined_results() {
        let int = |value| Some(Folded::Const(Literal::I32(value)));
        assert_eq!(
            constants(Binary::Divide, Literal::I32(7), Literal::I32(0)),
            int(7)
        );
        assert_eq!(
            constants(Binary::Divide, Literal::I32(i32::MIN), Literal::I32(-1)),
            int(i32::MIN)
        );
        assert_eq!(
            constants(Binary::Modulo, Literal::I32(i32::MIN), Literal::I32(-1)),
            int(0)
        );
        assert_eq!(
            constants(Binary::Modulo, Literal::U32(7), Literal::U32(0)),
            Some(Folded::Const(Literal::U32(0)))
        );
    }

    #[test]
    fn infinities_are_left_for_run_time() {
        assert_eq!(
            constants(Binary::Divide, Literal::F32(1.0), Literal::F32(0.0)),
            None
        );
    }

    #[test]
    fn adding_a_float_zero_is_kept_since_minus_zero_would_change() {
        let values = [
            Op::Builtin(super::super::Builtin::LocalIndex),
            Op::Const(Literal::F32(0.0)),
        ];
        assert_eq!(
            folded(
                &Op::Binary(Binary::Add, ValueId(0), ValueId(1)),
                Scalar::F32,
                &values
            ),
            None
        );
        let values = [
            Op::Builtin(super::super::Builtin::LocalIndex),
            Op::Const(Literal::U32(0)),
        ];
        let same = Some(Folded::Same(ValueId(0)));
        assert_eq!(
            folded(
                &Op::Binary(Binary::Add, ValueId(0), ValueId(1)),
                Scalar::U32,
                &values
            ),
            same
        );
        assert_eq!(
            folded(
                &Op::Binary(Binary::Add, ValueId(1), ValueId(0)),
                Scalar::U32,
                &values
            ),
            same
        );
    }

    #[test]
    fn the_opposite_of_an_integer_comparison_is_a_comparison() {
        let index = Op::Builtin(super::super::Builtin::LocalIndex);
        let values = [
            index.clone(),
            index,
            Op::Binary(Binary::Less, ValueId(0), ValueId(1)),
        ];
        let opposite = folded(
            &Op::Unary(Unary::LogicalNot, ValueId(2)),
            Scalar::Bool,
            &values,
        );
        assert_eq!(
            opposite,
            Some(Folded::Op(Op::Binary(
                Binary::GreaterEqual,
                ValueId(0),
                ValueId(1)
            )))
        );
    }
}
