//! Which values, assignments and statements does nobody read? One walk against the order of execution drops them.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::ir::{ArrayId, AtomicOp, Kernel, Label, Op, Stmt, ValueId, VarId};

/// Drops what has no effect on memory.
pub(super) fn drop_dead(kernel: &mut Kernel) {
    let body = std::mem::take(&mut kernel.body);
    let mut walk = Walk {
        read_arrays: read_arrays(kernel, &body),
        kernel,
        used: HashSet::new(),
        after_break: HashMap::new(),
        after_continue: HashMap::new(),
    };
    walk.after_break.insert(Kernel::ROOT, Live::new());
    let (body, _) = walk.list(&body, Live::new());
    kernel.body = body;
}

/// Variables whose content is read later.
type Live = BTreeSet<VarId>;

struct Walk<'a> {
    kernel: &'a Kernel,
    read_arrays: HashSet<ArrayId>,
    /// Values that a kept statement reads.
    used: HashSet<ValueId>,
    after_break: HashMap<Label, Live>,
    after_continue: HashMap<Label, Live>,
}

fn read_arrays(kernel: &Kernel, body: &[Stmt]) -> HashSet<ArrayId> {
    let mut read = HashSet::new();
    for stmt in body {
        stmt.walk(&mut |stmt| {
            if let Stmt::Let(id) = stmt
                && let Op::ReadArray(array, _) = kernel.value(*id).op
            {
                read.insert(array);
            }
        });
    }
    read
}

impl Walk<'_> {
    /// The statements of `list` that matter when `live` is read after it, and what is read at its beginning.
    fn list(&mut self, list: &[Stmt], mut live: Live) -> (Vec<Stmt>, Live) {
        let mut kept = Vec::new();
        for stmt in list.iter().rev() {
            kept.extend(self.stmt(stmt, &mut live));
        }
        kept.reverse();
        (kept, live)
    }

    /// The statement as far as it matters; `live` goes from what is read after it to what is read before.
    fn stmt(&mut self, stmt: &Stmt, live: &mut Live) -> Option<Stmt> {
        match stmt {
            Stmt::Let(id) => {
                if !self.used.contains(id) {
                    return None;
                }
                let op = &self.kernel.value(*id).op;
                if let Op::ReadVar(var) = op {
                    live.insert(*var);
                }
                self.used.extend(op.operands());
                Some(stmt.clone())
            }
            Stmt::SetVar(var, _) if !live.remove(var) => None,
            Stmt::SetArray { array, .. } if !self.read_arrays.contains(array) => None,
            Stmt::Atomic {
                op: AtomicOp::Load,
                result,
                ..
            } if !result.is_some_and(|id| self.used.contains(&id)) => None,
            Stmt::Atomic { .. } => Some(self.atomic(stmt)),
            Stmt::If { .. } => self.branch(stmt, live),
            Stmt::Loop { .. } => Some(self.repeat(stmt, live)),
            Stmt::Block { label, body } => {
                self.after_break.insert(*label, live.clone());
                let (body, before) = self.list(body, std::mem::take(live));
                *live = before;
                if body.is_empty() {
                    None
                } else {
                    Some(Stmt::Block {
                        label: *label,
                        body,
                    })
                }
            }
            Stmt::Break(label) => {
                live.clone_from(&self.after_break[label]);
                Some(stmt.clone())
            }
            Stmt::Continue(label) => {
                live.clone_from(&self.after_continue[label]);
                Some(stmt.clone())
            }
            Stmt::SetVar(..) | Stmt::SetArray { .. } | Stmt::Store { .. } | Stmt::Barrier(_) => {
                self.used.extend(stmt.operands());
                Some(stmt.clone())
            }
        }
    }

    fn atomic(&mut self, stmt: &Stmt) -> Stmt {
        self.used.extend(stmt.operands());
        let mut kept = stmt.clone();
        if let Stmt::Atomic {
            result, exchanged, ..
        } = &mut kept
        {
            result.take_if(|id| !self.used.contains(id));
            exchanged.take_if(|id| !self.used.contains(id));
        }
        kept
    }

    fn branch(&mut self, stmt: &Stmt, live: &mut Live) -> Option<Stmt> {
        let Stmt::If {
            condition,
            accept,
            reject,
            span,
        } = stmt
        else {
            return None;
        };
        let (accept, before_accept) = self.list(accept, live.clone());
        let (reject, before_reject) = self.list(reject, std::mem::take(live));
        *live = before_accept;
        live.extend(before_reject);
        if accept.is_empty() && reject.is_empty() {
            return None;
        }
        self.used.insert(*condition);
        Some(Stmt::If {
            condition: *condition,
            accept,
            reject,
            span: *span,
        })
    }

    fn repeat(&mut self, stmt: &Stmt, live: &mut Live) -> Stmt {
        let Stmt::Loop {
            label,
            body,
            continuing,
            break_if,
            span,
        } = stmt
        else {
            return stmt.clone();
        };
        let after = std::mem::take(live);
        self.after_break.insert(*label, after.clone());
        self.used.extend(break_if);
        let mut at_top = Live::new();
        loop {
            let mut at_end = at_top.clone();
            if break_if.is_some() {
                at_end.extend(&after);
            }
            let (new_continuing, before_continuing) = self.list(continuing, at_end);
            self.after_continue
                .insert(*label, before_continuing.clone());
            let (new_body, before_body) = self.list(body, before_continuing);
            if before_body.is_subset(&at_top) {
                *live = before_body;
                let (body, continuing) = (new_body, new_continuing);
                return Stmt::Loop {
                    label: *label,
                    body,
                    continuing,
                    break_if: *break_if,
                    span: *span,
                };
            }
            at_top.extend(before_body);
        }
    }
}
