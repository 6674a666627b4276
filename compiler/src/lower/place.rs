//! What does a pointer point to? Words of a buffer or of workgroup memory, or scalars of an invocation's own variables.

use naga::proc::TypeResolution;
use naga::{Span, TypeInner};

use super::storage::{Cell, StorageId};
use super::types::{Parts, leaves, parts, scalar_count};
use super::{Lowered, Lowering};
use crate::ir::{Address, Binary, Extent, Memory, Op, Scalar, Stmt, Term, ValueId};

/// Values and memory of more scalars than this are not copied whole.
const COPIED_SCALARS: u32 = 1024;

/// A pointer.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The type behind it.
    pub(super) ty: TypeResolution,
    at: At,
}

#[derive(Clone, Debug)]
enum At {
    Memory(Address),
    Own(Own),
}

/// Part of an invocation's own variable.
#[derive(Clone, Debug)]
struct Own {
    storage: StorageId,
    /// First cell.
    first: usize,
    /// Indices into the arrays around the cell, outermost first.
    indices: Vec<ValueId>,
    /// Parts of vectors and matrices that are chosen at run time.
    choices: Vec<Choice>,
}

#[derive(Clone, Copy, Debug)]
struct Choice {
    index: ValueId,
    count: u32,
    /// Cells from one part to the next.
    stride: usize,
}

/// An index: known to the compiler, or a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Index {
    Known(u32),
    Value(ValueId),
}

impl Place {
    pub(super) fn memory(memory: Memory, ty: TypeResolution) -> Place {
        Place {
            ty,
            at: At::Memory(Address {
                memory,
                offset: 0,
                terms: Vec::new(),
            }),
        }
    }

    pub(super) fn own(storage: StorageId, ty: TypeResolution) -> Place {
        Place {
            ty,
            at: At::Own(Own {
                storage,
                first: 0,
                indices: Vec::new(),
                choices: Vec::new(),
            }),
        }
    }

    /// The word that the place is; none if it is an invocation's own.
    pub(super) fn address(&self) -> Option<&Address> {
        match &self.at {
            At::Memory(address) => Some(address),
            At::Own(_) => None,
        }
    }
}

