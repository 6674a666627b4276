//! Which is the best split of a launch?

use super::Part;
use super::choose::Planner;
use super::curve::{Curve, Shapes};
use super::descend::Descent;
use super::price;
use super::reach::{Shares, everybody, fewest, with_a_second};
use crate::lanes::Tile;
use crate::machine::MemoryId;
use crate::region::Footprint;

/// How much dearer words from other GPUs are made, step by step, where their links would hold a launch up.
const DEARER: [f64; 6] = [1.1, 1.2, 1.3, 1.5, 2.0, 2.0];

/// A launch on two devices or more.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) parts: Vec<Part>,
    /// When the last part is done.
    pub(super) end_ns: f64,
    /// When it would be, were devices not left out that bring next to nothing.
    pub(super) least_ns: f64,
}

impl Planner<'_, '_> {
    /// The best split over `contenders`, on as few of them as do as well. Where one of them does best alone: when the next could
    /// be done with the least share.
    pub(super) fn best_split(
        &mut self,
        axis: usize,
        multiple: u64,
        contenders: &[usize],
        full: &Footprint,
    ) -> Result<Split, f64> {
        let situation = self.situation;
        let extent = u64::from(situation.grid[axis]);
        let shapes = Shapes::recognise(situation, axis, contenders, full, self.footprints());
        let curve = |index: &usize| Curve::new(situation, *index, extent, &shapes);
        let mut curves: Vec<Curve<'_>> = contenders.iter().map(curve).collect();
        let mut shares = fewest(&curves, extent, multiple);
        if let [(alone, _)] = shares.taken[..] {
            let pairs = |alone| with_a_second(&curves, alone, extent, multiple);
            if !shapes.combine() {
                let next_ns = pairs(alone).map(|(next_ns, _)| next_ns);
                return Err(next_ns.fold(f64::INFINITY, f64::min));
            }
            // In company even a device with next to everything starts from a private copy.
            let all = contenders.iter().flat_map(|alone| pairs(*alone));
            let best = all.min_by(|a, b| a.1.end_ns.total_cmp(&b.1.end_ns));
            shares = best.map_or_else(Shares::default, |(_, pair)| pair);
        }
        if shares.taken.len() < 2 {
            return Err(f64::INFINITY);
        }
        let taken = shares.taken.clone();
        let mut best = self.priced_split(axis, shares);
        let home_ns = self.home_ns(&best.parts);
        if home_ns <= self.end_ns(&best.parts) {
            return Ok(best);
        }
        // The links of other GPUs hold all of them up: away from there.
        let mut starts = vec![(taken, home_ns)];
        let all = everybody(&curves, extent, multiple);
        if all.taken.len() > starts[0].0.len() {
            let taken = all.taken.clone();
            let split = self.priced_split(axis, all);
            starts.push((taken, self.home_ns(&split.parts)));
        }
        for factor in DEARER {
            for curve in &mut curves {
                curve.make_far_dearer(factor);
            }
            let shares = fewest(&curves, extent, multiple);
            if shares.taken.len() < 2 {
                break;
            }
            let taken = shares.taken.clone();
            let split = self.priced_split(axis, shares);
            let home_ns = self.home_ns(&split.parts);
            starts.push((taken, home_ns));
            if split.end_ns < best.end_ns {
                best = split;
            }
            if home_ns <= self.end_ns(&best.parts) {
                break;
            }
        }
        let curves: Vec<Curve<'_>> = contenders.iter().map(curve).collect();
        for (taken, home_ns) in starts {
            let taken = Descent::new(&curves, (extent, multiple), &taken, home_ns).run();
            let split = self.priced_split(
                axis,
                Shares {
                    taken,
                    end_ns: 1.0,
                    least_ns: 1.0,
                },
            );
            if split.end_ns < best.end_ns {
                best = split;
            }
        }
        Ok(best)
    }

    /// What becomes of shares: their end by the true footprints.
    fn priced_split(&mut self, axis: usize, shares: Shares) -> Split {
        let gain = shares.least_ns / shares.end_ns;
        let tile = |(index, units)| (index, self.situation.tile(axis, units));
        let tiles: Vec<(usize, Tile)> = shares.taken.into_iter().map(tile).collect();
        let parts = self.parts(&tiles);
        let end_ns = self.end_ns(&parts).max(self.home_ns(&parts));
        Split {
            parts,
            end_ns,
            least_ns: end_ns * gain,
        }
    }

    /// How long the words take that `parts` need from the memories of other devices: each link to main memory serves all of them.
    pub(super) fn home_ns(&mut self, parts: &[Part]) -> f64 {
        let at_home = |argument: &super::Argument<'_>| {
            let residency = argument.residency;
            residency.valid(MemoryId::HOST).words() == residency.words()
        };
        if self.situation.arguments.iter().all(at_home) {
            return 0.0;
        }
        let footprints: Vec<Footprint> =
            parts.iter().map(|part| self.footprint(part.tile)).collect();
        price::home_ns(self.situation, parts, &footprints) / self.situation.horizon
    }
}
