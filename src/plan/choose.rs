//! Which of all plans?

use thiserror::Error;

use super::price::{self, Company};
use super::reach::GAIN_MIN;
use super::situation::{Candidate, Objective, Policy, Situation, Splitting};
use super::{Part, Plan, Reason, SplitVerdict, TilingError, watchdog};
use crate::lanes::Tile;
use crate::machine::DeviceId;
use crate::region::Footprint;

/// Why there is no plan.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum PlanError {
    /// No device can run the launch.
    #[error("no device can run this launch: {}", list(.0))]
    NoDevice(
        /// The devices, and why each cannot.
        Vec<(DeviceId, Reason)>,
    ),
    /// The policy demands a device that cannot run the launch.
    #[error("the policy demands {device}, which cannot run this launch: {reason}")]
    Unusable {
        /// The device.
        device: DeviceId,
        /// Why it cannot.
        reason: Reason,
    },
    /// The policy demands a device that is not there.
    #[error("the policy demands {0}, which this machine does not have")]
    NoSuchDevice(DeviceId),
    /// The fractions of the policy are not a split.
    #[error(
        "the policy's fractions must be finite, not negative, not all zero, and name each device once"
    )]
    Fractions,
    /// The policy's plan does not fit the launch.
    #[error("the policy's plan does not fit: {0}")]
    Tiling(#[from] TilingError),
    /// Nobody knows what a device draws, so that energy cannot be weighed.
    #[error("nobody knows what {0} draws, so that energy cannot be weighed")]
    PowerUnknown(DeviceId),
    /// The policy's plan cuts a launch that must not be cut.
    #[error("the policy's plan has several parts, but the launch cannot be split: {0}")]
    Split(String),
}

fn list(reasons: &[(DeviceId, Reason)]) -> String {
    let each: Vec<String> = reasons
        .iter()
        .map(|(device, reason)| format!("{device}: {reason}"))
        .collect();
    each.join("; ")
}

/// Plans a launch under `policy`; `footprint` says what a tile of it touches.
///
/// Where one device has everything in place and no other can take part, this costs no more than building the plan; the
/// footprint is not asked for. Otherwise it is asked for about once per device and four times more.
///
/// # Errors
/// If no device can run the launch, or the policy demands what cannot be.
pub fn choose(
    situation: &Situation<'_>,
    policy: &Policy,
    mut footprint: impl FnMut(Tile) -> Footprint,
) -> Result<Plan, PlanError> {
    let candidates = watchdog::without_the_too_slow(situation);
    let situation = &match &candidates {
        Some(candidates) => Situation {
            candidates,
            ..*situation
        },
        None => *situation,
    };
    let planner = &mut Planner {
        situation,
        footprint: &mut footprint,
    };
    if situation.grid.contains(&0) {
        return Ok(planner.plan(Vec::new(), None, SplitVerdict::Empty));
    }
    let plan = match policy {
        Policy::Auto => planner.auto(),
        Policy::CpuOnly => planner.only(DeviceId::CPU),
        Policy::GpuOnly(device) => planner.only(*device),
        Policy::Split(fractions) => planner.split(fractions),
        Policy::Fixed(plan) => planner.fixed(plan),
    }?;
    let plan = match policy {
        // As it is, or not at all.
        Policy::Fixed(_) => plan,
        _ => planner.cut_for_watchdogs(plan),
    };
    debug_assert_eq!(plan.check(situation.grid), Ok(()));
    Ok(plan)
}

/// A launch being planned.
pub(super) struct Planner<'s, 'a> {
    pub(super) situation: &'s Situation<'a>,
    footprint: &'s mut dyn FnMut(Tile) -> Footprint,
}

