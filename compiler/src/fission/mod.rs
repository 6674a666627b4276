//! What runs once for a workgroup, and what once for each gang of it? Fission of a kernel at its barriers.
//!
//! A workgroup runs on one thread. Between two barriers every gang of it takes its turn; control flow that holds a barrier is the same
//! for the whole workgroup and runs at workgroup level, around the turns. What a gang needs again in a later turn is kept per gang, unless
//! it is cheaper to compute it anew or one scalar serves the whole workgroup.

mod display;
mod homes;
mod split;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::ir::{ArrayId, Kernel, Label, ValueId, VarId};
use crate::tree::{Jump, Node, Tree};
use crate::variance::Variance;

/// Number of a [`Turn`], in the order of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TurnId(pub u32);

/// Something that happens at workgroup level.
#[derive(Clone, Debug)]
pub enum Step<'a> {
    /// A `Let` or `SetVar` whose value is one scalar for the workgroup.
    Once(&'a Node),
    /// Statements that every gang runs, gang after gang.
    Turn(Turn<'a>),
    /// All gangs have come here.
    Barrier,
    /// A branch that all take alike.
    If {
        /// The condition.
        condition: ValueId,
        /// Where true.
        accept: Vec<Step<'a>>,
        /// Where false.
        reject: Vec<Step<'a>>,
    },
    /// A loop that all take alike.
    Loop {
        /// Its label.
        label: Label,
        /// The body.
        body: Vec<Step<'a>>,
        /// What runs after the body.
        continuing: Vec<Step<'a>>,
        /// Leaves after `continuing`.
        break_if: Option<ValueId>,
    },
    /// A block that holds barriers.
    Block {
        /// Its label.
        label: Label,
        /// The statements.
        body: Vec<Step<'a>>,
    },
    /// A jump of the whole workgroup.
    Jump(Jump),
}

/// Statements between two barriers, for one gang at a time.
#[derive(Clone, Debug)]
pub struct Turn<'a> {
    /// Its number.
    pub id: TurnId,
    /// The statements.
    pub nodes: Vec<&'a Node>,
    /// Values of earlier turns that are computed anew at the start, in order.
    pub recompute: Vec<ValueId>,
    /// Values of earlier turns that were kept per gang.
    pub fetch: Vec<ValueId>,
    /// Values that this turn makes and that are kept per gang.
    pub keep: Vec<ValueId>,
    /// Variables that only this turn knows, zero at the start if that matters.
    pub own_vars: Vec<VarId>,
    /// Private arrays that only this turn knows.
    pub own_arrays: Vec<ArrayId>,
    /// Variables kept per gang: whether the old content is needed and whether the new one is.
    pub vars: BTreeMap<VarId, Transfer>,
}

/// What a turn does with a variable that is kept per gang.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Transfer {
    /// Fetched at the start.
    pub fetch: bool,
    /// Kept at the end.
    pub keep: bool,
}

/// A kernel cut at its barriers.
#[derive(Clone, Debug)]
pub struct Fission<'a> {
    /// What happens at workgroup level.
    pub steps: Vec<Step<'a>>,
    /// Variables that are one scalar for the workgroup.
    pub workgroup_vars: BTreeSet<VarId>,
    /// Values that are one scalar for the workgroup and are computed once.
    pub once: HashSet<ValueId>,
    /// Variables kept per gang.
    pub kept_vars: BTreeSet<VarId>,
    /// Private arrays kept per gang.
    pub kept_arrays: BTreeSet<ArrayId>,
    /// Values kept per gang.
    pub kept_values: BTreeSet<ValueId>,
    /// Labels of blocks and loops at workgroup level.
    pub labels: HashSet<Label>,
}

/// How values are computed, as far as fission must know.
#[derive(Clone, Copy)]
pub struct Values<'v> {
    /// Is the value at hand everywhere without being computed?
    pub at_hand: &'v dyn Fn(ValueId) -> bool,
    /// The values that it is computed from.
    pub operands: &'v dyn Fn(ValueId) -> Vec<ValueId>,
}

impl<'a> Fission<'a> {
    /// Cuts `tree`.
    pub fn new(
        kernel: &Kernel,
        tree: &'a Tree,
        variance: &Variance,
        values: Values<'_>,
    ) -> Fission<'a> {
        let split = split::Split::new(kernel, tree, variance, values);
        homes::settle(kernel, tree, variance, values, split)
    }
}

/// Calls `visit` for every turn below `steps`, in order.
pub(crate) fn visit_turns<'s, 'a>(
    steps: &'s mut [Step<'a>],
    visit: &mut impl FnMut(&'s mut Turn<'a>),
) {
    for step in steps {
        match step {
            Step::Turn(turn) => visit(turn),
            Step::If { accept, reject, .. } => {
                visit_turns(accept, visit);
                visit_turns(reject, visit);
            }
            Step::Loop {
                body, continuing, ..
            } => {
                visit_turns(body, visit);
                visit_turns(continuing, visit);
            }
            Step::Block { body, .. } => visit_turns(body, visit),
            Step::Once(_) | Step::Barrier | Step::Jump(_) => {}
        }
    }
}
