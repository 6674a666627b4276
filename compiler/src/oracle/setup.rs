//! What must be known of a module before its entry point can run: buffers, variables, inputs, frames?

use std::collections::BTreeSet;

use naga::proc::{Alignment, Layouter};
use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{
    AddressSpace, Binding, BuiltIn, EntryPoint, GlobalVariable, Handle, Module, ShaderStage,
    TypeInner,
};

use super::error::OracleError;
use super::frame::{Frame, Place};
use super::memory::{FIRST_BUFFER, PRIVATE, WORKGROUP};
use super::types::Types;
use super::{LOOP_LIMIT, Oracle, support};

/// A buffer that the entry point uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The variable's name.
    pub name: String,
    /// `@group`.
    pub group: u32,
    /// `@binding`.
    pub binding: u32,
    /// Uniform, or storage with its access.
    pub space: AddressSpace,
    /// Handle of the variable's type in the module.
    pub ty: Handle<naga::Type>,
    /// The least size in bytes: the whole type, or a runtime-sized type without its last array's elements.
    pub size_bytes_min: u32,
}

/// Places of the global variables that an entry point uses, and what their memory starts as.
struct Globals {
    places: Vec<Option<Place>>,
    bindings: Vec<Bound>,
    private_init: Vec<u32>,
    workgroup_words: u32,
}

/// See [`Oracle::new`].
pub(super) fn prepare<'m>(
    module: &'m Module,
    info: &ModuleInfo,
    entry: &str,
) -> Result<Oracle<'m>, OracleError> {
    let (index, entry_point) = module
        .entry_points
        .iter()
        .enumerate()
        .find(|(_, point)| point.name == entry && point.stage == ShaderStage::Compute)
        .ok_or_else(|| OracleError::NoEntryPoint(entry.to_owned()))?;
    if entry_point.workgroup_size_overrides.is_some() {
        return Err(OracleError::unsupported(
            "a workgroup size with unresolved overrides",
        ));
    }
    let mut types = Types::default();
    let constants = Frame::of_constants(module, info, &mut types);
    let globals = place_globals(module, info.get_entry_point(index), &mut types, &constants)?;
    let place = |handle: Handle<GlobalVariable>| globals.places[handle.index()];

    let mut frames: Vec<Option<Frame>> = Vec::new();
    frames.resize_with(module.functions.len(), || None);
    for handle in reachable(module, entry_point) {
        let function = &module.functions[handle];
        support::block(&function.body)?;
        let frame = Frame::of_function(
            module,
            function,
            &info[handle],
            &mut types,
            &constants,
            &place,
        )?;
        frames[handle.index()] = Some(frame);
    }
    let function = &entry_point.function;
    support::block(&function.body)?;
    let own = info.get_entry_point(index);
    frames.push(Some(Frame::of_function(
        module, function, own, &mut types, &constants, &place,
    )?));
    Ok(Oracle {
        module,
        entry: index,
        types,
        frames,
        bindings: globals.bindings,
        inputs: inputs(module, entry_point)?,
        private_init: globals.private_init,
        workgroup_words: globals.workgroup_words,
        loop_limit: LOOP_LIMIT,
    })
}

/// The functions that the entry point calls, directly or not.
fn reachable(module: &Module, entry: &EntryPoint) -> BTreeSet<Handle<naga::Function>> {
    let mut found = BTreeSet::new();
    let mut open = support::callees(&entry.function.body);
    while let Some(function) = open.pop() {
        if found.insert(function) {
            open.extend(support::callees(&module.functions[function].body));
        }
    }
    found
}

