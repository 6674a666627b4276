//! How does a function become part of its caller? Its body is lowered in place, with fresh variables for each call; pointers
//! are passed as places, values as values.

use std::collections::HashMap;

use naga::proc::TypeResolution;
use naga::valid::FunctionInfo;
use naga::{
    Binding, Block, BuiltIn, Expression, Function, Handle, LocalVariable, Span, Statement,
    TypeInner,
};

use super::place::Place;
use super::storage::StorageId;
use super::types::{pointee, scalars};
use super::{Lowered, Lowering};
use crate::ir::{Builtin, Kernel, Label, Stmt, ValueId, VarId};

/// What an expression comes to.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// The scalars of a value.
    Value(Vec<ValueId>),
    /// A pointer.
    Place(Place),
}

/// One call of a function that is being lowered.
pub(super) struct Frame<'a> {
    pub(super) function: &'a Function,
    pub(super) info: &'a FunctionInfo,
    arguments: Vec<Item>,
    locals: HashMap<Handle<LocalVariable>, StorageId>,
    /// Expressions already evaluated.
    pub(super) items: HashMap<Handle<Expression>, Item>,
    /// Where `break` and `continue` lead, innermost last.
    pub(super) jumps: Vec<Jumps>,
    returns: Returns,
}

/// Targets of the jumps in a loop or switch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jumps {
    pub(super) break_to: Label,
    pub(super) continue_to: Option<Label>,
}

/// What `return` does.
enum Returns {
    /// Leaves the outermost block.
    Entry,
    /// Stands at the end only, and gives the result directly.
    Last(Option<Vec<ValueId>>),
    /// Assigns the result and leaves a block.
    Leave { block: Label, result: Vec<VarId> },
}

impl<'a> Lowering<'a> {
    /// Lowers the entry point's own function.
    pub(super) fn entry_point(
        &mut self,
        entry: &'a naga::EntryPoint,
        info: &'a FunctionInfo,
    ) -> Lowered<()> {
        let mut arguments = Vec::new();
        for argument in &entry.function.arguments {
            arguments.push(Item::Value(self.builtin_argument(argument)?));
        }
        let mut frame = self.frame(&entry.function, info, arguments, Returns::Entry)?;
        self.block(&mut frame, &entry.function.body)
    }

    fn builtin_argument(&mut self, argument: &naga::FunctionArgument) -> Lowered<Vec<ValueId>> {
        match (
            &argument.binding,
            &self.front.module.types[argument.ty].inner,
        ) {
            (Some(binding), _) => self.builtin_input(binding),
            (None, TypeInner::Struct { members, .. }) => {
                let mut values = Vec::new();
                for member in members {
                    match &member.binding {
                        Some(binding) => values.extend(self.builtin_input(binding)?),
                        None => {
                            return self.refuse(
                                Span::default(),
                                "an input of the entry point has no `@builtin`",
                            );
                        }
                    }
                }
                Ok(values)
            }
            (None, _) => self.refuse(
                Span::default(),
                "an input of the entry point has no `@builtin`",
            ),
        }
    }

    fn builtin_input(&mut self, binding: &Binding) -> Lowered<Vec<ValueId>> {
        let vector: fn(u8) -> Builtin = match binding {
            Binding::BuiltIn(BuiltIn::GlobalInvocationId) => Builtin::GlobalId,
            Binding::BuiltIn(BuiltIn::LocalInvocationId) => Builtin::LocalId,
            Binding::BuiltIn(BuiltIn::WorkGroupId) => Builtin::WorkgroupId,
            Binding::BuiltIn(BuiltIn::NumWorkGroups) => Builtin::NumWorkgroups,
            Binding::BuiltIn(BuiltIn::LocalInvocationIndex) => {
                return Ok(vec![self.builder.builtin(Builtin::LocalIndex)]);
            }
            other => {
                return self.refuse(
                    Span::default(),
                    format!("the entry point's input {other:?} is not supported"),
                );
            }
        };
        Ok((0..3)
            .map(|axis| self.builder.builtin(vector(axis)))
            .collect())
    }

