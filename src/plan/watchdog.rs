//! How is a part cut that a system would not let run to its end? Drivers take a GPU away from whoever keeps it for seconds.

use super::choose::Planner;
use super::situation::{Candidate, Situation, Splitting, Units};
use super::{Part, Plan, Reason, price};
use crate::lanes::Tile;

/// The candidates of `situation`, without those that would need too long for a launch that cannot be cut; none if that changes
/// nothing.
pub(super) fn without_the_too_slow(situation: &Situation<'_>) -> Option<Vec<Candidate>> {
    let cuttable = matches!(situation.splitting, Splitting::Along { axis, multiple }
        if situation.grid[axis] > multiple);
    let too_slow = |candidate: &Candidate| {
        !cuttable
            && candidate.unusable.is_none()
            && candidate.whole.work_ns > candidate.dispatch_ns_max
    };
    if !situation.candidates.iter().any(too_slow) {
        return None;
    }
    let mut candidates = situation.candidates.to_vec();
    for candidate in &mut candidates {
        if too_slow(candidate) {
            candidate.unusable = Some(Reason::TooLong {
                ns: candidate.whole.work_ns,
                ns_max: candidate.dispatch_ns_max,
            });
        }
    }
    Some(candidates)
}

impl Planner<'_, '_> {
    /// `plan` with every part that would take too long cut into several on the same device.
    pub(super) fn cut_for_watchdogs(&mut self, mut plan: Plan) -> Plan {
        let too_long = |part: &Part| self.dispatches(part) > 1;
        if !plan.parts.iter().any(too_long) {
            return plan;
        }
        let Ok((axis, multiple)) = self.cut() else {
            return plan;
        };
        let mut parts = Vec::new();
        for part in &plan.parts {
            let count = self.dispatches(part);
            if count > 1 {
                parts.extend(self.pieces(part, axis, multiple, count));
            } else {
                parts.push(*part);
            }
        }
        plan.parts = parts;
        plan.axis = Some(axis);
        plan
    }

    /// In how many dispatches a part has to be done. What is less certain is cut into more.
    fn dispatches(&self, part: &Part) -> u64 {
        let Some(index) = self.situation.position(part.device) else {
            return 1;
        };
        let candidate = &self.situation.candidates[index];
        let share = super::situation::workgroups(&part.tile) as f64
            / super::situation::workgroups(&self.situation.whole()) as f64;
        let ns = candidate.whole.work_ns * share * (1.0 + candidate.whole.spread);
        (ns / candidate.dispatch_ns_max).ceil().max(1.0) as u64
    }

    fn pieces(&mut self, part: &Part, axis: usize, multiple: u64, count: u64) -> Vec<Part> {
        let (lo, hi) = (u64::from(part.tile.lo[axis]), u64::from(part.tile.hi[axis]));
        let mut borders: Vec<u64> = (0..=count)
            .map(|piece| match piece {
                0 => lo,
                piece if piece == count => hi,
                piece => ((lo + (hi - lo) * piece / count) / multiple * multiple).max(lo),
            })
            .collect();
        borders.dedup();
        let index = self.situation.position(part.device).unwrap_or_default();
        let tile = |pair: &[u64]| {
            let mut tile: Tile = part.tile;
            let units = Units {
                lo: pair[0],
                hi: pair[1],
            };
            (tile.lo[axis], tile.hi[axis]) = (units.lo as u32, units.hi as u32);
            (index, tile)
        };
        let tiles: Vec<_> = borders.windows(2).map(tile).collect();
        let company = price::Company::Shared;
        let mut pieces = self.parts_in(&tiles, company);
        // They run one after the other.
        let ready_ns = self.situation.candidates[index].ready_ns;
        let mut end_ns = ready_ns;
        for piece in &mut pieces {
            end_ns += piece.predicted_ns - ready_ns;
            piece.predicted_ns = end_ns;
        }
        pieces
    }
}

/// `parts` with neighbours on the same device as one, as they were before they were cut for a watchdog.
pub(super) fn joined(parts: &[Part], axis: usize) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(last)
                if last.device == part.device && last.tile.hi[axis] == part.tile.lo[axis] =>
            {
                last.tile.hi[axis] = part.tile.hi[axis];
            }
            _ => joined.push(*part),
        }
    }
    joined
}
