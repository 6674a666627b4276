//! What is known at each statement, and which accesses stand there? One walk over the structured body, forward.
//!
//! A guard holds from where it is established to the end of the scope that its jump leaves; where paths meet, what is known of
//! a variable is what all of them agree on. In a loop, variables that grow by the same amount each time are affine in the
//! loop's counter; what else a loop assigns is unknown at its start.

use std::collections::BTreeSet;

use super::Analysis;
use super::affine::{Affine, Range, Variable};
use super::form::{Condition, Form};
use super::guard::{Exit, Guard};
use super::pattern::Action;
use super::poly::Poly;
use crate::ir::{AtomicOp, Binary, Label, Op, Scalar, Stmt, ValueId, VarId};

/// A scope that can be left early, or an arm of a branch.
#[derive(Debug)]
pub(super) struct Scope {
    /// Target of breaks; none for an arm or a loop's body.
    label: Option<Label>,
    /// Target of continues; set for a loop's body.
    continues: Option<Label>,
    /// What was known of the variables at each jump to its end.
    exits: Vec<Vec<Form>>,
}

/// Whether a list of statements can run through to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Through,
    Never,
}

impl Analysis<'_> {
    pub(super) fn walk(&mut self, statements: &[Stmt]) -> Flow {
        for statement in statements {
            if self.statement(statement) == Flow::Never {
                return Flow::Never;
            }
        }
        Flow::Through
    }

    fn statement(&mut self, statement: &Stmt) -> Flow {
        match statement {
            Stmt::Let(value) => self.define(*value),
            Stmt::SetVar(variable, value) => {
                self.variables[variable.0 as usize] = self.form(*value);
            }
            Stmt::SetArray { .. } | Stmt::Barrier(_) => {}
            Stmt::Store { address, span, .. } => {
                self.access(address, Action::Write, *span);
            }
            Stmt::Atomic { .. } => self.atomic(statement),
            Stmt::If {
                condition,
                accept,
                reject,
                ..
            } => return self.branch(*condition, accept, reject, None),
            Stmt::Loop {
                label,
                body,
                continuing,
                break_if,
                ..
            } => {
                return self.repeat(*label, (body.as_slice(), continuing.as_slice()), *break_if);
            }
            Stmt::Block { label, body } => return self.block(*label, body),
            Stmt::Break(label) => {
                self.jump(|scope| scope.label == Some(*label));
                return Flow::Never;
            }
            Stmt::Continue(label) => {
                self.jump(|scope| scope.continues == Some(*label));
                return Flow::Never;
            }
        }
        Flow::Through
    }

    fn define(&mut self, value: ValueId) {
        let form = self.evaluate(value);
        self.forms[value.0 as usize] = Some(form);
        let kernel = self.kernel;
        let made = kernel.value(value);
        if let Op::Load(address) = &made.op {
            self.access(address, Action::Read, made.span);
        }
    }

    fn atomic(&mut self, statement: &Stmt) {
        let Stmt::Atomic {
            address,
            op,
            ty,
            result,
            exchanged,
            span,
            ..
        } = statement
        else {
            return;
        };
        for value in [result, exchanged].into_iter().flatten() {
            let form = self.evaluate(*value);
            self.forms[value.0 as usize] = Some(form);
        }
        let action = match op {
            AtomicOp::Load => Action::Read,
            AtomicOp::Store => Action::Write,
            op => Action::Update {
                op: *op,
                signed: *ty == Scalar::I32,
                used: result.is_some() || exchanged.is_some(),
            },
        };
        self.access(address, action, *span);
    }

    /// Notes what is known of the variables where control leaves for the end of a scope.
    fn jump(&mut self, is_target: impl Fn(&Scope) -> bool) {
        let variables = self.variables.clone();
        if let Some(scope) = self.scopes.iter_mut().rev().find(|scope| is_target(scope)) {
            scope.exits.push(variables);
        }
    }

    fn enter(&mut self, label: Option<Label>, continues: Option<Label>) {
        self.scopes.push(Scope {
            label,
            continues,
            exits: Vec::new(),
        });
    }

    /// Number of open scopes; a guard with this `until` ends with the innermost.
    fn depth(&self) -> u32 {
        self.scopes.len() as u32
    }

    /// Ends the innermost scope, in which the guards from `first_guard` on were found. Those that go on to hold beyond it do so as
    /// they are in a block, where every path to its end has passed them; after an arm or a loop they are only known to be there.
    fn leave(&mut self, first_guard: usize, keeps: bool) -> Vec<Vec<Form>> {
        let depth = self.depth();
        let inner = self.guards.split_off(first_guard);
        let outer = inner.into_iter().filter(|guard| guard.until < depth);
        if keeps {
            self.guards.extend(outer);
        } else if let Some(until) = outer.map(|guard| guard.until).min() {
            self.guards.push(unknown_guard(until));
        }
        self.scopes.pop().map_or_else(Vec::new, |scope| scope.exits)
    }

    pub(super) fn block(&mut self, label: Label, body: &[Stmt]) -> Flow {
        let first_guard = self.guards.len();
        self.enter(Some(label), None);
        let flow = self.walk(body);
        let mut exits = self.leave(first_guard, true);
        if flow == Flow::Through {
            exits.push(self.variables.clone());
        }
        self.meet(exits)
    }

    /// Continues where several paths meet.
    fn meet(&mut self, exits: Vec<Vec<Form>>) -> Flow {
        let mut exits = exits.into_iter();
        let Some(mut known) = exits.next() else {
            return Flow::Never;
        };
        for other in exits {
            for (form, other) in known.iter_mut().zip(&other) {
                *form = self.either(&Condition::Unknown, form, other);
            }
        }
        self.variables = known;
        Flow::Through
    }

    fn branch(
        &mut self,
        condition: ValueId,
        accept: &[Stmt],
        reject: &[Stmt],
        exit: Option<Exit>,
    ) -> Flow {
        let condition = self.form(condition).condition();
        let before = self.variables.clone();
        let first = self.accesses.len();
        let accepted = self.arm(&condition, true, accept);
        let after_accept = std::mem::replace(&mut self.variables, before);
        let middle = self.accesses.len();
        let rejected = self.arm(&condition, false, reject);
        self.join_writes(first, middle);
        match (accepted, rejected) {
            (Flow::Through, Flow::Through) => {
                let after_reject = std::mem::take(&mut self.variables);
                self.variables = after_accept
                    .iter()
                    .zip(&after_reject)
                    .map(|(accept, reject)| self.either(&condition, accept, reject))
                    .collect();
                Flow::Through
            }
            (Flow::Through, Flow::Never) => {
                self.variables = after_accept;
                self.hold(&condition, true, reject, exit);
                Flow::Through
            }
            (Flow::Never, Flow::Through) => {
                self.hold(&condition, false, accept, exit);
                Flow::Through
            }
            (Flow::Never, Flow::Never) => Flow::Never,
        }
    }

    fn arm(&mut self, condition: &Condition, truth: bool, statements: &[Stmt]) -> Flow {
        let first_guard = self.guards.len();
        self.enter(None, None);
        let until = self.depth();
        let guard = self.guard(condition, truth, None, until);
        self.guards.push(guard);
        let flow = self.walk(statements);
        self.leave(first_guard, false);
        flow
    }

    /// Where the other arm has left for somewhere else, the condition holds up to where that is.
    fn hold(&mut self, condition: &Condition, truth: bool, left: &[Stmt], exit: Option<Exit>) {
        let mut targets = BTreeSet::new();
        self.targets(left, &mut targets);
        let (Some(outermost), Some(innermost)) = (targets.first(), targets.last()) else {
            return;
        };
        let guard = self.guard(condition, truth, exit, *innermost);
        self.guards.push(guard);
        if outermost < innermost {
            self.guards.push(unknown_guard(*outermost));
        }
    }

    /// Depths of the open scopes that jumps in `statements` leave for.
    fn targets(&self, statements: &[Stmt], found: &mut BTreeSet<u32>) {
        for statement in statements {
            let position = match statement {
                Stmt::Break(label) => self
                    .scopes
                    .iter()
                    .position(|scope| scope.label == Some(*label)),
                Stmt::Continue(label) => self
                    .scopes
                    .iter()
                    .position(|scope| scope.continues == Some(*label)),
                _ => None,
            };
            found.extend(position.map(|position| position as u32 + 1));
            for list in nested(statement) {
                self.targets(list, found);
            }
        }
    }

    fn repeat(
        &mut self,
        label: Label,
        (body, continuing): (&[Stmt], &[Stmt]),
        break_if: Option<ValueId>,
    ) -> Flow {
        let mut assigned = BTreeSet::new();
        for list in [body, continuing] {
            assigned_in(list, &mut assigned);
        }
        let counter = self.range_variable(Range::Counter { label, last: None });
        let first_guard = self.guards.len();
        self.start_loop(&assigned, counter, (body, continuing), label);
        self.enter(Some(label), None);
        let loop_depth = self.depth();
        self.enter(None, Some(label));
        let header = header(label, body);
        if header == 0
            || break_if.is_some()
            || !self.ends_only_in_header(&body[header..], continuing)
        {
            self.guards.push(unknown_guard(loop_depth));
        }
        let exit = Exit {
            counter,
            late: false,
            at_end: false,
        };
        let flow = self.loop_body(body, label, exit);
        let continued = self.leave(first_guard, true);
        if flow == Flow::Never || !continued.is_empty() {
            let mut set = BTreeSet::new();
            assigned_in(body, &mut set);
            self.forget(&set);
        }
        if (flow == Flow::Through || !continued.is_empty())
            && self.walk(continuing) == Flow::Through
            && let Some(condition) = break_if
        {
            let condition = self.form(condition).condition();
            let exit = Exit {
                late: true,
                at_end: true,
                ..exit
            };
            self.guard(&condition, false, Some(exit), loop_depth);
        }
        self.leave(first_guard, false);
        self.forget(&assigned);
        Flow::Through
    }

    fn loop_body(&mut self, body: &[Stmt], label: Label, exit: Exit) -> Flow {
        let first_access = self.accesses.len();
        for (index, statement) in body.iter().enumerate() {
            let flow = match statement {
                Stmt::If {
                    condition,
                    accept,
                    reject,
                    ..
                } if leaves_only(label, accept, reject) && !continues_to(&body[..index], label) => {
                    let exit = Exit {
                        late: self.accesses.len() > first_access,
                        ..exit
                    };
                    self.branch(*condition, accept, reject, Some(exit))
                }
                other => self.statement(other),
            };
            if flow == Flow::Never {
                return Flow::Never;
            }
        }
        Flow::Through
    }

    /// Whether no jump leaves the present loop from `rest` of its body or from `continuing`.
    fn ends_only_in_header(&self, rest: &[Stmt], continuing: &[Stmt]) -> bool {
        let mut targets = BTreeSet::new();
        self.targets(rest, &mut targets);
        self.targets(continuing, &mut targets);
        targets.iter().all(|target| *target == self.depth())
    }

    /// What is known of the variables at the start of any iteration.
    fn start_loop(
        &mut self,
        assigned: &BTreeSet<VarId>,
        counter: Variable,
        lists: (&[Stmt], &[Stmt]),
        label: Label,
    ) {
        let steps: Vec<(VarId, Option<Poly>)> = assigned
            .iter()
            .map(|variable| (*variable, self.step(*variable, lists, label)))
            .collect();
        for (variable, step) in &steps {
            let slot = variable.0 as usize;
            let counted = match (&self.variables[slot], step) {
                (Form::Integer(first), Some(step)) => Affine::from(counter)
                    .scaled(step)
                    .and_then(|steps| first.plus(&steps)),
                _ => None,
            };
            self.variables[slot] =
                counted.map_or_else(|| self.changed_by_loop(*variable), Form::Integer);
        }
    }

    fn forget(&mut self, variables: &BTreeSet<VarId>) {
        for variable in variables {
            self.variables[variable.0 as usize] = self.changed_by_loop(*variable);
        }
    }

    fn changed_by_loop(&self, variable: VarId) -> Form {
        let name = &self.kernel.vars[variable.0 as usize].name;
        Form::unknown(format!("`{name}`, which a loop changes"))
    }

    /// By how much `variable` grows in every iteration, if by the same each time: its one assignment stands where each
    /// iteration passes it once.
    fn step(
        &mut self,
        variable: VarId,
        (body, continuing): (&[Stmt], &[Stmt]),
        label: Label,
    ) -> Option<Poly> {
        let in_body = assignments(body, variable);
        if in_body + assignments(continuing, variable) != 1 {
            return None;
        }
        let list = if in_body == 1 { body } else { continuing };
        let (at, value) = list
            .iter()
            .enumerate()
            .find_map(|(at, statement)| match statement {
                Stmt::SetVar(set, value) if *set == variable => Some((at, *value)),
                _ => None,
            })?;
        if continues_to(&list[..at], label) {
            return None;
        }
        let kernel = self.kernel;
        let reads = |id: ValueId| {
            kernel.value(id).op == Op::ReadVar(variable)
                && (makes(body, id) || makes(continuing, id))
        };
        let (step, negative) = match &kernel.value(value).op {
            Op::Binary(Binary::Add, a, b) if reads(*a) => (*b, false),
            Op::Binary(Binary::Add, a, b) if reads(*b) => (*a, false),
            Op::Binary(Binary::Subtract, a, b) if reads(*a) => (*b, true),
            _ => return None,
        };
        let step = self.invariant(step, 0)?;
        if negative { step.negated() } else { Some(step) }
    }

    /// The value of a launch-uniform expression that need not have been reached yet.
    fn invariant(&mut self, value: ValueId, depth: u32) -> Option<Poly> {
        const DEPTH_MAX: u32 = 8;
        if self.forms[value.0 as usize].is_none() {
            let kernel = self.kernel;
            let operands: Vec<ValueId> = match &kernel.value(value).op {
                Op::Const(_) | Op::Builtin(_) | Op::ArrayLength { .. } => vec![],
                Op::Unary(_, a) | Op::Convert(a) | Op::Bitcast(a) => vec![*a],
                Op::Binary(_, a, b) => vec![*a, *b],
                Op::Load(address) => address.terms.iter().map(|term| term.index).collect(),
                _ => return None,
            };
            for operand in operands {
                if depth == DEPTH_MAX {
                    return None;
                }
                self.invariant(operand, depth + 1)?;
            }
            let form = self.evaluate(value);
            self.forms[value.0 as usize] = Some(form);
        }
        self.form(value).integer().ok()?.uniform().cloned()
    }
}

