//! What does an invocation do next?
//!
//! Control flow is kept on an explicit stack, so that an invocation can stop at a barrier and go on later.

use naga::{Block, Expression, Handle, Span, Statement, SwitchCase, SwitchValue};

use super::Oracle;
use super::error::OracleError;
use super::frame::Slot;
use super::invocation::{FrameId, Invocation, Pointer};
use super::memory::Memory;

/// Something begun and not yet finished; the innermost is on top of the stack.
#[derive(Clone, Copy, Debug)]
pub(super) enum Control<'m> {
    /// The statements of a block from `next` on.
    Sequence { block: &'m Block, next: usize },
    /// A loop, whose body or continuing block is on the stack above it.
    Loop {
        body: &'m Block,
        continuing: &'m Block,
        break_if: Option<Handle<Expression>>,
        in_continuing: bool,
    },
    /// A switch, whose cases are on the stack above it.
    Switch,
    /// A call; what to restore when it returns.
    Call {
        base: usize,
        frame: FrameId,
        result: Option<Slot>,
    },
}

impl Control<'_> {
    /// Whether two invocations are at the same place here.
    fn same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Control::Sequence { block: a, next: i }, Control::Sequence { block: b, next: j }) => {
                std::ptr::eq(*a, *b) && i == j
            }
            (
                Control::Loop {
                    body: a,
                    in_continuing: c,
                    ..
                },
                Control::Loop {
                    body: b,
                    in_continuing: d,
                    ..
                },
            ) => std::ptr::eq(*a, *b) && c == d,
            (Control::Switch, Control::Switch) => true,
            (Control::Call { frame: a, .. }, Control::Call { frame: b, .. }) => a == b,
            _ => false,
        }
    }
}

/// Why an invocation stopped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stop {
    /// It ended.
    End,
    /// It waits at a barrier.
    Barrier(Span),
    /// It waits in `workgroupUniformLoad`.
    UniformLoad {
        pointer: Pointer,
        result: Slot,
        span: Span,
    },
}

impl<'m> Invocation<'m> {
    /// Whether both wait at the same place of the program.
    pub(super) fn same_place(&self, other: &Self) -> bool {
        self.control.len() == other.control.len()
            && self
                .control
                .iter()
                .zip(&other.control)
                .all(|(one, two)| one.same_place(two))
    }

    /// Runs until the end or the next barrier.
    pub(super) fn run(
        &mut self,
        oracle: &Oracle<'m>,
        memory: &mut Memory,
        extents: &[u32],
    ) -> Result<Stop, OracleError> {
        while let Some(top) = self.control.last_mut() {
            match top {
                Control::Sequence { block, next } => {
                    let block: &'m Block = block;
                    let Some(statement) = block.get(*next) else {
                        self.control.pop();
                        continue;
                    };
                    let at = *next;
                    *next += 1;
                    let span = || {
                        block
                            .span_iter()
                            .nth(at)
                            .map_or(Span::UNDEFINED, |(_, span)| *span)
                    };
                    let stop = self.step(oracle, memory, extents, statement, &span);
                    if let Some(stop) = stop.map_err(|error| error.at(span()))? {
                        return Ok(stop);
                    }
                }
                Control::Loop { .. } => self.turn(oracle)?,
                Control::Switch => {
                    self.control.pop();
                }
                Control::Call { .. } => self.leave(oracle, None)?,
            }
        }
        Ok(Stop::End)
    }

    /// Goes from the loop's body to its continuing block, or from there to the next iteration or out.
    fn turn(&mut self, oracle: &Oracle<'m>) -> Result<(), OracleError> {
        let Some(Control::Loop {
            body,
            continuing,
            break_if,
            in_continuing,
        }) = self.control.pop()
        else {
            return Err(OracleError::malformed("no loop to go round"));
        };
        if in_continuing {
            if let Some(condition) = break_if
                && self.word(oracle, condition)? == 1
            {
                return Ok(());
            }
            self.turns += 1;
            if self.turns > oracle.loop_limit {
                return Err(OracleError::LoopLimit {
                    limit: oracle.loop_limit,
                });
            }
        }
        self.control.push(Control::Loop {
            body,
            continuing,
            break_if,
            in_continuing: !in_continuing,
        });
        let block = if in_continuing { body } else { continuing };
        self.control.push(Control::Sequence { block, next: 0 });
        Ok(())
    }

