//! Which words of its arguments does a part of a launch touch?

use std::fmt;

use super::{Span, SpanSet};

/// What a tile of a launch does to each of its array arguments, in the order of the kernel's storage bindings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// One entry per array argument.
    pub arguments: Vec<Touch>,
}

/// What a tile of a launch does to one array argument. Words are counted from the start of the array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touch {
    /// Words that may be read.
    pub reads: SpanSet,
    /// Words that may be written, by this tile and no other.
    pub writes: SpanSet,
    /// Whether every word of `writes` is surely written. Where not, the words' old contents must be at hand.
    pub exact: bool,
    /// Whether the tile only adds to (or takes the minimum of, ...) what is there, so that each device of a split launch may
    /// work on a private copy, the copies being combined in host memory at the end. `writes` may then be shared by tiles.
    pub combine: bool,
}

impl Touch {
    /// An argument that is read and never written.
    pub fn reading(reads: impl Into<SpanSet>) -> Self {
        Self {
            reads: reads.into(),
            ..Self::default()
        }
    }

    /// An argument whose words are all overwritten and never read.
    pub fn writing(writes: impl Into<SpanSet>) -> Self {
        Self {
            writes: writes.into(),
            exact: true,
            ..Self::default()
        }
    }

    /// An argument whose words are read and then all overwritten, in place.
    pub fn updating(words: impl Into<SpanSet>) -> Self {
        let words = words.into();
        Self {
            reads: words.clone(),
            writes: words,
            exact: true,
            combine: false,
        }
    }

    /// Words whose present contents must be in the device's memory before the tile runs there. What is combined starts from
    /// nothing.
    pub fn needs(&self) -> SpanSet {
        if self.combine {
            SpanSet::EMPTY
        } else {
            self.contents()
        }
    }

    /// Words whose present contents take part in the result: what the tile [`needs`](Self::needs), or what its contribution is combined
    /// with, wherever that happens.
    pub fn contents(&self) -> SpanSet {
        if self.exact || self.writes.is_empty() {
            self.reads.clone()
        } else {
            self.reads.union(&self.writes)
        }
    }

    /// The shortest span that holds all touched words; what must be bound.
    pub fn hull(&self) -> Span {
        self.reads.hull().hull(self.writes.hull())
    }
}

impl fmt::Display for Touch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.combine {
            return write!(f, "combines into {}", self.writes);
        }
        let written = if self.exact { "writes" } else { "may write" };
        match (self.reads.is_empty(), self.writes.is_empty()) {
            (true, true) => f.write_str("untouched"),
            (false, true) => write!(f, "reads {}", self.reads),
            (true, false) => write!(f, "{written} {}", self.writes),
            (false, false) => write!(f, "reads {}, {written} {}", self.reads, self.writes),
        }
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, touch) in self.arguments.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "#{index} {touch}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_contents_are_needed_where_a_write_may_not_happen() {
        let sure = Touch::writing(Span::new(0, 8));
        assert!(sure.needs().is_empty());
        let unsure = Touch {
            exact: false,
            ..sure.clone()
        };
        assert_eq!(unsure.needs(), sure.writes);
    }

    #[test]
    fn a_combined_argument_needs_nothing_and_prints_what_may_change() {
        let bins = Touch {
            combine: true,
            exact: false,
            ..Touch::updating(Span::new(0, 256))
        };
        assert!(bins.needs().is_empty());
        assert_eq!(bins.to_string(), "combines into {0..256}");
    }

    #[test]
    fn a_footprint_prints_argument_by_argument() {
        let footprint = Footprint {
            arguments: vec![
                Touch::reading(Span::new(0, 4)),
                Touch::updating(Span::new(0, 2)),
                Touch::default(),
            ],
        };
        let expected = "#0 reads {0..4}; #1 reads {0..2}, writes {0..2}; #2 untouched";
        assert_eq!(footprint.to_string(), expected);
    }
}
