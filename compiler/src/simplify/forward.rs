//! What is known when control arrives at a statement? One walk in order of execution rebuilds the kernel: operations are folded
//! and shared by the builder, reads of variables with known content become that content, branches with a known condition
//! disappear, and small branches become selections.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::if_conversion::is_small;
use crate::ir::build::Builder;
use crate::ir::visit::Mention;
use crate::ir::{Kernel, Label, Literal, Op, Stmt, ValueId, VarId};

/// Rebuilds a kernel.
pub(super) fn forward(kernel: &Kernel) -> Kernel {
    let mut last_label = Kernel::ROOT;
    for stmt in &kernel.body {
        stmt.walk(&mut |stmt| {
            if let Stmt::Loop { label, .. } | Stmt::Block { label, .. } = stmt {
                last_label = last_label.max(*label);
            }
        });
    }
    let mut walk = Walk {
        old: kernel,
        builder: Builder::new(kernel.clone(), last_label),
        map: HashMap::new(),
        known: Some(Known::new()),
        breaks: HashMap::new(),
        continues: HashMap::new(),
    };
    walk.list(&kernel.body);
    walk.builder.finish()
}

/// Variables whose content is a value.
type Known = BTreeMap<VarId, ValueId>;

struct Walk<'a> {
    old: &'a Kernel,
    builder: Builder,
    /// The new value for each old one.
    map: HashMap<ValueId, ValueId>,
    /// What is known here; none where control never arrives.
    known: Option<Known>,
    /// What is known at each `break` to a label, and at each `continue`.
    breaks: HashMap<Label, Vec<Known>>,
    continues: HashMap<Label, Vec<Known>>,
}

