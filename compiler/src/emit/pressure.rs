//! How many gangs should run as one? As many as keep the machine's units busy while their vectors still fit its registers.

use std::collections::{HashMap, HashSet};

use super::plan::{Plan, emitted_operands};
use crate::ir::{Kernel, Math, Op, Stmt, ValueId, VarId};
use crate::tree::{Kind, Node, Tree};

/// Vector registers that the kernel's own values may fill; constants and temporaries take the rest of the 32 (AVX-512) or spill to
/// memory operands (AVX2).
const REGISTERS: usize = 28;

/// Rough cost of a builtin function, in simple operations.
pub(super) fn math_cost(function: Math) -> u32 {
    match function {
        Math::Abs
        | Math::Min
        | Math::Max
        | Math::Floor
        | Math::Ceil
        | Math::Round
        | Math::Trunc => 1,
        Math::Clamp | Math::Fract | Math::Sign | Math::Fma => 2,
        _ => 20,
    }
}

/// Gangs to run as one: 1 without loops, since the strips of a kernel are independent anyway.
pub(super) fn interleave(kernel: &Kernel, tree: &Tree, plan: &Plan) -> usize {
    let mut most = 0;
    for node in &tree.body {
        node.visit(&mut |node| {
            if matches!(node.kind, Kind::Loop { .. }) {
                most = most.max(vectors(kernel, plan, node));
            }
        });
    }
    match most {
        0 => 1,
        vectors if vectors * 4 <= REGISTERS => 4,
        vectors if vectors * 2 <= REGISTERS => 2,
        _ => 1,
    }
}

/// Most vectors alive at once in `node`, a loop.
fn vectors(kernel: &Kernel, plan: &Plan, node: &Node) -> usize {
    let mut defined = HashMap::new();
    let mut last_use = HashMap::new();
    let mut vars = HashSet::new();
    let mut at = 0usize;
    node.visit(&mut |inner| {
        at += 1;
        let mut uses = Vec::new();
        match &inner.kind {
            Kind::Leaf(Stmt::Let(id)) if plan.is_vector(*id) => {
                if let Op::ReadVar(var) = kernel.value(*id).op {
                    vars.insert(var);
                } else {
                    defined.insert(*id, at);
                    uses = emitted_operands(kernel, plan, *id);
                }
            }
            Kind::Leaf(Stmt::SetVar(var, value)) if plan.is_vector(*value) => {
                vars.insert(*var);
                uses.push(*value);
            }
            Kind::Leaf(Stmt::Store { value, .. }) => uses.push(*value),
            Kind::If { condition, .. } => uses.push(*condition),
            _ => {}
        }
        for id in uses.into_iter().filter(|id| plan.is_vector(*id)) {
            last_use.insert(id, at);
        }
    });
    alive(kernel, &defined, &last_use, &vars)
}

fn alive(
    kernel: &Kernel,
    defined: &HashMap<ValueId, usize>,
    last_use: &HashMap<ValueId, usize>,
    vars: &HashSet<VarId>,
) -> usize {
    let read = |id: &ValueId| matches!(kernel.value(*id).op, Op::ReadVar(_));
    let from_outside = last_use
        .keys()
        .filter(|id| !defined.contains_key(id) && !read(id))
        .count();
    let inside = defined
        .values()
        .map(|start| {
            let overlaps = |(id, from): &(&ValueId, &usize)| {
                *from <= start && last_use.get(id).is_some_and(|last| last > start)
            };
            defined.iter().filter(overlaps).count()
        })
        .max()
        .unwrap_or(0);
    from_outside + inside + vars.len()
}