impl Lowering<'_> {
    fn parts_of(&self, ty: &TypeResolution) -> Parts {
        parts(ty.inner_with(&self.front.module.types))
    }

    /// The part of `place` at `index`.
    pub(super) fn index_place(
        &mut self,
        place: &Place,
        index: Index,
        span: Span,
    ) -> Lowered<Place> {
        match (self.parts_of(&place.ty), index) {
            (Parts::Members(members), Index::Known(member)) => {
                let (ty, offset, _) = members[member as usize].clone();
                let before = members[..member as usize]
                    .iter()
                    .map(|(part, ..)| self.cell_count(part))
                    .sum::<usize>();
                let mut part = Place {
                    ty,
                    at: place.at.clone(),
                };
                match &mut part.at {
                    At::Memory(address) => address.offset += offset,
                    At::Own(own) => own.first += before,
                }
                Ok(part)
            }
            (
                Parts::Repeated {
                    part,
                    count,
                    stride,
                    is_array,
                },
                index,
            ) => Ok(self.index_repeated(place, &part, (count, stride, is_array), index)),
            (Parts::Runtime { part, stride }, index) => {
                let index = self.index_value(index);
                let mut place = Place {
                    ty: part,
                    at: place.at.clone(),
                };
                if let At::Memory(address) = &mut place.at {
                    let extent = Extent::Runtime {
                        offset: address.offset,
                    };
                    address.terms.push(Term {
                        index,
                        stride,
                        extent,
                    });
                }
                Ok(place)
            }
            _ => self.refuse(span, "this cannot be indexed"),
        }
    }

    fn index_repeated(
        &mut self,
        place: &Place,
        part: &TypeResolution,
        shape: (u32, u32, bool),
        index: Index,
    ) -> Place {
        let (count, stride, is_array) = shape;
        let index = match index {
            Index::Value(value) => {
                match self.builder.literal(value).map(crate::ir::Literal::bits) {
                    Some(known) if known < count => Index::Known(known),
                    _ => index,
                }
            }
            Index::Known(_) => index,
        };
        let part_cells = self.cell_count(part);
        let mut place = Place {
            ty: part.clone(),
            at: place.at.clone(),
        };
        match (&mut place.at, index) {
            (At::Memory(address), Index::Known(known)) if known < count => {
                address.offset += known * stride;
            }
            (At::Memory(address), index) => {
                let index = self.index_value(index);
                address.terms.push(Term {
                    index,
                    stride,
                    extent: Extent::Fixed(count),
                });
            }
            (At::Own(own), index) if is_array => own.indices.push(self.index_value(index)),
            (At::Own(own), Index::Known(known)) => own.first += known as usize * part_cells,
            (At::Own(own), Index::Value(index)) => own.choices.push(Choice {
                index,
                count,
                stride: part_cells,
            }),
        }
        place
    }

    fn index_value(&mut self, index: Index) -> ValueId {
        match index {
            Index::Known(known) => self.builder.u32(known),
            Index::Value(value) => value,
        }
    }

    /// The storage of the variable that the place is the whole of, if it is that.
    pub(super) fn whole_variable(&self, place: &Place) -> Option<StorageId> {
        let At::Own(own) = &place.at else { return None };
        let is_part = !own.indices.is_empty() || !own.choices.is_empty();
        let cells = self.storage(own.storage).len();
        (!is_part && self.cell_count(&place.ty) == cells).then_some(own.storage)
    }

    fn cell_count(&self, ty: &TypeResolution) -> usize {
        leaves(&self.front.module, ty.inner_with(&self.front.module.types)).len()
    }

    /// The places of a value's scalars, in order.
    fn scalar_places(&mut self, place: &Place, span: Span) -> Lowered<Vec<Place>> {
        let count = match self.parts_of(&place.ty) {
            Parts::Scalar(_) | Parts::Atomic(_) => return Ok(vec![place.clone()]),
            Parts::Repeated { count, .. } => count,
            Parts::Members(members) => members.len() as u32,
            Parts::Runtime { .. } | Parts::Opaque => {
                return self.refuse(span, "this has no value that could be copied");
            }
        };
        let mut scalars = Vec::new();
        for index in 0..count {
            let part = self.index_place(place, Index::Known(index), span)?;
            scalars.extend(self.scalar_places(&part, span)?);
        }
        Ok(scalars)
    }

    fn check_size(&self, ty: &TypeInner, span: Span) -> Lowered<()> {
        let count = scalar_count(&self.front.module, ty);
        if count <= COPIED_SCALARS {
            return Ok(());
        }
        let message = format!(
            "a value of {count} scalars is copied whole; at most {COPIED_SCALARS} are supported"
        );
        Err(self
            .front
            .source
            .diagnose(span, message)
            .advise("index the array where it is, or pass a pointer to it"))
    }

    /// The scalars of the value at `place`.
    pub(super) fn load(&mut self, place: &Place, span: Span) -> Lowered<Vec<ValueId>> {
        self.check_size(place.ty.inner_with(&self.front.module.types), span)?;
        let places = self.scalar_places(place, span)?;
        Ok(places
            .iter()
            .map(|place| self.load_scalar(place, false))
            .collect())
    }

    /// The same from workgroup memory, where all invocations of the workgroup read the same.
    pub(super) fn load_uniform(&mut self, place: &Place, span: Span) -> Lowered<Vec<ValueId>> {
        self.check_size(place.ty.inner_with(&self.front.module.types), span)?;
        let places = self.scalar_places(place, span)?;
        Ok(places
            .iter()
            .map(|place| self.load_scalar(place, true))
            .collect())
    }

    /// Writes the scalars of a value.
    pub(super) fn store(&mut self, place: &Place, values: &[ValueId], span: Span) -> Lowered<()> {
        self.check_size(place.ty.inner_with(&self.front.module.types), span)?;
        let places = self.scalar_places(place, span)?;
        assert_eq!(places.len(), values.len(), "a store fits its place");
        for (place, value) in places.iter().zip(values) {
            self.store_scalar(place, *value, span);
        }
        Ok(())
    }

    fn scalar_of(&self, place: &Place) -> Scalar {
        match self.parts_of(&place.ty) {
            Parts::Scalar(scalar) | Parts::Atomic(scalar) => scalar,
            other => unreachable!("{other:?} is no scalar"),
        }
    }

    fn load_scalar(&mut self, place: &Place, uniform: bool) -> ValueId {
        let ty = self.scalar_of(place);
        match &place.at {
            At::Memory(address) => {
                let word = if ty == Scalar::Bool { Scalar::U32 } else { ty };
                let op = if uniform {
                    Op::UniformLoad(address.clone())
                } else {
                    Op::Load(address.clone())
                };
                let value = self.builder.value(op, word);
                if ty != Scalar::Bool {
                    return value;
                }
                let zero = self.builder.u32(0);
                self.builder.binary(Binary::NotEqual, value, zero)
            }
            At::Own(own) => self.load_choice(own, ty),
        }
    }

    /// Reads through the first choice, which becomes a chain of selections; 0 if it is out of bounds.
    fn load_choice(&mut self, own: &Own, ty: Scalar) -> ValueId {
        let Some((choice, rest)) = own.choices.split_first() else {
            return self.load_cell(own);
        };
        let mut value = self.builder.zero(ty);
        for part in (0..choice.count).rev() {
            let chosen = Own {
                first: own.first + part as usize * choice.stride,
                choices: rest.to_vec(),
                ..own.clone()
            };
            let accept = self.load_choice(&chosen, ty);
            let condition = self.is_index(choice.index, part);
            value = self.builder.select(condition, accept, value);
        }
        value
    }

    fn is_index(&mut self, index: ValueId, known: u32) -> ValueId {
        let known = self
            .builder
            .constant(crate::ir::Literal::from_bits(self.builder.ty(index), known));
        self.builder.binary(Binary::Equal, index, known)
    }

    fn load_cell(&mut self, own: &Own) -> ValueId {
        match self.storage(own.storage)[own.first].clone() {
            Cell::Var(var) => self.builder.read_var(var),
            Cell::Value(value) => value,
            Cell::Array { array, dims } => {
                let index = self.flat_index(&own.indices, &dims);
                let ty = self.builder.kernel().arrays[array.0 as usize].ty;
                self.builder.value(Op::ReadArray(array, index), ty)
            }
        }
    }

    fn store_scalar(&mut self, place: &Place, value: ValueId, span: Span) {
        match &place.at {
            At::Memory(address) => {
                let value = if self.builder.ty(value) == Scalar::Bool {
                    self.builder.value(Op::Convert(value), Scalar::U32)
                } else {
                    value
                };
                self.builder.push(Stmt::Store {
                    address: address.clone(),
                    value,
                    span,
                });
            }
            At::Own(own) => self.store_choice(own, value),
        }
    }

    fn store_choice(&mut self, own: &Own, value: ValueId) {
        let Some((choice, rest)) = own.choices.split_first() else {
            return self.store_cell(own, value);
        };
        for part in 0..choice.count {
            let chosen = Own {
                first: own.first + part as usize * choice.stride,
                choices: rest.to_vec(),
                ..own.clone()
            };
            let old = self.load_choice(&chosen, self.builder.ty(value));
            let condition = self.is_index(choice.index, part);
            let new = self.builder.select(condition, value, old);
            self.store_choice(&chosen, new);
        }
    }

    fn store_cell(&mut self, own: &Own, value: ValueId) {
        match self.storage(own.storage)[own.first].clone() {
            Cell::Var(var) => self.builder.push(Stmt::SetVar(var, value)),
            Cell::Array { array, dims } => {
                let index = self.flat_index(&own.indices, &dims);
                self.builder.push(Stmt::SetArray {
                    array,
                    index,
                    value,
                });
            }
            Cell::Value(_) => unreachable!("naga stores through pointers only"),
        }
    }

    /// The index into a private array of `dims` flattened; past its end if one index is out of its bound.
    fn flat_index(&mut self, indices: &[ValueId], dims: &[u32]) -> ValueId {
        assert_eq!(
            indices.len(),
            dims.len(),
            "an array's element is reached through all its dimensions"
        );
        let mut flat = None;
        let mut in_bounds = self.builder.constant(crate::ir::Literal::Bool(true));
        for (&index, &dim) in indices.iter().zip(dims) {
            let index = self.builder.value(Op::Bitcast(index), Scalar::U32);
            let extent = self.builder.u32(dim);
            if dims.len() > 1 {
                let holds = self.builder.binary(Binary::Less, index, extent);
                in_bounds = self.builder.binary(Binary::And, in_bounds, holds);
            }
            flat = Some(match flat {
                None => index,
                Some(outer) => {
                    let row = self.builder.binary(Binary::Multiply, outer, extent);
                    self.builder.binary(Binary::Add, row, index)
                }
            });
        }
        let beyond = self.builder.u32(u32::MAX);
        let flat = flat.expect("an array has a dimension");
        self.builder.select(in_bounds, flat, beyond)
    }
}
