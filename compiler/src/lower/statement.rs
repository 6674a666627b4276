//! What does a statement do? Each becomes KIR statements at the end of the open list.

use naga::{Barrier, Block, Expression, Handle, Span, Statement};

use super::call::{Frame, Jumps};
use super::{Lowered, Lowering};
use crate::ir::{Stmt, Unary};

impl<'a> Lowering<'a> {
    pub(super) fn block(&mut self, frame: &mut Frame<'a>, block: &'a Block) -> Lowered<()> {
        for (statement, span) in block.span_iter() {
            self.builder.at(*span);
            self.statement(frame, statement, *span)?;
        }
        Ok(())
    }

    fn statement(
        &mut self,
        frame: &mut Frame<'a>,
        statement: &'a Statement,
        span: Span,
    ) -> Lowered<()> {
        match statement {
            Statement::Emit(range) => range
                .clone()
                .try_for_each(|handle| self.emit(frame, handle)),
            Statement::Block(block) => self.block(frame, block),
            Statement::If {
                condition,
                accept,
                reject,
            } => self.if_statement(frame, *condition, (accept, reject), span),
            Statement::Switch { selector, cases } => self.switch(frame, *selector, cases, span),
            Statement::Loop {
                body,
                continuing,
                break_if,
            } => self.loop_statement(frame, (body, continuing), *break_if, span),
            Statement::Break => {
                let target = frame
                    .jumps
                    .last()
                    .expect("naga has checked that break stands in a loop or switch")
                    .break_to;
                self.builder.push(Stmt::Break(target));
                Ok(())
            }
            Statement::Continue => {
                let target = frame.jumps.iter().rev().find_map(|jumps| jumps.continue_to);
                self.builder.push(Stmt::Continue(
                    target.expect("naga has checked that continue stands in a loop"),
                ));
                Ok(())
            }
            Statement::Return { value } => self.return_statement(frame, *value),
            Statement::ControlBarrier(barrier) => self.barrier(*barrier, span),
            Statement::Store { pointer, value } => {
                self.store_statement(frame, *pointer, *value, span)
            }
            Statement::Atomic {
                pointer,
                fun,
                value,
                result,
            } => self.atomic(frame, *pointer, (*fun, *value), *result, span),
            Statement::WorkGroupUniformLoad { pointer, result } => {
                self.uniform_load(frame, *pointer, *result, span)
            }
            Statement::Call {
                function,
                arguments,
                result,
            } => self.call(frame, *function, arguments, *result),
            other => self.refuse(span, format!("{} not supported", unsupported(other))),
        }
    }

    fn if_statement(
        &mut self,
        frame: &mut Frame<'a>,
        condition: Handle<Expression>,
        (accept, reject): (&'a Block, &'a Block),
        span: Span,
    ) -> Lowered<()> {
        let mut condition = self.scalar(frame, condition)?;
        let (mut accept, mut reject) = (self.nested(frame, accept)?, self.nested(frame, reject)?);
        if accept.is_empty() && !reject.is_empty() {
            condition = self.builder.unary(Unary::LogicalNot, condition);
            std::mem::swap(&mut accept, &mut reject);
        }
        self.builder.push(Stmt::If {
            condition,
            accept,
            reject,
            span,
        });
        Ok(())
    }

    pub(super) fn nested(&mut self, frame: &mut Frame<'a>, block: &'a Block) -> Lowered<Vec<Stmt>> {
        self.builder.begin();
        self.block(frame, block)?;
        Ok(self.builder.end())
    }

    fn loop_statement(
        &mut self,
        frame: &mut Frame<'a>,
        (body, continuing): (&'a Block, &'a Block),
        break_if: Option<Handle<Expression>>,
        span: Span,
    ) -> Lowered<()> {
        let label = self.builder.label();
        frame.jumps.push(Jumps {
            break_to: label,
            continue_to: Some(label),
        });
        self.loop_depth += 1;
        self.builder.begin();
        self.block(frame, body)?;
        let body = self.builder.turn_to_continuing(true);
        self.block(frame, continuing)?;
        let break_if = break_if
            .map(|condition| self.scalar(frame, condition))
            .transpose()?;
        let continuing = self.builder.end();
        self.loop_depth -= 1;
        frame.jumps.pop();
        self.builder.push(Stmt::Loop {
            label,
            body,
            continuing,
            break_if,
            span,
        });
        Ok(())
    }

    fn barrier(&mut self, barrier: Barrier, span: Span) -> Lowered<()> {
        if barrier.intersects(Barrier::SUB_GROUP | Barrier::TEXTURE) {
            return self.refuse(span, "barriers of subgroups and textures are not supported");
        }
        self.builder.push(Stmt::Barrier(span));
        Ok(())
    }

    fn store_statement(
        &mut self,
        frame: &mut Frame<'a>,
        pointer: Handle<Expression>,
        value: Handle<Expression>,
        span: Span,
    ) -> Lowered<()> {
        let place = self.place(frame, pointer)?;
        if let Some(naga::TypeInner::Atomic(_)) = self
            .pointee(frame, pointer)
            .as_ref()
            .map(|ty| ty.inner_with(&self.front.module.types))
        {
            let value = self.scalar(frame, value)?;
            return self.atomic_store(&place, value, span);
        }
        let zeroed = matches!(frame.function.expressions[value], Expression::ZeroValue(_));
        if zeroed && let Some(storage) = self.whole_variable(&place) {
            self.zero_storage(storage);
            return Ok(());
        }
        let values = self.value(frame, value)?;
        self.store(&place, &values, span)
    }
}

/// Names a statement that is not lowered.
fn unsupported(statement: &Statement) -> &'static str {
    match statement {
        Statement::Kill => "discard is",
        Statement::MemoryBarrier(_) => "memory barriers without control barriers are",
        Statement::ImageStore { .. } | Statement::ImageAtomic { .. } => "textures are",
        Statement::RayQuery { .. } | Statement::RayPipelineFunction(_) => "ray queries are",
        Statement::SubgroupBallot { .. }
        | Statement::SubgroupGather { .. }
        | Statement::SubgroupCollectiveOperation { .. } => "subgroup operations are",
        Statement::CooperativeStore { .. } => "cooperative matrices are",
        _ => "this statement is",
    }
}
