//! How does a value differ between the lanes of a gang? The lattice, and what each operation makes of its operands.

use std::fmt;

use crate::ir::{Address, Memory};
use crate::ir::{Binary, Builtin, Kernel, Literal, Op, Scalar, Space, Unary, ValueId};

/// How a value differs between invocations that run together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// The same for all active invocations of the workgroup.
    Workgroup,
    /// The same for all active lanes of the gang.
    Gang,
    /// In lane `l`: what lane 0 would hold, plus `l` times this (modulo 2^32). Integers only; never 0.
    Linear(u32),
    /// Anything.
    Varying,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Workgroup => f.pad("workgroup"),
            Shape::Gang => f.pad("gang"),
            Shape::Linear(stride) => f.pad(&format!("linear {}", stride.cast_signed())),
            Shape::Varying => f.pad("varying"),
        }
    }
}

impl Shape {
    /// Is it one scalar for the whole gang?
    pub fn is_uniform(self) -> bool {
        matches!(self, Shape::Workgroup | Shape::Gang)
    }

    /// The least shape that describes both.
    #[must_use]
    pub fn join(self, other: Shape) -> Shape {
        match (self, other) {
            (a, b) if a == b => a,
            (Shape::Workgroup | Shape::Gang, Shape::Workgroup | Shape::Gang) => Shape::Gang,
            _ => Shape::Varying,
        }
    }

    /// Distance between neighbouring lanes, where that is known.
    fn stride(self) -> Option<u32> {
        match self {
            Shape::Workgroup | Shape::Gang => Some(0),
            Shape::Linear(stride) => Some(stride),
            Shape::Varying => None,
        }
    }

    fn linear(stride: u32) -> Shape {
        if stride == 0 {
            Shape::Gang
        } else {
            Shape::Linear(stride)
        }
    }

    /// How much control flow that depends on a condition of this shape differs.
    pub fn divergence(self) -> Divergence {
        match self {
            Shape::Workgroup => Divergence::None,
            Shape::Gang => Divergence::Workgroup,
            Shape::Linear(_) | Shape::Varying => Divergence::Gang,
        }
    }
}

/// How far invocations that entered a statement together may be apart in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Divergence {
    /// All invocations of the workgroup take the same way.
    #[default]
    None,
    /// All lanes of a gang take the same way, but gangs of a workgroup differ.
    Workgroup,
    /// Lanes of a gang take different ways.
    Gang,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Divergence::None => "uniform",
            Divergence::Workgroup => "divergent in workgroup",
            Divergence::Gang => "divergent in gang",
        })
    }
}

impl Divergence {
    /// The shape of a variable that some invocations assigned and others did not.
    #[must_use]
    pub fn blend(self, shape: Shape) -> Shape {
        match self {
            Divergence::None => shape,
            Divergence::Workgroup => {
                if shape == Shape::Workgroup {
                    Shape::Gang
                } else {
                    shape
                }
            }
            Divergence::Gang => Shape::Varying,
        }
    }
}

/// Which invocations make up a gang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gangs {
    /// Consecutive invocations along x of the whole grid; the border of a workgroup may lie within. For kernels that cannot tell.
    Strips,
    /// Consecutive invocations of a row of one workgroup.
    Rows,
}

impl Gangs {
    /// How `builtin` differs within a gang.
    pub fn builtin(self, kernel: &Kernel, builtin: Builtin) -> Shape {
        let one = |axis: u8| kernel.workgroup_size[usize::from(axis)] == 1;
        match builtin {
            Builtin::NumWorkgroups(_) => Shape::Workgroup,
            Builtin::LocalId(axis) if one(axis) => Shape::Workgroup,
            Builtin::LocalIndex if one(0) && one(1) && one(2) => Shape::Workgroup,
            Builtin::LocalIndex if one(0) => Shape::Gang,
            Builtin::WorkgroupId(_) if self == Gangs::Rows => Shape::Workgroup,
            Builtin::GlobalId(axis) if self == Gangs::Rows && one(axis) => Shape::Workgroup,
            Builtin::GlobalId(0)
            | Builtin::LocalId(0)
            | Builtin::LocalIndex
            | Builtin::WorkgroupId(0) => Shape::Linear(1),
            Builtin::GlobalId(_) | Builtin::LocalId(_) | Builtin::WorkgroupId(_) => Shape::Gang,
        }
    }

    /// Can strips tell `builtin`? Not where an invocation is along x in its workgroup, unless that is one wide.
    pub fn strips_tell(kernel: &Kernel, builtin: Builtin) -> bool {
        match builtin {
            Builtin::LocalId(0) | Builtin::WorkgroupId(0) | Builtin::LocalIndex => {
                kernel.workgroup_size[0] == 1
            }
            _ => true,
        }
    }
}

