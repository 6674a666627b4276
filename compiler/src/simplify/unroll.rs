//! Which loops are better written out? Short ones with constant bounds that index private arrays: written out, the indices are
//! constants, and the arrays become variables, which live in registers.

use std::collections::HashMap;

use crate::ir::fold::fold_binary;
use crate::ir::visit::Mention;
use crate::ir::{Binary, Kernel, Label, Literal, Op, Stmt, ValueId, VarId};

/// Longest loop that is written out.
const TRIPS_MAX: u32 = 16;

/// Most statements that a loop may become.
const STATEMENTS_MAX: usize = 1024;

/// Writes out the innermost of these loops.
pub(super) fn unroll(kernel: &mut Kernel) {
    let body = std::mem::take(&mut kernel.body);
    let mut last_label = Kernel::ROOT.0;
    for stmt in &body {
        stmt.walk(&mut |stmt| {
            if let Stmt::Loop { label, .. } | Stmt::Block { label, .. } = stmt {
                last_label = last_label.max(label.0);
            }
        });
    }
    kernel.body = Unroller { kernel, last_label }.list(body);
}

struct Unroller<'a> {
    kernel: &'a mut Kernel,
    last_label: u32,
}

impl Unroller<'_> {
    fn list(&mut self, list: Vec<Stmt>) -> Vec<Stmt> {
        let mut unrolled: Vec<Stmt> = Vec::new();
        for stmt in list {
            match stmt {
                Stmt::Loop {
                    label,
                    body,
                    continuing,
                    break_if,
                    span,
                } => {
                    let (body, continuing) = (self.list(body), self.list(continuing));
                    let stmt = Stmt::Loop {
                        label,
                        body,
                        continuing,
                        break_if,
                        span,
                    };
                    match self.trips(&stmt, &unrolled) {
                        Some(trips) => self.write_out(&stmt, trips, &mut unrolled),
                        None => unrolled.push(stmt),
                    }
                }
                Stmt::If {
                    condition,
                    accept,
                    reject,
                    span,
                } => {
                    let (accept, reject) = (self.list(accept), self.list(reject));
                    unrolled.push(Stmt::If {
                        condition,
                        accept,
                        reject,
                        span,
                    });
                }
                Stmt::Block { label, body } => {
                    let body = self.list(body);
                    unrolled.push(Stmt::Block { label, body });
                }
                other => unrolled.push(other),
            }
        }
        unrolled
    }

    /// How often the body runs, if the loop should be written out; `before` are the statements before it.
    fn trips(&self, stmt: &Stmt, before: &[Stmt]) -> Option<u32> {
        let counter = self.counter(stmt)?;
        if !self.indexes_private_arrays(stmt) {
            return None;
        }
        let mut value = self.content_after(before, counter.var)?;
        for trips in 0..=TRIPS_MAX {
            let leaves = fold_binary(counter.leave, value, counter.bound)?;
            if leaves == Literal::Bool(true) {
                let fits = statement_count(stmt) * trips as usize <= STATEMENTS_MAX;
                return Some(trips).filter(|_| fits);
            }
            value = fold_binary(counter.advance, value, counter.step)?;
        }
        None
    }

    /// The counter of a loop that only its condition leaves, at the top.
    fn counter(&self, stmt: &Stmt) -> Option<Counter> {
        let Stmt::Loop {
            label,
            body,
            continuing,
            break_if: None,
            ..
        } = stmt
        else {
            return None;
        };
        let (condition, rest) = leading_break(body, *label)?;
        let Op::Binary(leave, read, bound) = self.kernel.value(condition).op else {
            return None;
        };
        let Op::ReadVar(var) = self.kernel.value(read).op else {
            return None;
        };
        let (mut sets, mut jumps) = (0, false);
        stmt.walk(&mut |stmt| {
            sets += usize::from(matches!(stmt, Stmt::SetVar(set, _) if *set == var));
        });
        for stmt in rest {
            stmt.walk(&mut |stmt| {
                jumps |= matches!(stmt, Stmt::Break(to) | Stmt::Continue(to) if to == label);
            });
        }
        let next = continuing.iter().find_map(|stmt| match stmt {
            Stmt::SetVar(set, value) if *set == var => Some(*value),
            _ => None,
        })?;
        let Op::Binary(advance @ (Binary::Add | Binary::Subtract), from, step) =
            self.kernel.value(next).op
        else {
            return None;
        };
        let steps = matches!(self.kernel.value(from).op, Op::ReadVar(read) if read == var);
        let (bound, step) = (self.literal(bound)?, self.literal(step)?);
        (steps && sets == 1 && !jumps).then_some(Counter {
            var,
            leave,
            bound,
            advance,
            step,
        })
    }

    fn literal(&self, id: ValueId) -> Option<Literal> {
        match self.kernel.value(id).op {
            Op::Const(literal) => Some(literal),
            _ => None,
        }
    }

    /// The constant that `var` holds after these statements, if the last assignment to it is one of them.
    fn content_after(&self, list: &[Stmt], var: VarId) -> Option<Literal> {
        for stmt in list.iter().rev() {
            if let Stmt::SetVar(set, value) = stmt
                && *set == var
            {
                return self.literal(*value);
            }
            let mut assigned = false;
            stmt.walk(&mut |stmt| assigned |= matches!(stmt, Stmt::SetVar(set, _) if *set == var));
            if assigned {
                return None;
            }
        }
        None
    }

    fn indexes_private_arrays(&self, stmt: &Stmt) -> bool {
        let mut found = false;
        stmt.walk(&mut |stmt| {
            let index = match stmt {
                Stmt::SetArray { index, .. } => *index,
                Stmt::Let(id) => match self.kernel.value(*id).op {
                    Op::ReadArray(_, index) => index,
                    _ => return,
                },
                _ => return,
            };
            found |= self.literal(index).is_none();
        });
        found
    }

    /// Writes the body and the continuing part down `trips` times, without the test.
    fn write_out(&mut self, stmt: &Stmt, trips: u32, unrolled: &mut Vec<Stmt>) {
        let Stmt::Loop {
            label,
            body,
            continuing,
            ..
        } = stmt
        else {
            return;
        };
        let Some((_, rest)) = leading_break(body, *label) else {
            return;
        };
        let before_test = &body[..body.len() - rest.len() - 1];
        for _ in 0..trips {
            let mut copy = Copy {
                unroller: self,
                values: HashMap::new(),
                labels: HashMap::new(),
            };
            for stmt in before_test.iter().chain(rest).chain(continuing) {
                let stmt = copy.stmt(stmt);
                unrolled.push(stmt);
            }
        }
    }
}

