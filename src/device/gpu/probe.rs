//! Which limit does a device keep to itself? Some programs that act as GPUs stop every loop after so many rounds, silently.

use super::bind::Argument;
use super::program::{Sharing, Source};
use super::{Gpu, Timing};
use crate::device::error::DeviceError;
use crate::kernel::{Binding, Space};
use crate::region::Span;

/// Rounds that the probe asks for: twice the lowest cap known, llvmpipe's 65,535 over all loops of an invocation.
const ROUNDS: u32 = 1 << 17;

/// Counts rounds. The second result depends on every round, so that no compiler can foresee the count.
const COUNT_ROUNDS: Source = Source {
    name: "probe_loops",
    wgsl: "
@group(0) @binding(0) var<storage, read_write> seen: array<u32>;
@group(0) @binding(1) var<uniform> rounds: vec4<u32>;
@compute @workgroup_size(1)
fn main() {
    var x = 1u;
    var count = 0u;
    for (var i = 0u; i < rounds.x; i++) {
        x = (x ^ (x >> 3u)) * 1664525u + 1013904223u;
        count += 1u;
    }
    seen[0] = count;
    seen[1] = x;
}
",
    entry: "main",
    bindings: &[Binding {
        name: "seen",
        group: 0,
        binding: 0,
        space: Space::StorageReadWrite,
        fixed_words: 0,
        stride_words: 1,
    }],
    launch_words: 4,
    sharing: Sharing::None,
};

impl Gpu {
    /// The rounds after which the device stops loops, if it does: the sum over all loops of an invocation. Takes a millisecond and
    /// the compilation of a small kernel.
    pub(super) fn probe_loops(&self) -> Result<Option<u32>, DeviceError> {
        let seen = self.allocate(2)?;
        let bound = Span::new(0, seen.words());
        let argument = Argument::Storage {
            buffer: &seen,
            bound,
        };
        self.record(COUNT_ROUNDS, &[argument], &[ROUNDS], [1; 3], Timing::Off)?;
        let mut count = ROUNDS;
        self.download(&seen, &[Span::new(0, 1)], &mut |_, words| count = words[0])?;
        Ok((count < ROUNDS).then_some(count))
    }
}
