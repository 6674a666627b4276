//! Which words, when they lie side by side?

use std::fmt;
use std::ops::Range;

/// A range of 32-bit words of one array, from `lo` up to but not including `hi`.
///
/// ```
/// use impel::region::Span;
///
/// let span = Span::new(2, 8);
/// assert_eq!(span.words(), 6);
/// assert_eq!(span.intersection(Span::new(6, 20)), Span::new(6, 8));
/// assert_eq!(span.to_string(), "2..8");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First word.
    pub lo: u64,
    /// One past the last word.
    pub hi: u64,
}

impl Span {
    /// The words `lo..hi`.
    ///
    /// # Panics
    /// If `lo > hi`.
    pub const fn new(lo: u64, hi: u64) -> Self {
        assert!(lo <= hi, "a span ends before it begins");
        Self { lo, hi }
    }

    /// Number of words.
    pub const fn words(self) -> u64 {
        self.hi - self.lo
    }

    /// Whether there is no word in it.
    pub const fn is_empty(self) -> bool {
        self.lo == self.hi
    }

    /// Whether `word` is in it.
    pub const fn contains(self, word: u64) -> bool {
        self.lo <= word && word < self.hi
    }

    /// Whether every word of `other` is in it; true for an empty `other`.
    pub const fn covers(self, other: Self) -> bool {
        other.is_empty() || (self.lo <= other.lo && other.hi <= self.hi)
    }

    /// The words in both, as an empty span where there are none.
    pub fn intersection(self, other: Self) -> Self {
        let lo = self.lo.max(other.lo);
        Self {
            lo,
            hi: self.hi.min(other.hi).max(lo),
        }
    }

    /// The shortest span that covers both.
    pub fn hull(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other,
            (_, true) => self,
            _ => Self {
                lo: self.lo.min(other.lo),
                hi: self.hi.max(other.hi),
            },
        }
    }

    /// The same number of words, `words` further on: from a view's numbering to its array's.
    pub const fn shifted(self, words: u64) -> Self {
        Self {
            lo: self.lo + words,
            hi: self.hi + words,
        }
    }
}

impl From<Range<u64>> for Span {
    fn from(range: Range<u64>) -> Self {
        Self::new(range.start, range.end)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.lo, self.hi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_do_not_meet_share_no_word() {
        assert!(Span::new(0, 4).intersection(Span::new(4, 9)).is_empty());
        assert!(Span::new(7, 9).intersection(Span::new(0, 3)).is_empty());
    }

    #[test]
    fn an_empty_span_is_covered_by_all_and_widens_none() {
        let span = Span::new(3, 5);
        assert!(span.covers(Span::new(90, 90)));
        assert_eq!(span.hull(Span::new(90, 90)), span);
        assert_eq!(Span::default().hull(span), span);
    }

    #[test]
    #[should_panic(expected = "ends before it begins")]
    fn a_span_cannot_run_backwards() {
        let _ = Span::new(5, 4);
    }
}
