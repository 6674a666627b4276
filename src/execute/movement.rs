//! How do words get from one memory to another? One copy at a time, with residency brought up to date behind each.

use super::Shared;
use crate::array::{ArrayCore, Placement};
use crate::device::cpu::Lending;
use crate::error::ArrayError;
use crate::machine::MemoryId;
use crate::region::{Span, SpanSet};

impl Shared {
    /// Makes `span` valid in main memory.
    pub(crate) fn bring_home(&self, core: &ArrayCore, span: Span) -> Result<(), ArrayError> {
        let mut placement = core.placement();
        placement.check(span)?;
        self.bring_home_placed(core, &mut placement, &SpanSet::from(span))
    }

    /// As [`bring_home`](Self::bring_home), with the placement at hand.
    pub(super) fn bring_home_placed(
        &self,
        core: &ArrayCore,
        placement: &mut Placement,
        spans: &SpanSet,
    ) -> Result<(), ArrayError> {
        let mut missing = placement.residency.missing(MemoryId::HOST, spans);
        while !missing.is_empty() {
            let holder = placement
                .residency
                .holders()
                .find(|&memory| placement.residency.valid(memory).meets(&missing));
            let Some(holder) = holder else { break };
            let there = missing.intersection(placement.residency.valid(holder));
            self.download(core, placement, holder, &there)?;
            missing = placement.residency.missing(MemoryId::HOST, spans);
        }
        spans.iter().try_for_each(|span| placement.check(span))
    }

    /// Copies words from a GPU's memory to main memory.
    #[cfg(feature = "gpu")]
    pub(super) fn download(
        &self,
        core: &ArrayCore,
        placement: &mut Placement,
        from: MemoryId,
        spans: &SpanSet,
    ) -> Result<(), ArrayError> {
        let device = crate::machine::DeviceId(from.0);
        let buffer = placement
            .buffer(from)
            .expect("a memory that holds words has a buffer");
        let mut loan = core.lend_spans(
            Span {
                lo: 0,
                hi: core.words(),
            },
            spans.spans(),
            Lending::Exclusive,
        )?;
        let outcome =
            self.devices
                .gpu(device)
                .download(&buffer, spans.spans(), &mut |span, words| {
                    loan.copy_in(span, words)
                });
        drop(loan);
        match outcome {
            Ok(()) => {
                placement.residency.read_into(MemoryId::HOST, spans);
                self.report().add_copies(from, MemoryId::HOST, spans);
                Ok(())
            }
            Err(error) => {
                self.retire(device, &error);
                placement.lose(
                    from,
                    self.devices.gpu(device).about().name.clone(),
                    error.to_string(),
                );
                spans.iter().try_for_each(|span| placement.check(span))
            }
        }
    }

    /// Without GPUs all words are in main memory.
    #[cfg(not(feature = "gpu"))]
    pub(super) fn download(
        &self,
        _: &ArrayCore,
        placement: &mut Placement,
        _: MemoryId,
        spans: &SpanSet,
    ) -> Result<(), ArrayError> {
        spans.iter().try_for_each(|span| placement.check(span))
    }

    /// Copies words from main memory to a GPU's, which gets a buffer for the whole array if it has none.
    #[cfg(feature = "gpu")]
    pub(super) fn upload(
        &self,
        core: &ArrayCore,
        placement: &mut Placement,
        to: MemoryId,
        spans: &SpanSet,
    ) -> Result<(), crate::device::gpu::GpuError> {
        let gpu = self.devices.gpu(crate::machine::DeviceId(to.0));
        let buffer = placement
            .buffer(to)
            .expect("buffers are made before anything moves");
        for span in spans.iter() {
            // Words that are valid in main memory are being written by nobody while this launch may read them.
            let loan = core
                .lend(span, Lending::Shared)
                .expect("launches are ordered by what they read and write");
            gpu.upload(&buffer, span.lo, loan.words())?;
        }
        placement.residency.read_into(to, spans);
        self.report().add_copies(MemoryId::HOST, to, spans);
        Ok(())
    }
}
