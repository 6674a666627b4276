//! Which buffers does an entry point bind, and which constants does a module name?

use naga::{
    AddressSpace, ArraySize, Expression, GlobalVariable, Handle, Span, StorageAccess, Type,
    TypeInner,
};

use super::host::{HostType, element_type, value_type};
use super::{BindingSignature, HostConstant, KernelSignature};
use crate::diagnostic::Diagnostic;
use crate::front::Front;
use crate::front::find_function;
use crate::ir::{Literal, Scalar, Space};

/// The signature of the entry point at `index`.
pub(super) fn kernel_signature(front: &Front, index: usize) -> Result<KernelSignature, Diagnostic> {
    let entry = &front.module.entry_points[index];
    let info = front.info.get_entry_point(index);
    let mut bindings = Vec::new();
    for (handle, variable) in front.module.global_variables.iter() {
        let bound = matches!(
            variable.space,
            AddressSpace::Uniform | AddressSpace::Storage { .. }
        );
        if bound && !info[handle].is_empty() {
            bindings.push(binding_signature(front, handle, variable)?);
        }
    }
    bindings.sort_by_key(|binding| (binding.group, binding.binding));
    Ok(KernelSignature {
        name: entry.name.clone(),
        position: front
            .source
            .position(find_function(&front.source, &entry.name)),
        workgroup_size: entry.workgroup_size,
        bindings,
    })
}

fn binding_signature(
    front: &Front,
    handle: Handle<GlobalVariable>,
    variable: &GlobalVariable,
) -> Result<BindingSignature, Diagnostic> {
    let span = front.module.global_variables.get_span(handle);
    let name = variable.name.clone().unwrap_or_default();
    let Some(place) = variable.binding else {
        return Err(front
            .source
            .diagnose(span, format!("`{name}` has no `@group` and `@binding`")));
    };
    let space = match variable.space {
        AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => {
            Space::StorageReadWrite
        }
        AddressSpace::Storage { .. } => Space::StorageRead,
        _ => Space::Uniform,
    };
    let Some(Shape {
        ty,
        fixed_words,
        stride_words,
    }) = shape(front, variable.ty, space)
    else {
        return Err(front
            .source
            .diagnose(
                span,
                format!("the type of `{name}` has no counterpart on the host"),
            )
            .advise("give its structs names and keep bool out of it"));
    };
    Ok(BindingSignature {
        name,
        group: place.group,
        binding: place.binding,
        space,
        position: front.source.position(span),
        declaration: front
            .source
            .excerpt(span)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        ty,
        fixed_words,
        stride_words,
    })
}

struct Shape {
    ty: HostType,
    fixed_words: u32,
    stride_words: u32,
}

/// How the host sees a buffer of the type at `handle`.
fn shape(front: &Front, handle: Handle<Type>, space: Space) -> Option<Shape> {
    let module = &front.module;
    let fixed_words = front.layouter[handle].size.div_ceil(4);
    if space == Space::Uniform {
        return Some(Shape {
            ty: value_type(module, handle)?,
            fixed_words,
            stride_words: 0,
        });
    }
    match &module.types[handle].inner {
        TypeInner::Array {
            base,
            size: ArraySize::Dynamic,
            stride,
        } => Some(Shape {
            ty: element_type(module, *base)?,
            fixed_words: 0,
            stride_words: stride / 4,
        }),
        TypeInner::Array { base, .. } => Some(Shape {
            ty: element_type(module, *base)?,
            fixed_words,
            stride_words: 0,
        }),
        TypeInner::Struct { members, .. } => {
            let tail = members.last()?;
            match &module.types[tail.ty].inner {
                TypeInner::Array {
                    size: ArraySize::Dynamic,
                    stride,
                    ..
                } => Some(Shape {
                    ty: HostType::Scalar(Scalar::U32),
                    fixed_words: tail.offset / 4,
                    stride_words: stride / 4,
                }),
                _ => Some(Shape {
                    ty: element_type(module, handle)?,
                    fixed_words,
                    stride_words: 0,
                }),
            }
        }
        _ => Some(Shape {
            ty: element_type(module, handle)?,
            fixed_words,
            stride_words: 0,
        }),
    }
}

/// The module's constants of scalar type, in order of their names' declaration.
pub(super) fn constants(front: &Front) -> Vec<HostConstant> {
    let module = &front.module;
    let overrides = front.overrides.iter().filter_map(|resolved| {
        let value = host_literal(resolved.value)?;
        Some(host_constant(
            front,
            resolved.name.clone(),
            value,
            resolved.span,
            true,
        ))
    });
    let constants = module.constants.iter().filter_map(|(handle, constant)| {
        let Expression::Literal(literal) = module.global_expressions[constant.init] else {
            return None;
        };
        let name = constant.name.clone().filter(|name| {
            front
                .overrides
                .iter()
                .all(|resolved| resolved.name != *name)
        })?;
        Some(host_constant(
            front,
            name,
            host_literal(literal)?,
            module.constants.get_span(handle),
            false,
        ))
    });
    let mut all: Vec<_> = overrides.chain(constants).collect();
    all.sort_by_key(|constant| constant.position);
    all
}

fn host_constant(
    front: &Front,
    name: String,
    value: Literal,
    span: Span,
    is_override: bool,
) -> HostConstant {
    HostConstant {
        name,
        value,
        position: front.source.position(span),
        is_override,
    }
}

fn host_literal(literal: naga::Literal) -> Option<Literal> {
    match literal {
        naga::Literal::F32(value) => Some(Literal::F32(value)),
        naga::Literal::I32(value) => Some(Literal::I32(value)),
        naga::Literal::U32(value) => Some(Literal::U32(value)),
        naga::Literal::Bool(value) => Some(Literal::Bool(value)),
        naga::Literal::AbstractInt(value) => i32::try_from(value).ok().map(Literal::I32),
        naga::Literal::AbstractFloat(value) => Some(Literal::F32(value as f32)),
        _ => None,
    }
}
