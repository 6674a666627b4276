//! Which range of each array must a part have in one buffer, and into which pieces is a part cut whose ranges do not fit? Pure.

use smallvec::SmallVec;

use super::residence::Want;
use crate::lanes::Tile;
use crate::region::{Footprint, Span};

/// An array argument of a kernel, as far as buffers are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Number of the array; those of private copies are numbers of their own.
    pub array: u64,
    /// Words of the array.
    pub words: u64,
    /// The words that are bound.
    pub bound: Span,
    /// Words per element where a range of them will do; none where the kernel needs them all.
    pub element_words: Option<u64>,
}

/// What a device's memory takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Words of all buffers.
    pub budget_words: u64,
    /// Words of the longest bound range.
    pub range_words_max: u64,
    /// Bound ranges begin at multiples of this many words of their buffer.
    pub alignment_words: u64,
}

impl Operand {
    /// The least range that holds `touched`, which lies in what is bound: it begins with an element, at a multiple of the alignment
    /// from where the binding begins, and has one element at least.
    pub fn window(&self, touched: Span, alignment_words: u64) -> Span {
        let Some(element) = self.element_words else {
            return self.bound;
        };
        if touched.is_empty() {
            let hi = (self.bound.lo + element).min(self.bound.hi);
            return Span::new(self.bound.lo, hi);
        }
        let step = least_common_multiple(element, alignment_words);
        let from = touched.lo - self.bound.lo;
        let to = (touched.hi - self.bound.lo).next_multiple_of(element);
        Span::new(
            self.bound.lo + from / step * step,
            (self.bound.lo + to).min(self.bound.hi),
        )
    }
}

/// Buffers for whole arrays, if those all fit at once: then nothing has to be counted from a window's start.
pub fn whole(operands: &[Operand], room: &Room) -> Option<SmallVec<[Want; 8]>> {
    let wants: SmallVec<[Want; 8]> = operands
        .iter()
        .map(|operand| Want {
            array: operand.array,
            span: Span::new(0, operand.words),
        })
        .collect();
    let bindable = |operand: &Operand| operand.bound.words() <= room.range_words_max;
    (operands.iter().all(bindable) && room.has(&wants)).then_some(wants)
}

/// Buffers for what a part touches, if those fit.
///
/// # Errors
/// What does not fit.
pub fn windows(
    operands: &[Operand],
    footprint: &Footprint,
    room: &Room,
) -> Result<SmallVec<[Want; 8]>, Crowded> {
    let want = |(operand, touch): (&Operand, &crate::region::Touch)| Want {
        array: operand.array,
        span: operand.window(
            touch.reads.hull().hull(touch.writes.hull()),
            room.alignment_words,
        ),
    };
    let wants: SmallVec<[Want; 8]> = operands
        .iter()
        .zip(&footprint.arguments)
        .map(want)
        .collect();
    if room.has(&wants) {
        return Ok(wants);
    }
    Err(Crowded {
        longest_words: wants
            .iter()
            .map(|want| want.span.words())
            .max()
            .unwrap_or(0),
        all_words: wants.iter().map(|want| want.span.words()).sum(),
    })
}

/// What a part needs that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowded {
    /// Words of the longest range.
    pub longest_words: u64,
    /// Words of all ranges.
    pub all_words: u64,
}

impl Room {
    fn has(&self, wants: &[Want]) -> bool {
        let sum: u64 = wants.iter().map(|want| want.span.words()).sum();
        let longest = wants.iter().map(|want| want.span.words()).max();
        sum <= self.budget_words && longest.unwrap_or(0) <= self.range_words_max
    }
}

/// Cuts `tile` across its slowest axis that lets every piece fit, into as few pieces as fit one by one.
///
/// # Errors
/// What the smallest piece lacks, of the cut that came closest.
pub fn pieces(
    tile: Tile,
    fits: impl Fn(Tile) -> Result<(), Crowded>,
) -> Result<Vec<Tile>, Crowded> {
    let Err(mut crowded) = fits(tile) else {
        return Ok(vec![tile]);
    };
    for axis in (0..3)
        .rev()
        .filter(|&axis| tile.hi[axis] - tile.lo[axis] > 1)
    {
        match pieces_along(tile, axis, &fits) {
            Ok(pieces) => return Ok(pieces),
            Err(closer) if closer.all_words < crowded.all_words => crowded = closer,
            Err(_) => {}
        }
    }
    Err(crowded)
}

/// `tile` in `count` pieces along `axis`, of which none is longer by more than one workgroup than another.
///
/// # Panics
/// If `count` is 0.
pub fn even_pieces(tile: Tile, axis: usize, count: u32) -> Vec<Tile> {
    let extent = u64::from(tile.hi[axis] - tile.lo[axis]);
    let at = |number: u32| tile.lo[axis] + (extent * u64::from(number) / u64::from(count)) as u32;
    let piece = |number: u32| {
        let mut piece = tile;
        (piece.lo[axis], piece.hi[axis]) = (at(number), at(number + 1));
        piece
    };
    let pieces = (0..count).map(piece);
    pieces
        .filter(|piece| piece.lo[axis] < piece.hi[axis])
        .collect()
}

