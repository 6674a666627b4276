//! Which index can be shown to be in bounds without looking? Upper bounds of integer values.

use crate::ir::{Binary, Builtin, Kernel, Math, Op, Scalar, ValueId};
use crate::variance::constant_bits;

/// A number that `id`, read as `u32`, is always below, if one below 2^31 is known.
pub(super) fn below(kernel: &Kernel, id: ValueId) -> Option<u32> {
    let bound = below_wide(kernel, id, 8)?;
    u32::try_from(bound).ok().filter(|bound| *bound <= 1 << 31)
}

fn below_wide(kernel: &Kernel, id: ValueId, depth: u32) -> Option<u64> {
    if depth == 0 {
        return None;
    }
    let bound = |id| below_wide(kernel, id, depth - 1).filter(|bound| *bound <= 1 << 31);
    let value = kernel.value(id);
    if let Some(constant) = constant_bits(kernel, id) {
        return Some(u64::from(constant) + 1);
    }
    let size = kernel.workgroup_size.map(u64::from);
    match &value.op {
        Op::Builtin(Builtin::LocalId(axis)) => Some(size[usize::from(*axis)]),
        Op::Builtin(Builtin::LocalIndex) => Some(size.iter().product()),
        Op::Bitcast(a) | Op::Convert(a) if is_word(kernel.value(*a).ty) && is_word(value.ty) => {
            bound(*a)
        }
        Op::Convert(a) if kernel.value(*a).ty == Scalar::Bool => Some(2),
        Op::Select { accept, reject, .. } => Some(bound(*accept)?.max(bound(*reject)?)),
        Op::Math(Math::Min, arguments) if value.ty == Scalar::U32 => arguments
            .iter()
            .filter_map(|argument| bound(*argument))
            .min(),
        Op::Binary(op, a, b) => binary(kernel, *op, value.ty, (*a, bound(*a)), (*b, bound(*b))),
        _ => None,
    }
}

fn is_word(ty: Scalar) -> bool {
    matches!(ty, Scalar::I32 | Scalar::U32)
}

type Bounded = (ValueId, Option<u64>);

fn binary(
    kernel: &Kernel,
    op: Binary,
    ty: Scalar,
    (_, x): Bounded,
    (b, y): Bounded,
) -> Option<u64> {
    let constant = constant_bits(kernel, b).map(u64::from);
    match op {
        Binary::Add => Some(x? + y? - 1),
        Binary::Multiply => Some((x? - 1).checked_mul(y? - 1)? + 1),
        Binary::And if is_word(ty) => x.into_iter().chain(y).min(),
        Binary::Or | Binary::ExclusiveOr if is_word(ty) => Some(x?.max(y?).next_power_of_two()),
        Binary::Divide => match constant {
            Some(divisor) if divisor > 0 && (ty == Scalar::U32 || divisor < 1 << 31) => {
                Some((x? - 1) / divisor + 1)
            }
            _ => None,
        },
        Binary::Modulo if ty == Scalar::U32 => match constant {
            Some(divisor) if divisor > 0 => Some(divisor.min(x.unwrap_or(divisor))),
            _ => None,
        },
        Binary::ShiftRight => match (constant, x, ty) {
            (Some(count), Some(x), _) => Some(((x - 1) >> (count % 32)) + 1),
            (Some(count), None, Scalar::U32) => Some(1 << (32 - count % 32)),
            _ => None,
        },
        Binary::ShiftLeft => Some(((x? - 1) << (constant? % 32)) + 1),
        _ => None,
    }
}
