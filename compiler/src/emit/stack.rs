//! How much of a worker's stack does a kernel take? What its private arrays, its workgroup memory and what is kept between turns need.

use super::expression::Context;
use super::rows;
use crate::ir::{ArrayId, Kernel, Op};
use crate::variance::{Gangs, Shape};
use naga::Span;

/// Most bytes that a kernel may take; half the stack that a thread has by default.
pub(super) const BYTES_MAX: u64 = 1 << 20;

/// Bytes of private arrays up to which gangs are interleaved: more would not stay in the nearest caches.
const INTERLEAVED_MAX: u64 = 1 << 15;

/// Bytes of one vector register of the widest instruction set.
const REGISTER_BYTES: u64 = 64;

/// Gangs to run as one, at most `wanted`, so that private arrays stay small.
pub(super) fn interleave(kernel: &Kernel, vector_arrays: &[bool], wanted: usize) -> usize {
    let vectors = (0..kernel.arrays.len()).filter(|at| vector_arrays[*at]);
    let elements: u64 = vectors.map(|at| u64::from(kernel.arrays[at].len)).sum();
    let fits = |gangs: &usize| elements * REGISTER_BYTES * (*gangs as u64) <= INTERLEAVED_MAX;
    [4, 2]
        .into_iter()
        .filter(|gangs| *gangs <= wanted)
        .find(fits)
        .unwrap_or(1)
}

/// Bytes that the kernel takes with the widest instruction set.
pub(super) fn bytes(cx: Context<'_>) -> u64 {
    let register = REGISTER_BYTES * cx.plan.interleave as u64;
    let one = |vector: bool| if vector { register } else { 4 };
    let array = |id: ArrayId| {
        let len = u64::from(cx.kernel.arrays[id.0 as usize].len);
        len * one(cx.plan.array_is_vector(id))
    };
    let arrays = super::needed_arrays(cx);
    if cx.plan.gangs == Gangs::Strips {
        return arrays.iter().map(|id| array(*id)).sum();
    }
    let fission = rows::cut(cx);
    let own = arrays.iter().filter(|id| !fission.kept_arrays.contains(id));
    let once: u64 = own.map(|id| array(*id)).sum();
    let words = cx
        .kernel
        .workgroup_vars
        .iter()
        .map(|var| u64::from(var.words));
    let kept_arrays = fission.kept_arrays.iter().map(|id| array(*id));
    let kept_vars = fission
        .kept_vars
        .iter()
        .map(|id| one(cx.variance.var(*id) == Shape::Varying));
    let kept_values = fission
        .kept_values
        .iter()
        .map(|id| one(cx.plan.is_vector(*id)));
    let per_gang: u64 = kept_arrays.chain(kept_vars).chain(kept_values).sum();
    once + 4 * words.sum::<u64>() + per_gang * u64::from(rows::gangs(cx))
}

/// A place in the WGSL that uses private arrays.
pub(super) fn place(kernel: &Kernel) -> Span {
    let reads = kernel
        .values
        .iter()
        .find(|value| matches!(value.op, Op::ReadArray(..)));
    reads.map_or(Span::default(), |value| value.span)
}
