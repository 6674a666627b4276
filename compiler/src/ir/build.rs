//! How is a kernel put together? One list of statements is open at a time; values are folded and shared as they are made.

use std::collections::HashMap;

use naga::Span;

use super::ArrayId;
use super::fold::{Folded, fold};
use super::{
    Address, Binary, Builtin, Kernel, Label, Literal, Math, Memory, Op, PrivateArray, Scalar,
    Space, Stmt, Unary, Value, ValueId, Var, VarId,
};

/// Values that can be shared, by what they are.
type Made = HashMap<(Op, Scalar), ValueId>;

/// A kernel under construction.
#[derive(Debug)]
pub(crate) struct Builder {
    kernel: Kernel,
    /// Constants and builtins, visible everywhere.
    prologue: Vec<Stmt>,
    inputs: HashMap<Op, ValueId>,
    /// Open lists, innermost last, each with the values that were made in it.
    open: Vec<(Vec<Stmt>, Made)>,
    labels: u32,
    span: Span,
}

impl Builder {
    /// A builder with the declarations of `kernel`, its variables and arrays included, and no statements or values. New labels
    /// begin after `last_label`.
    pub(crate) fn new(kernel: Kernel, last_label: Label) -> Builder {
        Builder {
            kernel: Kernel {
                values: Vec::new(),
                body: Vec::new(),
                ..kernel
            },
            prologue: Vec::new(),
            inputs: HashMap::new(),
            open: vec![(Vec::new(), HashMap::new())],
            labels: last_label.0,
            span: Span::default(),
        }
    }

    /// The finished kernel.
    pub(crate) fn finish(mut self) -> Kernel {
        assert_eq!(self.open.len(), 1, "every list that was begun has ended");
        let (body, _) = self.open.remove(0);
        self.kernel.body = self.prologue;
        self.kernel.body.extend(body);
        self.kernel
    }

