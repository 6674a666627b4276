//! How does a gang run a list of statements? Masks, branches, loops and jumps.

use std::collections::{HashMap, HashSet};

use super::expression::{Context, family, rust_type, splat, zero};
use super::names;
use super::plan::{Branch, Form};
use super::text::Text;
use crate::ir::{ArrayId, Label, Op, Stmt, ValueId, VarId};
use crate::tree::{Jump, Kind, Node, NodeId, operands};
use crate::variance::Divergence;

/// A mask around the current statement, and what its lanes are in.
#[derive(Clone, Debug)]
enum Layer {
    /// All lanes of the gang that exist.
    Entry(String),
    /// An arm of a branch.
    Arm(String),
    /// A block that lanes leave at different times.
    Block(Label, String),
    /// A loop: lanes in it and, where lanes continue at different times, lanes in this iteration.
    Loop(Label, String, Option<String>),
}

/// Statements run for all lanes whose assignments select.
#[derive(Clone, Debug)]
struct Predicate {
    mask: String,
    nodes: Vec<NodeId>,
}

/// Prints the statements of one gang.
pub(super) struct Gang<'a> {
    pub(super) cx: Context<'a>,
    pub(super) text: Text,
    layers: Vec<Layer>,
    /// Name of the mask of active lanes.
    pub(super) on: String,
    predicate: Option<Predicate>,
    /// Values declared before the statement that computes them.
    pub(super) deferred: HashSet<ValueId>,
    /// Bounds checks in scope: index and bound to name.
    pub(super) checks: Vec<HashMap<(ValueId, String), String>>,
    /// Where a private array that lives longer than the gang's turn is.
    pub(super) array_places: HashMap<ArrayId, String>,
    /// Blocks and loops around the statements of this gang: leaving one ends the gang's turn.
    pub(super) outer: HashSet<Label>,
    names_used: u32,
}

/// How a list is left when no lane remains.
#[derive(Clone, Copy, PartialEq)]
enum Leave {
    /// By skipping its rest.
    Skip,
    /// By leaving this loop, as long as nobody has continued.
    Loop(Label),
}

