//! What is a copy, and how much do many of them come to?

use std::fmt;
use std::ops::AddAssign;

use crate::machine::MemoryId;
use crate::plan::Bytes;
use crate::region::{Residency, Span, SpanSet, WORD_BYTES};

/// One copy of words that lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Number of the array argument.
    pub argument: usize,
    /// The words, counted from the start of the array.
    pub span: Span,
    /// A memory that validly holds them, once the copies before this one are made.
    pub from: MemoryId,
    /// The memory that lacks them. Either this or `from` is the host's.
    pub to: MemoryId,
    /// What most of the words are for.
    pub reason: Reason,
    /// How many of the words nobody asked for: they lie between others, and a second copy would cost more.
    pub gap_words: u64,
}

/// What words are copied for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The part reads them.
    Read,
    /// The part reads them, and its neighbour in the same launch does, too.
    Halo,
    /// The part may or may not overwrite them.
    PartialWrite,
    /// All parts' contributions are combined with them in host memory.
    Combine,
    /// The program asked for them.
    HostRead,
    /// A memory has no room for them any more.
    WriteBack,
    /// Main memory is to hold them, too, in case that the device is lost.
    Mirror,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 7] = [
        Self::Read,
        Self::Halo,
        Self::PartialWrite,
        Self::Combine,
        Self::HostRead,
        Self::WriteBack,
        Self::Mirror,
    ];
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Read => "read",
            Self::Halo => "halo",
            Self::PartialWrite => "partial write",
            Self::Combine => "combine",
            Self::HostRead => "host read",
            Self::WriteBack => "write back",
            Self::Mirror => "mirror",
        })
    }
}

impl Copy {
    /// Notes in `residency`, that of its argument, that the copy has been made.
    pub fn commit(&self, residency: &mut Residency) {
        residency.read_into(self.to, &SpanSet::from(self.span));
    }

    /// Number of bytes.
    pub fn bytes(&self) -> u64 {
        self.span.words() * WORD_BYTES
    }
}

impl fmt::Display for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            argument,
            span,
            from,
            to,
            reason,
            gap_words: _,
        } = self;
        let bytes = Bytes(self.bytes());
        write!(
            f,
            "#{argument} words {span} from {from} to {to}, {bytes}, {reason}"
        )
    }
}

/// Words copied, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    by_reason: [u64; Reason::ALL.len()],
    /// Words that nobody asked for, copied because a second copy would cost more.
    pub gap_words: u64,
}

impl Totals {
    /// Words copied for `reason`.
    pub fn words(&self, reason: Reason) -> u64 {
        self.by_reason[reason as usize]
    }

    /// All words copied, gaps included.
    pub fn all_words(&self) -> u64 {
        self.by_reason.iter().sum::<u64>() + self.gap_words
    }

    pub(super) fn add(&mut self, reason: Reason, words: u64) {
        self.by_reason[reason as usize] += words;
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        for (own, words) in self.by_reason.iter_mut().zip(other.by_reason) {
            *own += words;
        }
        self.gap_words += other.gap_words;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.all_words() == 0 {
            return f.write_str("nothing moves");
        }
        write!(f, "{} moved", Bytes(self.all_words() * WORD_BYTES))?;
        let reasons = Reason::ALL.map(|reason| (reason.to_string(), self.words(reason)));
        let gaps = [("gaps between them".to_owned(), self.gap_words)];
        let moved = reasons
            .into_iter()
            .chain(gaps)
            .filter(|(_, words)| *words > 0);
        for (index, (what, words)) in moved.enumerate() {
            let mark = if index == 0 { ':' } else { ',' };
            write!(f, "{mark} {what} {}", Bytes(words * WORD_BYTES))?;
        }
        Ok(())
    }
}

/// The copies that a plan lacks, in an order in which they can be made: all into host memory come before all out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// The copies.
    pub list: Vec<Copy>,
    /// What they come to.
    pub totals: Totals,
}

impl Copies {
    /// The copies into `memory`.
    pub fn into_memory(&self, memory: MemoryId) -> impl Iterator<Item = &Copy> {
        self.list.iter().filter(move |copy| copy.to == memory)
    }

    /// Whether everything is in place already.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl fmt::Display for Copies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 16;
        writeln!(f, "{}", self.totals)?;
        for copy in self.list.iter().take(SHOWN_MAX) {
            writeln!(f, "  {copy}")?;
        }
        if self.list.len() > SHOWN_MAX {
            writeln!(f, "  and {} more copies", self.list.len() - SHOWN_MAX)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_print_with_their_totals_by_reason() {
        let mut copies = Copies::default();
        assert_eq!(copies.to_string(), "nothing moves\n");
        let copy = Copy {
            argument: 1,
            span: Span::new(64, 192),
            from: MemoryId::HOST,
            to: MemoryId(2),
            reason: Reason::Halo,
            gap_words: 8,
        };
        copies.list.push(copy);
        copies.totals.add(Reason::Halo, 120);
        copies.totals += Totals {
            gap_words: 8,
            ..Totals::default()
        };
        let expected = "\
512 B moved: halo 480 B, gaps between them 32 B
  #1 words 64..192 from host to GPU 2, 512 B, halo
";
        assert_eq!(copies.to_string(), expected);
        assert_eq!(copies.into_memory(MemoryId(2)).count(), 1);
        assert_eq!(copies.into_memory(MemoryId::HOST).count(), 0);
    }
}
