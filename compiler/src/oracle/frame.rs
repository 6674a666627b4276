//! Where does each expression, argument and variable of a function live, and which values are known before it runs?
//!
//! A call of a function has one run of words, its frame: every expression has its own place in it, so that nothing is
//! ever allocated or overwritten by accident. The template is a frame with all constants already in place.

use naga::valid::{FunctionInfo, ModuleInfo};
use naga::{Arena, Expression, Function, GlobalVariable, Handle, Literal, Module};

use super::error::OracleError;
use super::eval::{Scope, evaluate};
use super::support;
use super::types::{TyId, Types};

/// Place of a value in its frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Slot {
    pub(super) at: u32,
    pub(super) ty: TyId,
}

/// The frame of one function, or of the module's constant expressions.
#[derive(Debug)]
pub(super) struct Frame<'m> {
    pub(super) expressions: &'m Arena<Expression>,
    slots: Vec<Option<Slot>>,
    /// Place of each argument.
    pub(super) arguments: Vec<Slot>,
    /// For each expression that names a local variable: its place, and the variable's.
    pub(super) local_pointers: Vec<(u32, u32)>,
    /// The words of a fresh frame.
    pub(super) template: Vec<u32>,
}

/// Root and word offset of a global variable.
pub(super) type Place = (u32, u32);

impl<'m> Frame<'m> {
    /// Evaluates the module's constant expressions. Those of types without values here (abstract numbers, f16) have
    /// no place; asking for one later is an error.
    pub(super) fn of_constants(module: &'m Module, info: &ModuleInfo, types: &mut Types) -> Self {
        let mut frame = Self::empty(&module.global_expressions);
        for (handle, _) in module.global_expressions.iter() {
            if let Ok(ty) = types.resolve(module, &info[handle]) {
                let at = frame.reserve(types.words(ty));
                frame.slots[handle.index()] = Some(Slot { at, ty });
                if frame.preset(module, types, None, handle).is_err() {
                    frame.slots[handle.index()] = None;
                }
            }
        }
        frame
    }

    /// Lays out a function's frame and evaluates its constant expressions.
    pub(super) fn of_function(
        module: &'m Module,
        function: &'m Function,
        info: &FunctionInfo,
        types: &mut Types,
        constants: &Frame<'m>,
        globals: &dyn Fn(Handle<GlobalVariable>) -> Option<Place>,
    ) -> Result<Self, OracleError> {
        let mut frame = Self::empty(&function.expressions);
        for argument in &function.arguments {
            let ty = types.handle(module, argument.ty)?;
            let at = frame.reserve(types.words(ty));
            frame.arguments.push(Slot { at, ty });
        }
        let mut known = vec![false; function.expressions.len()];
        for (handle, expression) in function.expressions.iter() {
            let span = function.expressions.get_span(handle);
            support::expression(expression).map_err(|error| error.at(span))?;
            let slot = if let Expression::FunctionArgument(index) = *expression {
                frame.arguments[index as usize]
            } else {
                let ty = types
                    .resolve(module, &info[handle].ty)
                    .map_err(|error| error.at(span))?;
                Slot {
                    at: frame.reserve(types.words(ty)),
                    ty,
                }
            };
            frame.slots[handle.index()] = Some(slot);
            if let Expression::GlobalVariable(global) = *expression {
                let (root, offset) = globals(global)
                    .ok_or_else(|| OracleError::malformed("an unlisted global variable"))?;
                frame.template[slot.at as usize..][..3].copy_from_slice(&[root, offset, 1]);
            } else if support::is_constant(expression, &known) {
                frame
                    .preset(module, types, Some(constants), handle)
                    .map_err(|error| error.at(span))?;
                known[handle.index()] = true;
            }
        }
        frame.place_locals(module, function, types)?;
        Ok(frame)
    }

    /// The place of an expression's value.
    pub(super) fn slot(&self, handle: Handle<Expression>) -> Result<Slot, OracleError> {
        self.slots[handle.index()]
            .ok_or_else(|| OracleError::malformed("an expression without a type"))
    }

    /// The words of a constant expression's value.
    pub(super) fn constant(
        &self,
        types: &Types,
        handle: Handle<Expression>,
    ) -> Result<&[u32], OracleError> {
        let slot = self.slots[handle.index()]
            .ok_or_else(|| OracleError::unsupported("a constant of this type"))?;
        Ok(&self.template[slot.at as usize..][..types.words(slot.ty) as usize])
    }

    fn empty(expressions: &'m Arena<Expression>) -> Self {
        Self {
            expressions,
            slots: vec![None; expressions.len()],
            arguments: Vec::new(),
            local_pointers: Vec::new(),
            template: Vec::new(),
        }
    }

    fn reserve(&mut self, words: u32) -> u32 {
        let at = self.template.len();
        self.template.resize(at + words as usize, 0);
        at as u32
    }

    /// Computes a constant expression into the template. `constants` is `None` inside the constants themselves.
    fn preset(
        &mut self,
        module: &Module,
        types: &Types,
        constants: Option<&Frame<'m>>,
        handle: Handle<Expression>,
    ) -> Result<(), OracleError> {
        let slot = self.slot(handle)?;
        match self.expressions[handle] {
            Expression::Literal(literal) => self.template[slot.at as usize] = word(literal)?,
            Expression::ZeroValue(_) => {}
            Expression::Constant(constant) => {
                let init = module.constants[constant].init;
                let value = constants.unwrap_or(self).constant(types, init)?.to_vec();
                self.template[slot.at as usize..][..value.len()].copy_from_slice(&value);
            }
            _ => {
                let mut template = std::mem::take(&mut self.template);
                let outcome = evaluate(
                    &Scope {
                        types,
                        frame: self,
                        extents: &[],
                    },
                    &mut template,
                    handle,
                );
                self.template = template;
                outcome?;
            }
        }
        Ok(())
    }

    fn place_locals(
        &mut self,
        module: &Module,
        function: &Function,
        types: &mut Types,
    ) -> Result<(), OracleError> {
        let mut places = Vec::new();
        for (_, local) in function.local_variables.iter() {
            let ty = types.handle(module, local.ty)?;
            let at = self.reserve(types.words(ty));
            places.push(at);
            if let Some(init) = local.init {
                let value = self.constant(types, init)?.to_vec();
                self.template[at as usize..][..value.len()].copy_from_slice(&value);
            }
        }
        for (handle, expression) in function.expressions.iter() {
            if let Expression::LocalVariable(local) = *expression {
                let at = self.slot(handle)?.at;
                self.local_pointers.push((at, places[local.index()]));
            }
        }
        Ok(())
    }
}

fn word(literal: Literal) -> Result<u32, OracleError> {
    match literal {
        Literal::F32(value) => Ok(value.to_bits()),
        Literal::U32(value) => Ok(value),
        Literal::I32(value) => Ok(value as u32),
        Literal::Bool(value) => Ok(u32::from(value)),
        other => Err(OracleError::unsupported(format!("the literal {other:?}"))),
    }
}
