//! Should a device that seems too slow be tried again?
//!
//! What is known of a device ages while it is left out: one unlucky measurement would otherwise banish it for ever. In a launch that
//! is repeated, such a device gets a small share once the launches without it make the likely loss small beside them.

use super::choose::Planner;
use super::situation::Units;
use super::{Part, Plan, SplitVerdict};
use crate::machine::MemoryId;

/// Launches without a device before it may be tried again.
pub(super) const IDLE_MIN: u64 = 32;
/// All trials together may cost this fraction of the launches' time, as far as predictions can tell.
const LOSS_MAX: f64 = 0.02;
/// The share of a device that is tried.
const SHARE: f64 = 1.0 / 32.0;

impl Planner<'_, '_> {
    /// `plan`, or one that tries the device that was left out longest.
    pub(super) fn with_trial(&mut self, plan: Plan, usable: &[usize]) -> Plan {
        if self.situation.horizon <= 1.0 || plan.parts.is_empty() {
            return plan;
        }
        let candidates = self.situation.candidates;
        let idle = |index: &usize| candidates[*index].whole.idle_launches;
        let left_out = usable.iter().copied().filter(|index| {
            let device = candidates[*index].device;
            plan.parts.iter().all(|part| part.device != device)
        });
        let Some(index) = left_out.max_by_key(idle) else {
            return plan;
        };
        let idle_launches = idle(&index);
        if idle_launches < IDLE_MIN {
            return plan;
        }
        let (axis, parts) = self.trial_parts(&plan, index);
        let device = candidates[index].device;
        if parts.iter().all(|part| part.device != device) {
            return plan;
        }
        let usual_ns = self.end_ns(&plan.parts);
        let loss_ns = self.end_ns(&parts) + self.return_ns(index, &parts) - usual_ns;
        if loss_ns > LOSS_MAX * idle_launches as f64 * usual_ns {
            return plan;
        }
        let verdict = SplitVerdict::Trial {
            device,
            idle_launches,
            usual_ns,
        };
        self.plan(parts, axis, verdict)
    }

    /// The parts of `plan`, but that candidate number `index` takes a few units of the largest; all of a launch that cannot be cut.
    fn trial_parts(&mut self, plan: &Plan, index: usize) -> (Option<usize>, Vec<Part>) {
        let Ok((axis, multiple)) = self.cut() else {
            return (None, vec![self.whole_on(index)]);
        };
        let units = |part: &Part| Units {
            lo: u64::from(part.tile.lo[axis]),
            hi: u64::from(part.tile.hi[axis]),
        };
        let extent = u64::from(self.situation.grid[axis]);
        let wanted = ((extent as f64 * SHARE) as u64 / multiple * multiple).max(multiple);
        let mut shares = Vec::with_capacity(plan.parts.len() + 1);
        let largest = (0..plan.parts.len()).max_by_key(|at| {
            let units = units(&plan.parts[*at]);
            units.hi - units.lo
        });
        for (at, part) in plan.parts.iter().enumerate() {
            let own = self.situation.position(part.device).unwrap_or_default();
            let Units { lo, hi } = units(part);
            if Some(at) != largest || hi - lo <= wanted {
                shares.push((own, Units { lo, hi }));
                continue;
            }
            // Cuts lie at multiples: the first may, and the last must not, begin elsewhere.
            let cut = if index < own {
                lo + wanted
            } else {
                (hi - wanted) / multiple * multiple
            };
            let halves = [Units { lo, hi: cut }, Units { lo: cut, hi }];
            let order = if index < own {
                [index, own]
            } else {
                [own, index]
            };
            shares.extend(order.into_iter().zip(halves));
        }
        let tiles: Vec<_> = shares
            .into_iter()
            .filter(|(_, units)| units.lo < units.hi)
            .map(|(own, units)| (own, self.situation.tile(axis, units)))
            .collect();
        (Some(axis), self.parts(&tiles))
    }

    /// Time to bring back what the tried device writes, since the next launch has it elsewhere.
    fn return_ns(&mut self, index: usize, parts: &[Part]) -> f64 {
        let candidate = &self.situation.candidates[index];
        if candidate.device.memory() == MemoryId::HOST {
            return 0.0;
        }
        let own = parts.iter().filter(|part| part.device == candidate.device);
        let tiles: Vec<_> = own.map(|part| part.tile).collect();
        let mut ns = 0.0;
        for tile in tiles {
            for touch in &self.footprint(tile).arguments {
                ns += super::price::copy_ns(&candidate.down, &touch.writes);
            }
        }
        ns
    }
}
