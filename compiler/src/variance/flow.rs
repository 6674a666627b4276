//! The fixpoint: forward over the tree until no shape and no divergence changes any more.

use std::collections::HashMap;

use super::liveness::{Live, Liveness};
use super::shape::{Divergence, Gangs, Known, Shape, transfer};
use super::{Spread, Variance};
use crate::ir::{Kernel, Label, Op, Stmt, ValueId};
use crate::tree::{Jump, Kind, Node, NodeId, Tree};

/// Computes shapes and divergence; barriers are not looked at.
pub(super) fn solve(kernel: &Kernel, tree: &Tree, gangs: Gangs) -> Variance {
    let live = Liveness::new(kernel, tree);
    let mut flow = Flow {
        kernel,
        gangs,
        live: &live,
        frames: Vec::new(),
        values: vec![None; kernel.values.len()],
        vars: Vec::new(),
        arrays: Vec::new(),
        spread: vec![Spread::default(); tree.nodes as usize],
        escapes: HashMap::new(),
        blended_by: HashMap::new(),
        changed: true,
    };
    let zero = |live: bool| live.then_some(Shape::Workgroup);
    flow.vars = (0..kernel.vars.len() as u32)
        .map(|v| zero(live.at_entry.var(crate::ir::VarId(v))))
        .collect();
    flow.arrays = vec![Some(Shape::Workgroup); kernel.arrays.len()];
    while flow.changed {
        flow.changed = false;
        flow.list(&tree.body);
    }
    let settle = |shapes: Vec<Option<Shape>>| {
        shapes
            .into_iter()
            .map(|shape| shape.unwrap_or(Shape::Workgroup))
            .collect()
    };
    Variance {
        gangs,
        values: settle(flow.values),
        vars: settle(flow.vars),
        arrays: settle(flow.arrays),
        spread: flow.spread,
        escapes: flow.escapes,
        blended_by: flow.blended_by,
        live,
    }
}

/// A statement around the current one.
#[derive(Clone, Copy)]
struct Frame {
    node: NodeId,
    part: Part,
}

#[derive(Clone, Copy, PartialEq)]
enum Part {
    Accept,
    Reject,
    Body(Label),
    Continuing(Label),
    Block(Label),
}

struct Flow<'a> {
    kernel: &'a Kernel,
    gangs: Gangs,
    live: &'a Liveness,
    frames: Vec<Frame>,
    values: Vec<Option<Shape>>,
    vars: Vec<Option<Shape>>,
    arrays: Vec<Option<Shape>>,
    spread: Vec<Spread>,
    escapes: HashMap<NodeId, Divergence>,
    blended_by: HashMap<NodeId, Vec<NodeId>>,
    changed: bool,
}

impl Known for Flow<'_> {
    fn value(&self, id: ValueId) -> Option<Shape> {
        self.values[id.0 as usize]
    }
    fn var(&self, index: u32) -> Option<Shape> {
        self.vars[index as usize]
    }
    fn array(&self, index: u32) -> Option<Shape> {
        self.arrays[index as usize]
    }
}

/// Raises `slot` to the join with `shape`; whether that changed it.
fn raise(slot: &mut Option<Shape>, shape: Option<Shape>) -> bool {
    let Some(shape) = shape else { return false };
    let joined = slot.map_or(shape, |old| old.join(shape));
    let changed = *slot != Some(joined);
    *slot = Some(joined);
    changed
}

