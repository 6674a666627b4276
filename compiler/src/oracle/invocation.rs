//! How does one invocation keep its state, and how does it load, store and call?

use naga::{AtomicFunction, Block, Expression, Handle};

use super::Oracle;
use super::control::Control;
use super::error::OracleError;
use super::eval::{Scope, evaluate};
use super::frame::{Frame, Slot};
use super::memory::{FUNCTION, Memory, PRIVATE, Run, atomic_result, for_each_run};
use super::types::{Layout, Ty, TyId};

/// Which function a frame belongs to: an index into the oracle's frames, where the entry point comes last.
pub(super) type FrameId = usize;

/// One invocation: the words of its frames and private variables, and what it has still to do.
#[derive(Debug)]
pub(super) struct Invocation<'m> {
    /// The frames of all active calls, the innermost last.
    pub(super) words: Vec<u32>,
    pub(super) private: Vec<u32>,
    /// Where the innermost frame starts in `words`.
    pub(super) base: usize,
    pub(super) frame: FrameId,
    pub(super) control: Vec<Control<'m>>,
    /// How often it went round a loop.
    pub(super) turns: u64,
}

/// A pointer value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pointer {
    pub(super) root: u32,
    pub(super) offset: u32,
    pub(super) in_bounds: bool,
    pub(super) to: TyId,
    pub(super) layout: Layout,
}

impl<'m> Invocation<'m> {
    pub(super) fn new() -> Self {
        Self {
            words: Vec::new(),
            private: Vec::new(),
            base: 0,
            frame: 0,
            control: Vec::new(),
            turns: 0,
        }
    }

    /// Puts the invocation at the start of the entry point, whose arguments are `arguments`, in order.
    pub(super) fn start(&mut self, oracle: &Oracle<'m>, arguments: &[u32]) {
        self.words.clear();
        self.control.clear();
        self.private.clone_from(&oracle.private_init);
        self.turns = 0;
        self.push_frame(oracle, oracle.entry_frame());
        self.words[..arguments.len()].copy_from_slice(arguments);
        self.control.push(Control::Sequence {
            block: &oracle.entry_point().function.body,
            next: 0,
        });
    }

    /// Makes a fresh frame the innermost one. Arguments lie at its start, in order.
    fn push_frame(&mut self, oracle: &Oracle<'m>, frame: FrameId) {
        self.base = self.words.len();
        self.frame = frame;
        let plan = oracle.frame(frame);
        self.words.extend_from_slice(&plan.template);
        for (pointer, variable) in &plan.local_pointers {
            let at = self.base + *pointer as usize;
            self.words[at..at + 3].copy_from_slice(&[FUNCTION, self.base as u32 + variable, 1]);
        }
    }

