//! Where is an array? Which memory validly holds which of its words, in which buffers, and what of it is missing.

use std::sync::Arc;

use crate::device::Buffer;
use crate::error::{ArrayError, LaunchError};
use crate::machine::MemoryId;
use crate::region::{Residency, Span, SpanSet, Touch};
use crate::transfer::{self, Company};

/// Where an array's words are.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) residency: Residency,
    /// By GPU, in the order of discovery: buffers that share no word.
    buffers: Vec<Vec<Placed>>,
    /// Ranges that a failed launch should have written, and why.
    pub(crate) failed: Vec<(Span, Arc<LaunchError>)>,
    /// Ranges that were lost with a GPU: its name and what the driver said.
    pub(crate) lost_with: Option<(String, String)>,
}

/// A buffer with words of an array.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// Which words.
    pub(crate) span: Span,
    /// Where they are. Parts at work hold it, too.
    pub(crate) buffer: Arc<Buffer>,
    /// When a part used it last; larger is later.
    pub(crate) last_use: u64,
}

impl Placed {
    /// Whether a part at work uses it.
    pub(crate) fn is_pinned(&self) -> bool {
        Arc::strong_count(&self.buffer) > 1
    }
}

impl Placement {
    /// An array of `words` words, all in main memory.
    pub(super) fn at_home(words: u64) -> Self {
        Self {
            residency: Residency::new(words, MemoryId::HOST),
            buffers: Vec::new(),
            failed: Vec::new(),
            lost_with: None,
        }
    }

    /// Whether no content is missing anywhere.
    pub(crate) fn is_intact(&self) -> bool {
        self.failed.is_empty() && self.residency.lost().is_empty()
    }

    /// The error of using `span`, if its content is missing.
    pub(crate) fn check(&self, span: Span) -> Result<(), ArrayError> {
        if let Some((failed, cause)) = self
            .failed
            .iter()
            .find(|(failed, _)| failed.lo < span.hi && span.lo < failed.hi)
        {
            return Err(ArrayError::Failed {
                lo: failed.lo,
                hi: failed.hi,
                cause: Arc::clone(cause),
            });
        }
        let lost = self.residency.lost().intersection(&SpanSet::from(span));
        if let (false, Some((device, cause))) = (lost.is_empty(), &self.lost_with) {
            return Err(ArrayError::Lost {
                device: device.clone(),
                words: lost.to_string(),
                cause: cause.clone(),
            });
        }
        Ok(())
    }

    /// The buffers in a GPU's memory.
    pub(crate) fn buffers(&self, memory: MemoryId) -> &[Placed] {
        let at = usize::from(memory.0).checked_sub(1);
        at.and_then(|at| self.buffers.get(at))
            .map_or(&[], Vec::as_slice)
    }

    /// Whether no memory holds the array in parts.
    pub(crate) fn is_whole(&self) -> bool {
        let all = Span::new(0, self.residency.words());
        let placed = self.buffers.iter().flatten();
        placed.into_iter().all(|placed| placed.span == all)
    }

    /// The buffer in a GPU's memory that holds all words of `span`.
    pub(crate) fn buffer_of(&self, memory: MemoryId, span: Span) -> Option<&Placed> {
        self.buffers(memory)
            .iter()
            .find(|placed| placed.span.covers(span))
    }

    /// Puts a buffer into a GPU's memory. It shares no word with those that are there.
    pub(crate) fn place(&mut self, memory: MemoryId, placed: Placed) {
        debug_assert!(
            self.buffers(memory)
                .iter()
                .all(|other| other.span.intersection(placed.span).is_empty()),
            "a word has one place in a memory"
        );
        let at = usize::from(memory.0) - 1;
        if self.buffers.len() <= at {
            self.buffers.resize_with(at + 1, Vec::new);
        }
        self.buffers[at].push(placed);
    }

    /// Takes the buffer of `span` out of a GPU's memory, with the words that it holds. None of them may be nowhere else.
    pub(crate) fn evict(&mut self, memory: MemoryId, span: Span) -> SpanSet {
        let held = transfer::evict(&mut self.residency, memory, span);
        self.buffers[usize::from(memory.0) - 1].retain(|placed| placed.span != span);
        held
    }

    /// Notes when a part used the buffers of `span`.
    pub(crate) fn used(&mut self, memory: MemoryId, span: Span, now: u64) {
        let at = usize::from(memory.0) - 1;
        if let Some(placed) = self.buffers.get_mut(at) {
            let touched = placed.iter_mut().filter(|placed| placed.span.covers(span));
            touched.for_each(|placed| placed.last_use = now);
        }
    }

    /// Notes that a GPU's memory is gone, and returns the words that are lost with it.
    pub(crate) fn lose(&mut self, memory: MemoryId, device: String, cause: String) -> SpanSet {
        let lost = self.residency.drop_memory(memory);
        if let Some(buffers) = self.buffers.get_mut(usize::from(memory.0) - 1) {
            buffers.clear();
        }
        if !lost.is_empty() {
            self.lost_with = Some((device, cause));
        }
        lost
    }

    /// Notes what a finished part, or the host, wrote in `memory`.
    pub(crate) fn commit(&mut self, touch: &Touch, memory: MemoryId, company: Company) {
        transfer::commit(&mut self.residency, touch, memory, company);
        if !self.failed.is_empty() {
            for (span, cause) in std::mem::take(&mut self.failed) {
                let left = SpanSet::from(span).difference(&touch.writes);
                self.failed
                    .extend(left.iter().map(|span| (span, Arc::clone(&cause))));
            }
        }
    }

    /// Notes that the host has written `span`.
    pub(super) fn written(&mut self, span: Span) {
        self.commit(&Touch::writing(span), MemoryId::HOST, Company::Alone);
    }
}
