//! What do loads, stores and atomic operations do to the memory that invocations share?
//!
//! An access with any index out of its bounds reads zero and its write is dropped; an atomic operation there does
//! nothing and results in zero.

use naga::AtomicFunction;

use super::arithmetic::binary;
use super::bits::integer2;
use super::record::Touched;
use super::types::{Kind, Layout, Ty, TyId, Types};

/// Root of pointers to function variables: their offset is absolute in the invocation's words.
pub(super) const FUNCTION: u32 = 0;
/// Root of pointers to private variables.
pub(super) const PRIVATE: u32 = 1;
/// Root of pointers to workgroup variables.
pub(super) const WORKGROUP: u32 = 2;
/// Root of pointers into the first bound buffer; the others follow.
pub(super) const FIRST_BUFFER: u32 = 3;

/// A run of consecutive words that a value and a memory have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Offset in the value.
    pub(super) dense: u32,
    /// Offset in the memory.
    pub(super) memory: u32,
    /// Words.
    pub(super) len: u32,
}

/// Visits the runs of a value of type `ty` lying at `at` in a memory of `layout`.
pub(super) fn for_each_run(
    types: &Types,
    ty: TyId,
    layout: Layout,
    at: Run,
    visit: &mut dyn FnMut(Run),
) {
    let piece = |dense, memory| Run {
        dense: at.dense + dense,
        memory: at.memory + memory,
        len: 0,
    };
    match *types.get(ty) {
        Ty::Array {
            elem,
            len,
            host_stride,
        } if layout == Layout::Host => {
            let words = types.words(elem);
            for i in 0..len.unwrap_or(0) {
                for_each_run(
                    types,
                    elem,
                    layout,
                    piece(i * words, i * host_stride),
                    visit,
                );
            }
        }
        Ty::Matrix { columns, rows } if layout == Layout::Host => {
            let stride = types.stride(ty, layout);
            for i in 0..columns {
                visit(Run {
                    len: rows,
                    ..piece(i * rows, i * stride)
                });
            }
        }
        Ty::Struct { ref members } if layout == Layout::Host => {
            for member in members {
                for_each_run(
                    types,
                    member.ty,
                    layout,
                    piece(member.dense, member.host),
                    visit,
                );
            }
        }
        _ => visit(Run {
            len: types.words(ty),
            ..at
        }),
    }
}

/// The memory that the invocations of a workgroup share.
#[derive(Debug)]
pub(super) struct Memory<'b> {
    pub(super) workgroup: Vec<u32>,
    pub(super) buffers: &'b mut [Vec<u8>],
    /// Present if accesses are recorded; one entry a buffer.
    pub(super) touched: Option<Vec<Touched>>,
}

impl Memory<'_> {
    /// A word of workgroup memory or of a buffer.
    pub(super) fn read(&mut self, root: u32, at: u32) -> u32 {
        if root == WORKGROUP {
            return self.workgroup[at as usize];
        }
        let buffer = (root - FIRST_BUFFER) as usize;
        let Some(bytes) = self.buffers[buffer].get(at as usize * 4..at as usize * 4 + 4) else {
            return 0;
        };
        if let Some(touched) = &mut self.touched {
            touched[buffer].read.insert(at);
        }
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// Sets a word of workgroup memory or of a buffer.
    pub(super) fn write(&mut self, root: u32, at: u32, value: u32) {
        if root == WORKGROUP {
            self.workgroup[at as usize] = value;
            return;
        }
        let buffer = (root - FIRST_BUFFER) as usize;
        let Some(bytes) = self.buffers[buffer].get_mut(at as usize * 4..at as usize * 4 + 4) else {
            return;
        };
        bytes.copy_from_slice(&value.to_le_bytes());
        if let Some(touched) = &mut self.touched {
            touched[buffer].written.insert(at);
        }
    }

    /// Replaces the word at `at` by `change(word)` and returns the old word.
    pub(super) fn update(&mut self, root: u32, at: u32, change: impl Fn(u32) -> u32) -> u32 {
        let old = self.read(root, at);
        self.write(root, at, change(old));
        if let (Some(touched), Some(buffer)) = (&mut self.touched, root.checked_sub(FIRST_BUFFER)) {
            touched[buffer as usize].atomic.insert(at);
        }
        old
    }
}

/// The word that an atomic operation leaves, given the `old` word and the operand; `None` if the kind has no such one.
pub(super) fn atomic_result(
    fun: AtomicFunction,
    kind: Kind,
    old: u32,
    operand: u32,
) -> Option<u32> {
    use naga::{BinaryOperator as Op, MathFunction as Fun};
    let signed = kind == Kind::I32;
    match fun {
        AtomicFunction::Add => binary(Op::Add, kind, old, operand),
        AtomicFunction::Subtract => binary(Op::Subtract, kind, old, operand),
        AtomicFunction::And => binary(Op::And, kind, old, operand),
        AtomicFunction::ExclusiveOr => binary(Op::ExclusiveOr, kind, old, operand),
        AtomicFunction::InclusiveOr => binary(Op::InclusiveOr, kind, old, operand),
        AtomicFunction::Min if kind != Kind::F32 => integer2(Fun::Min, signed, old, operand),
        AtomicFunction::Max if kind != Kind::F32 => integer2(Fun::Max, signed, old, operand),
        AtomicFunction::Min | AtomicFunction::Max => None,
        AtomicFunction::Exchange { .. } => Some(operand),
    }
}