    pub(crate) fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Values made from now on come from the WGSL at `span`.
    pub(crate) fn at(&mut self, span: Span) {
        self.span = span;
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    pub(crate) fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels)
    }

    pub(crate) fn var(&mut self, name: String, ty: Scalar) -> VarId {
        self.kernel.vars.push(Var { name, ty });
        VarId(self.kernel.vars.len() as u32 - 1)
    }

    pub(crate) fn array(&mut self, array: PrivateArray) -> ArrayId {
        self.kernel.arrays.push(array);
        ArrayId(self.kernel.arrays.len() as u32 - 1)
    }

    /// Opens a list inside the present one.
    pub(crate) fn begin(&mut self) {
        self.open.push((Vec::new(), HashMap::new()));
    }

    /// Closes the innermost list.
    pub(crate) fn end(&mut self) -> Vec<Stmt> {
        assert!(
            self.open.len() > 1,
            "the outermost list ends with the kernel"
        );
        self.open.pop().expect("a list is open").0
    }

    /// Closes the body of a loop and opens its continuing part, which sees the values of the body; unless the body can
    /// `continue` past them, when equal values are computed anew.
    pub(crate) fn turn_to_continuing(&mut self, body_continues: bool) -> Vec<Stmt> {
        let (list, made) = self.open.last_mut().expect("a list is open");
        if body_continues {
            made.clear();
        }
        std::mem::take(list)
    }

    /// Adds a statement, unless it cannot be reached.
    pub(crate) fn push(&mut self, stmt: Stmt) {
        if !self.is_unreachable() {
            self.list().push(stmt);
        }
    }

    /// Whether the open list ends in a jump.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.open
            .last()
            .is_some_and(|(list, _)| list.last().is_some_and(Stmt::is_jump))
    }

    fn list(&mut self) -> &mut Vec<Stmt> {
        &mut self.open.last_mut().expect("a list is open").0
    }

    pub(crate) fn ty(&self, id: ValueId) -> Scalar {
        self.kernel.value(id).ty
    }

    pub(crate) fn literal(&self, id: ValueId) -> Option<Literal> {
        match self.kernel.value(id).op {
            Op::Const(literal) => Some(literal),
            _ => None,
        }
    }

    pub(crate) fn constant(&mut self, literal: Literal) -> ValueId {
        self.input(Op::Const(literal), literal.ty())
    }

    pub(crate) fn builtin(&mut self, builtin: Builtin) -> ValueId {
        self.input(Op::Builtin(builtin), Scalar::U32)
    }

    /// The constant 0 of a type.
    pub(crate) fn zero(&mut self, ty: Scalar) -> ValueId {
        self.constant(Literal::from_bits(ty, 0))
    }

    fn input(&mut self, op: Op, ty: Scalar) -> ValueId {
        if let Some(&id) = self.inputs.get(&op) {
            return id;
        }
        let id = self.fresh(op.clone(), ty);
        self.prologue.push(Stmt::Let(id));
        self.inputs.insert(op, id);
        id
    }

    /// A value without a statement that makes it, for the results of atomics.
    pub(crate) fn fresh(&mut self, op: Op, ty: Scalar) -> ValueId {
        self.kernel.values.push(Value {
            op,
            ty,
            span: self.span,
        });
        ValueId(self.kernel.values.len() as u32 - 1)
    }

    /// The value of `op`: folded, shared with an equal one that is visible, or made here.
    pub(crate) fn value(&mut self, op: Op, ty: Scalar) -> ValueId {
        match op {
            Op::Const(_) | Op::Builtin(_) => return self.input(op, ty),
            _ => {}
        }
        match fold(&op, ty, &self.kernel.values) {
            Some(Folded::Const(literal)) => return self.constant(literal),
            Some(Folded::Same(id)) => return id,
            Some(Folded::Op(op)) => return self.value(op, ty),
            None => {}
        }
        let shared = op.is_pure() || self.reads_constant_memory(&op);
        let key = (op, ty);
        if shared && let Some(&id) = self.open.iter().rev().find_map(|(_, made)| made.get(&key)) {
            return id;
        }
        let id = self.fresh(key.0.clone(), ty);
        if !self.is_unreachable() {
            self.list().push(Stmt::Let(id));
            if shared {
                self.open
                    .last_mut()
                    .expect("a list is open")
                    .1
                    .insert(key, id);
            }
        }
        id
    }

    /// Whether `op` reads what no invocation can change during a launch.
    fn reads_constant_memory(&self, op: &Op) -> bool {
        match op {
            Op::Load(Address {
                memory: Memory::Buffer(buffer),
                ..
            }) => self.kernel.bindings[buffer.0 as usize].space != Space::StorageReadWrite,
            Op::ReadArray(array, _) => self.kernel.arrays[array.0 as usize].contents.is_some(),
            _ => false,
        }
    }

    pub(crate) fn unary(&mut self, op: Unary, a: ValueId) -> ValueId {
        let ty = self.ty(a);
        self.value(Op::Unary(op, a), ty)
    }

    pub(crate) fn binary(&mut self, op: Binary, a: ValueId, b: ValueId) -> ValueId {
        let ty = if op.is_comparison() {
            Scalar::Bool
        } else {
            self.ty(a)
        };
        self.value(Op::Binary(op, a, b), ty)
    }

    pub(crate) fn select(
        &mut self,
        condition: ValueId,
        accept: ValueId,
        reject: ValueId,
    ) -> ValueId {
        let ty = self.ty(accept);
        self.value(
            Op::Select {
                condition,
                accept,
                reject,
            },
            ty,
        )
    }

    pub(crate) fn math(&mut self, function: Math, arguments: Vec<ValueId>) -> ValueId {
        let ty = self.ty(arguments[0]);
        self.value(Op::Math(function, arguments), ty)
    }

    pub(crate) fn read_var(&mut self, var: VarId) -> ValueId {
        let ty = self.kernel.vars[var.0 as usize].ty;
        self.value(Op::ReadVar(var), ty)
    }

    pub(crate) fn u32(&mut self, value: u32) -> ValueId {
        self.constant(Literal::U32(value))
    }

    pub(crate) fn f32(&mut self, value: f32) -> ValueId {
        self.constant(Literal::F32(value))
    }
}