    pub(super) fn plan<'o>(&self, oracle: &'o Oracle<'m>) -> &'o Frame<'m> {
        oracle.frame(self.frame)
    }

    fn slot(&self, oracle: &Oracle<'m>, handle: Handle<Expression>) -> Result<Slot, OracleError> {
        self.plan(oracle).slot(handle)
    }

    /// The first word of an expression's value.
    pub(super) fn word(
        &self,
        oracle: &Oracle<'m>,
        handle: Handle<Expression>,
    ) -> Result<u32, OracleError> {
        Ok(self.words[self.base + self.slot(oracle, handle)?.at as usize])
    }

    /// Evaluates an expression at its place in the program.
    pub(super) fn emit(
        &mut self,
        oracle: &Oracle<'m>,
        memory: &mut Memory,
        extents: &[u32],
        handle: Handle<Expression>,
    ) -> Result<(), OracleError> {
        let frame = self.plan(oracle);
        if let Expression::Load { pointer } = frame.expressions[handle] {
            let pointer = self.pointer(oracle, pointer)?;
            let to = frame.slot(handle)?;
            self.load(oracle, memory, pointer, to);
            return Ok(());
        }
        let scope = Scope {
            types: &oracle.types,
            frame,
            extents,
        };
        evaluate(&scope, &mut self.words[self.base..], handle)
            .map_err(|error| error.at(frame.expressions.get_span(handle)))
    }

    /// The value of a pointer expression.
    pub(super) fn pointer(
        &self,
        oracle: &Oracle<'m>,
        handle: Handle<Expression>,
    ) -> Result<Pointer, OracleError> {
        let slot = self.slot(oracle, handle)?;
        let Ty::Pointer { to, layout } = *oracle.types.get(slot.ty) else {
            return Err(OracleError::malformed("a pointer was expected"));
        };
        let at = self.base + slot.at as usize;
        let (root, offset, in_bounds) =
            (self.words[at], self.words[at + 1], self.words[at + 2] == 1);
        Ok(Pointer {
            root,
            offset,
            in_bounds,
            to,
            layout,
        })
    }

    /// Copies what `pointer` points to into a slot of the innermost frame.
    pub(super) fn load(
        &mut self,
        oracle: &Oracle<'m>,
        memory: &mut Memory,
        pointer: Pointer,
        to: Slot,
    ) {
        let to_at = self.base + to.at as usize;
        let len = oracle.types.words(to.ty) as usize;
        let from = pointer.offset as usize;
        if !pointer.in_bounds {
            self.words[to_at..to_at + len].fill(0);
        } else if pointer.root == FUNCTION {
            self.words.copy_within(from..from + len, to_at);
        } else if pointer.root == PRIVATE {
            self.words[to_at..to_at + len].copy_from_slice(&self.private[from..from + len]);
        } else {
            let words = &mut self.words[to_at..];
            for_each_run(
                &oracle.types,
                pointer.to,
                pointer.layout,
                start(pointer),
                &mut |run| {
                    for i in 0..run.len {
                        words[(run.dense + i) as usize] = memory.read(pointer.root, run.memory + i);
                    }
                },
            );
        }
    }

    /// Copies the value of an expression to where `pointer` points.
    pub(super) fn store(
        &mut self,
        oracle: &Oracle<'m>,
        memory: &mut Memory,
        pointer: Pointer,
        value: Handle<Expression>,
    ) -> Result<(), OracleError> {
        let slot = self.slot(oracle, value)?;
        let from = self.base + slot.at as usize;
        let len = oracle.types.words(slot.ty) as usize;
        let to = pointer.offset as usize;
        if !pointer.in_bounds {
            return Ok(());
        }
        if pointer.root == FUNCTION {
            self.words.copy_within(from..from + len, to);
        } else if pointer.root == PRIVATE {
            self.private[to..to + len].copy_from_slice(&self.words[from..from + len]);
        } else {
            let words = &self.words[from..];
            for_each_run(
                &oracle.types,
                pointer.to,
                pointer.layout,
                start(pointer),
                &mut |run| {
                    for i in 0..run.len {
                        memory.write(
                            pointer.root,
                            run.memory + i,
                            words[(run.dense + i) as usize],
                        );
                    }
                },
            );
        }
        Ok(())
    }

    /// Performs an atomic operation; the result of a compare-exchange is the old value and whether it was exchanged.
    pub(super) fn atomic(
        &mut self,
        oracle: &Oracle<'m>,
        memory: &mut Memory,
        (pointer, fun, value): (Handle<Expression>, AtomicFunction, Handle<Expression>),
        result: Option<Handle<Expression>>,
    ) -> Result<(), OracleError> {
        let pointer = self.pointer(oracle, pointer)?;
        let Ty::Atomic(kind) = *oracle.types.get(pointer.to) else {
            return Err(OracleError::malformed(
                "an atomic operation on something not atomic",
            ));
        };
        let operand = self.word(oracle, value)?;
        let expected = match fun {
            AtomicFunction::Exchange {
                compare: Some(compare),
            } => Some(self.word(oracle, compare)?),
            _ => None,
        };
        if atomic_result(fun, kind, 0, operand).is_none() {
            return Err(OracleError::unsupported(format!(
                "atomic {fun:?} on {kind:?}"
            )));
        }
        let (mut old, mut exchanged) = (0, false);
        if pointer.in_bounds {
            old = memory.update(pointer.root, pointer.offset, |old| {
                if expected.is_some_and(|expected| expected != old) {
                    old
                } else {
                    atomic_result(fun, kind, old, operand).unwrap_or(old)
                }
            });
            exchanged = expected == Some(old);
        }
        if let Some(result) = result {
            let at = self.base + self.slot(oracle, result)?.at as usize;
            self.words[at] = old;
            if expected.is_some() {
                self.words[at + 1] = u32::from(exchanged);
            }
        }
        Ok(())
    }

    /// Enters a function; it returns to the caller's next statement.
    pub(super) fn call(
        &mut self,
        oracle: &Oracle<'m>,
        callee: FrameId,
        body: &'m Block,
        arguments: &[Handle<Expression>],
        result: Option<Handle<Expression>>,
    ) -> Result<(), OracleError> {
        let mut values = Vec::new();
        for argument in arguments {
            let slot = self.slot(oracle, *argument)?;
            let from = self.base + slot.at as usize;
            values
                .extend_from_slice(&self.words[from..from + oracle.types.words(slot.ty) as usize]);
        }
        let result = result.map(|result| self.slot(oracle, result)).transpose()?;
        self.control.push(Control::Call {
            base: self.base,
            frame: self.frame,
            result,
        });
        self.push_frame(oracle, callee);
        let base = self.base;
        self.words[base..base + values.len()].copy_from_slice(&values);
        self.control.push(Control::Sequence {
            block: body,
            next: 0,
        });
        Ok(())
    }

    /// Leaves the innermost call, carrying `value` into the caller's frame; leaving the entry point ends all.
    pub(super) fn leave(
        &mut self,
        oracle: &Oracle<'m>,
        value: Option<Handle<Expression>>,
    ) -> Result<(), OracleError> {
        while let Some(control) = self.control.pop() {
            let Control::Call {
                base,
                frame,
                result,
            } = control
            else {
                continue;
            };
            if let (Some(value), Some(result)) = (value, result) {
                let slot = self.slot(oracle, value)?;
                let from = self.base + slot.at as usize;
                let len = oracle.types.words(slot.ty) as usize;
                self.words
                    .copy_within(from..from + len, base + result.at as usize);
            }
            self.words.truncate(self.base);
            self.base = base;
            self.frame = frame;
            return Ok(());
        }
        Ok(())
    }
}

fn start(pointer: Pointer) -> Run {
    Run {
        dense: 0,
        memory: pointer.offset,
        len: 0,
    }
}
