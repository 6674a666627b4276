//! How good is a plan, by time or by energy?

use super::choose::Planner;
use super::situation::{Candidate, Objective};
use super::{Part, Plan, PlanError, SplitVerdict};
use crate::region::Footprint;

/// With up to so many devices all subsets are weighed; of more, the most frugal ones together.
const ALL_SUBSETS_MAX: usize = 5;

impl Planner<'_, '_> {
    /// The plan with the least energy, or the least product of energy and time.
    ///
    /// For given shares the energy is linear in them and in the end time, so the least is drawn either by one device or by some
    /// subset whose devices finish together.
    pub(super) fn frugal(
        &mut self,
        usable: &[usize],
        singles: &[Part],
        full: &Footprint,
    ) -> Result<Plan, PlanError> {
        self.check_power(usable)?;
        let mut fastest: Option<Vec<Part>> = None;
        let mut best: Option<(f64, Vec<Part>)> = None;
        let mut weigh = |planner: &Self, parts: Vec<Part>| {
            let (ns, joules) = (planner.end_ns(&parts), planner.joules(usable, &parts));
            let score = match planner.situation.objective {
                Objective::Time => ns,
                Objective::Energy => joules,
                Objective::EnergyDelay => joules * ns,
            };
            if best.as_ref().is_none_or(|(least, _)| score < *least) {
                best = Some((score, parts.clone()));
            }
            if fastest
                .as_ref()
                .is_none_or(|least| ns < planner.end_ns(least))
            {
                fastest = Some(parts);
            }
        };
        for single in singles {
            weigh(self, vec![*single]);
        }
        let cut = self.cut();
        if let Ok((axis, multiple)) = cut {
            for subset in self.subsets(usable) {
                if let Ok(split) = self.best_split(axis, multiple, &subset, full) {
                    weigh(self, split.parts);
                }
            }
        }
        let (_, parts) = best.unwrap_or_default();
        let fastest = fastest.unwrap_or_default();
        let verdict = SplitVerdict::Frugal {
            joules: self.joules(usable, &parts),
            ns: self.end_ns(&parts),
            fastest_joules: self.joules(usable, &fastest),
            fastest_ns: self.end_ns(&fastest),
        };
        let axis = (parts.len() > 1).then(|| cut.map_or(0, |(axis, _)| axis));
        Ok(self.plan(parts, axis, verdict))
    }

    /// Refuses an objective that needs to know what devices draw where that is not known.
    fn check_power(&self, usable: &[usize]) -> Result<(), PlanError> {
        let unknown = usable
            .iter()
            .map(|index| &self.situation.candidates[*index])
            .find(|candidate| candidate.power.is_none());
        match unknown {
            None => Ok(()),
            Some(candidate) => Err(PlanError::PowerUnknown(candidate.device)),
        }
    }

    /// Subsets of two or more devices.
    fn subsets(&self, usable: &[usize]) -> Vec<Vec<usize>> {
        if usable.len() <= ALL_SUBSETS_MAX {
            let subset = |bits: u32| -> Vec<usize> {
                let taken = (0..usable.len()).filter(|at| bits >> at & 1 == 1);
                taken.map(|at| usable[at]).collect()
            };
            return (0..1_u32 << usable.len())
                .filter(|bits| bits.count_ones() > 1)
                .map(subset)
                .collect();
        }
        let mut frugal = usable.to_vec();
        let joules = |index: &usize| {
            let candidate: &Candidate = &self.situation.candidates[*index];
            candidate.power.map_or(f64::INFINITY, |power| {
                (power.busy_w - power.idle_w) * candidate.whole.work_ns
            })
        };
        frugal.sort_by(|a, b| joules(a).total_cmp(&joules(b)));
        (2..=frugal.len())
            .map(|count| {
                let mut subset = frugal[..count].to_vec();
                subset.sort_unstable();
                subset
            })
            .collect()
    }

    /// What all usable devices draw until the last part is done, in joules.
    fn joules(&self, usable: &[usize], parts: &[Part]) -> f64 {
        let end_ns = self.end_ns(parts);
        let drawn = |index: &usize| {
            let candidate = &self.situation.candidates[*index];
            let own = parts.iter().filter(|part| part.device == candidate.device);
            let busy_ns: f64 = own
                .map(|part| part.predicted_ns - part.transfer_ns - candidate.ready_ns)
                .sum();
            candidate
                .power
                .map_or(0.0, |power| power.joules(busy_ns, end_ns))
        };
        usable.iter().map(drawn).sum()
    }
}