    /// Drops what is begun until `target` is on top of the stack.
    fn unwind_to(&mut self, target: impl Fn(&Control) -> bool) {
        while self.control.last().is_some_and(|control| !target(control)) {
            self.control.pop();
        }
    }

    /// Stacks the case that `selector` picks and those it falls through to.
    fn enter_switch(&mut self, selector: u32, cases: &'m [SwitchCase]) {
        self.control.push(Control::Switch);
        let picked = cases
            .iter()
            .position(|case| match case.value {
                SwitchValue::I32(value) => value as u32 == selector,
                SwitchValue::U32(value) => value == selector,
                SwitchValue::Default => false,
            })
            .or_else(|| {
                cases
                    .iter()
                    .position(|case| case.value == SwitchValue::Default)
            });
        let Some(first) = picked else { return };
        let through = cases[first..]
            .iter()
            .take_while(|case| case.fall_through)
            .count();
        let last = (first + through).min(cases.len() - 1);
        for case in cases[first..=last].iter().rev() {
            self.control.push(Control::Sequence {
                block: &case.body,
                next: 0,
            });
        }
    }

    /// Executes a statement: control flow and barriers here, the rest in [`Self::act`].
    fn step(
        &mut self,
        oracle: &Oracle<'m>,
        memory: &mut Memory,
        extents: &[u32],
        statement: &'m Statement,
        span: &dyn Fn() -> Span,
    ) -> Result<Option<Stop>, OracleError> {
        match *statement {
            Statement::Block(ref block) => self.control.push(Control::Sequence { block, next: 0 }),
            Statement::If {
                condition,
                ref accept,
                ref reject,
            } => {
                let block = if self.word(oracle, condition)? == 1 {
                    accept
                } else {
                    reject
                };
                self.control.push(Control::Sequence { block, next: 0 });
            }
            Statement::Switch {
                selector,
                ref cases,
            } => {
                let selector = self.word(oracle, selector)?;
                self.enter_switch(selector, cases);
            }
            Statement::Loop {
                ref body,
                ref continuing,
                break_if,
            } => {
                self.control.push(Control::Loop {
                    body,
                    continuing,
                    break_if,
                    in_continuing: false,
                });
                self.control.push(Control::Sequence {
                    block: body,
                    next: 0,
                });
            }
            Statement::Break => {
                self.unwind_to(|control| matches!(control, Control::Loop { .. } | Control::Switch));
                self.control.pop();
            }
            Statement::Continue => {
                self.unwind_to(|control| matches!(control, Control::Loop { .. }));
            }
            Statement::Return { value } => self.leave(oracle, value)?,
            Statement::ControlBarrier(_) => return Ok(Some(Stop::Barrier(span()))),
            Statement::WorkGroupUniformLoad { pointer, result } => {
                let pointer = self.pointer(oracle, pointer)?;
                let result = self.plan(oracle).slot(result)?;
                return Ok(Some(Stop::UniformLoad {
                    pointer,
                    result,
                    span: span(),
                }));
            }
            Statement::Call {
                function,
                ref arguments,
                result,
            } => {
                let body = &oracle.module.functions[function].body;
                self.call(oracle, function.index(), body, arguments, result)?;
            }
            _ => self.act(oracle, memory, extents, statement)?,
        }
        Ok(None)
    }

    /// Executes a statement that goes on to the next one.
    fn act(
        &mut self,
        oracle: &Oracle<'m>,
        memory: &mut Memory,
        extents: &[u32],
        statement: &'m Statement,
    ) -> Result<(), OracleError> {
        match *statement {
            Statement::Emit(ref range) => range
                .clone()
                .try_for_each(|handle| self.emit(oracle, memory, extents, handle)),
            Statement::Store { pointer, value } => {
                let pointer = self.pointer(oracle, pointer)?;
                self.store(oracle, memory, pointer, value)
            }
            Statement::Atomic {
                pointer,
                fun,
                value,
                result,
            } => self.atomic(oracle, memory, (pointer, fun, value), result),
            Statement::MemoryBarrier(_) => Ok(()),
            ref other => Err(OracleError::unsupported(format!("{other:?}"))),
        }
    }
}
