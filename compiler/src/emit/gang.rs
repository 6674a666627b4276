//! How does a gang run a list of statements? Masks, branches, loops and jumps.

mod control;

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
    /// Loops of the gang around the current statement.
    pub(super) loops: u32,
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
            loops: 0,
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

    /// `let` a new name be `right`.
    pub(super) fn bind(&mut self, prefix: &str, right: impl AsRef<str>) -> String {
        let name = self.fresh(prefix);
        self.text.line(format!("let {name} = {};", right.as_ref()));
        name
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
