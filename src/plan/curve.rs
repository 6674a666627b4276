//! How long does a device take for a range of units, given where the arrays are?
//!
//! The words that a part needs of an argument are nearly always one of three shapes: the same for every part, or a window that
//! moves with the part (elements, rows, rows with a halo), or something else. The first two are recognised from four footprints and
//! evaluated in a few instructions; anything else is sampled. Shapes only steer the choice of a cut: the chosen parts are
//! costed, and their copies made, from their true footprints.

use std::borrow::Cow;

use super::price::{copy_ns, gap_words};
use super::situation::{Candidate, Situation, Units};
use crate::cost::Link;
use crate::lanes::Tile;
use crate::machine::MemoryId;
use crate::region::{Footprint, Span, SpanSet, Touch, WORD_BYTES};

/// Fewer units than this are sampled one by one: windows cannot be told from their ends.
const WINDOW_UNITS_MIN: u64 = 9;
/// Pieces into which an irregular footprint is sampled.
const PIECES: u64 = 8;

/// The words of one argument, as a function of the units of a part.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shape {
    /// The same for every part.
    Constant(SpanSet),
    /// For units `lo..hi`, the words `start + stride·lo .. end + stride·hi`, as far as they lie in `clip`.
    Window {
        stride: i64,
        start: i64,
        end: i64,
        clip: Span,
    },
    /// The words of each piece of the axis.
    Pieces(Vec<(Units, SpanSet)>),
}

impl Shape {
    /// Recognises the shape of `words(touch)` for argument `index`.
    fn of(
        index: usize,
        words: fn(&Touch) -> SpanSet,
        probes: &Probes,
        pieces: impl FnOnce() -> Vec<(Units, Footprint)>,
    ) -> Self {
        let words_of = |footprint: &Footprint| words(&footprint.arguments[index]);
        let full = words_of(&probes.full);
        if let Some(near) = &probes.near {
            let [first, second, both] = near.each_ref().map(words_of);
            if first == full && second == full {
                return Self::Constant(full);
            }
            let window = window([&first, &second, &both, &full], probes.at);
            if let Some(window) = window {
                return window;
            }
        }
        let sampled = pieces().into_iter();
        Self::Pieces(
            sampled
                .map(|(units, footprint)| (units, words_of(&footprint)))
                .collect(),
        )
    }

    /// Number of words that have to be copied for `units`, and of the copies.
    fn missing(&self, units: Units, at_hand: &AtHand<'_>) -> (f64, f64) {
        match self {
            Self::Constant(words) => {
                let copied = words.difference(&at_hand.present).merged(at_hand.gap_words);
                (copied.words() as f64, copied.spans().len() as f64)
            }
            Self::Window {
                stride,
                start,
                end,
                clip,
            } => {
                let word = |base: i64, unit: u64| (base + stride * unit as i64).max(0) as u64;
                let (lo, hi) = (word(*start, units.lo), word(*end, units.hi));
                at_hand.missing(clip.intersection(Span { lo, hi: hi.max(lo) }))
            }
            Self::Pieces(pieces) => {
                let overlap =
                    |own: &Units| units.hi.min(own.hi).saturating_sub(units.lo.max(own.lo)) as f64;
                let missing = |words: &SpanSet| {
                    words
                        .iter()
                        .map(|span| at_hand.present.words_missing(span))
                        .sum::<u64>()
                };
                let part = |(own, words): &(Units, SpanSet)| match overlap(own) {
                    0.0 => 0.0,
                    shared => missing(words) as f64 * shared / (own.hi - own.lo) as f64,
                };
                (pieces.iter().map(part).sum(), 1.0)
            }
        }
    }
}

/// Which words need not be copied, and which of those travel along where words on both sides of them do.
#[derive(Debug)]
struct AtHand<'a> {
    present: Cow<'a, SpanSet>,
    /// Without what lies in gaps that are cheaper than a second copy; `None` where there is no such gap.
    wide: Option<SpanSet>,
    gap_words: u64,
}

impl<'a> AtHand<'a> {
    fn new(present: Cow<'a, SpanSet>, link: &Link) -> Self {
        let gap_words = gap_words(link);
        let narrow = present.iter().any(|span| span.words() <= gap_words);
        let wide = narrow.then(|| {
            let wide = present.iter().filter(|span| span.words() > gap_words);
            wide.collect()
        });
        Self {
            present,
            wide,
            gap_words,
        }
    }