/// A guard of which nothing is known but that it is there.
fn unknown_guard(until: u32) -> Guard {
    Guard {
        constraints: Vec::new(),
        complete: false,
        until,
    }
}

/// The statement lists inside a statement.
pub(super) fn nested(statement: &Stmt) -> [&[Stmt]; 2] {
    match statement {
        Stmt::If { accept, reject, .. } => [accept, reject],
        Stmt::Loop {
            body, continuing, ..
        } => [body, continuing],
        Stmt::Block { body, .. } => [body, &[]],
        _ => [&[], &[]],
    }
}

fn assigned_in(statements: &[Stmt], found: &mut BTreeSet<VarId>) {
    for statement in statements {
        if let Stmt::SetVar(variable, _) = statement {
            found.insert(*variable);
        }
        for list in nested(statement) {
            assigned_in(list, found);
        }
    }
}

fn assignments(statements: &[Stmt], variable: VarId) -> usize {
    let count = |statement: &Stmt| {
        let here = matches!(statement, Stmt::SetVar(set, _) if *set == variable);
        let inside: usize = nested(statement)
            .iter()
            .map(|list| assignments(list, variable))
            .sum();
        usize::from(here) + inside
    };
    statements.iter().map(count).sum()
}

/// Number of statements up to and including the first branch, if nothing but leaving the loop happens there; else 0.
fn header(label: Label, body: &[Stmt]) -> usize {
    let first = body
        .iter()
        .position(|statement| !matches!(statement, Stmt::Let(_)));
    match first.map(|first| (first, &body[first])) {
        Some((first, Stmt::If { accept, reject, .. })) if leaves_only(label, accept, reject) => {
            first + 1
        }
        _ => 0,
    }
}