impl Planner<'_, '_> {
    fn auto(&mut self) -> Result<Plan, PlanError> {
        let candidates = self.situation.candidates;
        let mut usable =
            (0..candidates.len()).filter(|index| candidates[*index].unusable.is_none());
        let Some(first) = usable.next() else {
            let reason =
                |candidate: &Candidate| Some((candidate.device, candidate.unusable.clone()?));
            return Err(PlanError::NoDevice(
                candidates.iter().filter_map(reason).collect(),
            ));
        };
        let Some(second) = usable.next() else {
            let part = self.whole_on(first);
            return Ok(self.plan(vec![part], None, SplitVerdict::OneDevice));
        };
        let usable: Vec<usize> = [first, second].into_iter().chain(usable).collect();
        let full = (self.footprint)(self.situation.whole());
        let whole = self.situation.whole();
        let alone = |index: &usize| {
            price::part(
                self.situation,
                &candidates[*index],
                whole,
                &full,
                Company::Alone,
            )
        };
        let singles: Vec<Part> = usable.iter().map(alone).collect();
        let best = (0..singles.len())
            .min_by(|a, b| self.ns(&singles[*a]).total_cmp(&self.ns(&singles[*b])));
        let best = best.unwrap_or(0);
        let mut plan = if self.situation.objective == Objective::Time {
            let plan = self.shared_or_single(&usable, &singles, best, &full);
            self.with_trial(plan, &usable)
        } else {
            self.frugal(&usable, &singles, &full)?
        };
        explain_unused(&mut plan, &usable, &singles);
        Ok(plan)
    }

    pub(super) fn footprint(&mut self, tile: Tile) -> Footprint {
        (self.footprint)(tile)
    }

    pub(super) fn footprints(&mut self) -> &mut dyn FnMut(Tile) -> Footprint {
        self.footprint
    }

    /// The best split, or the best single device where that is no worse.
    fn shared_or_single(
        &mut self,
        usable: &[usize],
        singles: &[Part],
        best: usize,
        full: &Footprint,
    ) -> Plan {
        let single = singles[best];
        let single_ns = self.ns(&single);
        let (axis, multiple) = match self.cut() {
            Ok(cut) => cut,
            Err(verdict) => return self.plan(vec![single], None, verdict),
        };
        let candidates = self.situation.candidates;
        let fixed_ns = |index: usize| candidates[index].ready_ns + candidates[index].whole.fixed_ns;
        let contenders: Vec<usize> = usable
            .iter()
            .copied()
            .filter(|index| fixed_ns(*index) < single_ns)
            .collect();
        if contenders.len() < 2 {
            let others = usable.iter().filter(|index| **index != usable[best]);
            let next_ns = others
                .map(|index| fixed_ns(*index))
                .fold(f64::INFINITY, f64::min);
            return self.plan(
                vec![single],
                None,
                SplitVerdict::TooShort { single_ns, next_ns },
            );
        }
        let split = self.best_split(axis, multiple, &contenders, full);
        let (cut, split_ns) = match &split {
            Ok(split) => (split.parts.as_slice(), split.end_ns),
            Err(_) => (&[][..], f64::INFINITY),
        };
        if let Some(kept) = self.kept(axis, cut, split_ns.min(single_ns)) {
            return kept;
        }
        match split {
            Ok(split) if split.least_ns < single_ns * (1.0 - GAIN_MIN) => {
                let single = single.device;
                let verdict = SplitVerdict::Split { single, single_ns };
                self.plan(split.parts, Some(axis), verdict)
            }
            Ok(_) => {
                let verdict = SplitVerdict::NotWorth {
                    split_ns,
                    single_ns,
                };
                self.plan(vec![single], None, verdict)
            }
            Err(next_ns) => {
                let verdict = SplitVerdict::TooShort { single_ns, next_ns };
                self.plan(vec![single], None, verdict)
            }
        }
    }

    /// Axis and multiple of a cut, or why there is none.
    pub(super) fn cut(&self) -> Result<(usize, u64), SplitVerdict> {
        match self.situation.splitting {
            Splitting::Refused(why) => Err(SplitVerdict::Refused(why.to_owned())),
            Splitting::Along { axis, multiple } => {
                let extent = self.situation.grid[axis];
                if extent > multiple {
                    Ok((axis, u64::from(multiple.max(1))))
                } else {
                    let name = ["x", "y", "z"][axis];
                    let why = if extent == 1 {
                        format!("there is only one workgroup along {name}")
                    } else {
                        format!(
                            "{extent} workgroups along {name} cannot be cut at multiples of {multiple}"
                        )
                    };
                    Err(SplitVerdict::Refused(why))
                }
            }
        }
    }

