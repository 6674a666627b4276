//! What does an entry point of a module do, as [KIR](crate::ir)? Calls inlined, aggregates taken apart into scalars, memory
//! addressed in words.
//!
//! - [`types`]: which scalars is a type made of, and where do they lie in memory?
//! - [`place`]: what does a pointer point to: memory, variables, private arrays?
//! - [`storage`]: where do the variables of an invocation live?
//! - [`expression`], [`operator`], [`math`], [`matrix`]: which values does an expression come to?
//! - [`statement`], [`switch`], [`atomic`]: what does a statement do?
//! - [`call`]: how does a function become part of its caller?
//! - [`global`]: what do module-scope declarations become?

mod atomic;
mod call;
mod expression;
mod global;
mod math;
mod matrix;
mod operator;
mod place;
mod statement;
mod storage;
mod switch;
mod types;

use std::collections::HashMap;

use naga::{Expression, GlobalVariable, Handle, Span};

use crate::diagnostic::Diagnostic;
use crate::front::Front;
use crate::ir::build::Builder;
use crate::ir::{ArrayId, BufferId, Kernel, Literal, ValueId, WorkgroupVarId};
use storage::StorageId;

/// Lowers the entry point at `index` of the module.
///
/// # Errors
/// The first construct that is not supported.
pub fn lower(front: &Front, index: usize) -> Result<Kernel, Diagnostic> {
    let entry = &front.module.entry_points[index];
    let info = front.info.get_entry_point(index);
    let declared = global::declarations(front, entry, info)?;
    let mut lowering = Lowering {
        front,
        builder: Builder::new(declared.kernel, Kernel::ROOT),
        buffers: declared.buffers,
        workgroup_vars: declared.workgroup_vars,
        private_vars: HashMap::new(),
        constants: HashMap::new(),
        tables: HashMap::new(),
        storages: Vec::new(),
        loop_depth: 0,
    };
    lowering.private_variables(info)?;
    lowering.entry_point(entry, info)?;
    let kernel = lowering.builder.finish();
    debug_assert_eq!(kernel.verify(), Ok(()), "{kernel}");
    Ok(kernel)
}

/// The state of lowering one entry point.
struct Lowering<'a> {
    front: &'a Front,
    builder: Builder,
    buffers: HashMap<Handle<GlobalVariable>, BufferId>,
    workgroup_vars: HashMap<Handle<GlobalVariable>, WorkgroupVarId>,
    private_vars: HashMap<Handle<GlobalVariable>, StorageId>,
    /// Scalars of module-scope expressions already lowered.
    constants: HashMap<Handle<Expression>, Vec<ValueId>>,
    /// Constant tables by content.
    tables: HashMap<Vec<Literal>, ArrayId>,
    storages: Vec<storage::Storage>,
    /// Loops around the present statement, those of callers included.
    loop_depth: u32,
}

type Lowered<T> = Result<T, Diagnostic>;

impl Lowering<'_> {
    fn refuse<T>(&self, span: Span, message: impl Into<String>) -> Lowered<T> {
        Err(self.front.source.diagnose(span, message))
    }
}