/// The shape of `op`, given those of its operands, variables and arrays; `None` while an operand's is not known yet.
pub(super) fn transfer(
    kernel: &Kernel,
    op: &Op,
    ty: Scalar,
    gangs: Gangs,
    known: &dyn Known,
) -> Option<Shape> {
    Some(match op {
        Op::Const(_) | Op::ArrayLength { .. } | Op::UniformLoad(_) => Shape::Workgroup,
        Op::Builtin(builtin) => gangs.builtin(kernel, *builtin),
        Op::AtomicResult => Shape::Varying,
        Op::ReadVar(var) => known.var(var.0)?,
        Op::ReadArray(array, index) => read_array(known.array(array.0)?, known.value(*index)?),
        Op::Load(address) => load(kernel, address, known)?,
        Op::Unary(unary, a) => negated(*unary, known.value(*a)?),
        Op::Binary(binary, a, b) => binary_shape(
            kernel,
            *binary,
            ty,
            (*a, known.value(*a)?),
            (*b, known.value(*b)?),
        ),
        Op::Select {
            condition,
            accept,
            reject,
        } => {
            let (condition, accept, reject) = (
                known.value(*condition)?,
                known.value(*accept)?,
                known.value(*reject)?,
            );
            match condition {
                Shape::Workgroup => accept.join(reject),
                Shape::Gang => Divergence::Workgroup.blend(accept.join(reject)),
                _ => Shape::Varying,
            }
        }
        Op::Convert(a) | Op::Bitcast(a) => {
            let same_bits = is_integer(ty) && is_integer(kernel.value(*a).ty);
            keep_linear(known.value(*a)?, same_bits)
        }
        Op::Math(_, arguments) => all_uniform(arguments.iter().map(|a| known.value(*a)))?,
    })
}

/// What the fixpoint knows so far.
pub(super) trait Known {
    fn value(&self, id: ValueId) -> Option<Shape>;
    fn var(&self, index: u32) -> Option<Shape>;
    fn array(&self, index: u32) -> Option<Shape>;
}

pub(super) fn is_integer(ty: Scalar) -> bool {
    matches!(ty, Scalar::I32 | Scalar::U32)
}

fn keep_linear(shape: Shape, same_bits: bool) -> Shape {
    if same_bits || shape.is_uniform() {
        shape
    } else {
        Shape::Varying
    }
}

/// The join if all are uniform, else varying.
fn all_uniform(shapes: impl Iterator<Item = Option<Shape>>) -> Option<Shape> {
    let mut all = Shape::Workgroup;
    for shape in shapes {
        all = all.join(keep_linear(shape?, false));
    }
    Some(all)
}

fn read_array(array: Shape, index: Shape) -> Shape {
    match index {
        Shape::Workgroup => array,
        Shape::Gang => Divergence::Workgroup.blend(array),
        _ => Shape::Varying,
    }
}

fn load(kernel: &Kernel, address: &Address, known: &dyn Known) -> Option<Shape> {
    let index = all_uniform(address.terms.iter().map(|term| known.value(term.index)))?;
    let constant = match address.memory {
        Memory::Buffer(buffer) => {
            kernel.bindings[buffer.0 as usize].space != Space::StorageReadWrite
        }
        Memory::Workgroup(_) => false,
    };
    Some(if constant {
        index
    } else {
        index.join(if index.is_uniform() {
            Shape::Gang
        } else {
            index
        })
    })
}

fn negated(unary: Unary, a: Shape) -> Shape {
    match (unary, a) {
        (Unary::Negate | Unary::BitwiseNot, Shape::Linear(stride)) => {
            Shape::Linear(stride.wrapping_neg())
        }
        _ => a,
    }
}

/// The constant that `id` is, as bits.
pub fn constant_bits(kernel: &Kernel, id: ValueId) -> Option<u32> {
    match kernel.value(id).op {
        Op::Const(Literal::U32(value)) => Some(value),
        Op::Const(Literal::I32(value)) => Some(value.cast_unsigned()),
        Op::Const(Literal::F32(value)) => Some(value.to_bits()),
        Op::Const(Literal::Bool(value)) => Some(u32::from(value)),
        Op::Bitcast(a) => constant_bits(kernel, a),
        Op::Convert(a) if is_integer(kernel.value(id).ty) && is_integer(kernel.value(a).ty) => {
            constant_bits(kernel, a)
        }
        _ => None,
    }
}

fn binary_shape(
    kernel: &Kernel,
    op: Binary,
    ty: Scalar,
    (a, sa): (ValueId, Shape),
    (b, sb): (ValueId, Shape),
) -> Shape {
    if sa.is_uniform() && sb.is_uniform() {
        return sa.join(sb);
    }
    let (Some(x), Some(y), true) = (sa.stride(), sb.stride(), is_integer(ty)) else {
        return Shape::Varying;
    };
    match op {
        Binary::Add => Shape::linear(x.wrapping_add(y)),
        Binary::Subtract => Shape::linear(x.wrapping_sub(y)),
        Binary::Multiply => match (constant_bits(kernel, a), constant_bits(kernel, b)) {
            (Some(factor), _) => Shape::linear(y.wrapping_mul(factor)),
            (_, Some(factor)) => Shape::linear(x.wrapping_mul(factor)),
            _ => Shape::Varying,
        },
        Binary::ShiftLeft => match constant_bits(kernel, b) {
            Some(count) => Shape::linear(x.wrapping_shl(count)),
            None => Shape::Varying,
        },
        _ => Shape::Varying,
    }
}
