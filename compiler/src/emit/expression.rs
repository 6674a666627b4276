//! How is an operation written, on scalars and on lanes?

use super::names;
use super::plan::{Contraction, Form, Plan};
use crate::ir::{Binary, Builtin, Kernel, Literal, Math, Op, Scalar, Unary, ValueId};
use crate::tree::Tree;
use crate::variance::{Gangs, Variance};

/// What all printers read.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) tree: &'a Tree,
    pub(super) variance: &'a Variance,
    pub(super) plan: &'a Plan,
    /// Path of the lanes crate.
    pub(super) lanes: &'a str,
}

/// The Rust type of a scalar.
pub(super) fn rust_type(ty: Scalar) -> &'static str {
    match ty {
        Scalar::F32 => "f32",
        Scalar::I32 => "i32",
        Scalar::U32 => "u32",
        Scalar::Bool => "bool",
    }
}

/// The first part of the names of operations where signedness does not matter.
pub(super) fn family(ty: Scalar) -> &'static str {
    match ty {
        Scalar::F32 => "f32",
        Scalar::I32 | Scalar::U32 => "i32",
        Scalar::Bool => "mask",
    }
}

/// The first part of the names of operations where signedness matters.
fn signed_family(ty: Scalar) -> &'static str {
    if ty == Scalar::U32 { "u32" } else { family(ty) }
}

/// Zero of a type.
pub(super) fn zero(ty: Scalar) -> &'static str {
    match ty {
        Scalar::F32 => "0.0f32",
        Scalar::I32 => "0i32",
        Scalar::U32 => "0u32",
        Scalar::Bool => "false",
    }
}

/// `scalar` in every lane.
pub(super) fn splat(ty: Scalar, scalar: &str) -> String {
    let family = if ty == Scalar::Bool {
        "mask"
    } else {
        rust_type(ty)
    };
    format!("s.{family}_splat({scalar})")
}

fn literal(literal: Literal) -> String {
    let text = match literal {
        Literal::F32(value) if value.is_finite() => format!("{value:?}f32"),
        Literal::F32(value) => return format!("f32::from_bits({:#x}u32)", value.to_bits()),
        Literal::I32(value) => format!("{value}i32"),
        Literal::U32(value) => format!("{value}u32"),
        Literal::Bool(value) => value.to_string(),
    };
    if text.starts_with('-') {
        format!("({text})")
    } else {
        text
    }
}

