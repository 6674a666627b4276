//! Which words, when they lie anywhere? Sets of spans and their algebra.

use std::fmt;

use smallvec::SmallVec;

use super::Span;

/// A set of words of one array: spans that are sorted, not empty, and do not touch each other.
///
/// Sets of one or two spans, which is nearly all of them, live without an allocation. Union, difference and intersection cost
/// time linear in the number of spans; membership is a binary search.
///
/// ```
/// use impel::region::{Span, SpanSet};
///
/// let rows: SpanSet = [Span::new(0, 4), Span::new(8, 12)].into_iter().collect();
/// let kept = rows.difference(&SpanSet::from(Span::new(2, 9)));
/// assert_eq!(kept.to_string(), "{0..2, 9..12}");
/// assert_eq!(kept.words(), 5);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SpanSet {
    spans: SmallVec<[Span; 2]>,
}

impl SpanSet {
    /// No words.
    pub const EMPTY: Self = Self {
        spans: SmallVec::new_const(),
    };

    /// The spans, ascending.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The spans, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Span> + '_ {
        self.spans.iter().copied()
    }

    /// Number of words.
    pub fn words(&self) -> u64 {
        self.iter().map(Span::words).sum()
    }

    /// Whether there is no word in it.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The shortest span that covers the set; empty for an empty set.
    pub fn hull(&self) -> Span {
        match (self.spans.first(), self.spans.last()) {
            (Some(first), Some(last)) => first.hull(*last),
            _ => Span::default(),
        }
    }

    /// Whether `word` is in it.
    pub fn contains(&self, word: u64) -> bool {
        let at = self.spans.partition_point(|span| span.hi <= word);
        self.spans.get(at).is_some_and(|span| span.contains(word))
    }

    /// Whether every word of `span` is in it.
    pub fn covers(&self, span: Span) -> bool {
        let at = self.spans.partition_point(|own| own.hi <= span.lo);
        span.is_empty() || self.spans.get(at).is_some_and(|own| own.covers(span))
    }

    /// Whether every word of `other` is in it.
    pub fn covers_all(&self, other: &Self) -> bool {
        other.iter().all(|span| self.covers(span))
    }

    /// Whether the two sets share a word.
    pub fn meets(&self, other: &Self) -> bool {
        let (few, many) = if self.spans.len() < other.spans.len() {
            (self, other)
        } else {
            (other, self)
        };
        few.iter().any(|span| many.words_in(span) > 0)
    }

    /// Number of words of `span` that are in the set.
    pub fn words_in(&self, span: Span) -> u64 {
        let from = self.spans.partition_point(|own| own.hi <= span.lo);
        self.spans[from..]
            .iter()
            .take_while(|own| own.lo < span.hi)
            .map(|own| own.intersection(span).words())
            .sum()
    }

    /// Number of words of `span` that are not in the set: what would have to move if the set is what is at hand.
    ///
    /// This is the one place that counts words to move: predictions and reports are sums of it.
    pub fn words_missing(&self, span: Span) -> u64 {
        span.words() - self.words_in(span)
    }

    /// Number of runs in which the words of `span` that are not in the set lie: how many copies they would take.
    pub fn runs_missing(&self, span: Span) -> usize {
        let from = self.spans.partition_point(|own| own.hi <= span.lo);
        let to = self.spans.partition_point(|own| own.lo < span.hi);
        if from == to || span.is_empty() {
            return usize::from(!span.is_empty());
        }
        let starts_inside = self.spans[from].lo <= span.lo;
        let ends_inside = self.spans[to - 1].hi >= span.hi;
        to - from + 1 - usize::from(starts_inside) - usize::from(ends_inside)
    }

    /// The shortest span that covers the words of `span` that are not in the set; empty if all are.
    pub fn hull_missing(&self, span: Span) -> Span {
        let first = self.spans.partition_point(|own| own.hi <= span.lo);
        let last = self.spans.partition_point(|own| own.lo < span.hi);
        let lo = match self.spans.get(first) {
            Some(own) if own.lo <= span.lo => own.hi,
            _ => span.lo,
        };
        let hi = match last.checked_sub(1).map(|last| self.spans[last]) {
            Some(own) if own.hi >= span.hi => own.lo,
            _ => span.hi,
        };
        Span { lo, hi: hi.max(lo) }
    }

    /// Adds the words of `span`.
    pub fn insert(&mut self, span: Span) {
        if span.is_empty() {
            return;
        }
        let from = self.spans.partition_point(|own| own.hi < span.lo);
        let to = self.spans.partition_point(|own| own.lo <= span.hi);
        if from == to {
            self.spans.insert(from, span);
        } else {
            let joined = span.hull(self.spans[from]).hull(self.spans[to - 1]);
            self.spans[from] = joined;
            self.spans.drain(from + 1..to);
        }
    }

    /// Removes the words of `span`.
    pub fn remove(&mut self, span: Span) {
        let from = self.spans.partition_point(|own| own.hi <= span.lo);
        let to = self.spans.partition_point(|own| own.lo < span.hi);
        if from >= to || span.is_empty() {
            return;
        }
        let before = Span::new(self.spans[from].lo.min(span.lo), span.lo);
        let after = Span::new(span.hi, self.spans[to - 1].hi.max(span.hi));
        self.spans.drain(from..to);
        for rest in [after, before] {
            if !rest.is_empty() {
                self.spans.insert(from, rest);
            }
        }
    }

    /// The words in either set.
    pub fn union(&self, other: &Self) -> Self {
        let mut out = Self::EMPTY;
        let (mut left, mut right) = (self.iter().peekable(), other.iter().peekable());
        loop {
            let next = match (left.peek(), right.peek()) {
                (Some(a), Some(b)) if a.lo <= b.lo => left.next(),
                (_, Some(_)) => right.next(),
                _ => left.next(),
            };
            match next {
                Some(span) => out.append(span, 0),
                None => return out,
            }
        }
    }

    /// The words in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        let mut out = Self::EMPTY;
        let (mut left, mut right) = (self.spans(), other.spans());
        while let (Some(a), Some(b)) = (left.first(), right.first()) {
            out.append(a.intersection(*b), 0);
            if a.hi < b.hi {
                left = &left[1..];
            } else {
                right = &right[1..];
            }
        }
        out
    }

    /// The words in this set and not in `other`.
    pub fn difference(&self, other: &Self) -> Self {
        let mut out = Self::EMPTY;
        let mut holes = other.spans();
        for span in self.iter() {
            let mut lo = span.lo;
            while let Some(hole) = holes.first().filter(|hole| hole.lo < span.hi) {
                if hole.lo > lo {
                    out.append(Span::new(lo, hole.lo), 0);
                }
                lo = lo.max(hole.hi);
                if hole.hi > span.hi {
                    break;
                }
                holes = &holes[1..];
            }
            if lo < span.hi {
                out.append(Span::new(lo, span.hi), 0);
            }
        }
        out
    }

    /// The words of `span` that are in the set.
    pub fn within(&self, span: Span) -> Self {
        self.intersection(&Self::from(span))
    }

    /// The same set with every gap of at most `max_gap` words filled.
    pub fn merged(&self, max_gap: u64) -> Self {
        let mut out = Self::EMPTY;
        for span in self.iter() {
            out.append(span, max_gap);
        }
        out
    }

    /// The same set, `words` further on: from a view's numbering to its array's.
    pub fn shifted(&self, words: u64) -> Self {
        Self {
            spans: self.iter().map(|span| span.shifted(words)).collect(),
        }
    }

    /// Adds a span that begins no earlier than the last one, joining it to that one over a gap of at most `max_gap`.
    fn append(&mut self, span: Span, max_gap: u64) {
        match self.spans.last_mut() {
            _ if span.is_empty() => {}
            Some(last) if span.lo <= last.hi.saturating_add(max_gap) => {
                debug_assert!(last.lo <= span.lo, "spans are appended in order");
                last.hi = last.hi.max(span.hi);
            }
            _ => self.spans.push(span),
        }
    }
}

