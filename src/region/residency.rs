//! Which memory validly holds which words of an array?

use std::fmt;

use super::{Span, SpanSet, WORD_BYTES};
use crate::machine::MemoryId;

/// For one array: the words that are valid in each memory.
///
/// Every word is valid in at least one memory, unless the only memory that held it was dropped and nobody has written it
/// since; [`lost`](Self::lost) names those words.
///
/// ```
/// use impel::machine::MemoryId;
/// use impel::region::{Residency, Span, SpanSet};
///
/// let gpu = MemoryId(1);
/// let mut array = Residency::new(100, MemoryId::HOST);
/// let rows = SpanSet::from(Span::new(0, 40));
/// assert_eq!(array.missing(gpu, &rows).words(), 40);
/// array.read_into(gpu, &rows);
/// array.write(gpu, &SpanSet::from(Span::new(10, 20)));
/// assert_eq!(array.missing(MemoryId::HOST, &rows).to_string(), "{10..20}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Residency {
    words: u64,
    /// By memory number; memories past the end hold nothing.
    valid: Vec<SpanSet>,
    lost: SpanSet,
}

impl Residency {
    /// An array of `words` words that lives wholly in `memory`.
    pub fn new(words: u64, memory: MemoryId) -> Self {
        let mut residency = Self {
            words,
            valid: Vec::new(),
            lost: SpanSet::EMPTY,
        };
        *residency.valid_mut(memory) = residency.all();
        residency
    }

    /// Length of the array in words.
    pub fn words(&self) -> u64 {
        self.words
    }

    /// All words of the array.
    pub fn all(&self) -> SpanSet {
        SpanSet::from(Span::new(0, self.words))
    }

    /// The words that are valid in `memory`.
    pub fn valid(&self, memory: MemoryId) -> &SpanSet {
        static NOTHING: SpanSet = SpanSet::EMPTY;
        self.valid.get(usize::from(memory.0)).unwrap_or(&NOTHING)
    }

    /// The memories that validly hold at least one word, ascending.
    pub fn holders(&self) -> impl Iterator<Item = MemoryId> + '_ {
        let numbers = (0_u8..).zip(&self.valid);
        numbers
            .filter(|(_, valid)| !valid.is_empty())
            .map(|(number, _)| MemoryId(number))
    }

    /// The words of `needed` that are not valid in `memory`.
    pub fn missing(&self, memory: MemoryId, needed: &SpanSet) -> SpanSet {
        needed.difference(self.valid(memory))
    }

    /// How many words of `needed` would have to move for all of it to be valid in `memory`.
    pub fn missing_words(&self, memory: MemoryId, needed: Span) -> u64 {
        self.valid(memory).words_missing(needed)
    }

    /// The words that are valid in `memory` and nowhere else.
    pub fn sole(&self, memory: MemoryId) -> SpanSet {
        let mut sole = self.valid(memory).clone();
        for other in self.holders().filter(|other| *other != memory) {
            sole = sole.difference(self.valid(other));
        }
        sole
    }

    /// Whether `spans` are valid in `memory` and nowhere else.
    pub fn is_only_in(&self, memory: MemoryId, spans: &SpanSet) -> bool {
        self.valid(memory).covers_all(spans)
            && (0_u8..)
                .zip(&self.valid)
                .all(|(number, valid)| number == memory.0 || !valid.meets(spans))
    }

    /// Words that no memory holds any more.
    pub fn lost(&self) -> &SpanSet {
        &self.lost
    }

    /// Notes that `spans` have been copied into `memory` from a valid holder.
    ///
    /// # Panics
    /// If `spans` go past the array's end or name lost words, which no copy can bring back.
    pub fn read_into(&mut self, memory: MemoryId, spans: &SpanSet) {
        self.assert_inside(spans);
        assert!(!self.lost.meets(spans), "lost words cannot be copied");
        let valid = self.valid_mut(memory);
        *valid = valid.union(spans);
    }

    /// Notes that `spans` have been overwritten in `memory`: every other copy of them is stale.
    ///
    /// # Panics
    /// If `spans` go past the array's end.
    pub fn write(&mut self, memory: MemoryId, spans: &SpanSet) {
        self.assert_inside(spans);
        let own = self.valid_mut(memory);
        *own = own.union(spans);
        for (number, valid) in (0_u8..).zip(&mut self.valid) {
            if number != memory.0 && valid.meets(spans) {
                *valid = valid.difference(spans);
            }
        }
        if !self.lost.is_empty() {
            self.lost = self.lost.difference(spans);
        }
    }

    /// Notes that `memory` no longer holds `spans`, and returns those of them that are lost by it.
    pub fn forget(&mut self, memory: MemoryId, spans: &SpanSet) -> SpanSet {
        let lost = self.sole(memory).intersection(spans);
        let valid = self.valid_mut(memory);
        *valid = valid.difference(spans);
        self.lost = self.lost.union(&lost);
        lost
    }

    /// Notes that `memory` is gone, and returns the words that are lost with it.
    pub fn drop_memory(&mut self, memory: MemoryId) -> SpanSet {
        self.forget(memory, &self.all())
    }

    fn valid_mut(&mut self, memory: MemoryId) -> &mut SpanSet {
        let index = usize::from(memory.0);
        if self.valid.len() <= index {
            self.valid.resize(index + 1, SpanSet::EMPTY);
        }
        &mut self.valid[index]
    }

    fn assert_inside(&self, spans: &SpanSet) {
        let end = spans.hull().hi;
        assert!(
            end <= self.words,
            "{spans} goes past an array of {} words",
            self.words
        );
    }
}