impl Flow<'_> {
    fn list(&mut self, list: &[Node]) {
        for node in list {
            self.node(node);
        }
    }

    fn within(&mut self, node: NodeId, part: Part, list: &[Node]) {
        self.frames.push(Frame { node, part });
        self.list(list);
        self.frames.pop();
    }

    fn node(&mut self, node: &Node) {
        match &node.kind {
            Kind::Leaf(stmt) => self.leaf(node.id, stmt),
            Kind::If {
                condition,
                accept,
                reject,
                ..
            } => {
                if let Some(shape) = self.value(*condition) {
                    self.diverge(node.id, |spread| &mut spread.exit, shape.divergence());
                }
                self.within(node.id, Part::Accept, accept);
                self.within(node.id, Part::Reject, reject);
            }
            Kind::Loop {
                label,
                body,
                continuing,
                break_if,
                ..
            } => {
                self.within(node.id, Part::Body(*label), body);
                self.within(node.id, Part::Continuing(*label), continuing);
                if let Some(shape) = break_if.and_then(|condition| self.value(condition)) {
                    self.diverge(node.id, |spread| &mut spread.exit, shape.divergence());
                }
            }
            Kind::Block { label, body } => self.within(node.id, Part::Block(*label), body),
            Kind::Jump(jump) => self.jump(node.id, *jump),
        }
    }

    fn leaf(&mut self, node: NodeId, stmt: &Stmt) {
        match stmt {
            Stmt::Let(id) => {
                let value = self.kernel.value(*id);
                let shape = transfer(self.kernel, &value.op, value.ty, self.gangs, self);
                self.changed |= raise(&mut self.values[id.0 as usize], shape);
                self.indexed_by_lanes(&value.op);
            }
            Stmt::SetVar(var, value) => {
                let blend = self.waiting(node, |live| live.var(*var));
                self.spread[node.0 as usize].exit = blend;
                let shape = self.value(*value).map(|shape| blend.blend(shape));
                self.changed |= raise(&mut self.vars[var.0 as usize], shape);
            }
            Stmt::SetArray {
                array,
                index,
                value,
            } => {
                let blend = self.waiting(node, |live| live.array(*array));
                self.spread[node.0 as usize].exit = blend;
                let (Some(index), Some(value)) = (self.value(*index), self.value(*value)) else {
                    return;
                };
                let shape = index.divergence().blend(blend.blend(value));
                // A private array has no lane 0 to count from: elements are uniform or not.
                let shape = if shape.is_uniform() {
                    shape
                } else {
                    Shape::Varying
                };
                self.changed |= raise(&mut self.arrays[array.0 as usize], Some(shape));
            }
            Stmt::Atomic {
                result, exchanged, ..
            } => {
                for id in result.iter().chain(exchanged) {
                    self.changed |= raise(&mut self.values[id.0 as usize], Some(Shape::Varying));
                }
            }
            _ => {}
        }
    }

    /// A private array that lanes index differently has elements of its own in each lane.
    fn indexed_by_lanes(&mut self, op: &Op) {
        let Op::ReadArray(array, index) = op else {
            return;
        };
        let at = array.0 as usize;
        let by_lanes = self.value(*index).is_some_and(|shape| !shape.is_uniform());
        if by_lanes && self.kernel.arrays[at].contents.is_none() {
            self.changed |= raise(&mut self.arrays[at], Some(Shape::Varying));
        }
    }

    /// How divergent are the surroundings in which some other invocations wait, at a place where `needs` holds of what is live?
    fn waiting(&mut self, assignment: NodeId, needs: impl Fn(&Live) -> bool) -> Divergence {
        let mut most = Divergence::None;
        let mut blended_by = Vec::new();
        for frame in &self.frames {
            let spread = self.spread[frame.node.0 as usize];
            let resume = if frame.part == Part::Accept {
                self.live.second(frame.node)
            } else {
                self.live.after(frame.node)
            };
            let mut here = Divergence::None;
            if needs(resume) {
                here = spread.exit;
            }
            if matches!(frame.part, Part::Body(_)) && needs(self.live.second(frame.node)) {
                here = here.max(spread.next);
            }
            if here == Divergence::Gang {
                blended_by.push(frame.node);
            }
            most = most.max(here);
        }
        self.blended_by.insert(assignment, blended_by);
        most
    }

    fn diverge(
        &mut self,
        node: NodeId,
        which: fn(&mut Spread) -> &mut Divergence,
        divergence: Divergence,
    ) {
        let slot = which(&mut self.spread[node.0 as usize]);
        if divergence > *slot {
            *slot = divergence;
            self.changed = true;
        }
    }

    /// A jump is divergent if lanes that came to the target's statement together may be waiting elsewhere.
    fn jump(&mut self, node: NodeId, jump: Jump) {
        let mut most = Divergence::None;
        let mut inner = Vec::new();
        for frame in self.frames.iter().rev() {
            let spread = self.spread[frame.node.0 as usize];
            match frame.part {
                Part::Body(label) | Part::Continuing(label) | Part::Block(label)
                    if label == jump.label() =>
                {
                    match jump {
                        Jump::Break(_) => most = most.max(spread.next),
                        Jump::Continue(_) => {}
                    }
                    inner.push(frame.node);
                    break;
                }
                _ => most = most.max(spread.exit).max(spread.next),
            }
            inner.push(frame.node);
        }
        self.spread[node.0 as usize].exit = most;
        let target = inner.pop().expect("a jump stands inside its target");
        match jump {
            Jump::Break(_) => self.diverge(target, |spread| &mut spread.exit, most),
            Jump::Continue(_) => self.diverge(target, |spread| &mut spread.next, most),
        }
        for outer in inner {
            let escape = self.escapes.entry(outer).or_default();
            *escape = (*escape).max(most);
        }
    }
}
