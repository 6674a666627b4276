//! What does the planner expect of each device of a launch that is balanced while it runs, and is that worth the trouble?

use super::Balance;
use crate::cost::{Prediction, Source};
use crate::lanes::Tile;
use crate::machine::DeviceId;
use crate::plan::Plan;
use crate::plan::curve::{Curve, Shapes};
use crate::plan::situation::{Candidate, Objective, Situation, Splitting, Units};
use crate::region::Footprint;

/// A launch that is predicted to take less than this many times the fixed costs of its devices is not worth chunks.
const FIXED_COSTS_MIN: f64 = 20.0;
/// The same, where the plan rests on a guess: its cuts may be worse than the chunks' costs.
const FIXED_COSTS_MIN_UNSURE: f64 = 8.0;
/// The same, of copies that do not shrink with a part.
const ENTRY_COSTS_MIN: f64 = 4.0;
/// Pieces of the axis whose copies are priced one by one.
const PIECES: u64 = 24;
/// Samples after which a spread is believed.
const SAMPLES_ENOUGH: u32 = 3;
/// Predictions that may be wrong by this factor are guesses.
pub(super) const DOUBT_OF_GUESSES: f64 = 2.0;
/// A wider spread says no more than that nothing is known.
const SPREAD_MAX: f64 = 0.8;

/// What is expected of one device in one launch.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Who.
    pub device: DeviceId,
    /// What the plan gives it; empty where it has no part.
    pub planned: Units,
    /// When it is free, in ns from the start of the launch.
    pub ready_ns: f64,
    /// Once, before its first chunk: copies that are the same for every chunk, in ns.
    pub enter_ns: f64,
    /// Fixed cost of every chunk, in ns.
    pub chunk_ns: f64,
    /// Time of a unit with its words in place, in ns; positive.
    pub unit_ns: f64,
    /// Copies, piece by piece of the axis: units, and ns for each of them.
    pub copies: Vec<(Units, f64)>,
    /// Longest that the work of a chunk may take, in ns.
    pub chunk_ns_max: f64,
    /// The factor, 1 or more, by which `unit_ns` may be wrong.
    pub doubt: f64,
    /// How much the time of a unit differs along the axis: one standard deviation, relative.
    pub spread: f64,
}

impl Terms {
    /// Time to copy what `units` need.
    pub(super) fn copies_ns(&self, units: Units) -> f64 {
        let of = |(piece, unit_ns): &(Units, f64)| piece.intersection(units).len() as f64 * unit_ns;
        self.copies.iter().map(of).sum()
    }

    fn new(candidate: &Candidate, curve: &Curve<'_>, planned: Units, extent: u64) -> Self {
        let launch_ns = candidate.whole.fixed_ns;
        let mut copies = Vec::new();
        let mut latency_ns = 0.0;
        if !curve.is_straight() {
            let border = |piece: u64| piece * extent / PIECES;
            let pieces = (0..PIECES).map(|piece| Units {
                lo: border(piece),
                hi: border(piece + 1),
            });
            for piece in pieces.filter(|piece| !piece.is_empty()) {
                let (latency, words) = curve.copies_ns(piece);
                latency_ns = latency.max(latency_ns);
                copies.push((piece, words / piece.len() as f64));
            }
        }
        Self {
            device: candidate.device,
            planned,
            ready_ns: candidate.ready_ns,
            enter_ns: (curve.base_ns - candidate.ready_ns - launch_ns).max(0.0),
            chunk_ns: launch_ns + latency_ns,
            unit_ns: curve.unit_ns,
            copies,
            chunk_ns_max: candidate.dispatch_ns_max,
            doubt: doubt(&candidate.whole),
            spread: spread(&candidate.whole),
        }
    }
}

/// How much the time of a unit differs along the axis, as far as that is known.
fn spread(whole: &Prediction) -> f64 {
    match whole.source {
        Source::Measured(_) | Source::Scaled(_) => whole.spread.min(SPREAD_MAX),
        Source::Prior | Source::Guess | Source::FirstRun => 0.0,
    }
}

/// Whether a prediction rests on no measurement of the kernel that one would rely on.
fn is_guess(whole: &Prediction) -> bool {
    matches!(
        whole.source,
        Source::Prior | Source::Guess | Source::FirstRun
    )
}

