//! Which values does an expression come to? Evaluated once, at its `Emit`, and remembered for the rest of the call.

use naga::{ArraySize, Expression, Handle, Span, SwizzleComponent, TypeInner, VectorSize};

use super::call::{Frame, Item};
use super::place::{Index, Place};
use super::storage::Cell;
use super::types::{Parts, leaves, parts, scalar_count, scalars};
use super::{Lowered, Lowering};
use crate::ir::{Literal, Op, ValueId};

/// Constants of more scalars than this are refused.
const CONSTANT_SCALARS: u32 = 65_536;

impl<'a> Lowering<'a> {
    /// Evaluates an expression where naga says that it is evaluated.
    pub(super) fn emit(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
    ) -> Lowered<()> {
        let item = self.evaluate(frame, handle)?;
        frame.items.insert(handle, item);
        Ok(())
    }

    /// What an expression has come to. Constants, arguments and names of variables need no `Emit`.
    pub(super) fn item(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
    ) -> Lowered<Item> {
        match frame.items.get(&handle) {
            Some(item) => Ok(item.clone()),
            None => self.evaluate(frame, handle),
        }
    }

    pub(super) fn value(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
    ) -> Lowered<Vec<ValueId>> {
        match self.item(frame, handle)? {
            Item::Value(values) => Ok(values),
            Item::Place(_) => {
                let span = frame.function.expressions.get_span(handle);
                self.refuse(span, "a pointer stands where a value is needed")
            }
        }
    }

    pub(super) fn scalar(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
    ) -> Lowered<ValueId> {
        let values = self.value(frame, handle)?;
        assert_eq!(
            values.len(),
            1,
            "naga has checked that {handle:?} is a scalar"
        );
        Ok(values[0])
    }

    pub(super) fn place(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<Expression>,
    ) -> Lowered<Place> {
        match self.item(frame, handle)? {
            Item::Place(place) => Ok(place),
            Item::Value(_) => {
                let span = frame.function.expressions.get_span(handle);
                self.refuse(span, "a value stands where a pointer is needed")
            }
        }
    }