impl From<Span> for SpanSet {
    fn from(span: Span) -> Self {
        let mut set = Self::EMPTY;
        set.append(span, 0);
        set
    }
}

impl FromIterator<Span> for SpanSet {
    /// The union of any spans, in any order.
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut sorted: SmallVec<[Span; 2]> = spans.into_iter().collect();
        sorted.sort_unstable();
        let mut set = Self::EMPTY;
        for span in sorted {
            set.append(span, 0);
        }
        set
    }
}

impl fmt::Display for SpanSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 4;
        f.write_str("{")?;
        for (index, span) in self.iter().take(SHOWN_MAX).enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{span}")?;
        }
        if self.spans.len() > SHOWN_MAX {
            let more = self.spans.len() - SHOWN_MAX;
            write!(f, ", and {more} more up to {}", self.hull().hi)?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: u64 = 48;
    type Bitmap = [bool; WORDS as usize];

    fn bitmap(set: &SpanSet) -> Bitmap {
        std::array::from_fn(|word| set.contains(word as u64))
    }

    fn any_span() -> impl Strategy<Value = Span> {
        (0..=WORDS, 0..=WORDS).prop_map(|(a, b)| Span::new(a.min(b), a.max(b)))
    }

    fn any_set() -> impl Strategy<Value = SpanSet> {
        let short =
            (0..WORDS, 0_u64..6).prop_map(|(lo, words)| Span::new(lo, (lo + words).min(WORDS)));
        proptest::collection::vec(short, 0..10).prop_map(SpanSet::from_iter)
    }

    fn is_canonical(set: &SpanSet) -> bool {
        set.iter().all(|span| !span.is_empty())
            && set.spans().windows(2).all(|pair| pair[0].hi < pair[1].lo)
    }

    proptest! {
        #![proptest_config(crate::seeded::cases(512, 0x5eed))]

        #[test]
        fn set_algebra_agrees_with_a_bitmap(a in any_set(), b in any_set()) {
            let (bits_a, bits_b) = (bitmap(&a), bitmap(&b));
            let by_bits = |f: fn(bool, bool) -> bool| -> Bitmap {
                std::array::from_fn(|i| f(bits_a[i], bits_b[i]))
            };
            for (set, bits) in [
                (a.union(&b), by_bits(|x, y| x | y)),
                (a.intersection(&b), by_bits(|x, y| x & y)),
                (a.difference(&b), by_bits(|x, y| x && !y)),
            ] {
                prop_assert!(is_canonical(&set), "{set:?}");
                prop_assert_eq!(bitmap(&set), bits);
                prop_assert_eq!(set.words(), bits.iter().filter(|bit| **bit).count() as u64);
            }
            prop_assert_eq!(a.meets(&b), by_bits(|x, y| x & y).contains(&true));
            prop_assert_eq!(a.covers_all(&b), !by_bits(|x, y| !x && y).contains(&true));
        }

        #[test]
        fn inserting_and_removing_agrees_with_a_bitmap(a in any_set(), span in any_span()) {
            let bits = bitmap(&a);
            let (mut with, mut without) = (a.clone(), a.clone());
            with.insert(span);
            without.remove(span);
            prop_assert!(is_canonical(&with) && is_canonical(&without));
            for word in 0..WORDS {
                let before = bits[word as usize];
                prop_assert_eq!(with.contains(word), before | span.contains(word));
                prop_assert_eq!(without.contains(word), before & !span.contains(word));
            }
        }

        #[test]
        fn counting_in_a_span_agrees_with_a_bitmap(a in any_set(), span in any_span()) {
            let inside = (span.lo..span.hi).filter(|word| a.contains(*word)).count() as u64;
            prop_assert_eq!(a.words_in(span), inside);
            prop_assert_eq!(a.within(span).words(), inside);
            prop_assert_eq!(a.covers(span), inside == span.words());
        }

        #[test]
        fn merging_fills_exactly_the_short_gaps(a in any_set(), max_gap in 0_u64..5) {
            let merged = a.merged(max_gap);
            prop_assert!(merged.covers_all(&a));
            prop_assert!(merged.spans().windows(2).all(|pair| pair[1].lo - pair[0].hi > max_gap));
            prop_assert!(merged.difference(&a).iter().all(|gap| gap.words() <= max_gap));
        }

        #[test]
        fn the_order_of_spans_does_not_matter(spans in proptest::collection::vec(any_span(), 0..6)) {
            let mut inserted = SpanSet::EMPTY;
            for span in spans.iter().rev() {
                inserted.insert(*span);
            }
            prop_assert_eq!(inserted, SpanSet::from_iter(spans));
        }
    }

    #[test]
    fn long_sets_print_short() {
        let comb: SpanSet = (0..100).map(|i| Span::new(10 * i, 10 * i + 1)).collect();
        assert_eq!(
            comb.to_string(),
            "{0..1, 10..11, 20..21, 30..31, and 96 more up to 991}"
        );
        assert_eq!(SpanSet::EMPTY.to_string(), "{}");
    }
}