impl fmt::Display for Residency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} B", self.words * WORD_BYTES)?;
        for memory in self.holders() {
            write!(f, ", {memory} holds words {}", self.valid(memory))?;
        }
        if !self.lost.is_empty() {
            write!(f, ", lost words {}", self.lost)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WORDS: u64 = 24;
    const MEMORIES: u8 = 3;

    #[derive(Clone, Copy, Debug)]
    enum Action {
        Read(u8, Span),
        Write(u8, Span),
        Forget(u8, Span),
        Drop(u8),
    }

    fn any_action() -> impl Strategy<Value = Action> {
        let span = (0..=WORDS, 0..=WORDS).prop_map(|(a, b)| Span::new(a.min(b), a.max(b)));
        (0_u8..10, 0..MEMORIES, span).prop_map(|(kind, memory, span)| match kind {
            0..4 => Action::Read(memory, span),
            4..8 => Action::Write(memory, span),
            8 => Action::Forget(memory, span),
            _ => Action::Drop(memory),
        })
    }

    /// Word by word: which memories hold it.
    type Bitmap = [[bool; WORDS as usize]; MEMORIES as usize];

    fn act(residency: &mut Residency, model: &mut Bitmap, action: Action) {
        let alive = |model: &Bitmap, word: u64| model.iter().any(|held| held[word as usize]);
        match action {
            Action::Read(memory, span) => {
                let living = (span.lo..span.hi).filter(|word| alive(model, *word));
                let spans: SpanSet = living.map(|word| Span::new(word, word + 1)).collect();
                residency.read_into(MemoryId(memory), &spans);
                for word in spans.iter().flat_map(|span| span.lo..span.hi) {
                    model[usize::from(memory)][word as usize] = true;
                }
            }
            Action::Write(memory, span) => {
                residency.write(MemoryId(memory), &SpanSet::from(span));
                for word in span.lo..span.hi {
                    for (number, held) in (0..).zip(model.iter_mut()) {
                        held[word as usize] = number == memory;
                    }
                }
            }
            Action::Forget(memory, span) => forget(residency, model, memory, span),
            Action::Drop(memory) => forget(residency, model, memory, Span::new(0, WORDS)),
        }
    }

    fn forget(residency: &mut Residency, model: &mut Bitmap, memory: u8, span: Span) {
        let lost = residency.forget(MemoryId(memory), &SpanSet::from(span));
        for word in 0..WORDS {
            let held = model.iter().filter(|held| held[word as usize]).count();
            let own = model[usize::from(memory)][word as usize] && span.contains(word);
            assert_eq!(lost.contains(word), own && held == 1);
        }
        for word in span.lo..span.hi {
            model[usize::from(memory)][word as usize] = false;
        }
    }

    proptest! {
        #![proptest_config(crate::seeded::cases(512, 0x5eed))]

        #[test]
        fn residency_agrees_with_a_bitmap_per_memory(
            actions in proptest::collection::vec(any_action(), 0..12),
            asked in (0..=WORDS, 0..=WORDS),
        ) {
            let mut residency = Residency::new(WORDS, MemoryId::HOST);
            let mut model: Bitmap = std::array::from_fn(|memory| [memory == 0; WORDS as usize]);
            for action in actions {
                act(&mut residency, &mut model, action);
            }
            let needed = Span::new(asked.0.min(asked.1), asked.0.max(asked.1));
            for (memory, held) in (0..).zip(&model) {
                let memory = MemoryId(memory);
                for word in 0..WORDS {
                    prop_assert_eq!(residency.valid(memory).contains(word), held[word as usize]);
                }
                let missing = residency.missing(memory, &SpanSet::from(needed));
                prop_assert_eq!(missing.words(), residency.missing_words(memory, needed));
                let needed = SpanSet::from(needed);
                let alone = residency.sole(memory).covers_all(&needed);
                prop_assert_eq!(residency.is_only_in(memory, &needed), alone);
            }
            for word in 0..WORDS {
                let held = model.iter().any(|held| held[word as usize]);
                prop_assert_eq!(residency.lost().contains(word), !held);
            }
        }
    }

    #[test]
    fn dropping_a_memory_loses_only_what_it_alone_held() {
        let gpu = MemoryId(1);
        let mut array = Residency::new(100, MemoryId::HOST);
        array.read_into(gpu, &SpanSet::from(Span::new(0, 50)));
        array.write(gpu, &SpanSet::from(Span::new(40, 60)));
        assert_eq!(array.sole(gpu).to_string(), "{40..60}");
        assert_eq!(array.drop_memory(gpu).to_string(), "{40..60}");
        assert_eq!(
            array.to_string(),
            "400 B, host holds words {0..40, 60..100}, lost words {40..60}"
        );
        array.write(MemoryId::HOST, &array.all());
        assert!(array.lost().is_empty());
    }

    #[test]
    #[should_panic(expected = "goes past an array of 8 words")]
    fn words_past_the_end_are_refused() {
        Residency::new(8, MemoryId::HOST).write(MemoryId::HOST, &SpanSet::from(Span::new(4, 9)));
    }
}