    fn frame(
        &mut self,
        function: &'a Function,
        info: &'a FunctionInfo,
        arguments: Vec<Item>,
        returns: Returns,
    ) -> Lowered<Frame<'a>> {
        let (locals, items, jumps) = (HashMap::new(), HashMap::new(), Vec::new());
        let mut frame = Frame {
            function,
            info,
            arguments,
            locals,
            items,
            jumps,
            returns,
        };
        for (handle, variable) in function.local_variables.iter() {
            self.declare_local(&mut frame, handle, variable)?;
        }
        Ok(frame)
    }

    /// Gives a local variable its storage and first content. Private arrays are zero at first, so only a call that runs again
    /// has to clear them.
    fn declare_local(
        &mut self,
        frame: &mut Frame<'a>,
        handle: Handle<LocalVariable>,
        variable: &'a LocalVariable,
    ) -> Lowered<()> {
        let span = frame.function.local_variables.get_span(handle);
        self.builder.at(span);
        let name = variable.name.as_deref().unwrap_or("short_circuit");
        let storage = self.allocate(name, &self.front.module.types[variable.ty].inner);
        frame.locals.insert(handle, storage);
        let init = variable
            .init
            .filter(|init| !matches!(frame.function.expressions[*init], Expression::ZeroValue(_)));
        if let Some(init) = init {
            let values = self.value(frame, init)?;
            let place = Place::own(storage, TypeResolution::Handle(variable.ty));
            return self.store(&place, &values, span);
        }
        if self.loop_depth > 0 {
            self.zero_storage(storage);
        }
        Ok(())
    }

    pub(super) fn local_place(frame: &Frame<'a>, handle: Handle<LocalVariable>) -> Place {
        Place::own(
            frame.locals[&handle],
            TypeResolution::Handle(frame.function.local_variables[handle].ty),
        )
    }

    pub(super) fn argument(frame: &Frame<'a>, index: u32) -> Item {
        frame.arguments[index as usize].clone()
    }

    /// Lowers a call and remembers its result.
    pub(super) fn call(
        &mut self,
        frame: &mut Frame<'a>,
        callee: Handle<Function>,
        arguments: &[Handle<Expression>],
        result: Option<Handle<Expression>>,
    ) -> Lowered<()> {
        let mut items = Vec::new();
        for argument in arguments {
            items.push(self.item(frame, *argument)?);
        }
        let (function, info) = (
            &self.front.module.functions[callee],
            &self.front.info[callee],
        );
        let values = if returns_last(&function.body) {
            self.inline_straight(function, info, items)?
        } else {
            self.inline_block(function, info, items)?
        };
        if let Some(result) = result {
            frame.items.insert(result, Item::Value(values));
        }
        Ok(())
    }

    fn inline_straight(
        &mut self,
        function: &'a Function,
        info: &'a FunctionInfo,
        arguments: Vec<Item>,
    ) -> Lowered<Vec<ValueId>> {
        let mut callee = self.frame(function, info, arguments, Returns::Last(None))?;
        self.block(&mut callee, &function.body)?;
        match callee.returns {
            Returns::Last(Some(values)) => Ok(values),
            _ => Ok(Vec::new()),
        }
    }

    fn inline_block(
        &mut self,
        function: &'a Function,
        info: &'a FunctionInfo,
        arguments: Vec<Item>,
    ) -> Lowered<Vec<ValueId>> {
        let name = function.name.as_deref().unwrap_or("function");
        let types = match &function.result {
            Some(result) => scalars(
                &self.front.module,
                &self.front.module.types[result.ty].inner,
            ),
            None => Vec::new(),
        };
        let result: Vec<_> = types
            .iter()
            .map(|ty| self.builder.var(format!("{name}.result"), *ty))
            .collect();
        let block = self.builder.label();
        let mut callee = self.frame(
            function,
            info,
            arguments,
            Returns::Leave {
                block,
                result: result.clone(),
            },
        )?;
        self.builder.begin();
        self.block(&mut callee, &function.body)?;
        let body = self.builder.end();
        self.builder.push(Stmt::Block { label: block, body });
        Ok(result
            .into_iter()
            .map(|var| self.builder.read_var(var))
            .collect())
    }

    pub(super) fn return_statement(
        &mut self,
        frame: &mut Frame<'a>,
        value: Option<Handle<Expression>>,
    ) -> Lowered<()> {
        let values = match value {
            Some(value) => self.value(frame, value)?,
            None => Vec::new(),
        };
        match &mut frame.returns {
            Returns::Entry => self.builder.push(Stmt::Break(Kernel::ROOT)),
            Returns::Last(result) => *result = Some(values),
            Returns::Leave { block, result } => {
                let block = *block;
                for (var, value) in result.iter().zip(values) {
                    self.builder.push(Stmt::SetVar(*var, value));
                }
                self.builder.push(Stmt::Break(block));
            }
        }
        Ok(())
    }

    /// The type behind a pointer expression.
    pub(super) fn pointee(
        &self,
        frame: &Frame<'a>,
        pointer: Handle<Expression>,
    ) -> Option<TypeResolution> {
        pointee(frame.info[pointer].ty.inner_with(&self.front.module.types))
    }
}

/// Whether a function returns at the very end of its body and nowhere else.
fn returns_last(body: &Block) -> bool {
    match body.split_last() {
        Some((Statement::Return { .. }, before)) => before.iter().all(never_returns),
        Some((Statement::Block(last), before)) => {
            before.iter().all(never_returns) && returns_last(last)
        }
        Some(_) => body.iter().all(never_returns),
        None => true,
    }
}

fn never_returns(statement: &Statement) -> bool {
    let none_in = |block: &Block| block.iter().all(never_returns);
    match statement {
        Statement::Return { .. } => false,
        Statement::Block(block) => none_in(block),
        Statement::If { accept, reject, .. } => none_in(accept) && none_in(reject),
        Statement::Switch { cases, .. } => cases.iter().all(|case| none_in(&case.body)),
        Statement::Loop {
            body, continuing, ..
        } => none_in(body) && none_in(continuing),
        _ => true,
    }
}
