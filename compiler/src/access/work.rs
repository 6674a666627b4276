//! How much does an invocation compute? Operations and bytes of straight code, and the loops that repeat it.

use std::collections::BTreeMap;

use super::affine::{Range, Variable};
use super::guard::Trips;
use crate::ir::{
    Address, AtomicOp, BufferId, Kernel, Label, Math, Memory, Op, Scalar, Space, Stmt, ValueId,
};

/// What an invocation computes, both arms of every branch included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// The loops; none for one whose trips nobody knows before it runs.
    pub loops: Vec<Option<Trips>>,
    /// Operation counts of straight code.
    pub counts: Vec<Counts>,
}

/// Operations of a stretch of code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Indices into [`Work::loops`] of the loops around it.
    pub loops: Vec<usize>,
    /// Additions, multiplications, comparisons, … of `f32`; a fused multiply-add is two.
    pub flops: u32,
    /// Operations on integers and truth values.
    pub int_ops: u32,
    /// Divisions, roots and transcendental functions of `f32`, and atomic read-modify-writes: no device does them in all
    /// lanes at once.
    pub special: u32,
    /// Bytes loaded from storage.
    pub bytes_read: u32,
    /// Bytes stored to storage.
    pub bytes_written: u32,
}

/// Counts the operations of `kernel`.
pub(super) fn count(kernel: &Kernel, trips: &BTreeMap<Variable, Trips>, ranges: &[Range]) -> Work {
    let mut counter = Counter {
        kernel,
        work: Work::default(),
        trips,
        ranges,
        loops: Vec::new(),
    };
    let straight = counter.list(&kernel.body);
    counter.add(straight);
    counter.work.counts.reverse();
    counter.work
}

struct Counter<'a> {
    kernel: &'a Kernel,
    work: Work,
    trips: &'a BTreeMap<Variable, Trips>,
    ranges: &'a [Range],
    /// Loops around the present statement.
    loops: Vec<usize>,
}

impl Counter<'_> {
    fn add(&mut self, counts: Counts) {
        let mut counts = counts;
        if counts != Counts::default() {
            counts.loops.clone_from(&self.loops);
            self.work.counts.push(counts);
        }
    }

    /// What the statements do, but for the loops among them.
    fn list(&mut self, statements: &[Stmt]) -> Counts {
        let mut counts = Counts::default();
        for statement in statements {
            match statement {
                Stmt::Let(value) => self.value(*value, &mut counts),
                Stmt::Store { address, .. } => {
                    counts.bytes_written += self.bytes(address);
                }
                Stmt::Atomic { address, op, .. } => {
                    match op {
                        AtomicOp::Load | AtomicOp::Store => counts.int_ops += 1,
                        _ => counts.special += 1,
                    }
                    counts.bytes_read += self.bytes(address);
                    counts.bytes_written += self.bytes(address);
                }
                Stmt::If { accept, reject, .. } => {
                    for arm in [accept, reject] {
                        let arm = self.list(arm);
                        counts.extend(&arm);
                    }
                }
                Stmt::Block { body, .. } => {
                    let body = self.list(body);
                    counts.extend(&body);
                }
                Stmt::Loop {
                    label,
                    body,
                    continuing,
                    ..
                } => self.repeated(*label, [body, continuing]),
                Stmt::SetVar(..)
                | Stmt::SetArray { .. }
                | Stmt::Break(_)
                | Stmt::Continue(_)
                | Stmt::Barrier(_) => {}
            }
        }
        counts
    }

    fn repeated(&mut self, label: Label, lists: [&Vec<Stmt>; 2]) {
        let is_counter =
            |range: &Range| matches!(range, Range::Counter { label: own, .. } if *own == label);
        let counter = self.ranges.iter().position(is_counter);
        let trips = counter
            .and_then(|index| self.trips.get(&Variable(Variable::BUILTINS + index as u32)))
            .cloned();
        self.loops.push(self.work.loops.len());
        self.work.loops.push(trips);
        let mut counts = Counts::default();
        for list in lists {
            let list = self.list(list);
            counts.extend(&list);
        }
        self.add(counts);
        self.loops.pop();
    }

    fn value(&self, id: ValueId, counts: &mut Counts) {
        let value = self.kernel.value(id);
        let operand_is_float = |operand: &ValueId| self.kernel.value(*operand).ty == Scalar::F32;
        match &value.op {
            Op::Load(address) | Op::UniformLoad(address) => {
                counts.bytes_read += self.bytes(address);
            }
            Op::Unary(_, a) if operand_is_float(a) => counts.flops += 1,
            Op::Binary(op, a, _) if operand_is_float(a) => match op {
                crate::ir::Binary::Divide | crate::ir::Binary::Modulo => counts.special += 1,
                _ => counts.flops += 1,
            },
            Op::Math(math, _) if value.ty == Scalar::F32 => float_function(*math, counts),
            Op::Select { .. } | Op::Convert(_) if value.ty == Scalar::F32 => counts.flops += 1,
            Op::Unary(..) | Op::Binary(..) | Op::Math(..) | Op::Select { .. } | Op::Convert(_) => {
                counts.int_ops += 1;
            }
            Op::Const(_)
            | Op::Builtin(_)
            | Op::Bitcast(_)
            | Op::ReadVar(_)
            | Op::ReadArray(..)
            | Op::ArrayLength { .. }
            | Op::AtomicResult => {}
        }
    }

    /// Bytes that an access moves to or from storage.
    fn bytes(&self, address: &Address) -> u32 {
        let is_storage =
            |buffer: BufferId| self.kernel.bindings[buffer.0 as usize].space != Space::Uniform;
        match address.memory {
            Memory::Buffer(buffer) if is_storage(buffer) => 4,
            _ => 0,
        }
    }
}

impl Counts {
    fn extend(&mut self, other: &Counts) {
        self.flops += other.flops;
        self.int_ops += other.int_ops;
        self.special += other.special;
        self.bytes_read += other.bytes_read;
        self.bytes_written += other.bytes_written;
    }
}

fn float_function(math: Math, counts: &mut Counts) {
    match math {
        Math::Abs
        | Math::Sign
        | Math::Min
        | Math::Max
        | Math::Floor
        | Math::Ceil
        | Math::Round
        | Math::Trunc
        | Math::Fract => counts.flops += 1,
        Math::Clamp | Math::Fma => counts.flops += 2,
        _ => counts.special += 1,
    }
}
