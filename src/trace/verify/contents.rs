//! Which version of each word does each memory hold, and which copies has nobody used yet?

use std::collections::BTreeMap;

use super::Violation;
use super::marks::Marks;
use crate::machine::MemoryId;
use crate::region::{Span, SpanSet};
use crate::trace::event::{ArrayNo, LaunchNo};

/// Versions of an array's words.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) last: Marks,
    pub(super) held: BTreeMap<MemoryId, Marks>,
    /// Words that a failed launch should have written.
    pub(super) undefined: SpanSet,
    /// Copies whose words nobody has used so far.
    pub(super) unused: Vec<Unused>,
}

/// Words of a copy that nobody has used so far.
#[derive(Debug)]
pub(super) struct Unused {
    pub(super) event: usize,
    pub(super) launch: Option<LaunchNo>,
    pub(super) to: MemoryId,
    pub(super) words: SpanSet,
    /// Words that have been overwritten before anybody used them.
    pub(super) wasted: u64,
    pub(super) gap_words: u64,
}

impl Contents {
    /// The first words of `span` whose last version is not in `memory`: what is there instead, and what should be.
    pub(super) fn stale(
        &self,
        span: Span,
        memory: MemoryId,
    ) -> Option<(Span, Option<usize>, usize)> {
        let nothing = Marks::default();
        let held = self.held.get(&memory).unwrap_or(&nothing);
        self.last
            .pieces(span)
            .into_iter()
            .find_map(|(piece, last)| {
                let wrong = held
                    .pieces(piece)
                    .into_iter()
                    .find(|(_, held)| *held != last);
                wrong.map(|(piece, held)| (piece, held, last.unwrap_or_default()))
            })
    }

    /// How many words of `span` are in `memory` in their last version.
    pub(super) fn words_with_last(&self, span: Span, memory: MemoryId) -> u64 {
        let Some(held) = self.held.get(&memory) else {
            return 0;
        };
        let last = self.last.pieces(span).into_iter();
        let fresh = last.flat_map(|(piece, last)| {
            let held = held.pieces(piece).into_iter();
            held.filter(move |(_, held)| *held == last)
                .map(|(piece, _)| piece.words())
        });
        fresh.sum()
    }

    /// Somebody uses `spans` in `memory`: copying them there was right.
    pub(super) fn claim(&mut self, spans: &SpanSet, memory: MemoryId) {
        for unused in self.unused.iter_mut().filter(|unused| unused.to == memory) {
            unused.words = unused.words.difference(spans);
        }
        self.unused
            .retain(|unused| !unused.words.is_empty() || unused.wasted > unused.gap_words);
    }
}

impl Unused {
    /// The violation that it is, if it is more than the gaps.
    pub(super) fn violation(&self, array: ArrayNo) -> Option<Violation> {
        let words = (self.words.words() + self.wasted).saturating_sub(self.gap_words);
        (words > 0).then_some(Violation::Unused {
            event: self.event,
            array,
            memory: self.to,
            words,
        })
    }
}
