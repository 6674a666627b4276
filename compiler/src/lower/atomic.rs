//! What do atomic operations and the uniform load of workgroup memory do?

use naga::{AtomicFunction, Expression, Handle, Span};

use super::call::{Frame, Item};
use super::place::Place;
use super::types::{Parts, parts};
use super::{Lowered, Lowering};
use crate::ir::{Address, AtomicOp, Op, Scalar, Stmt, ValueId};

impl<'a> Lowering<'a> {
    pub(super) fn atomic(
        &mut self,
        frame: &mut Frame<'a>,
        pointer: Handle<Expression>,
        (function, operand): (AtomicFunction, Handle<Expression>),
        result: Option<Handle<Expression>>,
        span: Span,
    ) -> Lowered<()> {
        let place = self.place(frame, pointer)?;
        let (address, ty) = self.atomic_object(&place, span)?;
        let value = self.scalar(frame, operand)?;
        let (op, compare) = match function {
            AtomicFunction::Add => (AtomicOp::Add, None),
            AtomicFunction::Subtract => (AtomicOp::Subtract, None),
            AtomicFunction::And => (AtomicOp::And, None),
            AtomicFunction::ExclusiveOr => (AtomicOp::ExclusiveOr, None),
            AtomicFunction::InclusiveOr => (AtomicOp::Or, None),
            AtomicFunction::Min => (AtomicOp::Min, None),
            AtomicFunction::Max => (AtomicOp::Max, None),
            AtomicFunction::Exchange { compare: None } => (AtomicOp::Exchange, None),
            AtomicFunction::Exchange {
                compare: Some(compare),
            } => (
                AtomicOp::CompareExchange,
                Some(self.scalar(frame, compare)?),
            ),
        };
        let old = result.map(|_| self.builder.fresh(Op::AtomicResult, ty));
        let exchanged = compare
            .and(result)
            .map(|_| self.builder.fresh(Op::AtomicResult, Scalar::Bool));
        let stmt = Stmt::Atomic {
            address,
            op,
            ty,
            value: Some(value),
            compare,
            result: old,
            exchanged,
            span,
        };
        self.builder.push(stmt);
        if let Some(result) = result {
            frame.items.insert(
                result,
                Item::Value(old.into_iter().chain(exchanged).collect()),
            );
        }
        Ok(())
    }

    pub(super) fn atomic_load(&mut self, place: &Place, span: Span) -> Lowered<ValueId> {
        let (address, ty) = self.atomic_object(place, span)?;
        let old = self.builder.fresh(Op::AtomicResult, ty);
        let (op, result) = (AtomicOp::Load, Some(old));
        self.builder.push(Stmt::Atomic {
            address,
            op,
            ty,
            value: None,
            compare: None,
            result,
            exchanged: None,
            span,
        });
        Ok(old)
    }

    pub(super) fn atomic_store(
        &mut self,
        place: &Place,
        value: ValueId,
        span: Span,
    ) -> Lowered<()> {
        let (address, ty) = self.atomic_object(place, span)?;
        let (op, value) = (AtomicOp::Store, Some(value));
        self.builder.push(Stmt::Atomic {
            address,
            op,
            ty,
            value,
            compare: None,
            result: None,
            exchanged: None,
            span,
        });
        Ok(())
    }

    fn atomic_object(&self, place: &Place, span: Span) -> Lowered<(Address, Scalar)> {
        match (
            place.address(),
            parts(place.ty.inner_with(&self.front.module.types)),
        ) {
            (Some(address), Parts::Atomic(ty)) => Ok((address.clone(), ty)),
            _ => self.refuse(
                span,
                "an atomic operation needs an atomic object in storage or workgroup memory",
            ),
        }
    }

    /// `workgroupUniformLoad`: a barrier, the load, a barrier.
    pub(super) fn uniform_load(
        &mut self,
        frame: &mut Frame<'a>,
        pointer: Handle<Expression>,
        result: Handle<Expression>,
        span: Span,
    ) -> Lowered<()> {
        let place = self.place(frame, pointer)?;
        self.builder.push(Stmt::Barrier(span));
        let values = self.load_uniform(&place, span)?;
        self.builder.push(Stmt::Barrier(span));
        frame.items.insert(result, Item::Value(values));
        Ok(())
    }
}
