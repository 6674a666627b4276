//! Where is a kernel cut? Statement lists at barriers, and at what runs once for the workgroup.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Step, Turn, TurnId, Values};
use crate::ir::{Kernel, Label, Memory, Op, Stmt, ValueId, VarId};
use crate::tree::{Kind, Node, NodeId, Tree};
use crate::variance::{Divergence, Shape, Variance};

/// A kernel cut into steps, before it is known what is kept between them.
pub(super) struct Split<'a> {
    pub(super) steps: Vec<Step<'a>>,
    pub(super) workgroup_vars: BTreeSet<VarId>,
    pub(super) once: HashSet<ValueId>,
    pub(super) labels: HashSet<Label>,
}

impl<'a> Split<'a> {
    pub(super) fn new(
        kernel: &Kernel,
        tree: &'a Tree,
        variance: &Variance,
        values: Values<'_>,
    ) -> Split<'a> {
        let (raised, labels) = raise(tree, variance);
        let mut cut = Cut {
            kernel,
            variance,
            values,
            raised,
            labels,
            workgroup_vars: candidates(kernel, tree, variance),
            once: HashSet::new(),
            turns: 0,
        };
        loop {
            cut.once.clear();
            cut.turns = 0;
            let steps = cut.list(&tree.body);
            let mut demoted = HashSet::new();
            for node in &tree.body {
                node.visit(&mut |node| cut.demote(node, &steps, &mut demoted));
            }
            if demoted.is_empty() {
                return Split {
                    steps,
                    workgroup_vars: cut.workgroup_vars,
                    once: cut.once,
                    labels: cut.labels,
                };
            }
            cut.workgroup_vars.retain(|var| !demoted.contains(var));
        }
    }
}

/// Variables whose content is the same for the whole workgroup.
fn candidates(kernel: &Kernel, tree: &Tree, variance: &Variance) -> BTreeSet<VarId> {
    let vars = (0..kernel.vars.len() as u32).map(VarId);
    vars.filter(|var| tree.needed.vars[var.0 as usize] && variance.var(*var) == Shape::Workgroup)
        .collect()
}

/// The compound statements that run at workgroup level: those with a barrier, and those from which the whole workgroup jumps out of
/// such a one. With the labels of the blocks and loops among them.
fn raise(tree: &Tree, variance: &Variance) -> (HashSet<NodeId>, HashSet<Label>) {
    let mut places: HashMap<Label, NodeId> = HashMap::new();
    let mut raised = HashSet::new();
    let each = |visit: &mut dyn FnMut(&Node)| {
        tree.body
            .iter()
            .for_each(|node| node.visit(&mut |node| visit(node)));
    };
    each(&mut |node| {
        if let Kind::Block { label, .. } | Kind::Loop { label, .. } = node.kind {
            places.insert(label, node.id);
        }
        let compound = !matches!(node.kind, Kind::Leaf(_) | Kind::Jump(_));
        if compound && node.any(&mut |inner| matches!(inner.kind, Kind::Leaf(Stmt::Barrier(_)))) {
            raised.insert(node.id);
        }
    });
    loop {
        let before = raised.len();
        each(&mut |node| {
            // The jump stands inside `node`, and its target around `node`.
            let leaves = |inner: &Node| match inner.kind {
                Kind::Jump(jump) => {
                    let target = places[&jump.label()];
                    target < node.id
                        && raised.contains(&target)
                        && variance.spread(inner.id).exit == Divergence::None
                }
                _ => false,
            };
            let compound = !matches!(node.kind, Kind::Leaf(_) | Kind::Jump(_));
            if compound && !raised.contains(&node.id) && node.any(&mut |inner| leaves(inner)) {
                raised.insert(node.id);
            }
        });
        if raised.len() == before {
            let labels = places
                .into_iter()
                .filter(|(_, node)| raised.contains(node))
                .map(|(label, _)| label)
                .collect();
            return (raised, labels);
        }
    }
}

struct Cut<'k> {
    kernel: &'k Kernel,
    variance: &'k Variance,
    values: Values<'k>,
    raised: HashSet<NodeId>,
    labels: HashSet<Label>,
    workgroup_vars: BTreeSet<VarId>,
    once: HashSet<ValueId>,
    turns: u32,
}

