//! How much is there to do? What a part of a launch computes and moves, whoever does it.

use std::fmt;

use crate::kernel::{Kernel, WorkEstimate};
use crate::lanes::Tile;
use crate::region::{Footprint, WORD_BYTES};

/// An amount of work: what a part of a launch does, summed over its invocations.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Bytes read and written in memory.
    pub bytes: f64,
    /// Of these, bytes written without having been read. Where caches fetch a line before they write to it, they move twice, see
    /// [`DeviceLimits::moved_bytes`](super::DeviceLimits::moved_bytes).
    pub fresh_bytes: f64,
    /// 32-bit operations that run at the device's full rate: additions, multiplications, comparisons (a fused
    /// multiply-add counts as two).
    pub ops: f64,
    /// Operations that take many steps: atomic read-modify-writes, for which lanes take turns, division, square roots, exponentials, sines.
    pub special_ops: f64,
}

impl Work {
    /// What the workgroups of `tile` do: each invocation as much as `per_invocation` says, and every word of `footprint`, which is the
    /// tile's, moved once each way in which it is touched, since caches serve repeated loads.
    pub fn of_tile(
        kernel: &Kernel,
        per_invocation: &WorkEstimate,
        tile: Tile,
        footprint: &Footprint,
    ) -> Self {
        let along = |axis: usize| {
            f64::from(tile.hi[axis] - tile.lo[axis]) * f64::from(kernel.workgroup_size[axis])
        };
        let invocations: f64 = (0..3).map(along).product();
        let touched = footprint.arguments.iter();
        let words: u64 = touched
            .map(|touch| touch.reads.words() + touch.writes.words())
            .sum();
        let touched = footprint.arguments.iter().filter(|touch| !touch.combine);
        let fresh: u64 = touched
            .flat_map(|touch| {
                let missing = |span| touch.reads.words_missing(span);
                touch.writes.iter().map(missing)
            })
            .sum();
        Self {
            bytes: (words * WORD_BYTES) as f64,
            fresh_bytes: (fresh * WORD_BYTES) as f64,
            ops: (per_invocation.flops + per_invocation.int_ops) * invocations,
            special_ops: per_invocation.special * invocations,
        }
    }

    /// The same work, `count` times.
    pub fn times(self, count: f64) -> Self {
        Self {
            bytes: self.bytes * count,
            fresh_bytes: self.fresh_bytes * count,
            ops: self.ops * count,
            special_ops: self.special_ops * count,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bytes,
            fresh_bytes: _,
            ops,
            special_ops,
        } = self;
        write!(
            f,
            "{bytes:.3e} B, {ops:.3e} ops, {special_ops:.3e} special ops"
        )
    }
}
