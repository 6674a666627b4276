//! Does a kernel keep the rules of KIR? Checked after lowering and after every pass in tests and debug builds.

use std::collections::HashSet;

use super::{
    Address, ArrayId, AtomicOp, Binary, Extent, Kernel, Label, Math, Memory, Op, Scalar, Space,
    Stmt, Unary, ValueId,
};

/// A rule that a kernel breaks: a defect of the compiler, never of the WGSL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed kernel `{kernel}`: {rule}")]
pub struct Malformed {
    /// Name of the kernel.
    pub kernel: String,
    /// What is wrong with it, naming the value or label.
    pub rule: String,
}

impl Kernel {
    /// Checks the rules that the [module documentation](crate::ir) lists, and the types of all operands.
    ///
    /// # Errors
    /// The first rule broken, in order of execution.
    pub fn verify(&self) -> Result<(), Malformed> {
        let mut verifier = Verifier {
            kernel: self,
            visible: HashSet::new(),
            made: HashSet::new(),
            labels: vec![],
            used_labels: HashSet::new(),
        };
        verifier
            .labelled(Kernel::ROOT, false, |verifier| verifier.list(&self.body))
            .map_err(|rule| Malformed {
                kernel: self.name.clone(),
                rule,
            })
    }
}

struct Verifier<'a> {
    kernel: &'a Kernel,
    visible: HashSet<ValueId>,
    made: HashSet<ValueId>,
    /// Enclosing labels, and whether `continue` may name them.
    labels: Vec<(Label, bool)>,
    used_labels: HashSet<Label>,
}

type Checked = Result<(), String>;

fn require(holds: bool, rule: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(rule()) }
}

