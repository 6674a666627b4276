//! How do the words that a part touches move with the part? A few numbers an array, from which a recorded program can be cut anew.

use super::event::ArrayNo;
use crate::region::{Footprint, Span, SpanSet, Touch};

/// What a range of units along the axis of a launch does to one of its arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The array.
    pub array: ArrayNo,
    /// Words that may be read.
    pub reads: Slide,
    /// Words that may be written.
    pub writes: Slide,
    /// Whether every word of `writes` is surely written.
    pub exact: bool,
    /// Whether contributions of several parts are combined.
    pub combine: bool,
}

/// Words that move on by the same number with every unit: units `a..b` touch the words from `lo + step · a` up to `hi + step · b`,
/// as far as they are in `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slide {
    /// What the whole launch touches.
    pub all: Span,
    /// Words to a unit; 0 where every unit touches everything.
    pub step: i64,
    /// Where unit 0 begins.
    pub lo: i64,
    /// Where the units before unit 0 end.
    pub hi: i64,
}

impl Slide {
    /// Every unit touches all of a span.
    pub fn fixed(all: Span) -> Self {
        Self {
            all,
            step: 0,
            lo: all.lo as i64,
            hi: all.hi as i64,
        }
    }

    /// From what the whole launch and two neighbouring units in its middle, `middle - 1` and `middle`, touch.
    fn through(whole: &SpanSet, units: [&SpanSet; 2], middle: u32) -> Self {
        let all = whole.hull();
        let [before, after] = units.map(SpanSet::hull);
        let step = after.lo as i64 - before.lo as i64;
        if before.is_empty() || after.is_empty() || step <= 0 {
            return Self::fixed(all);
        }
        let middle = i64::from(middle);
        Self {
            all,
            step,
            lo: after.lo as i64 - step * middle,
            hi: before.hi as i64 - step * middle,
        }
    }

    /// What the units `from..to` touch.
    pub fn words(&self, from: u32, to: u32) -> SpanSet {
        if from >= to || self.all.is_empty() {
            return SpanSet::EMPTY;
        }
        let inside = |word: i64| word.clamp(self.all.lo as i64, self.all.hi as i64) as u64;
        let lo = inside(self.lo + self.step * i64::from(from));
        let hi = inside(self.hi + self.step * i64::from(to));
        SpanSet::from(Span::new(lo.min(hi), hi))
    }
}

impl Reach {
    /// How each array of a launch is touched along an axis of `extent` units, from the footprints of some ranges of them.
    pub(crate) fn of(
        arrays: &[ArrayNo],
        extent: u32,
        footprint: impl Fn(u32, u32) -> Footprint,
    ) -> Vec<Self> {
        let whole = footprint(0, extent);
        let middle = extent / 2;
        let (before, after) = if extent < 4 {
            (whole.clone(), whole.clone())
        } else {
            (footprint(middle - 1, middle), footprint(middle, middle + 1))
        };
        let reach = |(at, (array, touch)): (usize, (&ArrayNo, &Touch))| {
            let (before, after) = (&before.arguments[at], &after.arguments[at]);
            Self {
                array: *array,
                reads: Slide::through(&touch.reads, [&before.reads, &after.reads], middle),
                writes: Slide::through(&touch.writes, [&before.writes, &after.writes], middle),
                exact: touch.exact,
                combine: touch.combine,
            }
        };
        let touches = arrays.iter().zip(&whole.arguments);
        touches.enumerate().map(reach).collect()
    }

    /// What the units `from..to` do to the array.
    pub fn touch(&self, from: u32, to: u32) -> Touch {
        Touch {
            reads: self.reads.words(from, to),
            writes: self.writes.words(from, to),
            exact: self.exact,
            combine: self.combine,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(lo: u64, hi: u64) -> SpanSet {
        SpanSet::from(Span::new(lo, hi))
    }

    #[test]
    fn rows_with_a_halo_and_a_table_that_all_read_are_told_from_three_footprints() {
        let (width, rows) = (100_u64, 48_u32);
        let all = u64::from(rows) * width;
        // Rows `from - 1 .. to + 1` within the grid are read, rows `from .. to` written, and a table is read by all.
        let footprint = |from: u32, to: u32| {
            let (from, to) = (u64::from(from), u64::from(to));
            let reads = span(from.saturating_sub(1) * width, ((to + 1) * width).min(all));
            Footprint {
                arguments: vec![
                    Touch::reading(reads),
                    Touch::writing(span(from * width, to * width)),
                    Touch::reading(span(0, 17)),
                ],
            }
        };
        let arrays = [ArrayNo(0), ArrayNo(1), ArrayNo(2)];
        let reaches = Reach::of(&arrays, rows, footprint);
        for (from, to) in [
            (0, rows),
            (0, 1),
            (0, 20),
            (20, rows),
            (rows - 1, rows),
            (7, 8),
        ] {
            let told: Vec<Touch> = reaches.iter().map(|reach| reach.touch(from, to)).collect();
            assert_eq!(told, footprint(from, to).arguments, "{from}..{to}");
        }
    }
}