impl Context<'_> {
    pub(super) fn ty(self, id: ValueId) -> Scalar {
        self.kernel.value(id).ty
    }

    /// The value as one scalar: what all lanes hold, or lane 0 of a linear value.
    pub(super) fn scalar(self, id: ValueId) -> String {
        match (self.plan.of(id), &self.kernel.value(id).op) {
            (Form::Literal, Op::Const(value)) => literal(*value),
            (Form::Hoisted(name), _) => name.clone(),
            _ => names::value(id),
        }
    }

    /// The value in lanes.
    pub(super) fn vector(self, id: ValueId) -> String {
        let ty = self.ty(id);
        match self.plan.of(id) {
            Form::Vector | Form::Absent => names::value(id),
            Form::Literal | Form::Hoisted(_) | Form::Scalar => splat(ty, &self.scalar(id)),
            Form::Linear(1) => format!("s.i32_add({}, s.i32_iota())", splat(ty, &self.scalar(id))),
            Form::Linear(stride) => {
                format!(
                    "s.i32_add({}, s.i32_mul(s.i32_iota(), s.u32_splat({stride}u32)))",
                    splat(ty, &self.scalar(id))
                )
            }
        }
    }

    /// The right-hand side that computes `id`, an operation on values alone, in the value's form.
    pub(super) fn operation(self, id: ValueId) -> String {
        let vector = self.plan.is_vector(id);
        if let Some(sum) = self.plan.contractions.get(&id) {
            return self.contraction(*sum, vector);
        }
        let value = self.kernel.value(id);
        match &value.op {
            Op::Builtin(builtin) => self.builtin(*builtin),
            Op::ArrayLength {
                buffer,
                offset,
                stride,
            } => names::length(self.kernel, (*buffer, *offset, *stride)),
            Op::Unary(op, a) => self.unary(*op, *a, vector),
            Op::Binary(op, a, b) if vector => self.vector_binary(*op, *a, *b),
            Op::Binary(op, a, b) => self.scalar_binary(*op, *a, *b),
            Op::Select {
                condition,
                accept,
                reject,
            } => self.select(value.ty, (*condition, *accept, *reject), vector),
            Op::Convert(a) if vector => self.vector_convert(value.ty, *a),
            Op::Convert(a) => self.scalar_convert(value.ty, *a),
            Op::Bitcast(a) => self.bitcast(value.ty, *a, vector),
            Op::Math(function, arguments) => self.math(*function, arguments, vector),
            Op::Const(value) => literal(*value),
            Op::ReadVar(_)
            | Op::ReadArray(..)
            | Op::Load(_)
            | Op::UniformLoad(_)
            | Op::AtomicResult => {
                unreachable!("{:?} depends on where it stands", value.op)
            }
        }
    }

    fn contraction(self, sum: Contraction, vector: bool) -> String {
        let signed = |id: ValueId, minus: bool| match (vector, minus) {
            (true, false) => self.vector(id),
            (true, true) => format!("s.f32_neg({})", self.vector(id)),
            (false, false) => self.scalar(id),
            (false, true) => format!("-{}", self.scalar(id)),
        };
        let name = if vector {
            "f32_contract"
        } else {
            "uniform_contract"
        };
        format!(
            "s.{name}({}, {}, {})",
            signed(sum.a, sum.minus_product),
            signed(sum.b, false),
            signed(sum.c, sum.minus_c)
        )
    }

    fn builtin(self, builtin: Builtin) -> String {
        let size = self.kernel.workgroup_size;
        let axis_name = |axis: u8| ["x", "y", "z"][usize::from(axis)];
        match builtin {
            Builtin::NumWorkgroups(axis) => format!("groups[{axis}]"),
            Builtin::LocalId(axis) if size[usize::from(axis)] == 1 => "0u32".to_owned(),
            Builtin::GlobalId(_) | Builtin::LocalId(_) | Builtin::WorkgroupId(_)
                if self.plan.gangs == Gangs::Strips =>
            {
                self.of_strip(builtin)
            }
            Builtin::WorkgroupId(axis) => format!("w{}", axis_name(axis)),
            Builtin::GlobalId(axis) if size[usize::from(axis)] == 1 => {
                format!("w{}", axis_name(axis))
            }
            Builtin::GlobalId(axis) => {
                let name = axis_name(axis);
                format!(
                    "w{name}.wrapping_mul({}u32).wrapping_add(l{name})",
                    size[usize::from(axis)]
                )
            }
            Builtin::LocalId(axis) => format!("l{}", axis_name(axis)),
            Builtin::LocalIndex => {
                let local = |axis: u8| self.builtin(Builtin::LocalId(axis));
                format!(
                    "{} + {}u32 * ({} + {}u32 * {})",
                    local(0),
                    size[0],
                    local(1),
                    size[1],
                    local(2)
                )
            }
        }
    }

    /// A position in a strip, from that in the grid.
    fn of_strip(self, builtin: Builtin) -> String {
        let (axis, operator) = match builtin {
            Builtin::LocalId(axis) => (axis, " % "),
            Builtin::WorkgroupId(axis) => (axis, " / "),
            Builtin::GlobalId(axis) => (axis, ""),
            Builtin::LocalIndex | Builtin::NumWorkgroups(_) => {
                unreachable!("no position on an axis")
            }
        };
        let name = ["gx", "gy", "gz"][usize::from(axis)];
        match self.kernel.workgroup_size[usize::from(axis)] {
            1 => name.to_owned(),
            _ if operator.is_empty() => name.to_owned(),
            size => format!("({name}{operator}{size}u32)"),
        }
    }

    fn unary(self, op: Unary, a: ValueId, vector: bool) -> String {
        let ty = self.ty(a);
        if vector {
            let name = match op {
                Unary::Negate => "neg",
                Unary::LogicalNot | Unary::BitwiseNot => "not",
            };
            return format!("s.{}_{name}({})", family(ty), self.vector(a));
        }
        let a = self.scalar(a);
        match (op, ty) {
            (Unary::Negate, Scalar::F32) => format!("-{a}"),
            (Unary::Negate, _) => format!("{a}.wrapping_neg()"),
            (Unary::LogicalNot | Unary::BitwiseNot, _) => format!("!{a}"),
        }
    }

    fn scalar_binary(self, op: Binary, a: ValueId, b: ValueId) -> String {
        let (ty, right) = (self.ty(a), self.ty(b));
        let (a, b) = (self.scalar(a), self.scalar(b));
        let float = ty == Scalar::F32;
        let infix = match op {
            Binary::Add if float => "+",
            Binary::Subtract if float => "-",
            Binary::Multiply if float => "*",
            Binary::Divide if float => "/",
            Binary::Equal => "==",
            Binary::NotEqual => "!=",
            Binary::Less => "<",
            Binary::LessEqual => "<=",
            Binary::Greater => ">",
            Binary::GreaterEqual => ">=",
            Binary::And => "&",
            Binary::Or => "|",
            Binary::ExclusiveOr => "^",
            Binary::Add => return format!("{a}.wrapping_add({b})"),
            Binary::Subtract => return format!("{a}.wrapping_sub({b})"),
            Binary::Multiply => return format!("{a}.wrapping_mul({b})"),
            Binary::Divide => {
                return format!(
                    "{}::scalar::{}_div({a}, {b})",
                    self.lanes,
                    signed_family(ty)
                );
            }
            Binary::Modulo => {
                return format!(
                    "{}::scalar::{}_rem({a}, {b})",
                    self.lanes,
                    signed_family(ty)
                );
            }
            Binary::ShiftLeft | Binary::ShiftRight => {
                let direction = if op == Binary::ShiftLeft { "l" } else { "r" };
                let count = if right == Scalar::I32 {
                    format!("{b}.cast_unsigned()")
                } else {
                    b
                };
                return format!("{a}.wrapping_sh{direction}({count})");
            }
        };
        format!("{a} {infix} {b}")
    }

    fn vector_binary(self, op: Binary, a: ValueId, b: ValueId) -> String {
        let ty = self.ty(a);
        let (plain, signed) = (family(ty), signed_family(ty));
        let (family, name) = match (op, ty) {
            (Binary::NotEqual, Scalar::Bool) => ("mask", "xor"),
            (Binary::Add, _) => (plain, "add"),
            (Binary::Subtract, _) => (plain, "sub"),
            (Binary::Multiply, _) => (plain, "mul"),
            (Binary::Divide, _) => (signed, "div"),
            (Binary::Modulo, _) => (signed, "rem"),
            (Binary::Equal, _) => (plain, "eq"),
            (Binary::NotEqual, _) => (plain, "ne"),
            (Binary::Less, _) => (signed, "lt"),
            (Binary::LessEqual, _) => (signed, "le"),
            (Binary::Greater, _) => (signed, "gt"),
            (Binary::GreaterEqual, _) => (signed, "ge"),
            (Binary::And, _) => (plain, "and"),
            (Binary::Or, _) => (plain, "or"),
            (Binary::ExclusiveOr, _) => (plain, "xor"),
            (Binary::ShiftLeft, _) => (plain, "shl"),
            (Binary::ShiftRight, _) => (signed, "shr"),
        };
        format!("s.{family}_{name}({}, {})", self.vector(a), self.vector(b))
    }

    fn select(
        self,
        ty: Scalar,
        (condition, accept, reject): (ValueId, ValueId, ValueId),
        vector: bool,
    ) -> String {
        if self.plan.is_vector(condition) {
            let m = self.vector(condition);
            return format!(
                "s.{}_select({m}, {}, {})",
                family(ty),
                self.vector(accept),
                self.vector(reject)
            );
        }
        let arm = |id| {
            if vector {
                self.vector(id)
            } else {
                self.scalar(id)
            }
        };
        format!(
            "if {} {{ {} }} else {{ {} }}",
            self.scalar(condition),
            arm(accept),
            arm(reject)
        )
    }

    fn vector_convert(self, to: Scalar, a: ValueId) -> String {
        let (from, a) = (self.ty(a), self.vector(a));
        match (from, to) {
            (Scalar::Bool, Scalar::F32) => format!("s.f32_from_mask({a})"),
            (Scalar::Bool, Scalar::I32 | Scalar::U32) => format!("s.i32_from_mask({a})"),
            (Scalar::F32, Scalar::Bool) => format!("s.f32_ne({a}, s.f32_splat(0.0f32))"),
            (Scalar::I32 | Scalar::U32, Scalar::Bool) => {
                format!("s.i32_ne({a}, s.i32_splat(0i32))")
            }
            (Scalar::F32, Scalar::I32 | Scalar::U32) | (Scalar::I32 | Scalar::U32, Scalar::F32) => {
                format!("s.{}_from_{}({a})", rust_type(to), rust_type(from))
            }
            _ => a,
        }
    }

    fn scalar_convert(self, to: Scalar, a: ValueId) -> String {
        let (from, a) = (self.ty(a), self.scalar(a));
        match (from, to) {
            (Scalar::Bool, Scalar::F32) => format!("if {a} {{ 1.0f32 }} else {{ 0.0f32 }}"),
            (Scalar::Bool, Scalar::I32 | Scalar::U32) => format!("{}::from({a})", rust_type(to)),
            (Scalar::F32 | Scalar::I32 | Scalar::U32, Scalar::Bool) => {
                format!("{a} != {}", zero(from))
            }
            (from, to) if from == to => a,
            (Scalar::I32, Scalar::U32) => format!("{a}.cast_unsigned()"),
            (Scalar::U32, Scalar::I32) => format!("{a}.cast_signed()"),
            _ => format!("{a} as {}", rust_type(to)),
        }
    }

    fn bitcast(self, to: Scalar, a: ValueId, vector: bool) -> String {
        let from = self.ty(a);
        if vector {
            return match (from, to) {
                (Scalar::F32, Scalar::I32 | Scalar::U32) => {
                    format!("s.f32_bits({})", self.vector(a))
                }
                (Scalar::I32 | Scalar::U32, Scalar::F32) => {
                    format!("s.f32_from_bits({})", self.vector(a))
                }
                _ => self.vector(a),
            };
        }
        let a = self.scalar(a);
        match (from, to) {
            (Scalar::F32, Scalar::U32) => format!("{a}.to_bits()"),
            (Scalar::F32, Scalar::I32) => format!("{a}.to_bits().cast_signed()"),
            (Scalar::U32, Scalar::F32) => format!("f32::from_bits({a})"),
            (Scalar::I32, Scalar::F32) => format!("f32::from_bits({a}.cast_unsigned())"),
            (Scalar::U32, Scalar::I32) => format!("{a}.cast_signed()"),
            (Scalar::I32, Scalar::U32) => format!("{a}.cast_unsigned()"),
            _ => a,
        }
    }

    fn math(self, function: Math, arguments: &[ValueId], vector: bool) -> String {
        let ty = self.ty(arguments[0]);
        let list: Vec<String> = arguments
            .iter()
            .map(|id| {
                if vector {
                    self.vector(*id)
                } else {
                    self.scalar(*id)
                }
            })
            .collect();
        if function == Math::Fma {
            let name = if vector {
                "f32_contract"
            } else {
                "uniform_contract"
            };
            return format!("s.{name}({})", list.join(", "));
        }
        let Some((family, name)) = math_name(function, ty) else {
            return list[0].clone();
        };
        let place = if vector {
            "s.".to_owned()
        } else {
            format!("{}::scalar::", self.lanes)
        };
        format!("{place}{family}_{name}({})", list.join(", "))
    }
}

