//! What do module-scope declarations become? Bound buffers, workgroup memory, variables of each invocation, and constants.

use std::collections::HashMap;

use naga::proc::TypeResolution;
use naga::valid::FunctionInfo;
use naga::{AddressSpace, Expression, GlobalVariable, Handle, StorageAccess};

use super::place::Place;
use super::{Lowered, Lowering};
use crate::front::Front;
use crate::ir::{Binding, BufferId, Kernel, Memory, Space, ValueId, WorkgroupVar, WorkgroupVarId};

/// The declarations that an entry point uses.
pub(super) struct Declared {
    pub(super) kernel: Kernel,
    pub(super) buffers: HashMap<Handle<GlobalVariable>, BufferId>,
    pub(super) workgroup_vars: HashMap<Handle<GlobalVariable>, WorkgroupVarId>,
}

/// A kernel without statements that declares what the entry point uses.
pub(super) fn declarations(
    front: &Front,
    entry: &naga::EntryPoint,
    info: &FunctionInfo,
) -> Lowered<Declared> {
    let mut bindings = Vec::new();
    let (mut workgroup_vars, mut workgroup_ids) = (Vec::new(), HashMap::new());
    for (handle, variable) in front
        .module
        .global_variables
        .iter()
        .filter(|(handle, _)| !info[*handle].is_empty())
    {
        let span = front.module.global_variables.get_span(handle);
        let name = variable.name.clone().unwrap_or_default();
        match variable.space {
            AddressSpace::WorkGroup => {
                workgroup_ids.insert(handle, WorkgroupVarId(workgroup_vars.len() as u32));
                workgroup_vars.push(WorkgroupVar {
                    name,
                    words: super::types::words(&front.layouter, variable.ty),
                });
            }
            AddressSpace::Uniform | AddressSpace::Storage { .. } => {
                let Some(place) = variable.binding else {
                    return Err(front
                        .source
                        .diagnose(span, format!("`{name}` has no `@group` and `@binding`")));
                };
                let space = space_of(variable.space);
                bindings.push((
                    handle,
                    Binding {
                        name,
                        group: place.group,
                        binding: place.binding,
                        space,
                        span,
                    },
                ));
            }
            _ => {}
        }
    }
    bindings.sort_by_key(|(_, binding)| (binding.group, binding.binding));
    let buffers = bindings
        .iter()
        .enumerate()
        .map(|(index, (handle, _))| (*handle, BufferId(index as u32)))
        .collect();
    let kernel = Kernel {
        name: entry.name.clone(),
        workgroup_size: entry.workgroup_size,
        bindings: bindings.into_iter().map(|(_, binding)| binding).collect(),
        workgroup_vars,
        vars: Vec::new(),
        arrays: Vec::new(),
        values: Vec::new(),
        body: Vec::new(),
    };
    Ok(Declared {
        kernel,
        buffers,
        workgroup_vars: workgroup_ids,
    })
}

fn space_of(space: AddressSpace) -> Space {
    match space {
        AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => {
            Space::StorageReadWrite
        }
        AddressSpace::Storage { .. } => Space::StorageRead,
        _ => Space::Uniform,
    }
}

impl Lowering<'_> {
    /// Gives the private module-scope variables that the entry point uses their storage and first content.
    pub(super) fn private_variables(&mut self, info: &FunctionInfo) -> Lowered<()> {
        let module = &self.front.module;
        for (handle, variable) in module.global_variables.iter() {
            if variable.space != AddressSpace::Private || info[handle].is_empty() {
                continue;
            }
            let name = variable.name.as_deref().unwrap_or("private");
            let storage = self.allocate(name, &module.types[variable.ty].inner);
            self.private_vars.insert(handle, storage);
            if let Some(init) = variable.init {
                let span = module.global_variables.get_span(handle);
                let values = self.constant_expression(init)?;
                self.store(
                    &Place::own(storage, TypeResolution::Handle(variable.ty)),
                    &values,
                    span,
                )?;
            }
        }
        Ok(())
    }

    /// What a module-scope variable's name points to.
    pub(super) fn global_place(&self, handle: Handle<GlobalVariable>) -> Place {
        let ty = TypeResolution::Handle(self.front.module.global_variables[handle].ty);
        if let Some(&storage) = self.private_vars.get(&handle) {
            return Place::own(storage, ty);
        }
        let memory = match self.buffers.get(&handle) {
            Some(&buffer) => Memory::Buffer(buffer),
            None => Memory::Workgroup(self.workgroup_vars[&handle]),
        };
        Place::memory(memory, ty)
    }

    /// The scalars of a module-scope expression.
    pub(super) fn constant_expression(
        &mut self,
        handle: Handle<Expression>,
    ) -> Lowered<Vec<ValueId>> {
        if let Some(values) = self.constants.get(&handle) {
            return Ok(values.clone());
        }
        let module = &self.front.module;
        let span = module.global_expressions.get_span(handle);
        let values = match &module.global_expressions[handle] {
            Expression::Literal(literal) => vec![self.literal(*literal, span)?],
            Expression::Constant(constant) => {
                self.constant_expression(module.constants[*constant].init)?
            }
            Expression::ZeroValue(ty) => self.zero_value(&module.types[*ty].inner, span)?,
            Expression::Splat { size, value } => {
                let value = self.constant_expression(*value)?[0];
                vec![value; *size as usize]
            }
            Expression::Compose { ty, components } => {
                let mut values = Vec::new();
                for component in components {
                    values.extend(self.constant_expression(*component)?);
                }
                self.composed(&module.types[*ty].inner, values)
            }
            _ => return self.refuse(span, "this constant expression is not supported"),
        };
        self.constants.insert(handle, values.clone());
        Ok(values)
    }
}
