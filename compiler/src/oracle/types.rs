//! How many words does a value of each type take, and where do its parts lie?
//!
//! A value is a run of 32-bit words without padding, one per scalar (the *dense* layout); so are variables in
//! function, private and workgroup memory. Uniform and storage buffers have WGSL's own layout (the *host* layout).
//! A pointer is a value of three words: root, word offset, and whether every index on the way was in bounds.

use std::collections::HashMap;

use naga::proc::TypeResolution;
use naga::{AddressSpace, ArraySize, Handle, Module, TypeInner};

use super::error::OracleError;

/// Words of a pointer value: root, offset, in bounds.
pub(super) const POINTER_WORDS: u32 = 3;

/// Index of a type in [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TyId(u32);

/// Scalar types; each takes one word (`false` is 0, `true` is 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Bool,
    I32,
    U32,
    F32,
}

/// Which of its two layouts a type has in some memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Layout {
    Dense,
    Host,
}

impl Layout {
    fn of(space: AddressSpace) -> Result<Self, OracleError> {
        match space {
            AddressSpace::Function | AddressSpace::Private | AddressSpace::WorkGroup => {
                Ok(Self::Dense)
            }
            AddressSpace::Uniform | AddressSpace::Storage { .. } => Ok(Self::Host),
            other => Err(OracleError::unsupported(format!(
                "the address space {other:?}"
            ))),
        }
    }
}

/// A member of a struct, with its word offset in both layouts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Member {
    pub(super) ty: TyId,
    pub(super) dense: u32,
    pub(super) host: u32,
}

/// A type, reduced to what the interpreter asks of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ty {
    Scalar(Kind),
    Vector {
        size: u32,
        kind: Kind,
    },
    Matrix {
        columns: u32,
        rows: u32,
    },
    Atomic(Kind),
    Array {
        elem: TyId,
        len: Option<u32>,
        host_stride: u32,
    },
    Struct {
        members: Vec<Member>,
    },
    Pointer {
        to: TyId,
        layout: Layout,
    },
}

/// The types of one module, each once.
#[derive(Debug, Default)]
pub(super) struct Types {
    all: Vec<Ty>,
    words: Vec<u32>,
    ids: HashMap<Ty, TyId>,
}

impl Types {
    /// The type behind an id.
    pub(super) fn get(&self, id: TyId) -> &Ty {
        &self.all[id.0 as usize]
    }

    /// Words of a value of this type; 0 for a runtime-sized array, which is never a value.
    pub(super) fn words(&self, id: TyId) -> u32 {
        self.words[id.0 as usize]
    }

    /// Words between consecutive elements or columns of `id` in `layout`.
    pub(super) fn stride(&self, id: TyId, layout: Layout) -> u32 {
        match (self.get(id), layout) {
            (Ty::Array { host_stride, .. }, Layout::Host) => *host_stride,
            (Ty::Array { elem, .. }, Layout::Dense) => self.words(*elem),
            (Ty::Matrix { rows, .. }, Layout::Host) => rows.next_power_of_two(),
            (Ty::Matrix { rows, .. }, Layout::Dense) => *rows,
            _ => 1,
        }
    }

    /// The type of an expression.
    pub(super) fn resolve(
        &mut self,
        module: &Module,
        ty: &TypeResolution,
    ) -> Result<TyId, OracleError> {
        match *ty {
            TypeResolution::Handle(handle) => self.handle(module, handle),
            TypeResolution::Value(ref inner) => self.inner(module, inner),
        }
    }

    /// The type behind one of the module's handles.
    pub(super) fn handle(
        &mut self,
        module: &Module,
        handle: Handle<naga::Type>,
    ) -> Result<TyId, OracleError> {
        self.inner(module, &module.types[handle].inner)
            .map_err(|error| error.at(module.types.get_span(handle)))
    }

