//! Which variables are still read later? Backward over the tree, to a fixpoint at loops.

use std::collections::HashMap;

use crate::ir::{ArrayId, Kernel, Label, Op, Stmt, VarId};
use crate::tree::{Jump, Kind, Node, NodeId, Tree};

/// A set of variables and private arrays of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    bits: Vec<u64>,
    vars: usize,
}

impl Live {
    fn new(kernel: &Kernel) -> Live {
        let vars = kernel.vars.len();
        Live {
            bits: vec![0; (vars + kernel.arrays.len()).div_ceil(64)],
            vars,
        }
    }

    /// Is the variable in the set?
    pub fn var(&self, var: VarId) -> bool {
        self.bit(var.0 as usize)
    }

    /// Is the private array in the set?
    pub fn array(&self, array: ArrayId) -> bool {
        self.bit(self.vars + array.0 as usize)
    }

    fn bit(&self, at: usize) -> bool {
        self.bits[at / 64] >> (at % 64) & 1 == 1
    }

    fn set(&mut self, at: usize, on: bool) {
        let bit = 1 << (at % 64);
        if on {
            self.bits[at / 64] |= bit;
        } else {
            self.bits[at / 64] &= !bit;
        }
    }

    fn or(&mut self, other: &Live) {
        for (a, b) in self.bits.iter_mut().zip(&other.bits) {
            *a |= b;
        }
    }
}

/// What is live where.
#[derive(Clone, Debug)]
pub struct Liveness {
    /// What is read before it is assigned, so that its initial zero matters.
    pub at_entry: Live,
    /// Live before and after each node, by number.
    before: Vec<Live>,
    after: Vec<Live>,
    /// Live at the start of an `If`'s rejecting arm or a `Loop`'s continuing part.
    second: HashMap<NodeId, Live>,
}

impl Liveness {
    /// Computes the liveness of `tree`, which was made of `kernel`.
    pub fn new(kernel: &Kernel, tree: &Tree) -> Liveness {
        let nothing = Live::new(kernel);
        let mut pass = Pass {
            kernel,
            tree,
            breaks: HashMap::new(),
            continues: HashMap::new(),
            result: Liveness {
                at_entry: nothing.clone(),
                before: vec![nothing.clone(); tree.nodes as usize],
                after: vec![nothing.clone(); tree.nodes as usize],
                second: HashMap::new(),
            },
        };
        pass.result.at_entry = pass.list(&tree.body, nothing);
        pass.result
    }

    /// What is live before the node.
    pub fn before(&self, id: NodeId) -> &Live {
        &self.before[id.0 as usize]
    }

    /// What is live after the node.
    pub fn after(&self, id: NodeId) -> &Live {
        &self.after[id.0 as usize]
    }

    /// What is live at the start of the rejecting arm or continuing part of the node, an `If` or `Loop`.
    pub fn second(&self, id: NodeId) -> &Live {
        &self.second[&id]
    }
}

struct Pass<'a> {
    kernel: &'a Kernel,
    tree: &'a Tree,
    breaks: HashMap<Label, Live>,
    continues: HashMap<Label, Live>,
    result: Liveness,
}

impl Pass<'_> {
    fn list(&mut self, list: &[Node], after: Live) -> Live {
        list.iter().rev().fold(after, |live, node| {
            self.result.after[node.id.0 as usize] = live.clone();
            let before = self.node(node, live);
            self.result.before[node.id.0 as usize] = before.clone();
            before
        })
    }

    /// What is live before `node`, if `live` is after it.
    fn node(&mut self, node: &Node, mut live: Live) -> Live {
        match &node.kind {
            Kind::Leaf(stmt) => {
                self.leaf(stmt, &mut live);
                live
            }
            Kind::If { accept, reject, .. } => {
                let mut before = self.list(accept, live.clone());
                let rejected = self.list(reject, live);
                before.or(&rejected);
                self.result.second.insert(node.id, rejected);
                before
            }
            Kind::Loop {
                label,
                body,
                continuing,
                break_if,
                ..
            } => {
                self.breaks.insert(*label, live.clone());
                let mut head = Live::new(self.kernel);
                loop {
                    let mut end = head.clone();
                    if break_if.is_some() {
                        end.or(&live);
                    }
                    let at_continuing = self.list(continuing, end);
                    self.continues.insert(*label, at_continuing.clone());
                    self.result.second.insert(node.id, at_continuing.clone());
                    let before = self.list(body, at_continuing);
                    if before == head {
                        return head;
                    }
                    head = before;
                }
            }
            Kind::Block { label, body } => {
                self.breaks.insert(*label, live.clone());
                self.list(body, live)
            }
            Kind::Jump(Jump::Break(label)) => self.breaks[label].clone(),
            Kind::Jump(Jump::Continue(label)) => self.continues[label].clone(),
        }
    }

    fn leaf(&self, stmt: &Stmt, live: &mut Live) {
        match stmt {
            Stmt::Let(id) if self.tree.needed.value(*id) => match self.kernel.value(*id).op {
                Op::ReadVar(var) => live.set(var.0 as usize, true),
                Op::ReadArray(array, _) => live.set(live.vars + array.0 as usize, true),
                _ => {}
            },
            Stmt::SetVar(var, _) => live.set(var.0 as usize, false),
            _ => {}
        }
    }
}