    /// Number of words that have to be copied where `needed` are, and of the copies.
    fn missing(&self, needed: Span) -> (f64, f64) {
        let (words, runs) = match &self.wide {
            None => (
                self.present.words_missing(needed),
                self.present.runs_missing(needed),
            ),
            Some(wide) => {
                // Gaps lie between words that are copied, never before the first or behind the last.
                let inner = self.present.hull_missing(needed);
                (wide.words_missing(inner), wide.runs_missing(inner))
            }
        };
        (words as f64, runs as f64)
    }
}

/// The window through the words of two single units, of the range from one to the other, and of the whole axis.
fn window(words: [&SpanSet; 4], at: [u64; 2]) -> Option<Shape> {
    let [first, second, both, full] = words.map(|set| match set.spans() {
        [span] => Some((span.lo as i64, span.hi as i64)),
        _ => None,
    });
    let ((lo_a, hi_a), (lo_b, hi_b), both, full) = (first?, second?, both?, full?);
    let units = (at[1] - at[0]) as i64;
    let stride = (lo_b - lo_a) / units;
    let fits = stride > 0
        && lo_b - lo_a == stride * units
        && hi_b - hi_a == stride * units
        && both == (lo_a, hi_b);
    let start = lo_a - stride * at[0] as i64;
    let end = hi_a - stride * (at[0] as i64 + 1);
    (fits && start <= full.0).then_some(Shape::Window {
        stride,
        start,
        end,
        clip: Span::new(full.0 as u64, full.1 as u64),
    })
}

/// Footprints from which shapes are recognised.
struct Probes {
    full: Footprint,
    /// Where the two single units are.
    at: [u64; 2],
    /// Of the two units, and of the range from the first to the second. `None` where the axis is too short.
    near: Option<[Footprint; 3]>,
}

/// Shapes of all arguments that some device lacks words of, or whose results are awaited somewhere.
#[derive(Debug)]
pub(super) struct Shapes {
    /// What must be at hand, by argument; `None` where it is at hand everywhere.
    needs: Vec<Option<Shape>>,
    /// What is written, by argument; `None` where nobody is known to wait for it.
    writes: Vec<Option<Shape>>,
    combined: Vec<bool>,
}

impl Shapes {
    /// Recognises the shapes along `axis` from `full`, the whole launch's footprint, and a few more.
    pub(super) fn recognise(
        situation: &Situation<'_>,
        axis: usize,
        contenders: &[usize],
        full: &Footprint,
        footprint: &mut dyn FnMut(Tile) -> Footprint,
    ) -> Self {
        let lacking = lacking(situation, contenders, full);
        let awaited = awaited(situation, full);
        let combined = full.arguments.iter().map(|touch| touch.combine).collect();
        let nothing = || vec![None; lacking.len()];
        if !lacking.contains(&true) && !awaited.contains(&true) {
            return Self {
                needs: nothing(),
                writes: nothing(),
                combined,
            };
        }
        let extent = u64::from(situation.grid[axis]);
        let mut of = |lo: u64, hi: u64| footprint(situation.tile(axis, Units { lo, hi }));
        let at = [extent / 3, 2 * extent / 3];
        let near = (extent >= WINDOW_UNITS_MIN).then(|| {
            [
                of(at[0], at[0] + 1),
                of(at[1], at[1] + 1),
                of(at[0], at[1] + 1),
            ]
        });
        let probes = Probes {
            full: full.clone(),
            at,
            near,
        };
        let mut pieces = Vec::new();
        let mut recognise = |wanted: &[bool], words: fn(&Touch) -> SpanSet| {
            let shape = |(index, wanted): (usize, &bool)| {
                wanted.then(|| {
                    Shape::of(index, words, &probes, || {
                        if pieces.is_empty() {
                            pieces = borders(situation, axis)
                                .windows(2)
                                .map(|pair| {
                                    (
                                        Units {
                                            lo: pair[0],
                                            hi: pair[1],
                                        },
                                        of(pair[0], pair[1]),
                                    )
                                })
                                .collect();
                        }
                        pieces.clone()
                    })
                })
            };
            wanted.iter().enumerate().map(shape).collect()
        };
        Self {
            needs: recognise(&lacking, Touch::contents),
            writes: recognise(&awaited, |touch| touch.writes.clone()),
            combined,
        }
    }
}