    fn inner(&mut self, module: &Module, inner: &TypeInner) -> Result<TyId, OracleError> {
        let ty = match *inner {
            TypeInner::Scalar(scalar) => Ty::Scalar(kind(scalar)?),
            TypeInner::Vector { size, scalar } => Ty::Vector {
                size: size as u32,
                kind: kind(scalar)?,
            },
            TypeInner::Matrix {
                columns,
                rows,
                scalar,
            } => {
                kind(scalar)?;
                Ty::Matrix {
                    columns: columns as u32,
                    rows: rows as u32,
                }
            }
            TypeInner::Atomic(scalar) => Ty::Atomic(kind(scalar)?),
            TypeInner::Array { base, size, stride } => {
                let len = array_length(module, size)?;
                Ty::Array {
                    elem: self.handle(module, base)?,
                    len,
                    host_stride: stride / 4,
                }
            }
            TypeInner::Struct { ref members, .. } => self.structure(module, members)?,
            TypeInner::Pointer { base, space } => Ty::Pointer {
                to: self.handle(module, base)?,
                layout: Layout::of(space)?,
            },
            TypeInner::ValuePointer {
                size,
                scalar,
                space,
            } => {
                let kind = kind(scalar)?;
                let to = size.map_or(Ty::Scalar(kind), |size| Ty::Vector {
                    size: size as u32,
                    kind,
                });
                Ty::Pointer {
                    to: self.intern(to),
                    layout: Layout::of(space)?,
                }
            }
            ref other => return Err(OracleError::unsupported(type_name(other))),
        };
        Ok(self.intern(ty))
    }

    fn structure(
        &mut self,
        module: &Module,
        members: &[naga::StructMember],
    ) -> Result<Ty, OracleError> {
        let mut dense = 0;
        let mut laid_out = Vec::with_capacity(members.len());
        for member in members {
            let ty = self.handle(module, member.ty)?;
            laid_out.push(Member {
                ty,
                dense,
                host: member.offset / 4,
            });
            dense = self.words(ty).saturating_add(dense);
        }
        Ok(Ty::Struct { members: laid_out })
    }

    fn intern(&mut self, ty: Ty) -> TyId {
        if let Some(&id) = self.ids.get(&ty) {
            return id;
        }
        let words = match ty {
            Ty::Scalar(_) | Ty::Atomic(_) => 1,
            Ty::Vector { size, .. } => size,
            Ty::Matrix { columns, rows } => columns * rows,
            Ty::Array { elem, len, .. } => self.words(elem).saturating_mul(len.unwrap_or(0)),
            Ty::Struct { ref members } => members
                .iter()
                .map(|member| self.words(member.ty))
                .fold(0, u32::saturating_add),
            Ty::Pointer { .. } => POINTER_WORDS,
        };
        let id = TyId(self.all.len() as u32);
        self.all.push(ty.clone());
        self.words.push(words);
        self.ids.insert(ty, id);
        id
    }
}

fn array_length(module: &Module, size: ArraySize) -> Result<Option<u32>, OracleError> {
    match size.resolve(module.to_ctx()) {
        Ok(naga::proc::IndexableLength::Known(len)) => Ok(Some(len)),
        Ok(naga::proc::IndexableLength::Dynamic) => Ok(None),
        Err(_) => Err(OracleError::unsupported(
            "an array whose length is an unresolved override",
        )),
    }
}

pub(super) fn kind(scalar: naga::Scalar) -> Result<Kind, OracleError> {
    match scalar {
        naga::Scalar::BOOL => Ok(Kind::Bool),
        naga::Scalar::I32 => Ok(Kind::I32),
        naga::Scalar::U32 => Ok(Kind::U32),
        naga::Scalar::F32 => Ok(Kind::F32),
        other => Err(OracleError::unsupported(format!(
            "{}-bit {:?} values",
            u32::from(other.width) * 8,
            other.kind
        ))),
    }
}

fn type_name(inner: &TypeInner) -> &'static str {
    match inner {
        TypeInner::Image { .. } => "textures",
        TypeInner::Sampler { .. } => "samplers",
        TypeInner::AccelerationStructure { .. } | TypeInner::RayQuery { .. } => "ray tracing",
        TypeInner::BindingArray { .. } => "binding arrays",
        TypeInner::CooperativeMatrix { .. } => "cooperative matrices",
        _ => "this type",
    }
}
