//! How is a kernel put together? One list of statements is open at a time; values are folded and shared as they are made.

use std::collections::HashMap;

use naga::Span;

use super::ArrayId;
use super::fold::{Folded, fold};
use super::{
    Address, Binary, BufferId, Builtin, Kernel, Label, Literal, Math, Memory, Op, PrivateArray,
    Scalar, Space, Stmt, Unary, Value, ValueId, Var, VarId,
};

/// Values that can be shared, by what they are.
type Made = HashMap<(Op, Scalar), ValueId>;

/// A list of statements that is not complete.
#[derive(Debug, Default)]
struct OpenList {
    number: u32,
    stmts: Vec<Stmt>,
    made: Made,
}

/// A kernel under construction.
#[derive(Debug)]
pub(crate) struct Builder {
    kernel: Kernel,
    /// Constants, builtins and scalars of uniform buffers, visible everywhere.
    prologue: Vec<Stmt>,
    inputs: Made,
    /// Open lists, innermost last.
    open: Vec<OpenList>,
    /// How many lists were begun so far.
    lists: u32,
    /// The list that each value was made in; none for what is visible everywhere.
    homes: Vec<Option<u32>>,
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
            open: vec![OpenList::default()],
            lists: 0,
            homes: Vec::new(),
            labels: last_label.0,
            span: Span::default(),
        }
    }

    /// The finished kernel.
    pub(crate) fn finish(mut self) -> Kernel {
        assert_eq!(self.open.len(), 1, "every list that was begun has ended");
        self.kernel.body = self.prologue;
        self.kernel.body.extend(self.open.remove(0).stmts);
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
        self.lists += 1;
        self.open.push(OpenList {
            number: self.lists,
            ..OpenList::default()
        });
    }

    /// Closes the innermost list.
    pub(crate) fn end(&mut self) -> Vec<Stmt> {
        assert!(
            self.open.len() > 1,
            "the outermost list ends with the kernel"
        );
        self.open.pop().expect("a list is open").stmts
    }

    /// Closes the body of a loop and opens its continuing part, which sees the values of the body; unless the body can
    /// `continue` past them, when equal values are computed anew.
    pub(crate) fn turn_to_continuing(&mut self, body_continues: bool) -> Vec<Stmt> {
        let list = self.list();
        if body_continues {
            list.made.clear();
        }
        std::mem::take(&mut list.stmts)
    }

    /// Adds a statement, unless it cannot be reached.
    pub(crate) fn push(&mut self, stmt: Stmt) {
        if !self.is_unreachable() {
            self.list().stmts.push(stmt);
        }
    }

    /// Whether the open list ends in a jump.
    pub(crate) fn is_unreachable(&self) -> bool {
        self.open
            .last()
            .is_some_and(|list| list.stmts.last().is_some_and(Stmt::is_jump))
    }

    fn list(&mut self) -> &mut OpenList {
        self.open.last_mut().expect("a list is open")
    }

    /// Whether the next statement can use the value.
    pub(crate) fn is_visible(&self, id: ValueId) -> bool {
        self.homes[id.0 as usize]
            .is_none_or(|home| self.open.iter().any(|list| list.number == home))
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
        let key = (op, ty);
        if let Some(&id) = self.inputs.get(&key) {
            return id;
        }
        let id = self.fresh(key.0.clone(), ty);
        self.prologue.push(Stmt::Let(id));
        self.homes[id.0 as usize] = None;
        self.inputs.insert(key, id);
        id
    }

    /// A value without a statement that makes it, for the results of atomics.
    pub(crate) fn fresh(&mut self, op: Op, ty: Scalar) -> ValueId {
        let home = self.list().number;
        self.homes.push(Some(home));
        self.kernel.values.push(Value {
            op,
            ty,
            span: self.span,
        });
        ValueId(self.kernel.values.len() as u32 - 1)
    }

    /// The value of `op`: folded, shared with an equal one that is visible, or made here.
    pub(crate) fn value(&mut self, op: Op, ty: Scalar) -> ValueId {
        if self.is_input(&op) {
            return self.input(op, ty);
        }
        let op = match op {
            Op::Binary(op, a, b) => self.constant_last(op, a, b),
            Op::Select {
                condition,
                accept,
                reject,
            } if ty == Scalar::Bool => self.logic(condition, accept, reject),
            other => other,
        };
        match fold(&op, ty, &self.kernel.values) {
            Some(Folded::Const(literal)) => return self.constant(literal),
            Some(Folded::Same(id)) => return id,
            Some(Folded::Op(op)) => return self.value(op, ty),
            None => {}
        }
        let shared = op.is_pure() || self.reads_constant_memory(&op);
        let key = (op, ty);
        if shared && let Some(&id) = self.open.iter().rev().find_map(|list| list.made.get(&key)) {
            return id;
        }
        let id = self.fresh(key.0.clone(), ty);
        if !self.is_unreachable() {
            let list = self.list();
            list.stmts.push(Stmt::Let(id));
            if shared {
                list.made.insert(key, id);
            }
        }
        id
    }

    /// Puts a constant on the right, where most later passes look for it.
    fn constant_last(&self, op: Binary, a: ValueId, b: ValueId) -> Op {
        match op.mirrored() {
            Some(mirrored) if self.literal(a).is_some() && self.literal(b).is_none() => {
                Op::Binary(mirrored, b, a)
            }
            _ => Op::Binary(op, a, b),
        }
    }

    /// A selection between truth values of which one is known, as `and` or `or`; naga spells `||` as `!a ? b : true`.
    fn logic(&mut self, condition: ValueId, accept: ValueId, reject: ValueId) -> Op {
        match (self.literal(accept), self.literal(reject)) {
            (None, Some(Literal::Bool(true))) => {
                Op::Binary(Binary::Or, self.unary(Unary::LogicalNot, condition), accept)
            }
            (Some(Literal::Bool(false)), None) => Op::Binary(
                Binary::And,
                self.unary(Unary::LogicalNot, condition),
                reject,
            ),
            _ => Op::Select {
                condition,
                accept,
                reject,
            },
        }
    }

    /// Whether `op` is the same wherever it stands, and cheap enough to be made before everything else.
    fn is_input(&self, op: &Op) -> bool {
        match op {
            Op::Const(_) | Op::Builtin(_) | Op::ArrayLength { .. } => true,
            Op::Load(Address {
                memory: Memory::Buffer(buffer),
                terms,
                ..
            }) => terms.is_empty() && self.space(*buffer) == Space::Uniform,
            _ => false,
        }
    }

    fn space(&self, buffer: BufferId) -> Space {
        self.kernel.bindings[buffer.0 as usize].space
    }

    /// Whether `op` reads what no invocation can change during a launch.
    fn reads_constant_memory(&self, op: &Op) -> bool {
        match op {
            Op::Load(Address {
                memory: Memory::Buffer(buffer),
                ..
            }) => self.space(*buffer) != Space::StorageReadWrite,
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