impl Shapes {
    /// Whether parts in company add into copies of their own.
    pub(super) fn combine(&self) -> bool {
        self.combined.contains(&true)
    }
}

/// By argument: whether one of the contenders lacks some of its words.
fn lacking(situation: &Situation<'_>, contenders: &[usize], full: &Footprint) -> Vec<bool> {
    assert_eq!(
        full.arguments.len(),
        situation.arguments.len(),
        "a footprint names every array argument"
    );
    let lacks = |(argument, touch): (&super::Argument<'_>, &Touch)| {
        let needs = touch.contents();
        let present = |index: &usize| {
            let memory = situation.candidates[*index].device.memory();
            argument.residency.valid(memory).covers_all(&needs)
        };
        !contenders.iter().all(present)
    };
    situation
        .arguments
        .iter()
        .zip(&full.arguments)
        .map(lacks)
        .collect()
}

/// By argument: whether somebody is known to wait for what is written.
fn awaited(situation: &Situation<'_>, full: &Footprint) -> Vec<bool> {
    let awaits = |(argument, touch): (&super::Argument<'_>, &Touch)| {
        !touch.writes.is_empty() && (argument.next.is_some() || touch.combine)
    };
    situation
        .arguments
        .iter()
        .zip(&full.arguments)
        .map(awaits)
        .collect()
}

/// Borders of the pieces that are sampled: evenly spread, and last time's cuts, so that what lies there is seen as it is.
fn borders(situation: &Situation<'_>, axis: usize) -> Vec<u64> {
    let extent = u64::from(situation.grid[axis]);
    let mut borders: Vec<u64> = (0..=PIECES).map(|piece| piece * extent / PIECES).collect();
    if let Some(previous) = situation
        .previous
        .filter(|previous| previous.grid == situation.grid)
    {
        borders.extend(
            previous
                .parts
                .iter()
                .map(|part| u64::from(part.tile.lo[axis])),
        );
    }
    borders.sort_unstable();
    borders.dedup();
    borders
}

/// Words that a part may have to move, and what that costs.
#[derive(Debug)]
struct Demand<'a> {
    shape: &'a Shape,
    at_hand: AtHand<'a>,
    latency_ns: f64,
    word_ns: f64,
    way: Way,
}

/// Which link serves a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The device's own, or that of who reads its results.
    Own,
    /// That of another GPU, which serves all other parts, too.
    Far,
}

/// The time of one device as a function of its units.
#[derive(Debug)]
pub(super) struct Curve<'a> {
    /// Position of the device among the candidates.
    pub(super) candidate: usize,
    /// Time before the first unit.
    pub(super) base_ns: f64,
    /// Time of a unit, arrays in place.
    pub(super) unit_ns: f64,
    demands: Vec<Demand<'a>>,
}

impl<'a> Curve<'a> {
    /// The curve of candidate number `index` in a launch that several devices share.
    pub(super) fn new(
        situation: &Situation<'a>,
        index: usize,
        units: u64,
        shapes: &'a Shapes,
    ) -> Self {
        let candidate = &situation.candidates[index];
        let mut curve = Self {
            candidate: index,
            base_ns: candidate.ready_ns + candidate.whole.fixed_ns,
            // Never zero: shares are divided by it.
            unit_ns: (candidate.whole.work_ns / units as f64).max(1e-6),
            demands: Vec::new(),
        };
        for argument in 0..situation.arguments.len() {
            curve.add_copies_in(situation, candidate, argument, shapes);
            curve.add_copies_out(situation, candidate, argument, shapes);
        }
        curve
    }

    fn add_copies_in(
        &mut self,
        situation: &Situation<'a>,
        candidate: &Candidate,
        argument: usize,
        shapes: &'a Shapes,
    ) {
        let memory = candidate.device.memory();
        let Some(shape) = &shapes.needs[argument] else {
            return;
        };
        if shapes.combined[argument] && memory != MemoryId::HOST {
            return;
        }
        let residency = situation.arguments[argument].residency;
        let own = residency.valid(memory);
        let whole = Span::new(0, residency.words());
        if own.covers(whole) {
            return;
        }
        if memory != MemoryId::HOST {
            self.add(situation, shape, Cow::Borrowed(own), candidate.up, Way::Own);
        }
        let host = residency.valid(MemoryId::HOST);
        if host.covers(whole) {
            return;
        }
        // What is neither here nor in host memory comes from the first GPU that holds it.
        let mut near = host.union(own);
        let others = residency
            .holders()
            .filter(|holder| *holder != MemoryId::HOST && *holder != memory);
        for holder in others {
            let found = residency.valid(holder).difference(&near);
            if !found.is_empty() {
                near = near.union(&found);
                let elsewhere = residency.all().difference(&found);
                self.add(
                    situation,
                    shape,
                    Cow::Owned(elsewhere),
                    situation.down(holder),
                    Way::Far,
                );
            }
        }
    }

