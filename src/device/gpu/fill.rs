//! How is a range set to one value? Zero by the driver's own clear, anything else by a small kernel.

use super::bind::Argument;
use super::health::lock;
use super::memory::{Buffer, WORD};
use super::program::{Sharing, Source};
use super::{Gpu, Timing};
use crate::device::error::DeviceError;
use crate::kernel::{Binding, Space};
use crate::region::Span;

/// Workgroups of the fill kernel; every invocation steps over the range.
const WORKGROUPS: u32 = 256;

const FILL: Source = Source {
    name: "fill",
    wgsl: "
struct Fill { lo: u32, hi: u32, value: u32, step: u32 }
@group(0) @binding(0) var<storage, read_write> words: array<u32>;
@group(0) @binding(1) var<uniform> fill: Fill;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    for (var i = fill.lo + id.x; i < fill.hi; i += fill.step) {
        words[i] = fill.value;
    }
}
",
    entry: "main",
    bindings: &[Binding {
        name: "words",
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
    /// Records that the words of `span` become `value`, in order with everything else recorded.
    ///
    /// # Errors
    ///
    /// The range lies outside the buffer, or the device is lost.
    pub(crate) fn fill(&self, buffer: &Buffer, span: Span, value: u32) -> Result<(), DeviceError> {
        self.check_span(buffer, span)?;
        if span.is_empty() {
            return Ok(());
        }
        if value == 0 {
            let mut recorder = lock(&self.recorder);
            recorder.encoder(&self.device).clear_buffer(
                &buffer.raw,
                span.lo * WORD,
                Some(span.words() * WORD),
            );
            return Ok(());
        }
        let alignment = self.about.limits.storage_alignment_words();
        let window = self.about.limits.binding_words_max() / alignment * alignment;
        let mut lo = span.lo / alignment * alignment;
        while lo < span.hi {
            let bound = Span {
                lo,
                hi: buffer.words().min(lo + window),
            };
            let inside = span.intersection(bound);
            let launch = [
                (inside.lo - lo) as u32,
                (inside.hi - lo) as u32,
                value,
                WORKGROUPS * 64,
            ];
            self.record(
                FILL,
                &[Argument::Storage { buffer, bound }],
                &launch,
                [WORKGROUPS, 1, 1],
                Timing::Off,
            )?;
            lo += window;
        }
        Ok(())
    }
}
