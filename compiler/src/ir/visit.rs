//! Which values, lists and jumps does a piece of KIR mention?

use super::{Address, Label, Op, Stmt, ValueId};

impl Address {
    /// The indices.
    pub fn operands(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.terms.iter().map(|term| term.index)
    }

    /// The same address with other values for its indices.
    #[must_use]
    pub fn map_operands(&self, mut map: impl FnMut(ValueId) -> ValueId) -> Address {
        let mut address = self.clone();
        for term in &mut address.terms {
            term.index = map(term.index);
        }
        address
    }
}

impl Op {
    /// The values it is computed from, in order.
    pub fn operands(&self) -> Vec<ValueId> {
        match self {
            Op::Const(_)
            | Op::Builtin(_)
            | Op::ReadVar(_)
            | Op::ArrayLength { .. }
            | Op::AtomicResult => Vec::new(),
            Op::Unary(_, a) | Op::Convert(a) | Op::Bitcast(a) | Op::ReadArray(_, a) => vec![*a],
            Op::Binary(_, a, b) => vec![*a, *b],
            Op::Select {
                condition,
                accept,
                reject,
            } => vec![*condition, *accept, *reject],
            Op::Math(_, arguments) => arguments.clone(),
            Op::Load(address) | Op::UniformLoad(address) => address.operands().collect(),
        }
    }

    /// The same operation on other values.
    #[must_use]
    pub fn map_operands(&self, mut map: impl FnMut(ValueId) -> ValueId) -> Op {
        match self {
            Op::Const(_)
            | Op::Builtin(_)
            | Op::ReadVar(_)
            | Op::ArrayLength { .. }
            | Op::AtomicResult => self.clone(),
            Op::Unary(op, a) => Op::Unary(*op, map(*a)),
            Op::Convert(a) => Op::Convert(map(*a)),
            Op::Bitcast(a) => Op::Bitcast(map(*a)),
            Op::ReadArray(array, a) => Op::ReadArray(*array, map(*a)),
            Op::Binary(op, a, b) => Op::Binary(*op, map(*a), map(*b)),
            Op::Select {
                condition,
                accept,
                reject,
            } => Op::Select {
                condition: map(*condition),
                accept: map(*accept),
                reject: map(*reject),
            },
            Op::Math(function, arguments) => {
                Op::Math(*function, arguments.iter().map(|a| map(*a)).collect())
            }
            Op::Load(address) => Op::Load(address.map_operands(map)),
            Op::UniformLoad(address) => Op::UniformLoad(address.map_operands(map)),
        }
    }

    /// Whether the result depends on the operands alone, so that the operation may be moved, repeated or left out.
    pub fn is_pure(&self) -> bool {
        !matches!(
            self,
            Op::ReadVar(_)
                | Op::ReadArray(..)
                | Op::Load(_)
                | Op::UniformLoad(_)
                | Op::AtomicResult
        )
    }
}

/// How a statement names a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mention {
    /// It reads the value.
    Use,
    /// It makes the value.
    Make,
}

impl Stmt {
    /// Replaces the values that the statement itself names, not those in lists inside.
    pub(crate) fn replace_values(&mut self, map: &mut impl FnMut(Mention, ValueId) -> ValueId) {
        let mut used = |id: &mut ValueId| *id = map(Mention::Use, *id);
        match self {
            Stmt::Let(id) => *id = map(Mention::Make, *id),
            Stmt::SetVar(_, value) => used(value),
            Stmt::SetArray { index, value, .. } => [index, value].into_iter().for_each(used),
            Stmt::Store { address, value, .. } => {
                used(value);
                *address = address.map_operands(|id| map(Mention::Use, id));
            }
            Stmt::Atomic {
                address,
                value,
                compare,
                result,
                exchanged,
                ..
            } => {
                [value, compare].into_iter().flatten().for_each(used);
                *address = address.map_operands(|id| map(Mention::Use, id));
                for made in [result, exchanged].into_iter().flatten() {
                    *made = map(Mention::Make, *made);
                }
            }
            Stmt::If { condition, .. } => used(condition),
            Stmt::Loop { break_if, .. } => break_if.iter_mut().for_each(used),
            Stmt::Block { .. } | Stmt::Break(_) | Stmt::Continue(_) | Stmt::Barrier(_) => {}
        }
    }

    /// The label that the statement bears or jumps to.
    pub(crate) fn label_mut(&mut self) -> Option<&mut Label> {
        match self {
            Stmt::Loop { label, .. }
            | Stmt::Block { label, .. }
            | Stmt::Break(label)
            | Stmt::Continue(label) => Some(label),
            _ => None,
        }
    }

    /// The lists of statements inside, in order of execution.
    pub(crate) fn lists_mut(&mut self) -> Vec<&mut Vec<Stmt>> {
        match self {
            Stmt::If { accept, reject, .. } => vec![accept, reject],
            Stmt::Loop {
                body, continuing, ..
            } => vec![body, continuing],
            Stmt::Block { body, .. } => vec![body],
            _ => Vec::new(),
        }
    }

    /// The lists of statements inside, in order of execution.
    pub fn lists(&self) -> Vec<&[Stmt]> {
        match self {
            Stmt::If { accept, reject, .. } => vec![accept, reject],
            Stmt::Loop {
                body, continuing, ..
            } => vec![body, continuing],
            Stmt::Block { body, .. } => vec![body],
            _ => Vec::new(),
        }
    }

    /// The values that the statement itself reads, without those of lists inside and without the operands of a `Let`'s value.
    pub fn operands(&self) -> Vec<ValueId> {
        match self {
            Stmt::Let(_)
            | Stmt::Block { .. }
            | Stmt::Break(_)
            | Stmt::Continue(_)
            | Stmt::Barrier(_) => Vec::new(),
            Stmt::SetVar(_, value) => vec![*value],
            Stmt::SetArray { index, value, .. } => vec![*index, *value],
            Stmt::Store { address, value, .. } => address.operands().chain([*value]).collect(),
            Stmt::Atomic {
                address,
                value,
                compare,
                ..
            } => address.operands().chain(*value).chain(*compare).collect(),
            Stmt::If { condition, .. } => vec![*condition],
            Stmt::Loop { break_if, .. } => break_if.iter().copied().collect(),
        }
    }

    /// Whether control never goes on to the next statement.
    pub fn is_jump(&self) -> bool {
        matches!(self, Stmt::Break(_) | Stmt::Continue(_))
    }

    /// Calls `visit` for this statement and every one inside, outer before inner, in order.
    pub fn walk<'a>(&'a self, visit: &mut impl FnMut(&'a Stmt)) {
        visit(self);
        for list in self.lists() {
            for stmt in list {
                stmt.walk(visit);
            }
        }
    }
}