    /// Last time's cuts, if `best_ns` is hardly better.
    fn kept(&mut self, axis: usize, best: &[Part], best_ns: f64) -> Option<Plan> {
        let previous = self.situation.previous?;
        if previous.grid != self.situation.grid || previous.axis != Some(axis) {
            return None;
        }
        let previous = watchdog::joined(&previous.parts, axis);
        if previous.len() < 2 {
            return None;
        }
        let same = |(a, b): (&Part, &Part)| a.device == b.device && a.tile == b.tile;
        if previous.len() == best.len() && previous.iter().zip(best).all(same) {
            return None;
        }
        let usable = |device: DeviceId| {
            let index = self.situation.position(device)?;
            self.situation.candidates[index]
                .unusable
                .is_none()
                .then_some(index)
        };
        let tiles: Option<Vec<(usize, Tile)>> = previous
            .iter()
            .map(|part| Some((usable(part.device)?, part.tile)))
            .collect();
        let parts = self.parts(&tiles?);
        let kept_ns = self.end_ns(&parts).max(self.home_ns(&parts));
        let verdict = SplitVerdict::Kept { kept_ns, best_ns };
        (best_ns > kept_ns * (1.0 - GAIN_MIN)).then(|| self.plan(parts, Some(axis), verdict))
    }

    pub(super) fn whole_on(&mut self, index: usize) -> Part {
        let candidate = &self.situation.candidates[index];
        price::whole_in_place(self.situation, candidate).unwrap_or_else(|| {
            let whole = self.situation.whole();
            let footprint = (self.footprint)(whole);
            price::part(self.situation, candidate, whole, &footprint, Company::Alone)
        })
    }

    pub(super) fn parts(&mut self, tiles: &[(usize, Tile)]) -> Vec<Part> {
        let company = if tiles.len() > 1 {
            Company::Shared
        } else {
            Company::Alone
        };
        self.parts_in(tiles, company)
    }

    pub(super) fn parts_in(&mut self, tiles: &[(usize, Tile)], company: Company) -> Vec<Part> {
        let part = |(index, tile): &(usize, Tile)| {
            let footprint = (self.footprint)(*tile);
            price::part(
                self.situation,
                &self.situation.candidates[*index],
                *tile,
                &footprint,
                company,
            )
        };
        tiles.iter().map(part).collect()
    }

    /// Time of a part, its copies spread over the horizon.
    fn ns(&self, part: &Part) -> f64 {
        part.predicted_ns - part.transfer_ns * (1.0 - 1.0 / self.situation.horizon)
    }

    pub(super) fn end_ns(&self, parts: &[Part]) -> f64 {
        parts.iter().map(|part| self.ns(part)).fold(0.0, f64::max)
    }

    pub(super) fn plan(&self, parts: Vec<Part>, axis: Option<usize>, split: SplitVerdict) -> Plan {
        let mut rejected = Vec::new();
        for candidate in self.situation.candidates {
            if parts.iter().all(|part| part.device != candidate.device) {
                let reason = candidate.unusable.clone().unwrap_or(Reason::Policy);
                rejected.push((candidate.device, reason));
            }
        }
        Plan {
            grid: self.situation.grid,
            axis,
            parts,
            rejected,
            split,
        }
    }
}

/// Tells every usable device without a part what it would have cost.
fn explain_unused(plan: &mut Plan, usable: &[usize], singles: &[Part]) {
    for (device, reason) in &mut plan.rejected {
        let single = usable
            .iter()
            .zip(singles)
            .find(|(_, single)| single.device == *device);
        if let Some((_, single)) = single {
            *reason = Reason::NoGain {
                alone_ns: single.predicted_ns,
                transfer_ns: single.transfer_ns,
            };
        }
    }
}
