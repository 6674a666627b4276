//! Which scalar operations is a numeric builtin function made of? The formulas are those of the WGSL specification, section
//! "Numeric Built-in Functions".

use naga::{MathFunction, Span, TypeInner};

use super::matrix::transposed;
use super::operator::component;
use super::{Lowered, Lowering};
use crate::ir::{Binary, Math, Op, ValueId};

impl Lowering<'_> {
    /// `function` on `arguments`, the first of type `ty`.
    pub(super) fn math_expression(
        &mut self,
        function: MathFunction,
        ty: &TypeInner,
        arguments: &[Vec<ValueId>],
        span: Span,
    ) -> Lowered<Vec<ValueId>> {
        if let Some(function) = scalar_function(function) {
            return Ok(self.map_math(function, arguments));
        }
        let first = &arguments[0];
        Ok(match function {
            MathFunction::Saturate => {
                let (low, high) = (self.builder.f32(0.0), self.builder.f32(1.0));
                self.map_math(Math::Clamp, &[first.clone(), vec![low], vec![high]])
            }
            MathFunction::Dot => vec![self.dot(first, &arguments[1])],
            MathFunction::Cross => self.cross(first, &arguments[1]),
            MathFunction::Length => vec![self.length(first)],
            MathFunction::Distance => {
                let difference = self.componentwise(Binary::Subtract, first, &arguments[1]);
                vec![self.length(&difference)]
            }
            MathFunction::Normalize => {
                let square = self.dot(first, first);
                let scale = self.builder.math(Math::InverseSqrt, vec![square]);
                self.componentwise(Binary::Multiply, first, &[scale])
            }
            MathFunction::Mix => self.mix(first, &arguments[1], &arguments[2]),
            MathFunction::Step => self.step(first, &arguments[1]),
            MathFunction::SmoothStep => self.smooth_step(first, &arguments[1], &arguments[2]),
            MathFunction::Transpose => transposed(ty, first),
            MathFunction::Determinant => vec![self.determinant(ty, first)],
            other => {
                let message = format!("the function `{}` is not supported", wgsl_name(other));
                return self.refuse(span, message);
            }
        })
    }

    /// A scalar function on each component; a lone scalar goes with every component of the others.
    fn map_math(&mut self, function: Math, arguments: &[Vec<ValueId>]) -> Vec<ValueId> {
        let count = arguments.iter().map(Vec::len).max().unwrap_or(0);
        (0..count)
            .map(|index| {
                let scalars: Vec<_> = arguments
                    .iter()
                    .map(|argument| component(argument, index))
                    .collect();
                let ty = self.builder.ty(scalars[0]);
                self.builder.value(Op::Math(function, scalars), ty)
            })
            .collect()
    }

    fn cross(&mut self, a: &[ValueId], b: &[ValueId]) -> Vec<ValueId> {
        [(1, 2), (2, 0), (0, 1)]
            .into_iter()
            .map(|(i, j)| {
                let plus = self.builder.binary(Binary::Multiply, a[i], b[j]);
                let minus = self.builder.binary(Binary::Multiply, a[j], b[i]);
                self.builder.binary(Binary::Subtract, plus, minus)
            })
            .collect()
    }

    /// `sqrt(dot(v, v))`; of a scalar, its absolute value.
    fn length(&mut self, vector: &[ValueId]) -> ValueId {
        if let [scalar] = vector {
            return self.builder.math(Math::Abs, vec![*scalar]);
        }
        let square = self.dot(vector, vector);
        self.builder.math(Math::Sqrt, vec![square])
    }

    /// `a * (1 - t) + b * t`
    fn mix(&mut self, a: &[ValueId], b: &[ValueId], t: &[ValueId]) -> Vec<ValueId> {
        let one = self.builder.f32(1.0);
        let rest = self.componentwise(Binary::Subtract, &[one], t);
        let (from_a, from_b) = (
            self.componentwise(Binary::Multiply, a, &rest),
            self.componentwise(Binary::Multiply, b, t),
        );
        self.componentwise(Binary::Add, &from_a, &from_b)
    }

    /// 1 where `edge <= x`, else 0.
    fn step(&mut self, edge: &[ValueId], x: &[ValueId]) -> Vec<ValueId> {
        let reached = self.componentwise(Binary::LessEqual, edge, x);
        let (one, zero) = (self.builder.f32(1.0), self.builder.f32(0.0));
        reached
            .into_iter()
            .map(|condition| self.builder.select(condition, one, zero))
            .collect()
    }

    /// `t * t * (3 - 2 * t)` for `t = clamp((x - low) / (high - low), 0, 1)`
    fn smooth_step(&mut self, low: &[ValueId], high: &[ValueId], x: &[ValueId]) -> Vec<ValueId> {
        let (zero, one) = (self.builder.f32(0.0), self.builder.f32(1.0));
        let (two, three) = (self.builder.f32(2.0), self.builder.f32(3.0));
        let (above, width) = (
            self.componentwise(Binary::Subtract, x, low),
            self.componentwise(Binary::Subtract, high, low),
        );
        let t = self.componentwise(Binary::Divide, &above, &width);
        let t = self.map_math(Math::Clamp, &[t, vec![zero], vec![one]]);
        let square = self.componentwise(Binary::Multiply, &t, &t);
        let double = self.componentwise(Binary::Multiply, &[two], &t);
        let rest = self.componentwise(Binary::Subtract, &[three], &double);
        self.componentwise(Binary::Multiply, &square, &rest)
    }
}

