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
            Stmt::Let(id) => {
                match kernel.value(*id).op {
                    Op::ReadVar(var) => _ = self.vars.number(var),
                    Op::ReadArray(array, _) => _ = self.arrays.number(array),
                    _ => {}
                }
                *id = self.value(*id);
            }
            Stmt::SetVar(var, value) => {
                *var = VarId(self.vars.number(*var));
                *value = self.value(*value);
            }
            Stmt::SetArray {
                array,
                index,
                value,
            } => {
                *array = ArrayId(self.arrays.number(*array));
                *index = self.value(*index);
                *value = self.value(*value);
            }
            Stmt::Store { address, value, .. } => {
                *address = address.map_operands(|id| self.value(id));
                *value = self.value(*value);
            }
            Stmt::Atomic {
                address,
                value,
                compare,
                result,
                exchanged,
                ..
            } => {
                *address = address.map_operands(|id| self.value(id));
                for id in [value, compare, result, exchanged].into_iter().flatten() {
                    *id = self.value(*id);
                }
            }
            Stmt::If {
                condition,
                accept,
                reject,
                ..
            } => {
                *condition = self.value(*condition);
                *accept = self.list(kernel, accept);
                *reject = self.list(kernel, reject);
            }
            Stmt::Loop {
                label,
                body,
                continuing,
                break_if,
                ..
            } => {
                *label = self.label(*label);
                *body = self.list(kernel, body);
                *continuing = self.list(kernel, continuing);
                *break_if = break_if.map(|id| self.value(id));
            }
            Stmt::Block { label, body } => {
                *label = self.label(*label);
                *body = self.list(kernel, body);
            }
            Stmt::Break(label) | Stmt::Continue(label) => *label = self.label(*label),
            Stmt::Barrier(_) => {}
        }
        stmt
    }
}
