//! Which private arrays need no index at run time? Those whose every index is a constant become one variable per element, and
//! constant tables become constants.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{ArrayId, Kernel, Literal, Op, Stmt, ValueId, Var, VarId};

/// Replaces private arrays that are indexed by constants only.
pub(super) fn scalarise(kernel: &mut Kernel) {
    let indexed = dynamically_indexed(kernel);
    let mut elements: BTreeMap<(ArrayId, u32), VarId> = BTreeMap::new();
    let body = std::mem::take(&mut kernel.body);
    kernel.body = list(kernel, body, &indexed, &mut elements);
}

fn constant_index(kernel: &Kernel, id: ValueId) -> Option<u32> {
    match kernel.value(id).op {
        Op::Const(literal) => Some(literal.bits()),
        _ => None,
    }
}

fn dynamically_indexed(kernel: &Kernel) -> BTreeSet<ArrayId> {
    let mut indexed = BTreeSet::new();
    for stmt in &kernel.body {
        stmt.walk(&mut |stmt| {
            let (array, index) = match stmt {
                Stmt::SetArray { array, index, .. } => (*array, *index),
                Stmt::Let(id) => match kernel.value(*id).op {
                    Op::ReadArray(array, index) => (array, index),
                    _ => return,
                },
                _ => return,
            };
            if constant_index(kernel, index).is_none() {
                indexed.insert(array);
            }
        });
    }
    indexed
}

fn list(
    kernel: &mut Kernel,
    stmts: Vec<Stmt>,
    indexed: &BTreeSet<ArrayId>,
    elements: &mut BTreeMap<(ArrayId, u32), VarId>,
) -> Vec<Stmt> {
    let mut scalar = Vec::new();
    for mut stmt in stmts {
        match &mut stmt {
            Stmt::Let(id) => {
                if let Op::ReadArray(array, index) = kernel.value(*id).op
                    && !(indexed.contains(&array)
                        && kernel.arrays[array.0 as usize].contents.is_none())
                    && let Some(index) = constant_index(kernel, index)
                {
                    let op = element_op(kernel, array, index, elements);
                    kernel.values[id.0 as usize].op = op;
                }
            }
            Stmt::SetArray {
                array,
                index,
                value,
            } if !indexed.contains(array) => {
                let index =
                    constant_index(kernel, *index).expect("the array is indexed by constants only");
                let (array, value) = (*array, *value);
                if index < kernel.arrays[array.0 as usize].len {
                    scalar.push(Stmt::SetVar(element(kernel, array, index, elements), value));
                }
                continue;
            }
            Stmt::If { accept, reject, .. } => {
                *accept = list(kernel, std::mem::take(accept), indexed, elements);
                *reject = list(kernel, std::mem::take(reject), indexed, elements);
            }
            Stmt::Loop {
                body, continuing, ..
            } => {
                *body = list(kernel, std::mem::take(body), indexed, elements);
                *continuing = list(kernel, std::mem::take(continuing), indexed, elements);
            }
            Stmt::Block { body, .. } => {
                *body = list(kernel, std::mem::take(body), indexed, elements);
            }
            _ => {}
        }
        scalar.push(stmt);
    }
    scalar
}

fn element_op(
    kernel: &mut Kernel,
    array: ArrayId,
    index: u32,
    elements: &mut BTreeMap<(ArrayId, u32), VarId>,
) -> Op {
    let declared = &kernel.arrays[array.0 as usize];
    if index >= declared.len {
        return Op::Const(Literal::from_bits(declared.ty, 0));
    }
    match &declared.contents {
        Some(contents) => Op::Const(contents[index as usize]),
        None => Op::ReadVar(element(kernel, array, index, elements)),
    }
}

fn element(
    kernel: &mut Kernel,
    array: ArrayId,
    index: u32,
    elements: &mut BTreeMap<(ArrayId, u32), VarId>,
) -> VarId {
    *elements.entry((array, index)).or_insert_with(|| {
        let declared = &kernel.arrays[array.0 as usize];
        kernel.vars.push(Var {
            name: format!("{}[{index}]", declared.name),
            ty: declared.ty,
        });
        VarId(kernel.vars.len() as u32 - 1)
    })
}
