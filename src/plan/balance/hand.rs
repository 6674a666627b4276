//! What has a device done so far, what has it under way, and how fast is it?

use std::collections::VecDeque;

use super::Took;
use super::terms::{DOUBT_OF_GUESSES, Terms};
use crate::plan::situation::Units;

/// Weight of the newest chunk in a device's speed.
const NEWEST: f64 = 0.6;
/// The speed of a device that has been measured once may still be wrong by this factor, and by how it changes from chunk to chunk.
const DOUBT_MEASURED: f64 = 1.12;
/// Of the time of a chunk, at least this part is its work, whatever the fixed cost is believed to be.
const WORK_PART_MIN: f64 = 0.25;
/// Bounds on how many times longer than believed copies may take.
const SLOWER_COPIES: (f64, f64) = (0.25, 8.0);
/// Standard deviations that a doubt covers.
const DEVIATIONS: f64 = 1.5;

/// A chunk under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flying {
    pub(super) units: Units,
    /// When it began; infinite while it waits behind another one.
    pub(super) started_ns: f64,
    pub(super) predicted_ns: f64,
    /// Of that, copies.
    pub(super) copies_ns: f64,
    /// Of that, the fixed cost of the work.
    pub(super) launch_ns: f64,
}

/// One device of a launch under way.
#[derive(Clone, Debug)]
pub(super) struct Hand {
    pub(super) terms: Terms,
    /// What it took last, and all beside it.
    pub(super) own: Option<Units>,
    /// All that it took.
    pub(super) done: Vec<Units>,
    /// Chunks under way, the oldest first.
    pub(super) flying: VecDeque<Flying>,
    /// Whether it has taken anything.
    pub(super) entered: bool,
    /// Whether it has failed.
    pub(super) out: bool,
    measured: Option<Measured>,
}

/// What its chunks have taught.
#[derive(Clone, Copy, Debug)]
struct Measured {
    unit_ns: f64,
    /// How many times longer than believed its copies take: others use the same links.
    slower_copies: f64,
    /// How much a unit's time changes from chunk to chunk: mean square of the logarithm of the ratio.
    variance: f64,
}

impl Flying {
    /// How long it should take in all: one that is late will be late by twice that.
    fn takes_ns(&self, now_ns: f64) -> f64 {
        let late_ns = (now_ns - self.started_ns - self.predicted_ns).max(0.0);
        self.predicted_ns + 2.0 * late_ns
    }
}

impl Hand {
    pub(super) fn new(terms: Terms) -> Self {
        Self {
            terms,
            own: None,
            done: Vec::new(),
            flying: VecDeque::new(),
            entered: false,
            out: false,
            measured: None,
        }
    }

    pub(super) fn is_measured(&self) -> bool {
        self.measured.is_some()
    }

    /// Time of a unit, words in place.
    pub(super) fn unit_ns(&self) -> f64 {
        self.measured
            .map_or(self.terms.unit_ns, |measured| measured.unit_ns)
    }

    /// The factor, 1 or more, by which that may be wrong.
    pub(super) fn doubt(&self) -> f64 {
        self.measured.map_or(self.terms.doubt, |measured| {
            DOUBT_MEASURED * (DEVIATIONS * measured.variance.sqrt()).exp()
        })
    }

    /// Time before the first unit of the next chunk.
    pub(super) fn start_ns(&self) -> f64 {
        let enter_ns = if self.entered {
            0.0
        } else {
            self.terms.enter_ns
        };
        enter_ns + self.terms.chunk_ns
    }

    /// The chunk of `units`, taken now.
    pub(super) fn begin(&self, units: Units, now_ns: f64) -> Flying {
        let copies_ns = self.copies_ns(units)
            + if self.entered {
                0.0
            } else {
                self.terms.enter_ns
            };
        let launch_ns = self.terms.chunk_ns;
        let idle = self.flying.is_empty();
        Flying {
            units,
            started_ns: if idle {
                now_ns.max(self.terms.ready_ns)
            } else {
                f64::INFINITY
            },
            predicted_ns: copies_ns + launch_ns + self.unit_ns() * units.len() as f64,
            copies_ns,
            launch_ns,
        }
    }

    /// When everything under way should be done, were the device `faster` times as fast as believed.
    pub(super) fn busy_until_ns(&self, now_ns: f64, faster: f64) -> f64 {
        let free_ns = now_ns.max(self.terms.ready_ns);
        let mut until_ns = free_ns;
        for flying in &self.flying {
            until_ns = if flying.started_ns.is_finite() {
                free_ns.max(flying.started_ns + flying.takes_ns(now_ns) / faster)
            } else {
                until_ns + flying.predicted_ns / faster
            };
        }
        until_ns
    }

    /// How many times slower than believed the device is, as far as a chunk that should be done by now shows.
    pub(super) fn overdue(&self, now_ns: f64) -> f64 {
        let factor = |flying: &Flying| flying.takes_ns(now_ns) / flying.predicted_ns.max(1e-3);
        self.flying.front().map_or(1.0, factor)
    }

    /// Time to copy what `units` need.
    pub(super) fn copies_ns(&self, units: Units) -> f64 {
        self.terms.copies_ns(units) * self.measured.map_or(1.0, |measured| measured.slower_copies)
    }

    /// Learns from a chunk.
    pub(super) fn learn(&mut self, flying: &Flying, took: Took) {
        let units = flying.units.len() as f64;
        let work_ns = (took.work_ns - flying.launch_ns).max(took.work_ns * WORK_PART_MIN);
        let change = ((work_ns / units).max(1e-6) / self.unit_ns()).ln();
        let before = self.measured.unwrap_or(Measured {
            unit_ns: self.terms.unit_ns,
            slower_copies: 1.0,
            variance: self.terms.spread.powi(2),
        });
        let first = self.measured.is_none();
        // What earlier launches taught is about all of the axis, and a guess about nothing.
        let guessed = first && self.terms.doubt >= DOUBT_OF_GUESSES;
        let newest = if guessed { 1.0 } else { NEWEST };
        let news = if guessed {
            before.variance
        } else {
            change * change
        };
        let slower_copies = if flying.copies_ns > 0.0 && took.copies_ns > 0.0 {
            let slower = before.slower_copies * took.copies_ns / flying.copies_ns;
            f64::midpoint(
                before.slower_copies,
                slower.clamp(SLOWER_COPIES.0, SLOWER_COPIES.1),
            )
        } else {
            before.slower_copies
        };
        self.measured = Some(Measured {
            unit_ns: before.unit_ns * (newest * change).exp(),
            slower_copies,
            variance: before.variance + NEWEST * (news - before.variance),
        });
    }
}
