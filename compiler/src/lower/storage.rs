//! Where do the variables of an invocation live? Each scalar in a variable of its own; arrays as one private array per scalar of
//! their element.

use naga::TypeInner;

use super::Lowering;
use super::types::{Leaf, leaves};
use crate::ir::{ArrayId, Label, Literal, PrivateArray, Stmt, ValueId, VarId};
use crate::ir::{Binary, Op, Scalar};

/// Index of a variable's storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StorageId(usize);

/// The scalars of one variable.
pub(super) type Storage = Vec<Cell>;

/// Where one scalar (or the same scalar of each element of an array) lives.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    /// In a variable.
    Var(VarId),
    /// In a private array; `dims` are the lengths of the WGSL arrays flattened into it.
    Array { array: ArrayId, dims: Vec<u32> },
    /// Nowhere: it is a value that never changes.
    Value(ValueId),
}

/// Private arrays up to this length are zeroed by one statement per element.
const UNROLLED_ZEROS: u32 = 16;

impl Lowering<'_> {
    /// New storage for a variable.
    pub(super) fn allocate(&mut self, name: &str, ty: &TypeInner) -> StorageId {
        let cells = leaves(&self.front.module, ty)
            .iter()
            .map(|leaf| self.cell(name, leaf))
            .collect();
        self.store_cells(cells)
    }

    pub(super) fn store_cells(&mut self, cells: Vec<Cell>) -> StorageId {
        self.storages.push(cells);
        StorageId(self.storages.len() - 1)
    }

    pub(super) fn storage(&self, id: StorageId) -> &Storage {
        &self.storages[id.0]
    }

    fn cell(&mut self, name: &str, leaf: &Leaf) -> Cell {
        let name = format!("{name}{}", leaf.suffix);
        if leaf.dims.is_empty() {
            return Cell::Var(self.builder.var(name, leaf.ty));
        }
        let len = leaf.dims.iter().copied().fold(1, u32::saturating_mul);
        let array = self.builder.array(PrivateArray {
            name,
            ty: leaf.ty,
            len,
            contents: None,
        });
        Cell::Array {
            array,
            dims: leaf.dims.clone(),
        }
    }

    /// A constant table, or a fresh private array filled with `values`, one per element.
    pub(super) fn array_of(&mut self, ty: Scalar, values: &[ValueId]) -> ArrayId {
        let literals: Option<Vec<Literal>> =
            values.iter().map(|id| self.builder.literal(*id)).collect();
        let len = values.len() as u32;
        if let Some(contents) = literals {
            if let Some(&array) = self.tables.get(&contents) {
                return array;
            }
            let name = format!("table{}", self.tables.len());
            let array = self.builder.array(PrivateArray {
                name,
                ty,
                len,
                contents: Some(contents.clone()),
            });
            self.tables.insert(contents, array);
            return array;
        }
        let array = self.builder.array(PrivateArray {
            name: "elements".to_owned(),
            ty,
            len,
            contents: None,
        });
        for (index, &value) in values.iter().enumerate() {
            let index = self.builder.u32(index as u32);
            self.builder.push(Stmt::SetArray {
                array,
                index,
                value,
            });
        }
        array
    }

    /// Makes every scalar of a variable zero again.
    pub(super) fn zero_storage(&mut self, id: StorageId) {
        for cell in self.storage(id).clone() {
            match cell {
                Cell::Var(var) => {
                    let zero = self
                        .builder
                        .zero(self.builder.kernel().vars[var.0 as usize].ty);
                    self.builder.push(Stmt::SetVar(var, zero));
                }
                Cell::Array { array, .. } => self.zero_array(array),
                Cell::Value(_) => {}
            }
        }
    }

    fn zero_array(&mut self, array: ArrayId) {
        let PrivateArray { ty, len, .. } = self.builder.kernel().arrays[array.0 as usize];
        let value = self.builder.zero(ty);
        if len <= UNROLLED_ZEROS {
            for index in 0..len {
                let index = self.builder.u32(index);
                self.builder.push(Stmt::SetArray {
                    array,
                    index,
                    value,
                });
            }
            return;
        }
        let counter = self.builder.var("zeroed".to_owned(), Scalar::U32);
        let (first, end, step) = (
            self.builder.u32(0),
            self.builder.u32(len),
            self.builder.u32(1),
        );
        let label: Label = self.builder.label();
        self.builder.push(Stmt::SetVar(counter, first));
        self.builder.begin();
        let index = self.builder.value(Op::ReadVar(counter), Scalar::U32);
        let condition = self.builder.binary(Binary::GreaterEqual, index, end);
        let span = self.builder.span();
        self.builder.push(Stmt::If {
            condition,
            accept: vec![Stmt::Break(label)],
            reject: Vec::new(),
            span,
        });
        self.builder.push(Stmt::SetArray {
            array,
            index,
            value,
        });
        let body = self.builder.turn_to_continuing(false);
        let next = self.builder.binary(Binary::Add, index, step);
        self.builder.push(Stmt::SetVar(counter, next));
        let continuing = self.builder.end();
        self.builder.push(Stmt::Loop {
            label,
            body,
            continuing,
            break_if: None,
            span,
        });
    }
}
