//! What plan do the policies demand that leave the planner no choice?

use super::choose::{PlanError, Planner};
use super::situation::{Splitting, Units};
use super::{Plan, SplitVerdict};
use crate::lanes::Tile;
use crate::machine::DeviceId;

impl Planner<'_, '_> {
    pub(super) fn only(&mut self, device: DeviceId) -> Result<Plan, PlanError> {
        let index = self.demanded(device)?;
        let part = self.whole_on(index);
        Ok(self.plan(vec![part], None, SplitVerdict::Policy))
    }

    pub(super) fn split(&mut self, fractions: &[(DeviceId, f64)]) -> Result<Plan, PlanError> {
        let total: f64 = fractions.iter().map(|(_, fraction)| fraction).sum();
        let repeated = |at: usize| {
            fractions[..at]
                .iter()
                .any(|(device, _)| *device == fractions[at].0)
        };
        if !total.is_finite()
            || total <= 0.0
            || fractions.iter().any(|(_, fraction)| *fraction < 0.0)
            || (0..fractions.len()).any(repeated)
        {
            return Err(PlanError::Fractions);
        }
        let mut shares = Vec::with_capacity(fractions.len());
        for (device, fraction) in fractions.iter().filter(|(_, fraction)| *fraction > 0.0) {
            shares.push((self.demanded(*device)?, fraction / total));
        }
        shares.sort_by_key(|(index, _)| *index);
        let (axis, multiple) = match self.cut() {
            Ok(cut) => cut,
            Err(verdict) => {
                let largest = shares.iter().max_by(|a, b| a.1.total_cmp(&b.1));
                let part = self.whole_on(largest.map_or(0, |(index, _)| *index));
                return Ok(self.plan(vec![part], None, verdict));
            }
        };
        let tiles = self.tiles_by_fraction(&shares, axis, multiple);
        let parts = self.parts(&tiles);
        let axis = (parts.len() > 1).then_some(axis);
        Ok(self.plan(parts, axis, SplitVerdict::Policy))
    }

    fn tiles_by_fraction(
        &self,
        shares: &[(usize, f64)],
        axis: usize,
        multiple: u64,
    ) -> Vec<(usize, Tile)> {
        let extent = u64::from(self.situation.grid[axis]);
        let (mut lo, mut sum) = (0, 0.0);
        let mut tiles = Vec::with_capacity(shares.len());
        for (at, (index, fraction)) in shares.iter().enumerate() {
            sum += fraction;
            let blocks = (extent as f64 * sum / multiple as f64).round() as u64;
            let last = at + 1 == shares.len();
            let hi = if last {
                extent
            } else {
                (blocks * multiple).clamp(lo, extent)
            };
            if lo < hi {
                tiles.push((*index, self.situation.tile(axis, Units { lo, hi })));
            }
            lo = hi;
        }
        tiles
    }

    pub(super) fn fixed(&mut self, plan: &Plan) -> Result<Plan, PlanError> {
        plan.check(self.situation.grid)?;
        if let (Splitting::Refused(why), true) = (self.situation.splitting, plan.parts.len() > 1) {
            return Err(PlanError::Split(why.to_owned()));
        }
        let mut tiles = Vec::with_capacity(plan.parts.len());
        for part in &plan.parts {
            tiles.push((self.demanded(part.device)?, part.tile));
        }
        let parts = self.parts(&tiles);
        Ok(self.plan(parts, plan.axis, SplitVerdict::Policy))
    }

    /// The position of a device that the policy names.
    fn demanded(&self, device: DeviceId) -> Result<usize, PlanError> {
        let index = self
            .situation
            .position(device)
            .ok_or(PlanError::NoSuchDevice(device))?;
        match &self.situation.candidates[index].unusable {
            Some(reason) => Err(PlanError::Unusable {
                device,
                reason: reason.clone(),
            }),
            None => Ok(index),
        }
    }
}