/// Functions that act on each component by itself.
fn scalar_function(function: MathFunction) -> Option<Math> {
    Some(match function {
        MathFunction::Abs => Math::Abs,
        MathFunction::Sign => Math::Sign,
        MathFunction::Min => Math::Min,
        MathFunction::Max => Math::Max,
        MathFunction::Clamp => Math::Clamp,
        MathFunction::Floor => Math::Floor,
        MathFunction::Ceil => Math::Ceil,
        MathFunction::Round => Math::Round,
        MathFunction::Trunc => Math::Trunc,
        MathFunction::Fract => Math::Fract,
        MathFunction::Sqrt => Math::Sqrt,
        MathFunction::InverseSqrt => Math::InverseSqrt,
        MathFunction::Exp => Math::Exp,
        MathFunction::Exp2 => Math::Exp2,
        MathFunction::Log => Math::Log,
        MathFunction::Log2 => Math::Log2,
        MathFunction::Pow => Math::Pow,
        MathFunction::Sin => Math::Sin,
        MathFunction::Cos => Math::Cos,
        MathFunction::Tan => Math::Tan,
        MathFunction::Asin => Math::Asin,
        MathFunction::Acos => Math::Acos,
        MathFunction::Atan => Math::Atan,
        MathFunction::Atan2 => Math::Atan2,
        MathFunction::Sinh => Math::Sinh,
        MathFunction::Cosh => Math::Cosh,
        MathFunction::Tanh => Math::Tanh,
        MathFunction::Fma => Math::Fma,
        MathFunction::CountOneBits => Math::CountOneBits,
        MathFunction::CountLeadingZeros => Math::CountLeadingZeros,
        MathFunction::CountTrailingZeros => Math::CountTrailingZeros,
        MathFunction::ReverseBits => Math::ReverseBits,
        MathFunction::FirstLeadingBit => Math::FirstLeadingBit,
        MathFunction::FirstTrailingBit => Math::FirstTrailingBit,
        MathFunction::ExtractBits => Math::ExtractBits,
        MathFunction::InsertBits => Math::InsertBits,
        _ => return None,
    })
}

/// `QuantizeToF16` as `quantizeToF16`.
fn wgsl_name(function: MathFunction) -> String {
    let name = format!("{function:?}");
    name[..1].to_lowercase() + &name[1..]
}
