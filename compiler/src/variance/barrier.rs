//! Do all invocations of a workgroup arrive at every barrier together? WGSL demands it; whoever validates before us does not see it all.

use naga::Span;

use super::{Divergence, Shape, Variance};
use crate::ir::{Kernel, Label, Op, Stmt, ValueId};
use crate::tree::{Jump, Kind, Node, Tree};

/// A barrier that some invocations of a workgroup may not reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DivergentBarrier {
    /// The barrier, or the `workgroupUniformLoad`.
    pub barrier: Span,
    /// The branch, loop or early exit that keeps some invocations away.
    pub cause: Span,
    /// What kind of statement the cause is.
    pub because: Cause,
}

/// Why not all invocations reach a barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It stands under a condition that differs between invocations.
    Condition,
    /// It stands in a loop that invocations leave, or continue, at different times.
    Loop,
    /// Some invocations have left the function, or the statement around it, before.
    Exit,
    /// It loads one word for all, from a place that differs between invocations.
    Address,
}

impl DivergentBarrier {
    /// The sentence for people.
    pub fn message(&self) -> &'static str {
        match self.because {
            Cause::Condition => {
                "this barrier is in a branch whose condition differs between invocations of a workgroup"
            }
            Cause::Loop => {
                "this barrier is in a loop that invocations of a workgroup leave at different times"
            }
            Cause::Exit => {
                "this barrier comes after some invocations of the workgroup may have returned"
            }
            Cause::Address => {
                "workgroupUniformLoad reads from a place that differs between invocations of a workgroup"
            }
        }
    }

    /// What to write instead.
    pub fn advice(&self) -> &'static str {
        match self.because {
            Cause::Condition => {
                "all invocations of a workgroup must reach a barrier: move it out of the branch"
            }
            Cause::Loop => {
                "make the number of iterations the same for the whole workgroup and mask the work inside by a condition"
            }
            Cause::Exit => {
                "let all invocations reach the barrier: put the work under a condition instead of returning early"
            }
            Cause::Address => "give it a place that is the same for the whole workgroup",
        }
    }
}

/// The barriers of `tree` in control flow that is not uniform in the workgroup, in the order of the text; of several with the same
/// cause the first.
pub fn check_barriers(kernel: &Kernel, tree: &Tree, variance: &Variance) -> Vec<DivergentBarrier> {
    let mut check = Check {
        kernel,
        variance,
        causes: Vec::new(),
        exits: Vec::new(),
        found: Vec::new(),
    };
    check.list(&tree.body);
    check.found
}

struct Check<'a> {
    kernel: &'a Kernel,
    variance: &'a Variance,
    /// Divergent statements around.
    causes: Vec<(Span, Cause)>,
    /// Targets of divergent jumps passed so far, with the statement that holds the jump.
    exits: Vec<(Label, Span)>,
    found: Vec<DivergentBarrier>,
}

impl Check<'_> {
    fn list(&mut self, list: &[Node]) {
        for node in list {
            self.node(node);
        }
    }

    fn under(&mut self, cause: Option<(Span, Cause)>, lists: [&[Node]; 2]) {
        let depth = self.causes.len();
        self.causes.extend(cause);
        for list in lists {
            self.list(list);
        }
        self.causes.truncate(depth);
    }

    fn node(&mut self, node: &Node) {
        let spread = self.variance.spread(node.id);
        let children = node.children();
        match &node.kind {
            Kind::Leaf(Stmt::Barrier(span)) => self.barrier(*span),
            Kind::Leaf(Stmt::Let(id)) => self.uniform_load(*id),
            Kind::If { span, .. } => {
                let cause = (spread.exit > Divergence::None).then_some((*span, Cause::Condition));
                self.under(cause, children);
            }
            Kind::Loop { label, span, .. } => {
                let most = spread
                    .exit
                    .max(spread.next)
                    .max(self.variance.escape(node.id));
                self.under(
                    (most > Divergence::None).then_some((*span, Cause::Loop)),
                    children,
                );
                self.exits.retain(|(target, _)| target != label);
            }
            Kind::Block { label, .. } => {
                self.under(None, children);
                self.exits.retain(|(target, _)| target != label);
            }
            Kind::Jump(Jump::Break(label)) if spread.exit > Divergence::None => {
                let cause = self
                    .causes
                    .last()
                    .map_or(Span::default(), |(span, _)| *span);
                self.exits.push((*label, cause));
            }
            Kind::Leaf(_) | Kind::Jump(_) => {}
        }
    }

    fn barrier(&mut self, barrier: Span) {
        let exit = self.exits.first().map(|(_, span)| (*span, Cause::Exit));
        let Some((cause, because)) = self.causes.first().copied().or(exit) else {
            return;
        };
        let holds = |outer: Span| match (outer.to_range(), barrier.to_range()) {
            (Some(outer), Some(inner)) => outer.start <= inner.start && inner.end <= outer.end,
            _ => true,
        };
        // What follows a conditional return stands in a branch here, but not in the text.
        let because = match because {
            Cause::Condition if !holds(cause) => Cause::Exit,
            because => because,
        };
        self.report(DivergentBarrier {
            barrier,
            cause,
            because,
        });
    }

    fn uniform_load(&mut self, id: ValueId) {
        let value = self.kernel.value(id);
        if let Op::UniformLoad(address) = &value.op
            && address
                .terms
                .iter()
                .any(|term| self.variance.value(term.index) != Shape::Workgroup)
        {
            self.report(DivergentBarrier {
                barrier: value.span,
                cause: value.span,
                because: Cause::Address,
            });
        }
    }

    fn report(&mut self, found: DivergentBarrier) {
        let known = |earlier: &DivergentBarrier| {
            earlier.cause == found.cause && earlier.because == found.because
        };
        if !self.found.iter().any(known) {
            self.found.push(found);
        }
    }
}
