//! Which values are the same, which count upwards and which differ between the lanes of a gang, and where do lanes part?
//!
//! Invocations run in gangs: one lane each, in lockstep. A value that is [uniform](Shape::is_uniform) in a gang is one scalar, a
//! [linear](Shape::Linear) one a scalar and a known stride, so that consecutive elements are one vector in memory; only the rest needs
//! a vector. The analysis is a forward fixpoint over the [tree](crate::tree), flow-sensitive where it matters:
//!
//! - A variable assigned while some lanes wait elsewhere differs between lanes only if the waiting lanes still need the old content
//!   where they resume; loop counters therefore stay uniform in loops that lanes leave at different times.
//! - Control flow is uniform, or divergent between the gangs of a workgroup, or divergent between the lanes of a gang. A barrier must
//!   be in uniform control flow: [`check_barriers`].

mod barrier;
mod display;
mod flow;
mod liveness;
mod shape;

use std::collections::HashMap;

use crate::ir::{ArrayId, Kernel, ValueId, VarId};
use crate::tree::{NodeId, Tree};

pub use barrier::{DivergentBarrier, check_barriers};
pub use display::Annotated;
pub use liveness::{Live, Liveness};
pub use shape::{Divergence, Gangs, Shape, constant_bits};

/// Where lanes part at a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Spread {
    /// `If`: the condition. `Loop`, `Block`: those that leave it early. `Jump`: those that jump. `SetVar`, `SetArray`: those whose
    /// old content must stay because they resume elsewhere and read it.
    pub exit: Divergence,
    /// `Loop`: those that continue early.
    pub next: Divergence,
}

/// How values differ and control flow diverges in one kernel.
#[derive(Clone, Debug)]
pub struct Variance {
    /// Which invocations a gang is.
    pub gangs: Gangs,
    values: Vec<Shape>,
    vars: Vec<Shape>,
    arrays: Vec<Shape>,
    spread: Vec<Spread>,
    /// Blocks and loops that some lanes leave towards a statement further out.
    escapes: HashMap<NodeId, Divergence>,
    /// Per assignment that must keep old contents: the statements whose waiting lanes need them.
    blended_by: HashMap<NodeId, Vec<NodeId>>,
    /// Which variables are read later.
    pub live: Liveness,
}

impl Variance {
    /// Analyses `tree`, which was made of `kernel`, for gangs of this kind.
    pub fn new(kernel: &Kernel, tree: &Tree, gangs: Gangs) -> Variance {
        flow::solve(kernel, tree, gangs)
    }

    /// How the value differs.
    pub fn value(&self, id: ValueId) -> Shape {
        self.values[id.0 as usize]
    }

    /// How the content of the variable differs.
    pub fn var(&self, id: VarId) -> Shape {
        self.vars[id.0 as usize]
    }

    /// How an element of the private array at a uniform index differs.
    pub fn array(&self, id: ArrayId) -> Shape {
        self.arrays[id.0 as usize]
    }

    /// Where lanes part at the node.
    pub fn spread(&self, id: NodeId) -> Spread {
        self.spread[id.0 as usize]
    }

    /// The statements around an assignment in which lanes wait that still need the old content.
    pub fn blended_by(&self, id: NodeId) -> &[NodeId] {
        self.blended_by.get(&id).map_or(&[], Vec::as_slice)
    }

    /// How those that leave the block or loop for a statement further out than its end diverge.
    pub fn escape(&self, id: NodeId) -> Divergence {
        self.escapes.get(&id).copied().unwrap_or_default()
    }
}