/// The factor by which the truth may differ from a prediction.
fn doubt(whole: &Prediction) -> f64 {
    match whole.source {
        Source::Measured(samples) if samples >= SAMPLES_ENOUGH => 1.1 + 2.0 * whole.spread,
        Source::Measured(_) => 1.3 + 2.0 * whole.spread,
        Source::FirstRun => 2.0 + 2.0 * whole.spread,
        Source::Scaled(_) => 1.6 + 2.0 * whole.spread,
        Source::Prior => 4.0,
        Source::Guess => 8.0,
    }
}

impl Balance {
    /// The balance with which to carry out `plan`, or `None` where chunks are not worth their fixed costs: the launch cannot be cut,
    /// only one device can take part, or all is over too soon.
    ///
    /// `footprint` is that of a tile in company; it is asked for a few times.
    pub fn of(
        situation: &Situation<'_>,
        plan: &Plan,
        footprint: &mut dyn FnMut(Tile) -> Footprint,
    ) -> Option<Self> {
        let Splitting::Along { axis, multiple } = situation.splitting else {
            return None;
        };
        let extent = u64::from(situation.grid[axis]);
        let usable: Vec<usize> = (0..situation.candidates.len())
            .filter(|index| situation.candidates[*index].unusable.is_none())
            .collect();
        if usable.len() < 2 || extent <= u64::from(multiple) || plan.parts.is_empty() {
            return None;
        }
        let makespan_ns = plan.makespan_ns();
        let fixed = |index: &usize| situation.candidates[*index].whole.fixed_ns;
        let guess = |index: &usize| is_guess(&situation.candidates[*index].whole);
        let unsure = usable.iter().any(guess);
        let fixed_costs_min = if unsure {
            FIXED_COSTS_MIN_UNSURE
        } else {
            FIXED_COSTS_MIN
        };
        let soon = |index: &&usize| makespan_ns > fixed_costs_min * fixed(index);
        let planned = |index: &usize| planned_units(situation, plan, axis, *index);
        // For energy, the devices that take part are the plan's; it has them finish together, and so does the balance.
        let frugal = situation.objective != Objective::Time;
        let joins = |index: &&usize| (soon(index) && !frugal) || planned(index).is_some();
        let joining: Vec<usize> = usable.iter().filter(joins).copied().collect();
        if joining.len() < 2 {
            return None;
        }
        let full = footprint(situation.whole());
        let shapes = Shapes::recognise(situation, axis, &joining, &full, footprint);
        let mut at = 0;
        let mut terms = Vec::with_capacity(joining.len());
        // Devices without a part stand at the border where they would lie.
        let mut order: Vec<(u64, usize)> = Vec::with_capacity(joining.len());
        for index in joining {
            at = planned(&index).map_or(at, |units| units.lo);
            order.push((at, index));
            at = planned(&index).map_or(at, |units| units.hi);
        }
        order.sort_by_key(|(at, index)| (*at, planned(index).is_some(), *index));
        let mut border = 0;
        for (_, index) in order {
            let units = planned(&index).unwrap_or(Units {
                lo: border,
                hi: border,
            });
            border = units.hi;
            let curve = Curve::new(situation, index, extent, &shapes);
            terms.push(Terms::new(
                &situation.candidates[index],
                &curve,
                units,
                extent,
            ));
        }
        let of_all = |ns: fn(&Terms) -> f64| {
            let planned = terms.iter().filter(|own| !own.planned.is_empty());
            if unsure {
                // Of all devices' time, what one more chunk of each would take.
                let own = |own: &Terms| ns(own) * own.planned.len() as f64;
                planned.map(own).sum::<f64>() / extent as f64
            } else {
                planned.map(ns).fold(0.0, f64::max)
            }
        };
        if makespan_ns <= fixed_costs_min * of_all(|own| own.chunk_ns)
            || makespan_ns <= ENTRY_COSTS_MIN * of_all(|own| own.enter_ns)
        {
            return None;
        }
        let sure = terms.iter().all(|own| own.doubt < DOUBT_OF_GUESSES);
        if sure && plan.parts.len() < 2 {
            return None;
        }
        Some(Self::new(extent, u64::from(multiple), terms))
    }
}

/// What `plan` gives candidate number `index`.
fn planned_units(
    situation: &Situation<'_>,
    plan: &Plan,
    axis: usize,
    index: usize,
) -> Option<Units> {
    let device = situation.candidates[index].device;
    let own = || plan.parts.iter().filter(|part| part.device == device);
    Some(Units {
        lo: own().map(|part| u64::from(part.tile.lo[axis])).min()?,
        hi: own().map(|part| u64::from(part.tile.hi[axis])).max()?,
    })
}
