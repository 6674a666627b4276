//! How do lanes part and meet again? Branches, blocks, loops and jumps.

use std::collections::HashSet;

use super::{Gang, Layer, Leave, Predicate, node_operands};
use crate::emit::expression::Context;
use crate::emit::names;
use crate::emit::plan::Form;
use crate::ir::{Label, Stmt, ValueId};
use crate::tree::{Jump, Kind, Node, NodeId};
use crate::variance::Divergence;

impl Gang<'_> {
    /// All lanes here jump together.
    pub(super) fn jump(&mut self, jump: Jump) {
        let number = jump.label().0;
        match jump {
            label if self.outer.contains(&label.label()) => self.text.line("break 'turn;"),
            Jump::Break(_) => self.text.line(format!("break 'l{number};")),
            Jump::Continue(_) => self.text.line(format!("break 'c{number};")),
        }
    }

    /// The active lanes leave all masks up to the target of `jump`, others stay.
    pub(super) fn leave_lanes(&mut self, jump: Jump) {
        let mut masks = Vec::new();
        for layer in self.layers.iter().rev() {
            match layer {
                Layer::Entry(mask) | Layer::Arm(mask) => masks.push(mask.clone()),
                Layer::Block(label, mask) => {
                    masks.push(mask.clone());
                    if *label == jump.label() {
                        break;
                    }
                }
                Layer::Loop(label, live, iteration) => {
                    masks.extend(iteration.clone());
                    if jump == Jump::Continue(*label) {
                        break;
                    }
                    masks.push(live.clone());
                    if *label == jump.label() {
                        break;
                    }
                }
            }
        }
        let gone = self.on.clone();
        for mask in masks.iter().filter(|mask| **mask != gone) {
            self.text
                .line(format!("{mask} = s.mask_and_not({mask}, {gone});"));
        }
        if masks.contains(&gone) {
            self.text.line(format!("{gone} = s.mask_splat(false);"));
        }
    }

    pub(super) fn uniform_branch(&mut self, condition: ValueId, accept: &[Node], reject: &[Node]) {
        let condition = self.cx.scalar(condition);
        if accept.is_empty() {
            self.open(format!("if !{condition}"));
        } else {
            self.open(format!("if {condition}"));
            self.nested(accept, Leave::Skip);
            if !reject.is_empty() {
                self.or_else();
            }
        }
        self.nested(reject, Leave::Skip);
        self.close();
    }

    pub(super) fn select_branch(
        &mut self,
        node: NodeId,
        condition: ValueId,
        accept: &[Node],
        reject: &[Node],
    ) {
        let condition = self.cx.vector(condition);
        let around = self.predicate.clone();
        let mut nodes = around
            .as_ref()
            .map_or(Vec::new(), |around| around.nodes.clone());
        nodes.push(node);
        for (arm, taken) in [(accept, true), (reject, false)] {
            let assigns = arm.iter().any(|node| {
                node.any(&mut |inner| matches!(inner.kind, Kind::Leaf(Stmt::SetVar(..))))
            });
            let mask = match (&around, taken) {
                _ if !assigns => condition.clone(),
                (None, true) => condition.clone(),
                (None, false) => self.bind("p", format!("s.mask_not({condition})")),
                (Some(outer), true) => {
                    self.bind("p", format!("s.mask_and({}, {condition})", outer.mask))
                }
                (Some(outer), false) => {
                    self.bind("p", format!("s.mask_and_not({}, {condition})", outer.mask))
                }
            };
            self.predicate = Some(Predicate {
                mask,
                nodes: nodes.clone(),
            });
            self.nested(arm, Leave::Skip);
        }
        self.predicate = around;
    }

    pub(super) fn mask_branch(
        &mut self,
        node: NodeId,
        condition: ValueId,
        accept: &[Node],
        reject: &[Node],
    ) {
        let condition = self.cx.vector(condition);
        for (arm, operation, suffix) in [(accept, "mask_and", "t"), (reject, "mask_and_not", "f")] {
            if arm.is_empty() {
                continue;
            }
            let (outside, mask) = (self.on.clone(), format!("m{}{suffix}", node.0));
            let only_jump = matches!(
                arm,
                [Node {
                    kind: Kind::Jump(_),
                    ..
                }]
            );
            let mutable = if !only_jump && arm.iter().any(|node| self.loses_lanes(node)) {
                "mut "
            } else {
                ""
            };
            self.text.line(format!(
                "let {mutable}{mask} = s.{operation}({outside}, {condition});"
            ));
            self.on = mask;
            if only_jump {
                self.nested(arm, Leave::Skip);
            } else {
                self.open(format!("if s.any({})", self.on));
                self.layers.push(Layer::Arm(self.on.clone()));
                self.nested(arm, Leave::Skip);
                self.layers.pop();
                self.close();
            }
            self.on = outside;
        }
    }

    pub(super) fn block(&mut self, node: &Node, label: Label, body: &[Node]) {
        let outside = self.on.clone();
        let divergent = self.diverges(node);
        if divergent {
            self.on = format!("m{}", node.id.0);
            self.text.line(format!("let mut {} = {outside};", self.on));
            self.layers.push(Layer::Block(label, self.on.clone()));
        }
        self.open(format!("'l{}:", label.0));
        self.nested(body, Leave::Skip);
        self.close();
        if divergent {
            self.layers.pop();
            self.on = outside;
        }
    }

    pub(super) fn repeat(
        &mut self,
        node: &Node,
        label: Label,
        (body, continuing): (&[Node], &[Node]),
        break_if: Option<ValueId>,
    ) {
        let outside = self.on.clone();
        let spread = self.cx.variance.spread(node.id);
        let (leaves, continues) = (
            spread.exit == Divergence::Gang,
            spread.next == Divergence::Gang,
        );
        let live = if leaves {
            format!("m{}", node.id.0)
        } else {
            outside.clone()
        };
        if leaves {
            self.text.line(format!("let mut {live} = {outside};"));
        }
        self.open(format!("'l{}: loop", label.0));
        self.loops += 1;
        let iteration = format!("m{}i", node.id.0);
        if continues {
            self.text.line(format!("let mut {iteration} = {live};"));
        }
        if leaves || continues {
            let iteration = continues.then(|| iteration.clone());
            // A loop that lanes only continue has no mask of its own: those that leave it for outside lose the outer ones.
            self.layers.push(if leaves {
                Layer::Loop(label, live.clone(), iteration)
            } else {
                continue_only(label, iteration)
            });
        }
        self.on = if continues { iteration } else { live.clone() };
        let empty_end = self.loop_body(label, body, continuing, break_if);
        self.on.clone_from(&live);
        if empty_end {
            self.text
                .line(format!("if !s.any({live}) {{ break 'l{}; }}", label.0));
        }
        if self.nested(continuing, Leave::Skip) {
            self.text
                .line(format!("if !s.any({live}) {{ break 'l{}; }}", label.0));
        }
        if let Some(condition) = break_if {
            self.break_if(label, condition, &live);
        }
        if leaves || continues {
            self.layers.pop();
        }
        self.on = outside;
        self.loops -= 1;
        self.close();
    }

    /// Prints the body; in a block of its own if all lanes may continue from within.
    fn loop_body(
        &mut self,
        label: Label,
        body: &[Node],
        continuing: &[Node],
        break_if: Option<ValueId>,
    ) -> bool {
        let jumps = |node: &Node| {
            matches!(node.kind, Kind::Jump(jump) if jump == Jump::Continue(label))
                && !self.diverges(node)
        };
        if !body.iter().any(|node| node.any(&mut |inner| jumps(inner))) {
            return self.nested(body, Leave::Loop(label));
        }
        for id in seen_later(self.cx, body, continuing, break_if) {
            self.text.line(format!("let {};", names::value(id)));
            self.deferred.insert(id);
        }
        self.open(format!("'c{}:", label.0));
        let empty_end = self.nested(body, Leave::Loop(label));
        self.close();
        empty_end
    }

    fn break_if(&mut self, label: Label, condition: ValueId, live: &str) {
        if self.cx.plan.is_vector(condition) {
            self.text.line(format!(
                "{live} = s.mask_and_not({live}, {});",
                self.cx.vector(condition)
            ));
            self.text
                .line(format!("if !s.any({live}) {{ break 'l{}; }}", label.0));
        } else {
            self.text.line(format!(
                "if {} {{ break 'l{}; }}",
                self.cx.scalar(condition),
                label.0
            ));
        }
    }
}

/// The layer of a loop that lanes continue at different times but leave together.
fn continue_only(label: Label, iteration: Option<String>) -> Layer {
    let iteration = iteration.unwrap_or_default();
    Layer::Loop(label, iteration.clone(), Some(iteration))
}

/// Values of the top level of `body` that the rest of the loop uses.
fn seen_later(
    cx: Context<'_>,
    body: &[Node],
    continuing: &[Node],
    break_if: Option<ValueId>,
) -> Vec<ValueId> {
    let mut used: HashSet<ValueId> = break_if.into_iter().collect();
    for node in continuing {
        node.visit(&mut |node| used.extend(node_operands(cx, node)));
    }
    let made = body.iter().filter_map(|node| match node.kind {
        Kind::Leaf(Stmt::Let(id)) => Some(id),
        _ => None,
    });
    made.filter(|id| {
        used.contains(id)
            && matches!(
                cx.plan.of(*id),
                Form::Scalar | Form::Linear(_) | Form::Vector
            )
    })
    .collect()
}