    /// The type of an expression.
    pub(super) fn type_of(&self, frame: &Frame<'a>, handle: Handle<Expression>) -> &'a TypeInner {
        frame.info[handle].ty.inner_with(&self.front.module.types)
    }

    fn evaluate(&mut self, frame: &mut Frame<'a>, handle: Handle<Expression>) -> Lowered<Item> {
        let module = &self.front.module;
        let span = frame.function.expressions.get_span(handle);
        self.builder.at(span);
        let values = match &frame.function.expressions[handle] {
            Expression::Literal(literal) => vec![self.literal(*literal, span)?],
            Expression::Constant(constant) => {
                self.constant_expression(module.constants[*constant].init)?
            }
            Expression::ZeroValue(ty) => self.zero_value(&module.types[*ty].inner, span)?,
            Expression::Compose { ty, components } => {
                let mut values = Vec::new();
                for component in components {
                    values.extend(self.value(frame, *component)?);
                }
                self.composed(&module.types[*ty].inner, values)
            }
            Expression::Splat { size, value } => vec![self.scalar(frame, *value)?; *size as usize],
            Expression::Swizzle {
                size,
                vector,
                pattern,
            } => {
                let vector = self.value(frame, *vector)?;
                swizzled(*size, &vector, *pattern)
            }
            Expression::Access { base, index } => {
                let index = self.scalar(frame, *index)?;
                return self.access(frame, *base, Index::Value(index), span);
            }
            Expression::AccessIndex { base, index } => {
                return self.access(frame, *base, Index::Known(*index), span);
            }
            Expression::FunctionArgument(index) => return Ok(Self::argument(frame, *index)),
            Expression::GlobalVariable(variable) => {
                return Ok(Item::Place(self.global_place(*variable)));
            }
            Expression::LocalVariable(variable) => {
                return Ok(Item::Place(Self::local_place(frame, *variable)));
            }
            Expression::Load { pointer } => self.load_expression(frame, *pointer, span)?,
            Expression::ArrayLength(array) => vec![self.array_length(frame, *array, span)?],
            _ => self.operation(frame, handle, span)?,
        };
        Ok(Item::Value(values))
    }

    pub(super) fn literal(&mut self, literal: naga::Literal, span: Span) -> Lowered<ValueId> {
        let literal = match literal {
            naga::Literal::F32(value) => Literal::F32(value),
            naga::Literal::I32(value) => Literal::I32(value),
            naga::Literal::U32(value) => Literal::U32(value),
            naga::Literal::Bool(value) => Literal::Bool(value),
            naga::Literal::AbstractInt(value) => match i32::try_from(value) {
                Ok(value) => Literal::I32(value),
                Err(_) => return self.refuse(span, format!("{value} does not fit an i32")),
            },
            naga::Literal::AbstractFloat(value) => Literal::F32(value as f32),
            other => {
                return self.refuse(span, format!("constants like {other:?} are not supported"));
            }
        };
        Ok(self.builder.constant(literal))
    }

    pub(super) fn zero_value(&mut self, ty: &TypeInner, span: Span) -> Lowered<Vec<ValueId>> {
        let count = scalar_count(&self.front.module, ty);
        if count > CONSTANT_SCALARS {
            return self.refuse(
                span,
                format!("a constant of {count} scalars; at most {CONSTANT_SCALARS} are supported"),
            );
        }
        let types = scalars(&self.front.module, ty);
        Ok(types.into_iter().map(|ty| self.builder.zero(ty)).collect())
    }

    /// The scalars of a composed value; a vector's may come as smaller vectors, which changes nothing here.
    pub(super) fn composed(&mut self, ty: &TypeInner, values: Vec<ValueId>) -> Vec<ValueId> {
        debug_assert_eq!(
            values.len() as u32,
            scalar_count(&self.front.module, ty),
            "a composed value is complete"
        );
        values
    }

    fn load_expression(
        &mut self,
        frame: &mut Frame<'a>,
        pointer: Handle<Expression>,
        span: Span,
    ) -> Lowered<Vec<ValueId>> {
        let place = self.place(frame, pointer)?;
        if matches!(
            place.ty.inner_with(&self.front.module.types),
            TypeInner::Atomic(_)
        ) {
            return Ok(vec![self.atomic_load(&place, span)?]);
        }
        self.load(&place, span)
    }

    fn access(
        &mut self,
        frame: &mut Frame<'a>,
        base: Handle<Expression>,
        index: Index,
        span: Span,
    ) -> Lowered<Item> {
        match self.item(frame, base)? {
            Item::Place(place) => Ok(Item::Place(self.index_place(&place, index, span)?)),
            Item::Value(values) => {
                let ty = self.type_of(frame, base);
                Ok(Item::Value(
                    self.access_value(ty, &values, index, frame, base, span)?,
                ))
            }
        }
    }

    fn access_value(
        &mut self,
        ty: &'a TypeInner,
        values: &[ValueId],
        index: Index,
        frame: &Frame<'a>,
        base: Handle<Expression>,
        span: Span,
    ) -> Lowered<Vec<ValueId>> {
        let module = &self.front.module;
        let known = match index {
            Index::Known(known) => Some(known),
            Index::Value(value) => self.builder.literal(value).map(Literal::bits),
        };
        match (parts(ty), known) {
            (Parts::Members(members), Some(member)) => {
                let count = |index: usize| {
                    scalar_count(module, members[index].0.inner_with(&module.types)) as usize
                };
                let start: usize = (0..member as usize).map(count).sum();
                Ok(values[start..start + count(member as usize)].to_vec())
            }
            (Parts::Repeated { part, count, .. }, Some(known)) if known < count => {
                let size = scalar_count(module, part.inner_with(&module.types)) as usize;
                let start = known as usize * size;
                Ok(values[start..start + size].to_vec())
            }
            (Parts::Repeated { .. }, _) => {
                let cells = self.value_cells(ty, values);
                let storage = self.store_cells(cells);
                let whole = Place::own(storage, frame.info[base].ty.clone());
                let part = self.index_place(&whole, index, span)?;
                self.load(&part, span)
            }
            _ => self.refuse(span, "this value cannot be indexed"),
        }
    }

    /// Cells that hold a value, so that it can be indexed at run time: arrays become tables or private arrays.
    fn value_cells(&mut self, ty: &TypeInner, values: &[ValueId]) -> Vec<Cell> {
        let mut columns = vec![Vec::new(); leaves(&self.front.module, ty).len()];
        let mut rest = values;
        self.deal(ty, &mut columns, &mut rest);
        let shapes = leaves(&self.front.module, ty);
        shapes
            .into_iter()
            .zip(columns)
            .map(|(leaf, column)| {
                if leaf.dims.is_empty() {
                    Cell::Value(column[0])
                } else {
                    Cell::Array {
                        array: self.array_of(leaf.ty, &column),
                        dims: leaf.dims,
                    }
                }
            })
            .collect()
    }

    /// Deals the scalars of a value of type `ty` out to its leaves.
    fn deal(&self, ty: &TypeInner, columns: &mut [Vec<ValueId>], rest: &mut &[ValueId]) {
        let module = &self.front.module;
        let width = |inner: &TypeInner| leaves(module, inner).len();
        match parts(ty) {
            Parts::Repeated {
                part,
                count,
                is_array,
                ..
            } => {
                let part = part.inner_with(&module.types);
                let step = if is_array { 0 } else { width(part) };
                for index in 0..count as usize {
                    self.deal(part, &mut columns[index * step..], rest);
                }
            }
            Parts::Members(members) => {
                let mut first = 0;
                for (member, ..) in &members {
                    let member = member.inner_with(&module.types);
                    self.deal(member, &mut columns[first..], rest);
                    first += width(member);
                }
            }
            _ => {
                let (value, after) = rest
                    .split_first()
                    .expect("a value has as many scalars as its type");
                columns[0].push(*value);
                *rest = after;
            }
        }
    }

    fn array_length(
        &mut self,
        frame: &mut Frame<'a>,
        array: Handle<Expression>,
        span: Span,
    ) -> Lowered<ValueId> {
        let place = self.place(frame, array)?;
        let types = &self.front.module.types;
        match (place.address(), place.ty.inner_with(types)) {
            (
                Some(address),
                TypeInner::Array {
                    stride,
                    size: ArraySize::Dynamic,
                    ..
                },
            ) => {
                let crate::ir::Memory::Buffer(buffer) = address.memory else {
                    return self.refuse(span, "arrayLength needs an array in a buffer");
                };
                let op = Op::ArrayLength {
                    buffer,
                    offset: address.offset,
                    stride: stride / 4,
                };
                Ok(self.builder.value(op, crate::ir::Scalar::U32))
            }
            _ => self.refuse(span, "arrayLength needs a runtime-sized array"),
        }
    }
}

fn swizzled(size: VectorSize, vector: &[ValueId], pattern: [SwizzleComponent; 4]) -> Vec<ValueId> {
    pattern[..size as usize]
        .iter()
        .map(|component| vector[*component as usize])
        .collect()
}