impl Walk<'_> {
    fn list(&mut self, list: &[Stmt]) {
        for stmt in list {
            if self.known.is_none() {
                return;
            }
            self.stmt(stmt);
        }
    }

    fn value(&self, old: ValueId) -> ValueId {
        self.map[&old]
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let(id) => self.define(*id),
            Stmt::SetVar(var, value) => {
                let value = self.value(*value);
                self.assign(*var, value);
            }
            Stmt::If {
                condition,
                accept,
                reject,
                ..
            } => match self.builder.literal(self.value(*condition)) {
                Some(Literal::Bool(true)) => self.list(accept),
                Some(_) => self.list(reject),
                None if is_small(self.old, accept, reject) => {
                    self.select(*condition, accept, reject);
                }
                None => self.branch(stmt),
            },
            Stmt::Loop { .. } => self.repeat(stmt),
            Stmt::Block { label, body } => {
                self.builder.begin();
                self.list(body);
                let body = self.builder.end();
                self.builder.push(Stmt::Block {
                    label: *label,
                    body,
                });
                self.arrive_after(*label);
            }
            Stmt::Break(label) => {
                let known = self.known.take().expect("control arrives here");
                self.breaks.entry(*label).or_default().push(known);
                self.builder.push(Stmt::Break(*label));
            }
            Stmt::Continue(label) => {
                let known = self.known.take().expect("control arrives here");
                self.continues.entry(*label).or_default().push(known);
                self.builder.push(Stmt::Continue(*label));
            }
            other => self.copy(other),
        }
    }

    /// Copies a statement without lists, with its values replaced.
    fn copy(&mut self, stmt: &Stmt) {
        let mut copy = stmt.clone();
        copy.replace_values(&mut |mention, id| {
            if mention == Mention::Make {
                let old = self.old.value(id);
                self.builder.at(old.span);
                let result = self.builder.fresh(Op::AtomicResult, old.ty);
                self.map.insert(id, result);
            }
            self.map[&id]
        });
        self.builder.push(copy);
    }

    fn define(&mut self, id: ValueId) {
        let old = self.old.value(id);
        let known = self.known.as_mut().expect("control arrives here");
        self.builder.at(old.span);
        let new = match &old.op {
            Op::ReadVar(var) => *known
                .entry(*var)
                .or_insert_with(|| self.builder.read_var(*var)),
            op => self
                .builder
                .value(op.map_operands(|operand| self.map[&operand]), old.ty),
        };
        self.map.insert(id, new);
    }

    fn assign(&mut self, var: VarId, value: ValueId) {
        self.known
            .as_mut()
            .expect("control arrives here")
            .insert(var, value);
        self.builder.push(Stmt::SetVar(var, value));
    }

    /// `if` as selections: both sides are computed, and each variable that either sets is set once.
    fn select(&mut self, condition: ValueId, accept: &[Stmt], reject: &[Stmt]) {
        let condition = self.value(condition);
        let before = self.known.clone().expect("control arrives here");
        let accept = self.speculate(accept, before.clone());
        let reject = self.speculate(reject, before);
        let vars: BTreeSet<VarId> = accept.1.iter().chain(&reject.1).copied().collect();
        let mut after = meet([accept.0.clone(), reject.0.clone()]);
        let mut assigned = Vec::new();
        for var in vars {
            let content = |known: &Known, builder: &mut Builder| {
                known
                    .get(&var)
                    .copied()
                    .unwrap_or_else(|| builder.read_var(var))
            };
            let (accepted, rejected) = (
                content(&accept.0, &mut self.builder),
                content(&reject.0, &mut self.builder),
            );
            assigned.push((var, self.builder.select(condition, accepted, rejected)));
        }
        for (var, value) in assigned {
            after.insert(var, value);
            self.builder.push(Stmt::SetVar(var, value));
        }
        self.known = Some(after);
    }

    /// Computes the values of a side without assigning its variables. Returns what would be known, and what it assigns.
    fn speculate(&mut self, side: &[Stmt], before: Known) -> (Known, Vec<VarId>) {
        self.known = Some(before);
        let mut assigned = Vec::new();
        for stmt in side {
            match stmt {
                Stmt::Let(id) => self.define(*id),
                Stmt::SetVar(var, value) => {
                    let value = self.value(*value);
                    self.known
                        .as_mut()
                        .expect("control arrives here")
                        .insert(*var, value);
                    assigned.push(*var);
                }
                other => unreachable!("{other:?} is no part of a small branch"),
            }
        }
        (
            self.known.take().expect("a small branch does not jump"),
            assigned,
        )
    }

    fn branch(&mut self, stmt: &Stmt) {
        let Stmt::If {
            condition,
            accept,
            reject,
            span,
        } = stmt
        else {
            return;
        };
        let condition = self.value(*condition);
        let before = self.known.clone();
        let mut sides = Vec::new();
        let mut arrivals = Vec::new();
        for side in [accept, reject] {
            self.known.clone_from(&before);
            self.builder.begin();
            self.list(side);
            sides.push(self.builder.end());
            arrivals.extend(self.known.take());
        }
        let (reject, accept) = (
            sides.pop().unwrap_or_default(),
            sides.pop().unwrap_or_default(),
        );
        self.builder.push(Stmt::If {
            condition,
            accept,
            reject,
            span: *span,
        });
        self.known = self.arrive(arrivals);
    }

    fn repeat(&mut self, stmt: &Stmt) {
        let Stmt::Loop {
            label,
            body,
            continuing,
            break_if,
            span,
        } = stmt
        else {
            return;
        };
        let assigned = assigned_in(stmt);
        let known = self.known.as_mut().expect("control arrives here");
        known.retain(|var, _| !assigned.contains(var));
        self.builder.begin();
        self.list(body);
        let new_body = self
            .builder
            .turn_to_continuing(self.continues.contains_key(label));
        let mut arrivals = self.continues.remove(label).unwrap_or_default();
        arrivals.extend(self.known.take());
        self.known = self.arrive(arrivals);
        self.list(continuing);
        let mut new_break_if = None;
        if let Some(known) = self.known.take() {
            new_break_if = break_if.map(|condition| self.value(condition));
            if new_break_if.is_some() {
                self.breaks.entry(*label).or_default().push(known);
            }
        }
        let new_continuing = self.builder.end();
        self.builder.push(Stmt::Loop {
            label: *label,
            body: new_body,
            continuing: new_continuing,
            break_if: new_break_if,
            span: *span,
        });
        self.arrive_after(*label);
    }

    /// What is known after the block or loop with this label.
    fn arrive_after(&mut self, label: Label) {
        let mut arrivals = self.breaks.remove(&label).unwrap_or_default();
        arrivals.extend(self.known.take());
        self.known = self.arrive(arrivals);
    }

    /// What holds on every one of the ways that lead here and can still be named; none if there is no way.
    fn arrive(&self, arrivals: Vec<Known>) -> Option<Known> {
        if arrivals.is_empty() {
            return None;
        }
        let mut known = meet(arrivals);
        known.retain(|_, value| self.builder.is_visible(*value));
        Some(known)
    }
}

/// What holds in all of `ways`.
fn meet(ways: impl IntoIterator<Item = Known>) -> Known {
    ways.into_iter()
        .reduce(|mut all, way| {
            all.retain(|var, value| way.get(var) == Some(value));
            all
        })
        .unwrap_or_default()
}

fn assigned_in(stmt: &Stmt) -> BTreeSet<VarId> {
    let mut assigned = BTreeSet::new();
    stmt.walk(&mut |stmt| {
        if let Stmt::SetVar(var, _) = stmt {
            assigned.insert(*var);
        }
    });
    assigned
}