/// `var` counts; the loop ends when `var leave bound`, and goes on with `var advance step`.
struct Counter {
    var: VarId,
    leave: Binary,
    bound: Literal,
    advance: Binary,
    step: Literal,
}

/// The condition under which a loop is left at the top of its body, and the rest of the body.
fn leading_break(body: &[Stmt], label: Label) -> Option<(ValueId, &[Stmt])> {
    let at = body.iter().position(|stmt| !matches!(stmt, Stmt::Let(_)))?;
    match &body[at] {
        Stmt::If {
            condition,
            accept,
            reject,
            ..
        } if reject.is_empty() => match accept.as_slice() {
            [Stmt::Break(to)] if *to == label => Some((*condition, &body[at + 1..])),
            _ => None,
        },
        _ => None,
    }
}

fn statement_count(stmt: &Stmt) -> usize {
    let mut count = 0;
    stmt.walk(&mut |_| count += 1);
    count
}

/// A copy of statements with values and labels of its own.
struct Copy<'u, 'k> {
    unroller: &'u mut Unroller<'k>,
    values: HashMap<ValueId, ValueId>,
    labels: HashMap<Label, Label>,
}

impl Copy<'_, '_> {
    fn value(&self, id: ValueId) -> ValueId {
        self.values.get(&id).copied().unwrap_or(id)
    }

    fn make(&mut self, id: ValueId) -> ValueId {
        let mut value = self.unroller.kernel.value(id).clone();
        value.op = value.op.map_operands(|operand| self.value(operand));
        let values = &mut self.unroller.kernel.values;
        values.push(value);
        let copy = ValueId(values.len() as u32 - 1);
        self.values.insert(id, copy);
        copy
    }

    fn label(&mut self, label: Label) {
        self.unroller.last_label += 1;
        self.labels.insert(label, Label(self.unroller.last_label));
    }

    fn list(&mut self, list: &[Stmt]) -> Vec<Stmt> {
        list.iter().map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&mut self, stmt: &Stmt) -> Stmt {
        let mut copy = stmt.clone();
        if let Stmt::Loop { label, .. } | Stmt::Block { label, .. } = stmt {
            self.label(*label);
        }
        if let Some(label) = copy.label_mut() {
            *label = self.labels.get(label).copied().unwrap_or(*label);
        }
        for list in copy.lists_mut() {
            *list = self.list(list);
        }
        // After the lists: a loop's last condition reads values of its body.
        copy.replace_values(&mut |mention, id| match mention {
            Mention::Make => self.make(id),
            Mention::Use => self.value(id),
        });
        copy
    }
}