/// Family and name of the lane operation; `None` for the identity.
fn math_name(function: Math, ty: Scalar) -> Option<(&'static str, &'static str)> {
    let (plain, signed) = (family(ty), signed_family(ty));
    Some(match function {
        Math::Abs | Math::Sign if ty == Scalar::U32 => return None,
        Math::Abs => (plain, "abs"),
        Math::Sign => (plain, "sign"),
        Math::Min => (signed, "min"),
        Math::Max => (signed, "max"),
        Math::Clamp => (signed, "clamp"),
        Math::Floor => (plain, "floor"),
        Math::Ceil => (plain, "ceil"),
        Math::Round => (plain, "round"),
        Math::Trunc => (plain, "trunc"),
        Math::Fract => (plain, "fract"),
        Math::Sqrt => (plain, "sqrt"),
        Math::InverseSqrt => (plain, "inverse_sqrt"),
        Math::Exp => (plain, "exp"),
        Math::Exp2 => (plain, "exp2"),
        Math::Log => (plain, "log"),
        Math::Log2 => (plain, "log2"),
        Math::Pow => (plain, "pow"),
        Math::Sin => (plain, "sin"),
        Math::Cos => (plain, "cos"),
        Math::Tan => (plain, "tan"),
        Math::Asin => (plain, "asin"),
        Math::Acos => (plain, "acos"),
        Math::Atan => (plain, "atan"),
        Math::Atan2 => (plain, "atan2"),
        Math::Sinh => (plain, "sinh"),
        Math::Cosh => (plain, "cosh"),
        Math::Tanh => (plain, "tanh"),
        Math::Fma => ("f32", "contract"),
        Math::CountOneBits => (plain, "count_one_bits"),
        Math::CountLeadingZeros => (plain, "count_leading_zeros"),
        Math::CountTrailingZeros => (plain, "count_trailing_zeros"),
        Math::ReverseBits => (plain, "reverse_bits"),
        Math::FirstLeadingBit => (signed, "first_leading_bit"),
        Math::FirstTrailingBit => (plain, "first_trailing_bit"),
        Math::ExtractBits => (signed, "extract_bits"),
        Math::InsertBits => (plain, "insert_bits"),
    })
}
