//! Which values and variables does a kernel need? Everything its stores, atomics and control flow depend on.

use crate::ir::{Address, Kernel, Op, Stmt, ValueId};

/// Number of uses of every value, counting needed users only; which variables and private arrays are ever read.
#[derive(Clone, Debug)]
pub struct Needed {
    /// Uses per value; 0 for a value that need not be computed.
    pub uses: Vec<u32>,
    /// Is the variable ever read?
    pub vars: Vec<bool>,
    /// Is the private array ever read?
    pub arrays: Vec<bool>,
}

impl Needed {
    /// Follows the needs of `kernel`'s effects to a fixpoint.
    pub fn new(kernel: &Kernel) -> Needed {
        let mut needed = Needed {
            uses: vec![0; kernel.values.len()],
            vars: vec![false; kernel.vars.len()],
            arrays: vec![false; kernel.arrays.len()],
        };
        loop {
            let before = (needed.vars.clone(), needed.arrays.clone());
            needed.uses.fill(0);
            needed.list(kernel, &kernel.body);
            if before == (needed.vars.clone(), needed.arrays.clone()) {
                return needed;
            }
        }
    }

    /// Must the value be computed?
    pub fn value(&self, id: ValueId) -> bool {
        self.uses[id.0 as usize] > 0
    }

    /// Is the statement needed? Control flow always is.
    pub fn stmt(&self, stmt: &Stmt) -> bool {
        match stmt {
            Stmt::Let(id) => self.value(*id),
            Stmt::SetVar(var, _) => self.vars[var.0 as usize],
            Stmt::SetArray { array, .. } => self.arrays[array.0 as usize],
            _ => true,
        }
    }

    fn list(&mut self, kernel: &Kernel, stmts: &[Stmt]) {
        for stmt in stmts {
            match stmt {
                Stmt::SetVar(var, value) if self.vars[var.0 as usize] => {
                    self.value_use(kernel, *value);
                }
                Stmt::SetArray {
                    array,
                    index,
                    value,
                } if self.arrays[array.0 as usize] => {
                    self.value_use(kernel, *index);
                    self.value_use(kernel, *value);
                }
                Stmt::Store { address, value, .. } => {
                    self.address(kernel, address);
                    self.value_use(kernel, *value);
                }
                Stmt::Atomic {
                    address,
                    value,
                    compare,
                    ..
                } => {
                    self.address(kernel, address);
                    for operand in value.iter().chain(compare) {
                        self.value_use(kernel, *operand);
                    }
                }
                Stmt::If {
                    condition,
                    accept,
                    reject,
                    ..
                } => {
                    self.value_use(kernel, *condition);
                    self.list(kernel, accept);
                    self.list(kernel, reject);
                }
                Stmt::Loop {
                    body,
                    continuing,
                    break_if,
                    ..
                } => {
                    self.list(kernel, body);
                    self.list(kernel, continuing);
                    if let Some(condition) = break_if {
                        self.value_use(kernel, *condition);
                    }
                }
                Stmt::Block { body, .. } => self.list(kernel, body),
                Stmt::Let(_)
                | Stmt::SetVar(..)
                | Stmt::SetArray { .. }
                | Stmt::Break(_)
                | Stmt::Continue(_)
                | Stmt::Barrier(_) => {}
            }
        }
    }

    fn address(&mut self, kernel: &Kernel, address: &Address) {
        for term in &address.terms {
            self.value_use(kernel, term.index);
        }
    }

    fn value_use(&mut self, kernel: &Kernel, id: ValueId) {
        let uses = &mut self.uses[id.0 as usize];
        *uses += 1;
        if *uses > 1 {
            return;
        }
        let op = &kernel.value(id).op;
        match op {
            Op::ReadVar(var) => self.vars[var.0 as usize] = true,
            Op::ReadArray(array, _) => self.arrays[array.0 as usize] = true,
            _ => {}
        }
        for operand in operands(op) {
            self.value_use(kernel, operand);
        }
    }
}

/// The values that `op` is computed from.
pub fn operands(op: &Op) -> Vec<ValueId> {
    match op {
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
        Op::Load(address) | Op::UniformLoad(address) => {
            address.terms.iter().map(|term| term.index).collect()
        }
    }
}