impl<'a> Gang<'a> {
    /// Prints from `text` on, with the lanes of the mask `entry`.
    pub(super) fn new(cx: Context<'a>, text: Text, entry: &str) -> Gang<'a> {
        Gang {
            cx,
            text,
            layers: vec![Layer::Entry(entry.to_owned())],
            on: entry.to_owned(),
            predicate: None,
            deferred: HashSet::new(),
            checks: vec![HashMap::new()],
            array_places: HashMap::new(),
            outer: HashSet::new(),
            names_used: 0,
        }
    }

    /// Prints all of `nodes`.
    pub(super) fn run(&mut self, nodes: &[&Node]) {
        self.list(nodes, Leave::Skip);
    }

    /// A name that nothing else has.
    pub(super) fn fresh(&mut self, prefix: &str) -> String {
        self.names_used += 1;
        format!("{prefix}{}", self.names_used)
    }

    fn open(&mut self, head: impl AsRef<str>) {
        self.text.open(head);
        self.checks.push(HashMap::new());
    }

    fn close(&mut self) {
        self.text.close();
        self.checks.pop();
    }

    fn or_else(&mut self) {
        self.text.or_else();
        self.checks.pop();
        self.checks.push(HashMap::new());
    }

    /// Prints a list; whether its end may be reached without lanes.
    fn list(&mut self, nodes: &[&Node], leave: Leave) -> bool {
        let (mut opened, mut continued, mut empty_end) = (0, false, false);
        for (at, node) in nodes.iter().enumerate() {
            self.node(node);
            if let Leave::Loop(label) = leave {
                continued |= self.continues(node, label);
            }
            if !self.loses_lanes(node) {
                continue;
            }
            match leave {
                Leave::Loop(label) if !continued => {
                    self.text
                        .line(format!("if !s.any({}) {{ break 'l{}; }}", self.on, label.0));
                }
                _ => {
                    empty_end = true;
                    if at + 1 < nodes.len() {
                        let head = format!("if s.any({})", self.on);
                        self.open(head);
                        opened += 1;
                    }
                }
            }
        }
        for _ in 0..opened {
            self.close();
        }
        empty_end
    }

    fn nested(&mut self, nodes: &[Node], leave: Leave) -> bool {
        let nodes: Vec<&Node> = nodes.iter().collect();
        self.list(&nodes, leave)
    }

    fn diverges(&self, node: &Node) -> bool {
        self.cx.variance.spread(node.id).exit == Divergence::Gang
    }

    /// Do lanes of the list around `node` leave it there while others go on?
    fn loses_lanes(&self, node: &Node) -> bool {
        let mut inside = HashSet::new();
        node.visit(&mut |inner| {
            if let Kind::Block { label, .. } | Kind::Loop { label, .. } = inner.kind {
                inside.insert(label);
            }
        });
        node.any(&mut |inner| match inner.kind {
            Kind::Jump(jump) => self.diverges(inner) && !inside.contains(&jump.label()),
            _ => false,
        })
    }

    /// Do lanes continue the loop `label` in `node` while others go on?
    fn continues(&self, node: &Node, label: Label) -> bool {
        node.any(&mut |inner| {
            matches!(inner.kind, Kind::Jump(jump) if jump == Jump::Continue(label))
                && self.diverges(inner)
        })
    }

    fn node(&mut self, node: &Node) {
        match &node.kind {
            Kind::Leaf(stmt) => self.leaf(node.id, stmt),
            Kind::If {
                condition,
                accept,
                reject,
                ..
            } => match self.cx.plan.branches[&node.id] {
                Branch::Uniform => self.uniform_branch(*condition, accept, reject),
                Branch::Select => self.select_branch(node.id, *condition, accept, reject),
                Branch::Mask => self.mask_branch(node.id, *condition, accept, reject),
            },
            Kind::Loop {
                label,
                body,
                continuing,
                break_if,
                ..
            } => self.repeat(node, *label, (body, continuing), *break_if),
            Kind::Block { label, body } => self.block(node, *label, body),
            Kind::Jump(jump) if self.diverges(node) => self.leave_lanes(*jump),
            Kind::Jump(jump) => self.jump(*jump),
        }
    }

    /// All lanes here jump together.
    fn jump(&mut self, jump: Jump) {
        let number = jump.label().0;
        match jump {
            label if self.outer.contains(&label.label()) => self.text.line("break 'turn;"),
            Jump::Break(_) => self.text.line(format!("break 'l{number};")),
            Jump::Continue(_) => self.text.line(format!("break 'c{number};")),
        }
    }

    /// The active lanes leave all masks up to the target of `jump`, others stay.
    fn leave_lanes(&mut self, jump: Jump) {
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

    fn uniform_branch(&mut self, condition: ValueId, accept: &[Node], reject: &[Node]) {
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

    fn select_branch(
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

    /// `let` a new name be `right`.
    pub(super) fn bind(&mut self, prefix: &str, right: impl AsRef<str>) -> String {
        let name = self.fresh(prefix);
        self.text.line(format!("let {name} = {};", right.as_ref()));
        name
    }

    fn mask_branch(&mut self, node: NodeId, condition: ValueId, accept: &[Node], reject: &[Node]) {
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

    fn block(&mut self, node: &Node, label: Label, body: &[Node]) {
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

    fn repeat(
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

    fn leaf(&mut self, node: NodeId, stmt: &Stmt) {
        match stmt {
            Stmt::Let(id) => self.compute(*id),
            Stmt::SetVar(var, value) => self.assign(node, *var, *value),
            Stmt::SetArray {
                array,
                index,
                value,
            } => self.assign_element(node, *array, *index, *value),
            Stmt::Store { address, value, .. } => self.store(address, *value),
            Stmt::Atomic { .. } => self.atomic(stmt),
            Stmt::Barrier(_) => unreachable!("barriers separate the turns of gangs"),
            _ => unreachable!("a leaf has no control flow"),
        }
    }

    /// Declares or assigns the value.
    pub(super) fn define(&mut self, id: ValueId, right: impl AsRef<str>) {
        let keyword = if self.deferred.contains(&id) {
            ""
        } else {
            "let "
        };
        self.text.line(format!(
            "{keyword}{} = {};",
            names::value(id),
            right.as_ref()
        ));
    }

    /// Prints the `Let` of `id`.
    pub(super) fn compute(&mut self, id: ValueId) {
        if matches!(
            self.cx.plan.of(id),
            Form::Absent | Form::Literal | Form::Hoisted(_)
        ) {
            return;
        }
        match &self.cx.kernel.value(id).op {
            Op::ReadVar(var) => {
                let var = names::var(self.cx.kernel, *var);
                self.define(id, var);
            }
            Op::ReadArray(array, index) => self.read_element(id, *array, *index),
            Op::Load(address) | Op::UniformLoad(address) => self.load(id, address),
            _ => {
                let right = self.cx.operation(id);
                self.define(id, right);
            }
        }
    }

    /// The mask under which an assignment must keep the old content elsewhere, if any lane elsewhere needs it.
    pub(super) fn blend_mask(&mut self, node: NodeId) -> Option<String> {
        if self.cx.variance.spread(node).exit < Divergence::Gang {
            return None;
        }
        let Some(predicate) = self.predicate.clone() else {
            return Some(self.on.clone());
        };
        let inside = self
            .cx
            .variance
            .blended_by(node)
            .iter()
            .all(|frame| predicate.nodes.contains(frame));
        if inside {
            return Some(predicate.mask);
        }
        let right = format!("s.mask_and({}, {})", self.on, predicate.mask);
        Some(self.bind("p", right))
    }

    fn assign(&mut self, node: NodeId, var: VarId, value: ValueId) {
        let name = names::var(self.cx.kernel, var);
        let shape = self.cx.variance.var(var);
        let vector = matches!(shape, crate::variance::Shape::Varying);
        let right = if vector {
            self.cx.vector(value)
        } else {
            self.cx.scalar(value)
        };
        match self.blend_mask(node) {
            Some(mask) => {
                let family = family(self.cx.ty(value));
                self.text.line(format!(
                    "{name} = s.{family}_select({mask}, {right}, {name});"
                ));
            }
            None => self.text.line(format!("{name} = {right};")),
        }
    }

    /// Declares the variables, zero at first.
    pub(super) fn declare_var(&mut self, var: VarId) {
        let ty = self.cx.kernel.vars[var.0 as usize].ty;
        let name = names::var(self.cx.kernel, var);
        if self.cx.variance.var(var) == crate::variance::Shape::Varying {
            self.text
                .line(format!("let mut {name} = {};", splat(ty, zero(ty))));
        } else {
            self.text
                .line(format!("let mut {name}: {} = {};", rust_type(ty), zero(ty)));
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

/// Values that the node itself reads.
pub(super) fn node_operands(cx: Context<'_>, node: &Node) -> Vec<ValueId> {
    let of_address = |address: &crate::ir::Address| {
        address
            .terms
            .iter()
            .map(|term| term.index)
            .collect::<Vec<_>>()
    };
    match &node.kind {
        Kind::Leaf(stmt) => match stmt {
            Stmt::Let(id) => match cx.plan.contractions.get(id) {
                Some(sum) => vec![sum.a, sum.b, sum.c],
                None => operands(&cx.kernel.value(*id).op),
            },
            Stmt::SetVar(_, value) => vec![*value],
            Stmt::SetArray { index, value, .. } => vec![*index, *value],
            Stmt::Store { address, value, .. } => [of_address(address), vec![*value]].concat(),
            Stmt::Atomic {
                address,
                value,
                compare,
                ..
            } => of_address(address)
                .into_iter()
                .chain(*value)
                .chain(*compare)
                .collect(),
            _ => Vec::new(),
        },
        Kind::If { condition, .. } => vec![*condition],
        Kind::Loop { break_if, .. } => break_if.iter().copied().collect(),
        Kind::Block { .. } | Kind::Jump(_) => Vec::new(),
    }
}