impl Cut<'_> {
    fn list<'a>(&mut self, list: &'a [Node]) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let mut pending: Vec<&'a Node> = Vec::new();
        for node in list {
            match &node.kind {
                Kind::Leaf(Stmt::Let(id)) if self.is_once(*id) => {
                    self.once.insert(*id);
                    steps.push(Step::Once(node));
                }
                Kind::Leaf(Stmt::SetVar(var, value))
                    if self.workgroup_vars.contains(var) && self.at_hand(*value) =>
                {
                    if pending.iter().any(|node| self.reads(node, *var)) {
                        self.flush(&mut pending, &mut steps);
                    }
                    steps.push(Step::Once(node));
                }
                Kind::Leaf(Stmt::Barrier(_)) => {
                    self.flush(&mut pending, &mut steps);
                    steps.push(Step::Barrier);
                }
                Kind::Jump(jump) if self.labels.contains(&jump.label()) && self.together(node) => {
                    self.flush(&mut pending, &mut steps);
                    steps.push(Step::Jump(*jump));
                }
                _ if self.raised.contains(&node.id) => {
                    self.flush(&mut pending, &mut steps);
                    steps.push(self.compound(node));
                }
                _ => pending.push(node),
            }
        }
        self.flush(&mut pending, &mut steps);
        steps
    }

    fn flush<'a>(&mut self, pending: &mut Vec<&'a Node>, steps: &mut Vec<Step<'a>>) {
        if pending.is_empty() {
            return;
        }
        steps.push(Step::Turn(Turn {
            id: TurnId(self.turns),
            nodes: std::mem::take(pending),
            recompute: Vec::new(),
            fetch: Vec::new(),
            keep: Vec::new(),
            own_vars: Vec::new(),
            own_arrays: Vec::new(),
            vars: std::collections::BTreeMap::new(),
        }));
        self.turns += 1;
    }

    fn compound<'a>(&mut self, node: &'a Node) -> Step<'a> {
        match &node.kind {
            Kind::If {
                condition,
                accept,
                reject,
                ..
            } => Step::If {
                condition: *condition,
                accept: self.list(accept),
                reject: self.list(reject),
            },
            Kind::Loop {
                label,
                body,
                continuing,
                break_if,
                ..
            } => Step::Loop {
                label: *label,
                body: self.list(body),
                continuing: self.list(continuing),
                break_if: *break_if,
            },
            Kind::Block { label, body } => Step::Block {
                label: *label,
                body: self.list(body),
            },
            Kind::Leaf(_) | Kind::Jump(_) => unreachable!("only compound statements are raised"),
        }
    }

    fn together(&self, node: &Node) -> bool {
        self.variance.spread(node.id).exit == Divergence::None
    }

    fn at_hand(&self, id: ValueId) -> bool {
        (self.values.at_hand)(id) || self.once.contains(&id)
    }

    /// Can the value be computed once for the workgroup, where it stands?
    fn is_once(&self, id: ValueId) -> bool {
        let op = &self.kernel.value(id).op;
        let here = match op {
            Op::ReadVar(var) => self.workgroup_vars.contains(var),
            Op::ReadArray(..) | Op::AtomicResult => false,
            Op::Load(address) => !matches!(address.memory, Memory::Workgroup(_)),
            _ => true,
        };
        here && self.variance.value(id) == Shape::Workgroup
            && (self.values.operands)(id)
                .iter()
                .all(|operand| self.at_hand(*operand))
    }

    fn reads(&self, node: &Node, var: VarId) -> bool {
        node.any(&mut |node| match node.kind {
            Kind::Leaf(Stmt::Let(id)) => self.kernel.value(id).op == Op::ReadVar(var),
            _ => false,
        })
    }

    /// Finds a variable that some turn assigns, so that it cannot be one scalar of the workgroup.
    fn demote(&self, node: &Node, steps: &[Step<'_>], demoted: &mut HashSet<VarId>) {
        if let Kind::Leaf(Stmt::SetVar(var, _)) = node.kind
            && self.workgroup_vars.contains(&var)
            && !is_step(steps, node.id)
        {
            demoted.insert(var);
        }
    }
}

/// Is the node among the steps that run once?
fn is_step(steps: &[Step<'_>], id: NodeId) -> bool {
    steps.iter().any(|step| match step {
        Step::Once(node) => node.id == id,
        Step::If { accept, reject, .. } => is_step(accept, id) || is_step(reject, id),
        Step::Loop {
            body, continuing, ..
        } => is_step(body, id) || is_step(continuing, id),
        Step::Block { body, .. } => is_step(body, id),
        Step::Turn(_) | Step::Barrier | Step::Jump(_) => false,
    })
}