fn pieces_along(
    tile: Tile,
    axis: usize,
    fits: &impl Fn(Tile) -> Result<(), Crowded>,
) -> Result<Vec<Tile>, Crowded> {
    let mut pieces = Vec::new();
    let mut lo = tile.lo[axis];
    // As long as the piece before, to begin with.
    let mut guess = tile.hi[axis] - lo;
    while lo < tile.hi[axis] {
        let left = tile.hi[axis] - lo;
        let piece = |extent: u32| {
            let mut piece = tile;
            (piece.lo[axis], piece.hi[axis]) = (lo, lo + extent);
            piece
        };
        fits(piece(1))?;
        let (mut good, mut bad) = (1, left + 1);
        let mut next = guess.min(left);
        while bad - good > 1 {
            if fits(piece(next)).is_ok() {
                good = next;
            } else {
                bad = next;
            }
            next = if next == guess && good == guess {
                good + 1
            } else {
                good + (bad - good) / 2
            };
        }
        pieces.push(piece(good));
        lo += good;
        guess = good;
    }
    Ok(pieces)
}

fn least_common_multiple(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x.max(1) * b
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::region::Touch;

    fn operand(words: u64, element_words: u64) -> Operand {
        Operand {
            array: 0,
            words,
            bound: Span::new(0, words),
            element_words: Some(element_words),
        }
    }

    #[test]
    fn a_window_begins_with_an_element_where_a_binding_may_begin() {
        let rows = operand(10_000, 3);
        assert_eq!(rows.window(Span::new(1000, 1001), 64), Span::new(960, 1002));
        assert_eq!(
            rows.window(Span::new(9999, 10_000), 64),
            Span::new(9984, 10_000)
        );
        assert_eq!(rows.window(Span::default(), 64), Span::new(0, 3));
        let view = Operand {
            bound: Span::new(128, 1128),
            ..rows
        };
        assert_eq!(view.window(Span::new(400, 500), 64), Span::new(320, 500));
        let fixed = Operand {
            element_words: None,
            ..view
        };
        assert_eq!(fixed.window(Span::new(400, 500), 64), Span::new(128, 1128));
    }

    /// What a tile of an element-wise kernel needs, 64 words a workgroup in each of two arrays, in a memory of this size.
    fn fit(tile: Tile, budget_words: u64) -> Result<(), Crowded> {
        let room = Room {
            budget_words,
            range_words_max: 1 << 20,
            alignment_words: 64,
        };
        let words = Span::new(u64::from(tile.lo[0]) * 64, u64::from(tile.hi[0]) * 64);
        let footprint = Footprint {
            arguments: vec![Touch::reading(words), Touch::updating(words)],
        };
        let operands = [operand(64_000, 1), operand(64_000, 1)];
        windows(&operands, &footprint, &room).map(drop)
    }

    #[test]
    fn a_piece_that_cannot_be_cut_further_says_what_it_needs() {
        let tile = Tile {
            lo: [0; 3],
            hi: [10, 1, 1],
        };
        let crowded = pieces(tile, |tile| fit(tile, 100)).unwrap_err();
        assert_eq!((crowded.all_words, crowded.longest_words), (128, 64));
    }

    #[test]
    fn even_pieces_make_up_the_tile() {
        let tile = Tile {
            lo: [0, 3, 0],
            hi: [2, 13, 1],
        };
        let pieces = even_pieces(tile, 1, 4);
        let borders: Vec<[u32; 2]> = pieces
            .iter()
            .map(|piece| [piece.lo[1], piece.hi[1]])
            .collect();
        assert_eq!(borders, [[3, 5], [5, 8], [8, 10], [10, 13]]);
        assert_eq!(even_pieces(tile, 0, 5).len(), 2);
    }

    proptest! {
        #![proptest_config(crate::seeded::cases(300, 0x71e5))]

        #[test]
        fn pieces_fit_and_make_up_the_part_and_no_two_would_fit_as_one(
            lo in 0_u32..50,
            extent in 1_u32..900,
            budget_words in 128_u64..20_000,
        ) {
            let tile = Tile { lo: [lo, 0, 0], hi: [lo + extent, 1, 1] };
            let pieces = pieces(tile, |tile| fit(tile, budget_words)).unwrap();
            let mut at = lo;
            for piece in &pieces {
                prop_assert_eq!(piece.lo[0], at);
                prop_assert!(fit(*piece, budget_words).is_ok());
                at = piece.hi[0];
            }
            prop_assert_eq!(at, lo + extent);
            for two in pieces.windows(2) {
                let joined = Tile { lo: two[0].lo, hi: two[1].hi };
                prop_assert!(fit(joined, budget_words).is_err());
            }
        }
    }
}
