//! Which scalar operations is an operator on scalars, vectors or matrices made of?

use naga::{
    BinaryOperator, Expression, Handle, RelationalFunction, ScalarKind, Span, TypeInner,
    UnaryOperator,
};

use super::call::Frame;
use super::types::scalar;
use super::{Lowered, Lowering};
use crate::ir::{Binary, Literal, Op, Scalar, Unary, ValueId};

impl<'a> Lowering<'a> {
    pub(super) fn operation(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
        span: Span,
    ) -> Lowered<Vec<ValueId>> {
        match &frame.function.expressions[handle] {
            Expression::Unary { op, expr } => {
                let operand = self.value(frame, *expr)?;
                let op = unary(*op);
                Ok(operand
                    .into_iter()
                    .map(|id| self.builder.unary(op, id))
                    .collect())
            }
            Expression::Binary { op, left, right } => {
                self.binary_expression(frame, *op, *left, *right)
            }
            Expression::Select {
                condition,
                accept,
                reject,
            } => {
                let condition = self.value(frame, *condition)?;
                let (accept, reject) = (self.value(frame, *accept)?, self.value(frame, *reject)?);
                Ok(self.selected(&condition, &accept, &reject))
            }
            Expression::Relational { fun, argument } => {
                let argument = self.value(frame, *argument)?;
                self.relational(*fun, &argument, span)
            }
            Expression::Math {
                fun,
                arg,
                arg1,
                arg2,
                arg3,
            } => {
                let shapes = [Some(*arg), *arg1, *arg2, *arg3];
                let mut arguments = Vec::new();
                for argument in shapes.into_iter().flatten() {
                    arguments.push(self.value(frame, argument)?);
                }
                let ty = self.type_of(frame, *arg);
                self.math_expression(*fun, ty, &arguments, span)
            }
            Expression::As {
                expr,
                kind,
                convert,
            } => {
                let operand = self.value(frame, *expr)?;
                let ty = scalar(naga::Scalar {
                    kind: *kind,
                    width: convert.unwrap_or(4),
                });
                self.cast(&operand, ty, convert.is_some(), *kind, span)
            }
            other => self.refuse(span, format!("{} not supported", unsupported(other))),
        }
    }

    fn binary_expression(
        &mut self,
        frame: &mut Frame<'a>,
        op: BinaryOperator,
        left: Handle<Expression>,
        right: Handle<Expression>,
    ) -> Lowered<Vec<ValueId>> {
        let types = (self.type_of(frame, left), self.type_of(frame, right));
        let (left, right) = (self.value(frame, left)?, self.value(frame, right)?);
        if op == BinaryOperator::Multiply
            && matches!(
                types,
                (TypeInner::Matrix { .. }, _) | (_, TypeInner::Matrix { .. })
            )
        {
            return Ok(self.matrix_product(types.0, types.1, &left, &right));
        }
        Ok(self.componentwise(binary(op), &left, &right))
    }

    /// Applies `op` to each pair of components; a lone scalar goes with every component of the other side.
    pub(super) fn componentwise(
        &mut self,
        op: Binary,
        left: &[ValueId],
        right: &[ValueId],
    ) -> Vec<ValueId> {
        let count = left.len().max(right.len());
        (0..count)
            .map(|index| {
                self.builder
                    .binary(op, component(left, index), component(right, index))
            })
            .collect()
    }

    pub(super) fn selected(
        &mut self,
        condition: &[ValueId],
        accept: &[ValueId],
        reject: &[ValueId],
    ) -> Vec<ValueId> {
        (0..accept.len())
            .map(|index| {
                self.builder
                    .select(component(condition, index), accept[index], reject[index])
            })
            .collect()
    }

    fn relational(
        &mut self,
        function: RelationalFunction,
        argument: &[ValueId],
        span: Span,
    ) -> Lowered<Vec<ValueId>> {
        let (op, neutral) = match function {
            RelationalFunction::All => (Binary::And, true),
            RelationalFunction::Any => (Binary::Or, false),
            RelationalFunction::IsNan | RelationalFunction::IsInf => {
                return self.refuse(span, "tests for NaN and infinity are not supported");
            }
        };
        let start = self.builder.constant(Literal::Bool(neutral));
        Ok(vec![
            argument
                .iter()
                .fold(start, |all, id| self.builder.binary(op, all, *id)),
        ])
    }

    fn cast(
        &mut self,
        operand: &[ValueId],
        ty: Scalar,
        converts: bool,
        kind: ScalarKind,
        span: Span,
    ) -> Lowered<Vec<ValueId>> {
        if !converts && (ty == Scalar::Bool || kind == ScalarKind::Bool) {
            return self.refuse(span, "bitcast of bool is not supported");
        }
        let op = |id: ValueId| {
            if converts {
                Op::Convert(id)
            } else {
                Op::Bitcast(id)
            }
        };
        Ok(operand
            .iter()
            .map(|id| self.builder.value(op(*id), ty))
            .collect())
    }
}

/// The component that goes with component `index` of another operand.
pub(super) fn component(values: &[ValueId], index: usize) -> ValueId {
    if values.len() == 1 {
        values[0]
    } else {
        values[index]
    }
}

fn unary(op: UnaryOperator) -> Unary {
    match op {
        UnaryOperator::Negate => Unary::Negate,
        UnaryOperator::LogicalNot => Unary::LogicalNot,
        UnaryOperator::BitwiseNot => Unary::BitwiseNot,
    }
}

fn binary(op: BinaryOperator) -> Binary {
    match op {
        BinaryOperator::Add => Binary::Add,
        BinaryOperator::Subtract => Binary::Subtract,
        BinaryOperator::Multiply => Binary::Multiply,
        BinaryOperator::Divide => Binary::Divide,
        BinaryOperator::Modulo => Binary::Modulo,
        BinaryOperator::Equal => Binary::Equal,
        BinaryOperator::NotEqual => Binary::NotEqual,
        BinaryOperator::Less => Binary::Less,
        BinaryOperator::LessEqual => Binary::LessEqual,
        BinaryOperator::Greater => Binary::Greater,
        BinaryOperator::GreaterEqual => Binary::GreaterEqual,
        BinaryOperator::And | BinaryOperator::LogicalAnd => Binary::And,
        BinaryOperator::ExclusiveOr => Binary::ExclusiveOr,
        BinaryOperator::InclusiveOr | BinaryOperator::LogicalOr => Binary::Or,
        BinaryOperator::ShiftLeft => Binary::ShiftLeft,
        BinaryOperator::ShiftRight => Binary::ShiftRight,
    }
}

/// Names an expression that is not lowered.
fn unsupported(expression: &Expression) -> &'static str {
    match expression {
        Expression::Override(_) => "an override that has no value here is",
        Expression::ImageSample { .. }
        | Expression::ImageLoad { .. }
        | Expression::ImageQuery { .. } => "textures are",
        Expression::Derivative { .. } => "derivatives are",
        Expression::RayQueryVertexPositions { .. }
        | Expression::RayQueryProceedResult
        | Expression::RayQueryGetIntersection { .. } => "ray queries are",
        Expression::SubgroupBallotResult | Expression::SubgroupOperationResult { .. } => {
            "subgroup operations are"
        }
        _ => "this expression is",
    }
}
