//! Which jumps, blocks and branches does structure alone replace? A jump to where control goes anyway is dropped; `if c { …; leave }
//! rest` at the end of a block becomes `if c { … } else { rest }`; what follows a branch that always jumps leaves the `else`; a
//! block that nobody leaves early is no block.
//!
//! Early returns of the entry point (`if … { break root }`) stay: they are the guards that later passes look for.

use crate::ir::{Kernel, Label, Op, Scalar, Stmt, Unary, Value, ValueId};

/// Tidies all statements of a kernel.
pub(super) fn tidy(kernel: &mut Kernel) {
    let body = std::mem::take(&mut kernel.body);
    kernel.body = Tidier { kernel }.list(body, &[Jump::Break(Kernel::ROOT)]);
}

/// A jump that a list of statements may end in without changing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Jump {
    Break(Label),
    Continue(Label),
}

struct Tidier<'a> {
    kernel: &'a mut Kernel,
}

impl Tidier<'_> {
    /// Tidies a list after whose end control goes where each of `ends` would lead.
    fn list(&mut self, list: Vec<Stmt>, ends: &[Jump]) -> Vec<Stmt> {
        let mut tidy = Vec::new();
        let mut rest = list.into_iter();
        while let Some(stmt) = rest.next() {
            let stmt = nest_rest(stmt, &mut rest, ends);
            let is_last = rest.len() == 0;
            self.stmt(stmt, if is_last { ends } else { &[] }, &mut tidy);
            if tidy.last().is_some_and(never_falls_through) {
                break;
            }
        }
        while tidy
            .last()
            .and_then(jump_of)
            .is_some_and(|jump| ends.contains(&jump))
        {
            tidy.pop();
        }
        tidy
    }

    fn stmt(&mut self, stmt: Stmt, ends: &[Jump], tidy: &mut Vec<Stmt>) {
        match stmt {
            Stmt::If {
                condition,
                accept,
                reject,
                span,
            } => {
                let (accept, reject) = (self.list(accept, ends), self.list(reject, ends));
                self.branch(condition, accept, reject, span, tidy);
            }
            Stmt::Loop {
                label,
                body,
                continuing,
                break_if,
                span,
            } => {
                let body = self.list(body, &[Jump::Continue(label)]);
                let continuing = self.list(continuing, &[]);
                tidy.push(Stmt::Loop {
                    label,
                    body,
                    continuing,
                    break_if,
                    span,
                });
            }
            Stmt::Block { label, body } => {
                let inner_ends: Vec<_> = ends.iter().copied().chain([Jump::Break(label)]).collect();
                let body = self.list(body, &inner_ends);
                if body.iter().any(|stmt| breaks(stmt, label)) {
                    tidy.push(Stmt::Block { label, body });
                } else {
                    tidy.extend(body);
                }
            }
            other => tidy.push(other),
        }
    }

    /// Adds a branch; a side that always jumps stands alone, and the other side follows it.
    fn branch(
        &mut self,
        condition: ValueId,
        accept: Vec<Stmt>,
        reject: Vec<Stmt>,
        span: naga::Span,
        tidy: &mut Vec<Stmt>,
    ) {
        let jumps = |list: &[Stmt]| list.last().is_some_and(never_falls_through);
        if jumps(&accept) && !reject.is_empty() {
            tidy.push(Stmt::If {
                condition,
                accept,
                reject: Vec::new(),
                span,
            });
            tidy.extend(reject);
        } else if jumps(&reject) || (accept.is_empty() && !reject.is_empty()) {
            let condition = self.not(condition, tidy);
            tidy.push(Stmt::If {
                condition,
                accept: reject,
                reject: Vec::new(),
                span,
            });
            tidy.extend(accept);
        } else {
            tidy.push(Stmt::If {
                condition,
                accept,
                reject,
                span,
            });
        }
    }

    fn not(&mut self, condition: ValueId, tidy: &mut Vec<Stmt>) -> ValueId {
        let span = self.kernel.value(condition).span;
        self.kernel.values.push(Value {
            op: Op::Unary(Unary::LogicalNot, condition),
            ty: Scalar::Bool,
            span,
        });
        let id = ValueId(self.kernel.values.len() as u32 - 1);
        tidy.push(Stmt::Let(id));
        id
    }
}

/// Turns `if c { …; leave } rest` into `if c { … } else { rest }` where the end of the list leads to the same place, other than
/// the end of the kernel or of an iteration (whose continuing part sees the values of the list).
fn nest_rest(stmt: Stmt, rest: &mut std::vec::IntoIter<Stmt>, ends: &[Jump]) -> Stmt {
    let leaves = |list: &[Stmt]| {
        list.last().and_then(jump_of).is_some_and(|jump| {
            ends.contains(&jump) && matches!(jump, Jump::Break(label) if label != Kernel::ROOT)
        })
    };
    match stmt {
        Stmt::If {
            condition,
            mut accept,
            mut reject,
            span,
        } if rest.len() > 0 && (leaves(&accept) || leaves(&reject)) => {
            let open = if leaves(&accept) {
                &mut reject
            } else {
                &mut accept
            };
            if !open.last().is_some_and(never_falls_through) {
                open.extend(rest);
            }
            Stmt::If {
                condition,
                accept,
                reject,
                span,
            }
        }
        other => other,
    }
}

fn jump_of(stmt: &Stmt) -> Option<Jump> {
    match stmt {
        Stmt::Break(label) => Some(Jump::Break(*label)),
        Stmt::Continue(label) => Some(Jump::Continue(*label)),
        _ => None,
    }
}

/// Whether control never goes on to the next statement.
fn never_falls_through(stmt: &Stmt) -> bool {
    let jumps = |list: &[Stmt]| list.last().is_some_and(never_falls_through);
    match stmt {
        Stmt::If { accept, reject, .. } => jumps(accept) && jumps(reject),
        other => other.is_jump(),
    }
}

fn breaks(stmt: &Stmt, label: Label) -> bool {
    let mut found = false;
    stmt.walk(&mut |stmt| found |= matches!(stmt, Stmt::Break(target) if *target == label));
    found
}
