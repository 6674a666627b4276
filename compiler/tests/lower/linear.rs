//! What does a kernel read like without nesting? Steps with a number each and jumps between them.

use std::collections::HashMap;

use impel_compiler::ir::{Kernel, Label, Stmt, ValueId};

/// A statement without lists, or a jump.
#[derive(Clone, Debug)]
pub(crate) enum Step<'a> {
    /// Neither a branch nor a jump.
    Plain(&'a Stmt),
    /// Goes on at a step.
    Jump(usize),
    /// Goes on at a step if the condition is not as given, else with the next.
    JumpUnless(ValueId, bool, usize),
}

/// The steps of a kernel; it ends after the last.
pub(crate) fn steps(kernel: &Kernel) -> Vec<Step<'_>> {
    let mut linear = Linear::default();
    linear.labelled(Kernel::ROOT, |linear| linear.list(&kernel.body));
    linear.steps
}

#[derive(Default)]
struct Linear<'a> {
    steps: Vec<Step<'a>>,
    /// Jumps out of each open label, whose target is not known yet.
    breaks: HashMap<Label, Vec<usize>>,
    continues: HashMap<Label, Vec<usize>>,
}

impl<'a> Linear<'a> {
    fn labelled(&mut self, label: Label, inside: impl FnOnce(&mut Self)) {
        self.breaks.insert(label, Vec::new());
        inside(self);
        let pending = self.breaks.remove(&label).unwrap();
        self.land(pending);
    }

    /// Makes the jumps at `pending` lead here.
    fn land(&mut self, pending: Vec<usize>) {
        let here = self.steps.len();
        for at in pending {
            match &mut self.steps[at] {
                Step::Jump(target) | Step::JumpUnless(_, _, target) => *target = here,
                Step::Plain(_) => unreachable!("only jumps are pending"),
            }
        }
    }

    fn push(&mut self, step: Step<'a>) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn list(&mut self, list: &'a [Stmt]) {
        for stmt in list {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::If {
                condition,
                accept,
                reject,
                ..
            } => {
                let skip = self.push(Step::JumpUnless(*condition, true, 0));
                self.list(accept);
                let end = self.push(Step::Jump(0));
                self.land(vec![skip]);
                self.list(reject);
                self.land(vec![end]);
            }
            Stmt::Loop {
                label,
                body,
                continuing,
                break_if,
                ..
            } => self.labelled(*label, |linear| {
                let top = linear.steps.len();
                linear.continues.insert(*label, Vec::new());
                linear.list(body);
                let pending = linear.continues.remove(label).unwrap();
                linear.land(pending);
                linear.list(continuing);
                if let Some(condition) = break_if {
                    let leave = linear.push(Step::JumpUnless(*condition, false, 0));
                    linear.breaks.get_mut(label).unwrap().push(leave);
                }
                linear.push(Step::Jump(top));
            }),
            Stmt::Block { label, body } => self.labelled(*label, |linear| linear.list(body)),
            Stmt::Break(label) => {
                let jump = self.push(Step::Jump(0));
                self.breaks.get_mut(label).unwrap().push(jump);
            }
            Stmt::Continue(label) => {
                let jump = self.push(Step::Jump(0));
                self.continues.get_mut(label).unwrap().push(jump);
            }
            plain => _ = self.push(Step::Plain(plain)),
        }
    }
}
