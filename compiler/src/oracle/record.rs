//! Which words of which buffers did a run touch?

/// A set of word indices of one buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordSet {
    bits: Vec<u64>,
}

impl WordSet {
    pub(super) fn insert(&mut self, word: u32) {
        let at = word as usize / 64;
        if at >= self.bits.len() {
            self.bits.resize(at + 1, 0);
        }
        self.bits[at] |= 1 << (word % 64);
    }

    /// Whether the word is in the set.
    pub fn contains(&self, word: u32) -> bool {
        self.bits
            .get(word as usize / 64)
            .is_some_and(|bits| bits >> (word % 64) & 1 == 1)
    }

    /// The number of words in the set.
    pub fn len(&self) -> usize {
        self.bits
            .iter()
            .map(|bits| bits.count_ones() as usize)
            .sum()
    }

    /// Whether the set has no word.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|bits| *bits == 0)
    }

    /// The words in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.bits.len() as u32 * 64).filter(|word| self.contains(*word))
    }
}

/// The words of one buffer that a run touched. Padding is never touched; accesses out of bounds touch nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Words loaded, by plain loads, atomic loads and atomic operations alike.
    pub read: WordSet,
    /// Words stored, by plain stores, atomic stores and atomic operations alike.
    pub written: WordSet,
    /// Words touched by an atomic operation other than load and store; they are in the other two sets too.
    pub atomic: WordSet,
}