impl Verifier<'_> {
    fn labelled(
        &mut self,
        label: Label,
        continues: bool,
        inside: impl FnOnce(&mut Self) -> Checked,
    ) -> Checked {
        require(self.used_labels.insert(label), || {
            format!("label {label} is used twice")
        })?;
        self.labels.push((label, continues));
        inside(self)?;
        self.labels.pop();
        Ok(())
    }

    /// Runs `inside`, then forgets the values it made.
    fn scoped(&mut self, inside: impl FnOnce(&mut Self) -> Checked) -> Checked {
        let outside = self.visible.clone();
        inside(self)?;
        self.visible = outside;
        Ok(())
    }

    fn list(&mut self, list: &[Stmt]) -> Checked {
        for (index, stmt) in list.iter().enumerate() {
            require(!stmt.is_jump() || index + 1 == list.len(), || {
                "a statement follows a jump".to_owned()
            })?;
            self.stmt(stmt)?;
        }
        Ok(())
    }

    fn stmt(&mut self, stmt: &Stmt) -> Checked {
        match stmt {
            Stmt::Let(id) => self.define(*id),
            Stmt::SetVar(var, value) => {
                let var = self
                    .kernel
                    .vars
                    .get(var.0 as usize)
                    .ok_or_else(|| format!("{var} does not exist"))?;
                self.typed(*value, var.ty)
            }
            Stmt::SetArray {
                array,
                index,
                value,
            } => self.set_array(*array, *index, *value),
            Stmt::Store { address, value, .. } => {
                self.writable(address)?;
                let ty = self.used(*value)?;
                require(ty != Scalar::Bool, || format!("{value}, a bool, is stored"))
            }
            Stmt::Atomic { .. } => self.atomic(stmt),
            Stmt::If {
                condition,
                accept,
                reject,
                ..
            } => {
                self.typed(*condition, Scalar::Bool)?;
                self.scoped(|verifier| verifier.list(accept))?;
                self.scoped(|verifier| verifier.list(reject))
            }
            Stmt::Loop {
                label,
                body,
                continuing,
                break_if,
                ..
            } => self.labelled(*label, true, |verifier| {
                verifier.scoped(|verifier| {
                    verifier.list(body)?;
                    verifier
                        .labels
                        .last_mut()
                        .expect("the loop's own label is open")
                        .1 = false;
                    verifier.list(continuing)?;
                    break_if.map_or(Ok(()), |condition| verifier.typed(condition, Scalar::Bool))
                })
            }),
            Stmt::Block { label, body } => self.labelled(*label, false, |verifier| {
                verifier.scoped(|verifier| verifier.list(body))
            }),
            Stmt::Break(label) => {
                require(self.labels.iter().any(|(open, _)| open == label), || {
                    format!("break {label} stands outside {label}")
                })
            }
            Stmt::Continue(label) => require(self.labels.contains(&(*label, true)), || {
                format!("continue {label} stands outside the body of loop {label}")
            }),
            Stmt::Barrier(_) => Ok(()),
        }
    }

    fn define(&mut self, id: ValueId) -> Checked {
        let values = &self.kernel.values;
        let value = values
            .get(id.0 as usize)
            .ok_or_else(|| format!("{id} does not exist"))?;
        require(value.op != Op::AtomicResult, || {
            format!("{id} is the result of an atomic and has a let")
        })?;
        self.op(id, &value.op, value.ty)
            .map_err(|rule| format!("{id}: {rule}"))?;
        self.make(id)
    }

    fn set_array(&self, array: ArrayId, index: ValueId, value: ValueId) -> Checked {
        let arrays = &self.kernel.arrays;
        let declared = arrays
            .get(array.0 as usize)
            .ok_or_else(|| format!("{array} does not exist"))?;
        require(declared.contents.is_none(), || {
            format!("{array} is a constant table and is written")
        })?;
        self.typed(index, Scalar::U32)?;
        self.typed(value, declared.ty)
    }

    fn make(&mut self, id: ValueId) -> Checked {
        require(self.made.insert(id), || format!("{id} is made twice"))?;
        self.visible.insert(id);
        Ok(())
    }

    fn used(&self, id: ValueId) -> Result<Scalar, String> {
        require(self.visible.contains(&id), || {
            format!("{id} is used where it is not visible")
        })?;
        Ok(self.kernel.value(id).ty)
    }

    fn typed(&self, id: ValueId, expected: Scalar) -> Checked {
        let ty = self.used(id)?;
        require(ty == expected, || {
            format!("{id} is {ty} where {expected} is needed")
        })
    }

    fn atomic(&mut self, stmt: &Stmt) -> Checked {
        let Stmt::Atomic {
            address,
            op,
            ty,
            value,
            compare,
            result,
            exchanged,
            ..
        } = stmt
        else {
            return Ok(());
        };
        self.writable(address)?;
        require(matches!(ty, Scalar::I32 | Scalar::U32), || {
            format!("an atomic has type {ty}")
        })?;
        require(value.is_none() == (*op == AtomicOp::Load), || {
            format!("atomic {op} has the wrong operands")
        })?;
        require(
            compare.is_some() == (*op == AtomicOp::CompareExchange),
            || format!("atomic {op} has the wrong operands"),
        )?;
        value
            .iter()
            .chain(compare)
            .try_for_each(|id| self.typed(*id, *ty))?;
        for (id, expected) in result
            .iter()
            .map(|id| (id, *ty))
            .chain(exchanged.iter().map(|id| (id, Scalar::Bool)))
        {
            let declared = self
                .kernel
                .values
                .get(id.0 as usize)
                .ok_or_else(|| format!("{id} does not exist"))?;
            require(
                declared.op == Op::AtomicResult && declared.ty == expected,
                || format!("{id} is no result of an atomic"),
            )?;
            self.make(*id)?;
        }
        Ok(())
    }

    fn writable(&self, address: &Address) -> Checked {
        self.address(address)?;
        let Memory::Buffer(buffer) = address.memory else {
            return Ok(());
        };
        let space = self.kernel.bindings[buffer.0 as usize].space;
        require(space == Space::StorageReadWrite, || {
            format!("{buffer} is written but read-only")
        })
    }

    fn address(&self, address: &Address) -> Checked {
        let exists = match address.memory {
            Memory::Buffer(id) => (id.0 as usize) < self.kernel.bindings.len(),
            Memory::Workgroup(id) => (id.0 as usize) < self.kernel.workgroup_vars.len(),
        };
        require(exists, || format!("{:?} does not exist", address.memory))?;
        for term in &address.terms {
            let ty = self.used(term.index)?;
            require(matches!(ty, Scalar::I32 | Scalar::U32), || {
                format!("{} is {ty} where an index is needed", term.index)
            })?;
            let in_buffer = matches!(address.memory, Memory::Buffer(_));
            require(in_buffer || matches!(term.extent, Extent::Fixed(_)), || {
                "workgroup memory has a runtime extent".to_owned()
            })?;
        }
        Ok(())
    }

    fn op(&self, id: ValueId, op: &Op, ty: Scalar) -> Checked {
        let result_is = |expected: Scalar| {
            require(ty == expected, || {
                format!("has type {ty} where {expected} is made")
            })
        };
        match op {
            Op::Const(literal) => result_is(literal.ty()),
            Op::Builtin(_) | Op::ArrayLength { .. } => result_is(Scalar::U32),
            Op::Unary(op, a) => {
                let fits = match op {
                    Unary::Negate => matches!(ty, Scalar::F32 | Scalar::I32),
                    Unary::LogicalNot => ty == Scalar::Bool,
                    Unary::BitwiseNot => matches!(ty, Scalar::I32 | Scalar::U32),
                };
                require(fits, || format!("{op} makes no {ty}"))?;
                self.typed(*a, ty)
            }
            Op::Binary(op, a, b) => self.binary(*op, *a, *b, ty),
            Op::Select {
                condition,
                accept,
                reject,
            } => {
                self.typed(*condition, Scalar::Bool)?;
                self.typed(*accept, ty)?;
                self.typed(*reject, ty)
            }
            Op::Convert(a) => self.used(*a).map(|_| ()),
            Op::Bitcast(a) => {
                let from = self.used(*a)?;
                require(from != Scalar::Bool && ty != Scalar::Bool, || {
                    "a bool has no bits".to_owned()
                })
            }
            Op::Math(function, arguments) => self.math(*function, arguments, ty),
            Op::ReadVar(var) => result_is(
                self.kernel
                    .vars
                    .get(var.0 as usize)
                    .ok_or_else(|| format!("{var} does not exist"))?
                    .ty,
            ),
            Op::ReadArray(array, index) => {
                self.typed(*index, Scalar::U32)?;
                result_is(
                    self.kernel
                        .arrays
                        .get(array.0 as usize)
                        .ok_or_else(|| format!("{array} does not exist"))?
                        .ty,
                )
            }
            Op::Load(address) | Op::UniformLoad(address) => {
                require(ty != Scalar::Bool, || format!("{id} loads a bool"))?;
                self.address(address)
            }
            Op::AtomicResult => Ok(()),
        }
    }

    fn binary(&self, op: Binary, a: ValueId, b: ValueId, ty: Scalar) -> Checked {
        let left = self.used(a)?;
        let shift = matches!(op, Binary::ShiftLeft | Binary::ShiftRight);
        self.typed(b, if shift { Scalar::U32 } else { left })?;
        let expected = if op.is_comparison() {
            Scalar::Bool
        } else {
            left
        };
        let fits = match op {
            Binary::And | Binary::Or | Binary::ExclusiveOr | Binary::Equal | Binary::NotEqual => {
                true
            }
            _ => left != Scalar::Bool,
        };
        require(fits && ty == expected, || {
            format!("{left} {op} {left} makes no {ty}")
        })
    }

    fn math(&self, function: Math, arguments: &[ValueId], ty: Scalar) -> Checked {
        require(arguments.len() == function.arity(), || {
            format!("{function:?} takes {} arguments", function.arity())
        })?;
        for (index, argument) in arguments.iter().enumerate() {
            let counts = matches!(
                (function, index),
                (Math::ExtractBits, 1 | 2) | (Math::InsertBits, 2 | 3)
            );
            self.typed(*argument, if counts { Scalar::U32 } else { ty })?;
        }
        require(ty != Scalar::Bool, || format!("{function:?} makes no bool"))
    }
}

impl Binary {
    /// Whether the result is a `bool` that says how the operands compare.
    pub fn is_comparison(self) -> bool {
        use Binary::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        matches!(
            self,
            Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual
        )
    }
}

impl Binary {
    /// The operator with the same result when the operands change places; none if there is none.
    pub fn mirrored(self) -> Option<Binary> {
        Some(match self {
            Binary::Less => Binary::Greater,
            Binary::LessEqual => Binary::GreaterEqual,
            Binary::Greater => Binary::Less,
            Binary::GreaterEqual => Binary::LessEqual,
            Binary::Add
            | Binary::Multiply
            | Binary::And
            | Binary::Or
            | Binary::ExclusiveOr
            | Binary::Equal
            | Binary::NotEqual => self,
            _ => return None,
        })
    }
}

impl Math {
    /// Number of arguments.
    pub fn arity(self) -> usize {
        match self {
            Math::Min | Math::Max | Math::Pow | Math::Atan2 => 2,
            Math::Clamp | Math::Fma | Math::ExtractBits => 3,
            Math::InsertBits => 4,
            _ => 1,
        }
    }
}