/// Whether a branch does nothing but leave the loop, in one of its arms.
fn leaves_only(label: Label, accept: &[Stmt], reject: &[Stmt]) -> bool {
    let leaves = |list: &[Stmt]| matches!(list, [Stmt::Break(target)] if *target == label);
    (leaves(accept) && reject.is_empty()) || (accept.is_empty() && leaves(reject))
}

/// Whether `value` is made in these statements.
fn makes(statements: &[Stmt], value: ValueId) -> bool {
    statements.iter().any(|statement| {
        matches!(statement, Stmt::Let(made) if *made == value)
            || nested(statement).iter().any(|list| makes(list, value))
    })
}

fn continues_to(statements: &[Stmt], label: Label) -> bool {
    statements.iter().any(|statement| {
        matches!(statement, Stmt::Continue(target) if *target == label)
            || nested(statement)
                .iter()
                .any(|list| continues_to(list, label))
    })
}

/// What is known of a variable before its first assignment: it is zero.
pub(super) fn initial(ty: Scalar) -> Form {
    match ty {
        Scalar::I32 | Scalar::U32 => Form::Integer(Affine::from(0)),
        Scalar::Bool => Form::Truth(Condition::Known(false)),
        Scalar::F32 => Form::unknown("a floating-point value"),
    }
}
