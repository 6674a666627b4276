//! Which Rust type holds a WGSL value on the host?

use std::fmt;

use naga::{ArraySize, Handle, Module, ScalarKind, Type, TypeInner};

use crate::ir::Scalar;

/// A Rust type for values in buffers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostType {
    /// `f32`, `i32` or `u32`; an atomic is its integer.
    Scalar(Scalar),
    /// A vector of 2 or 4, or one of 3 where nothing has to follow it: `[f32; n]`.
    Vector(Scalar, u32),
    /// A vector of 3 with a word of padding: `impel::Vec3<f32>`.
    PaddedVector(Scalar),
    /// An array, or a matrix of columns.
    Array(Box<HostType>, u32),
    /// A [`HostStruct`](super::HostStruct).
    Struct(String),
}

/// How a value of the type at `handle` is held as an element of an array in memory; none if the host cannot hold it.
pub(super) fn element_type(module: &Module, handle: Handle<Type>) -> Option<HostType> {
    Some(match &module.types[handle].inner {
        TypeInner::Scalar(scalar) | TypeInner::Atomic(scalar) => {
            HostType::Scalar(host_scalar(*scalar)?)
        }
        TypeInner::Vector { size, scalar } => vector(*size as u32, *scalar)?,
        TypeInner::Matrix {
            columns,
            rows,
            scalar,
        } => HostType::Array(Box::new(vector(*rows as u32, *scalar)?), *columns as u32),
        TypeInner::Array {
            base,
            size: ArraySize::Constant(count),
            ..
        } => HostType::Array(Box::new(element_type(module, *base)?), count.get()),
        TypeInner::Struct { .. } => HostType::Struct(module.types[handle].name.clone()?),
        _ => return None,
    })
}

/// How a value is held that is encoded when it is bound: without padding anywhere.
pub(super) fn value_type(module: &Module, handle: Handle<Type>) -> Option<HostType> {
    element_type(module, handle).map(HostType::without_padding)
}

/// How a member of a struct in memory is held: as an element of an array, but a vector of 3 without padding.
pub(super) fn member_type(module: &Module, handle: Handle<Type>) -> Option<HostType> {
    match element_type(module, handle)? {
        HostType::PaddedVector(scalar) => Some(HostType::Vector(scalar, 3)),
        other => Some(other),
    }
}

fn vector(size: u32, scalar: naga::Scalar) -> Option<HostType> {
    let scalar = host_scalar(scalar)?;
    Some(if size == 3 {
        HostType::PaddedVector(scalar)
    } else {
        HostType::Vector(scalar, size)
    })
}

fn host_scalar(scalar: naga::Scalar) -> Option<Scalar> {
    match scalar.kind {
        ScalarKind::Float => Some(Scalar::F32),
        ScalarKind::Sint => Some(Scalar::I32),
        ScalarKind::Uint => Some(Scalar::U32),
        ScalarKind::Bool | ScalarKind::AbstractInt | ScalarKind::AbstractFloat => None,
    }
}

impl HostType {
    fn without_padding(self) -> HostType {
        match self {
            HostType::PaddedVector(scalar) => HostType::Vector(scalar, 3),
            HostType::Array(element, count) => {
                HostType::Array(Box::new(element.without_padding()), count)
            }
            other => other,
        }
    }

    /// Longest array in the type.
    pub(super) fn longest_array(&self) -> u32 {
        match self {
            HostType::Array(element, count) => element.longest_array().max(*count),
            _ => 0,
        }
    }

    /// Name of the struct that the type holds, if any.
    pub(super) fn struct_name(&self) -> Option<&str> {
        match self {
            HostType::Struct(name) => Some(name),
            HostType::Array(element, _) => element.struct_name(),
            _ => None,
        }
    }
}

/// The type as Rust text.
impl fmt::Display for HostType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HostType::Scalar(scalar) => write!(f, "{scalar}"),
            HostType::Vector(scalar, size) => write!(f, "[{scalar}; {size}]"),
            HostType::PaddedVector(scalar) => write!(f, "::impel::Vec3<{scalar}>"),
            HostType::Array(element, count) => write!(f, "[{element}; {count}]"),
            HostType::Struct(name) => f.write_str(&super::names::identifier(name)),
        }
    }
}
