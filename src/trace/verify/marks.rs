//! Which mark does each word bear? A map from words to marks, kept as spans.

use std::collections::BTreeMap;

use crate::region::Span;

/// Marks of words; a word may bear none.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks {
    /// By first word: one past the last, and the mark.
    spans: BTreeMap<u64, (u64, usize)>,
}

impl Marks {
    /// Marks all of `span`, or takes its marks away.
    pub(super) fn set(&mut self, span: Span, mark: Option<usize>) {
        if span.is_empty() {
            return;
        }
        self.cut(span.lo);
        self.cut(span.hi);
        let inside: Vec<u64> = self
            .spans
            .range(span.lo..span.hi)
            .map(|(lo, _)| *lo)
            .collect();
        for lo in inside {
            self.spans.remove(&lo);
        }
        if let Some(mark) = mark {
            self.spans.insert(span.lo, (span.hi, mark));
        }
    }

    /// The pieces of `span` with their marks, ascending and without gaps.
    pub(super) fn pieces(&self, span: Span) -> Vec<(Span, Option<usize>)> {
        let mut pieces = Vec::new();
        let mut next = span.lo;
        let before = self.spans.range(..span.lo).next_back();
        let within = self.spans.range(span.lo..span.hi);
        for (&lo, &(hi, mark)) in before.into_iter().chain(within) {
            let piece = Span { lo, hi }.intersection(span);
            if piece.is_empty() {
                continue;
            }
            if next < piece.lo {
                pieces.push((Span::new(next, piece.lo), None));
            }
            pieces.push((piece, Some(mark)));
            next = piece.hi;
        }
        if next < span.hi {
            pieces.push((Span::new(next, span.hi), None));
        }
        pieces
    }

    /// Takes all marks away.
    pub(super) fn clear(&mut self) {
        self.spans.clear();
    }

    /// Makes `word` the border of two spans, if it is inside one.
    fn cut(&mut self, word: u64) {
        let Some((_, (hi, mark))) = self.spans.range_mut(..word).next_back() else {
            return;
        };
        if *hi > word {
            let rest = (*hi, *mark);
            *hi = word;
            self.spans.insert(word, rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: u64 = 20;

    proptest! {
        #![proptest_config(crate::seeded::cases(256, 0x3a7))]

        #[test]
        fn marks_agree_with_a_mark_per_word(
            sets in proptest::collection::vec((0..=WORDS, 0..=WORDS, 0_usize..4), 0..12),
            asked in (0..=WORDS, 0..=WORDS),
        ) {
            let mut marks = Marks::default();
            let mut model = [None; WORDS as usize];
            for (a, b, mark) in sets {
                let span = Span::new(a.min(b), a.max(b));
                let mark = (mark > 0).then_some(mark);
                marks.set(span, mark);
                model[span.lo as usize..span.hi as usize].fill(mark);
            }
            let span = Span::new(asked.0.min(asked.1), asked.0.max(asked.1));
            let pieces = marks.pieces(span);
            let words = pieces.iter().flat_map(|(piece, mark)| (piece.lo..piece.hi).map(|word| (word, *mark)));
            let expected = (span.lo..span.hi).map(|word| (word, model[word as usize]));
            prop_assert!(words.eq(expected));
        }
    }
}