fn place_globals(
    module: &Module,
    info: &FunctionInfo,
    types: &mut Types,
    constants: &Frame,
) -> Result<Globals, OracleError> {
    let mut layouter = Layouter::default();
    layouter
        .update(module.to_ctx())
        .map_err(|error| OracleError::malformed(error.to_string()))?;
    let mut globals = Globals {
        places: vec![None; module.global_variables.len()],
        bindings: Vec::new(),
        private_init: Vec::new(),
        workgroup_words: 0,
    };
    let mut buffers = Vec::new();
    for (handle, variable) in module.global_variables.iter() {
        if info[handle].is_empty() {
            continue;
        }
        let span = module.global_variables.get_span(handle);
        let ty = types
            .handle(module, variable.ty)
            .map_err(|error| error.at(span))?;
        let words = types.words(ty);
        match variable.space {
            AddressSpace::Private => {
                let at = globals.private_init.len();
                globals.private_init.resize(at + words as usize, 0);
                if let Some(init) = variable.init {
                    globals.private_init[at..].copy_from_slice(constants.constant(types, init)?);
                }
                globals.places[handle.index()] = Some((PRIVATE, at as u32));
            }
            AddressSpace::WorkGroup => {
                globals.places[handle.index()] = Some((WORKGROUP, globals.workgroup_words));
                globals.workgroup_words += words;
            }
            AddressSpace::Uniform | AddressSpace::Storage { .. } => {
                buffers.push((handle, bound(module, variable, &layouter)?));
            }
            other => {
                return Err(
                    OracleError::unsupported(format!("the address space {other:?}")).at(span),
                );
            }
        }
    }
    buffers.sort_by_key(|(_, bound)| (bound.group, bound.binding));
    for (position, (handle, bound)) in buffers.into_iter().enumerate() {
        globals.places[handle.index()] = Some((FIRST_BUFFER + position as u32, 0));
        globals.bindings.push(bound);
    }
    Ok(globals)
}

fn bound(
    module: &Module,
    variable: &GlobalVariable,
    layouter: &Layouter,
) -> Result<Bound, OracleError> {
    let place = variable
        .binding
        .ok_or_else(|| OracleError::malformed("a buffer without @group and @binding"))?;
    Ok(Bound {
        name: variable.name.clone().unwrap_or_default(),
        group: place.group,
        binding: place.binding,
        space: variable.space,
        ty: variable.ty,
        size_bytes_min: size_bytes_min(module, variable.ty, layouter),
    })
}

/// Size of a type, or the offset of its runtime-sized last array.
fn size_bytes_min(module: &Module, ty: Handle<naga::Type>, layouter: &Layouter) -> u32 {
    match module.types[ty].inner {
        TypeInner::Array {
            size: naga::ArraySize::Dynamic,
            ..
        } => 0,
        TypeInner::Struct { ref members, .. } => match members.last() {
            Some(last) if is_runtime_sized(module, last.ty) => {
                Alignment::FOUR.round_up(last.offset)
            }
            _ => layouter[ty].size,
        },
        _ => layouter[ty].size,
    }
}

pub(super) fn is_runtime_sized(module: &Module, ty: Handle<naga::Type>) -> bool {
    matches!(
        module.types[ty].inner,
        TypeInner::Array {
            size: naga::ArraySize::Dynamic,
            ..
        }
    )
}

/// The built-in inputs that the entry point's arguments consist of, in order.
fn inputs(module: &Module, entry: &EntryPoint) -> Result<Vec<BuiltIn>, OracleError> {
    let mut found = Vec::new();
    for argument in &entry.function.arguments {
        match (&argument.binding, &module.types[argument.ty].inner) {
            (Some(binding), _) => found.push(input(binding)?),
            (None, TypeInner::Struct { members, .. }) => {
                for member in members {
                    let binding = member.binding.as_ref();
                    found.push(input(binding.ok_or_else(|| {
                        OracleError::malformed("an input without binding")
                    })?)?);
                }
            }
            _ => return Err(OracleError::malformed("an input without binding")),
        }
    }
    Ok(found)
}

fn input(binding: &Binding) -> Result<BuiltIn, OracleError> {
    match *binding {
        Binding::BuiltIn(
            built_in @ (BuiltIn::GlobalInvocationId
            | BuiltIn::LocalInvocationId
            | BuiltIn::LocalInvocationIndex
            | BuiltIn::WorkGroupId
            | BuiltIn::WorkGroupSize
            | BuiltIn::NumWorkGroups),
        ) => Ok(built_in),
        ref other => Err(OracleError::unsupported(format!("the input {other:?}"))),
    }
}
