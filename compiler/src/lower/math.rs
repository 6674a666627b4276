//! Which scalar operations is a numeric builtin function made of? The formulas are those of the WGSL specification, section
//! "Numeric Built-in Functions".

use naga::{MathFunction, Span, TypeInner};

use super::matrix::transposed;
use super::operator::component;
use super::{Lowered, Lowering};
use crate::ir::{Binary, Math, Op, Unary, ValueId};

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
            MathFunction::Degrees => self.scaled(first, 180.0 / std::f32::consts::PI),
            MathFunction::Radians => self.scaled(first, std::f32::consts::PI / 180.0),
            MathFunction::Reflect => self.reflect(first, &arguments[1]),
            MathFunction::FaceForward => {
                let facing = self.dot(&arguments[2], &arguments[1]);
                let zero = self.builder.f32(0.0);
                let condition = self.builder.binary(Binary::Less, facing, zero);
                let turned = self.negated(first);
                self.selected(&[condition], first, &turned)
            }
            MathFunction::Transpose => transposed(ty, first),
            MathFunction::Determinant => vec![self.determinant(ty, first)],
            other => {
                let message = format!("the function `{}` is not supported", wgsl_name(other));
                let diagnostic = self.front.source.diagnose(span, message);
                return Err(match instead_of(other) {
                    Some(advice) => diagnostic.advise(advice),
                    None => diagnostic,
                });
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

    fn scaled(&mut self, vector: &[ValueId], factor: f32) -> Vec<ValueId> {
        let factor = self.builder.f32(factor);
        self.componentwise(Binary::Multiply, vector, &[factor])
    }

    fn negated(&mut self, vector: &[ValueId]) -> Vec<ValueId> {
        vector
            .iter()
            .map(|id| self.builder.unary(Unary::Negate, *id))
            .collect()
    }

    /// `i - 2 * dot(n, i) * n`
    fn reflect(&mut self, i: &[ValueId], n: &[ValueId]) -> Vec<ValueId> {
        let (two, along) = (self.builder.f32(2.0), self.dot(n, i));
        let twice = self.builder.binary(Binary::Multiply, two, along);
        let change = self.componentwise(Binary::Multiply, n, &[twice]);
        self.componentwise(Binary::Subtract, i, &change)
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

/// What can be written in place of a function that is not supported.
fn instead_of(function: MathFunction) -> Option<&'static str> {
    Some(match function {
        MathFunction::Modf => "write `trunc(x)` for the whole part and `x - trunc(x)` for the rest",
        MathFunction::Frexp => "take the exponent from the bits: `bitcast<u32>(x)`",
        MathFunction::Ldexp => "write `x * exp2(f32(n))`",
        MathFunction::Asinh => "write `sign(x) * log(abs(x) + sqrt(x * x + 1.0))`",
        MathFunction::Acosh => "write `log(x + sqrt(x * x - 1.0))`",
        MathFunction::Atanh => "write `0.5 * log((1.0 + x) / (1.0 - x))`",
        MathFunction::Refract => "write its formula out: it is in the WGSL specification",
        MathFunction::Dot4I8Packed | MathFunction::Dot4U8Packed => {
            "take the bytes apart with `extractBits` and multiply them"
        }
        _ if wgsl_name(function).starts_with("pack") => "put the parts together with `insertBits`",
        _ if wgsl_name(function).starts_with("unpack") => "take the parts apart with `extractBits`",
        _ => return None,
    })
}
