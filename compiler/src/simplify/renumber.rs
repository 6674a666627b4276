//! Which values, variables, arrays and labels are left? They are numbered anew in order of appearance, the rest forgotten.

use std::collections::HashMap;
use std::hash::Hash;

use crate::ir::{ArrayId, Kernel, Label, Op, Stmt, ValueId, VarId};

/// A kernel that declares what it uses and nothing else.
pub(super) fn renumber(kernel: &Kernel) -> Kernel {
    let mut numbers = Numbers::default();
    let body = numbers.list(kernel, &kernel.body);
    let mut renumbered = Kernel {
        vars: numbers
            .vars
            .order
            .iter()
            .map(|id| kernel.vars[id.0 as usize].clone())
            .collect(),
        arrays: numbers
            .arrays
            .order
            .iter()
            .map(|id| kernel.arrays[id.0 as usize].clone())
            .collect(),
        values: numbers
            .values
            .order
            .iter()
            .map(|id| kernel.value(*id).clone())
            .collect(),
        body,
        ..kernel.clone()
    };
    for value in &mut renumbered.values {
        value.op = numbers.op(&value.op);
    }
    renumbered
}

/// New numbers, given out in the order in which they are asked for.
#[derive(Debug)]
struct Order<T> {
    order: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Order<T> {
    fn default() -> Order<T> {
        Order {
            order: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl<T: Copy + Eq + Hash> Order<T> {
    fn number(&mut self, id: T) -> u32 {
        let order = &mut self.order;
        *self.numbers.entry(id).or_insert_with(|| {
            order.push(id);
            order.len() as u32 - 1
        })
    }
}

#[derive(Debug, Default)]
struct Numbers {
    values: Order<ValueId>,
    vars: Order<VarId>,
    arrays: Order<ArrayId>,
    labels: Order<Label>,
}

impl Numbers {
    fn value(&mut self, id: ValueId) -> ValueId {
        ValueId(self.values.number(id))
    }

    fn label(&mut self, label: Label) -> Label {
        if label == Kernel::ROOT {
            label
        } else {
            Label(self.labels.number(label) + 1)
        }
    }

    fn op(&mut self, op: &Op) -> Op {
        match op.map_operands(|id| self.value(id)) {
            Op::ReadVar(var) => Op::ReadVar(VarId(self.vars.number(var))),
            Op::ReadArray(array, index) => Op::ReadArray(ArrayId(self.arrays.number(array)), index),
            other => other,
        }
    }

    fn list(&mut self, kernel: &Kernel, list: &[Stmt]) -> Vec<Stmt> {
        list.iter().map(|stmt| self.stmt(kernel, stmt)).collect()
    }

    fn stmt(&mut self, kernel: &Kernel, stmt: &Stmt) -> Stmt {
        let mut stmt = stmt.clone();
        match &mut stmt {
            Stmt::Let(id) => match kernel.value(*id).op {
                Op::ReadVar(var) => _ = self.vars.number(var),
                Op::ReadArray(array, _) => _ = self.arrays.number(array),
                _ => {}
            },
            Stmt::SetVar(var, _) => *var = VarId(self.vars.number(*var)),
            Stmt::SetArray { array, .. } => *array = ArrayId(self.arrays.number(*array)),
            _ => {}
        }
        if let Some(label) = stmt.label_mut() {
            *label = self.label(*label);
        }
        // In order of execution: a branch reads its condition before, a loop its own after what is inside.
        let is_loop = matches!(stmt, Stmt::Loop { .. });
        if !is_loop {
            stmt.replace_values(&mut |_, id| self.value(id));
        }
        for list in stmt.lists_mut() {
            *list = self.list(kernel, list);
        }
        if is_loop {
            stmt.replace_values(&mut |_, id| self.value(id));
        }
        stmt
    }
}
