//! Which version of each word is it? A map from ranges of words to versions.

use crate::region::{Span, SpanSet};

/// A state of words: what they were after one launch, or after the host wrote them. Later ones are larger; 0 is what an array held when
/// it was first seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u64);

/// Versions by range: sorted, disjoint, neighbours of one version merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Versions {
    pieces: Vec<(Span, Version)>,
}

impl Versions {
    /// All of `words` words in the first version.
    pub(super) fn first(words: u64) -> Self {
        let mut versions = Self::default();
        versions.set(&SpanSet::from(Span::new(0, words)), Version(0));
        versions
    }

    /// Gives words a version, whatever they had before.
    pub(super) fn set(&mut self, spans: &SpanSet, version: Version) {
        if let ([span], [piece]) = (spans.spans(), self.pieces.as_mut_slice())
            && *span == piece.0
        {
            piece.1 = version;
            return;
        }
        self.remove(spans);
        self.pieces.extend(spans.iter().map(|span| (span, version)));
        self.pieces.sort_unstable_by_key(|(span, _)| span.lo);
        self.pieces.dedup_by(|next, last| {
            let joins = last.0.hi == next.0.lo && last.1 == next.1;
            if joins {
                last.0.hi = next.0.hi;
            }
            joins
        });
    }

    /// Takes their versions from words.
    pub(super) fn remove(&mut self, spans: &SpanSet) {
        let untouched = |(span, _): &(Span, Version)| !spans.meets(&SpanSet::from(*span));
        if self.pieces.iter().all(untouched) {
            return;
        }
        let pieces = std::mem::take(&mut self.pieces);
        for (span, version) in pieces {
            let left = SpanSet::from(span).difference(spans);
            self.pieces.extend(left.iter().map(|span| (span, version)));
        }
    }

    /// The parts of `spans` that have a version, with it.
    pub(super) fn within(&self, spans: &SpanSet) -> Vec<(Span, Version)> {
        let mut found = Vec::new();
        for (span, version) in &self.pieces {
            let common = spans.within(*span);
            found.extend(common.iter().map(|span| (span, *version)));
        }
        found
    }

    /// The words of `spans` that have this version.
    pub(super) fn having(&self, version: Version, spans: &SpanSet) -> SpanSet {
        let own = self.pieces.iter().filter(|(_, own)| *own == version);
        let own: SpanSet = own.map(|(span, _)| *span).collect();
        own.intersection(spans)
    }

    /// The words whose version is not that of `other`.
    pub(super) fn unlike(&self, other: &Self) -> SpanSet {
        let mut unlike = SpanSet::EMPTY;
        for (span, version) in &self.pieces {
            let span = SpanSet::from(*span);
            unlike = unlike.union(&span.difference(&other.having(*version, &span)));
        }
        unlike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(lo: u64, hi: u64) -> SpanSet {
        SpanSet::from(Span::new(lo, hi))
    }

    #[test]
    fn every_word_has_the_version_that_it_was_given_last() {
        let mut versions = Versions::first(10);
        versions.set(&spans(2, 6), Version(1));
        versions.set(&spans(4, 8), Version(2));
        let told = |versions: &Versions| {
            let pieces = versions.within(&spans(0, 10));
            let piece = |(span, version): (Span, Version)| format!("{span}={}", version.0);
            pieces.into_iter().map(piece).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told(&versions), "0..2=0 2..4=1 4..8=2 8..10=0");
        let home = versions.clone();
        versions.set(&spans(6, 9), Version(3));
        assert_eq!(versions.unlike(&home).to_string(), "{6..9}");
        versions.remove(&spans(0, 3));
        assert_eq!(told(&versions), "3..4=1 4..6=2 6..9=3 9..10=0");
        versions.set(&spans(0, 10), Version(4));
        versions.set(&spans(0, 10), Version(5));
        assert_eq!(told(&versions), "0..10=5");
        versions.set(&spans(3, 5), Version(6));
        versions.set(&spans(3, 5), Version(5));
        assert_eq!(told(&versions), "0..10=5", "neighbours are merged");
    }
}
