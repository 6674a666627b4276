//! Is a branch so small that computing both sides and selecting is cheaper than branching, on any lane or device?

use crate::ir::{Address, Binary, Kernel, Math, Memory, Op, Scalar, Space, Stmt, ValueId};

/// Costs are in simple vector instructions; a branch with a mask costs about as much as this.
const COST_MAX: u32 = 8;

/// Whether both sides of a branch only compute and assign, at little cost.
pub(super) fn is_small(kernel: &Kernel, accept: &[Stmt], reject: &[Stmt]) -> bool {
    let mut cost = 0;
    for stmt in accept.iter().chain(reject) {
        cost += match stmt {
            Stmt::Let(id) => match cost_of(kernel, *id) {
                Some(cost) => cost,
                None => return false,
            },
            Stmt::SetVar(..) => 1,
            _ => return false,
        };
    }
    cost <= COST_MAX
}

/// Cost of computing a value; none if it must not be computed where it is not needed: divisions of integers and transcendental
/// functions are dear, and loads would widen what a kernel is seen to read.
fn cost_of(kernel: &Kernel, id: ValueId) -> Option<u32> {
    let value = kernel.value(id);
    Some(match &value.op {
        Op::Const(_)
        | Op::Builtin(_)
        | Op::Bitcast(_)
        | Op::ReadVar(_)
        | Op::ArrayLength { .. } => 0,
        Op::Binary(Binary::Divide | Binary::Modulo, ..) if value.ty != Scalar::F32 => return None,
        Op::Binary(Binary::Divide | Binary::Modulo, ..) => 4,
        Op::Unary(..) | Op::Binary(..) | Op::Select { .. } | Op::Convert(_) => 1,
        Op::Math(function, _) => return math_cost(*function),
        Op::Load(Address {
            memory: Memory::Buffer(buffer),
            terms,
            ..
        }) => {
            let uniform = kernel.bindings[buffer.0 as usize].space == Space::Uniform;
            return (uniform && terms.is_empty()).then_some(0);
        }
        Op::Load(_) | Op::UniformLoad(_) | Op::ReadArray(..) | Op::AtomicResult => return None,
    })
}

fn math_cost(function: Math) -> Option<u32> {
    match function {
        Math::Abs
        | Math::Min
        | Math::Max
        | Math::Floor
        | Math::Ceil
        | Math::Round
        | Math::Trunc
        | Math::Fma => Some(1),
        Math::Clamp | Math::Sign | Math::Fract => Some(2),
        Math::Sqrt | Math::InverseSqrt => Some(4),
        _ => None,
    }
}