    fn add_copies_out(
        &mut self,
        situation: &Situation<'a>,
        candidate: &Candidate,
        argument: usize,
        shapes: &'a Shapes,
    ) {
        let memory = candidate.device.memory();
        let Some(shape) = &shapes.writes[argument] else {
            return;
        };
        let next = if shapes.combined[argument] {
            Some(MemoryId::HOST)
        } else {
            situation.arguments[argument].next
        };
        let Some(next) = next.filter(|next| *next != memory) else {
            return;
        };
        if memory != MemoryId::HOST {
            let nothing = Cow::Owned(SpanSet::EMPTY);
            self.add(situation, shape, nothing, candidate.down, Way::Own);
        }
        let reader = situation
            .candidates
            .iter()
            .find(|candidate| candidate.device.memory() == next);
        if let Some(reader) = reader.filter(|_| next != MemoryId::HOST) {
            let nothing = Cow::Owned(SpanSet::EMPTY);
            self.add(situation, shape, nothing, reader.up, Way::Own);
        }
    }

    fn add(
        &mut self,
        situation: &Situation<'_>,
        shape: &'a Shape,
        present: Cow<'a, SpanSet>,
        link: Link,
        way: Way,
    ) {
        if let Shape::Constant(words) = shape {
            self.base_ns += copy_ns(&link, &words.difference(&present)) / situation.horizon;
            return;
        }
        self.demands.push(Demand {
            shape,
            at_hand: AtHand::new(present, &link),
            latency_ns: link.latency_ns / situation.horizon,
            word_ns: link.ns_per_byte() * WORD_BYTES as f64 / situation.horizon,
            way,
        });
    }

    /// Whether some words may come from other GPUs' memories.
    pub(super) fn reaches_far(&self) -> bool {
        self.demands.iter().any(|own| own.way == Way::Far)
    }

    /// Time that `units` take of other GPUs' links.
    pub(super) fn far_ns(&self, units: Units) -> f64 {
        if units.is_empty() {
            return 0.0;
        }
        let far = self.demands.iter().filter(|own| own.way == Way::Far);
        far.map(|demand| demand.ns(units)).sum()
    }

    /// Makes the words that come from other GPUs' memories `factor` times as dear.
    pub(super) fn make_far_dearer(&mut self, factor: f64) {
        let far = self.demands.iter_mut().filter(|own| own.way == Way::Far);
        for demand in far {
            demand.latency_ns *= factor;
            demand.word_ns *= factor;
        }
    }

    /// Whether units cost the same wherever they are.
    pub(super) fn is_straight(&self) -> bool {
        self.demands.is_empty()
    }

    /// Time to copy what `units` need and lack: latencies of the copies, and what their words take.
    pub(super) fn copies_ns(&self, units: Units) -> (f64, f64) {
        let both = self.demands.iter().map(|demand| demand.parted_ns(units));
        both.fold((0.0, 0.0), |sum, own| (sum.0 + own.0, sum.1 + own.1))
    }

    /// Time for `units`; 0 for none.
    pub(super) fn ns(&self, units: Units) -> f64 {
        if units.lo == units.hi {
            return 0.0;
        }
        let copies: f64 = self.demands.iter().map(|demand| demand.ns(units)).sum();
        self.base_ns + self.unit_ns * (units.hi - units.lo) as f64 + copies
    }
}

impl Demand<'_> {
    /// What the copies take, and what their words take.
    fn parted_ns(&self, units: Units) -> (f64, f64) {
        match self.shape.missing(units, &self.at_hand) {
            (0.0, _) => (0.0, 0.0),
            (words, runs) => (self.latency_ns * runs, self.word_ns * words),
        }
    }

    fn ns(&self, units: Units) -> f64 {
        let (latency_ns, words_ns) = self.parted_ns(units);
        latency_ns + words_ns
    }
}
