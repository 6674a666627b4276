//! Is a plan made before still the plan? Planning is a function of the [`Situation`] and the [`Policy`]: where these are what they
//! were, so is the plan.

use std::sync::Arc;

use super::situation::{Argument, Candidate, Objective, Policy, Situation, Splitting};
use super::{Part, Plan};
use crate::cost::Prediction;
use crate::machine::MemoryId;
use crate::region::Residency;

/// Costs that differ by less than this fraction lead to the same plan: more than a plan changes for, less than a user would see.
const COST_DRIFT_MAX: f64 = 1.0 / 16.0;

/// A device that has no part in a launch is thought about again after so many launches: not before it may be tried, so that no
/// trial is taken for the usual plan.
const IDLE_LAUNCHES_ALIKE: u64 = super::trial::IDLE_MIN;

/// A plan and what it was made from, for launches with one and the same footprint.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    grid: [u32; 3],
    refused: Option<String>,
    /// Axis and multiple of cuts.
    along: Option<(usize, u32)>,
    candidates: Vec<Candidate>,
    arguments: Vec<(Residency, Option<MemoryId>)>,
    horizon: f64,
    objective: Objective,
    policy: Policy,
    /// The parts of the split before, if there was one.
    previous: Option<Vec<Part>>,
    plan: Arc<Plan>,
}

impl Remembered {
    /// Remembers that `situation` and `policy` led to `plan`.
    pub(crate) fn new(situation: &Situation<'_>, policy: &Policy, plan: Arc<Plan>) -> Self {
        let (refused, along) = match situation.splitting {
            Splitting::Refused(why) => (Some(why.to_owned()), None),
            Splitting::Along { axis, multiple } => (None, Some((axis, multiple))),
        };
        let argument = |argument: &Argument<'_>| (argument.residency.clone(), argument.next);
        Self {
            grid: situation.grid,
            refused,
            along,
            candidates: situation.candidates.to_vec(),
            arguments: situation.arguments.iter().map(argument).collect(),
            horizon: situation.horizon,
            objective: situation.objective,
            policy: policy.clone(),
            previous: split(situation.previous).map(<[Part]>::to_vec),
            plan,
        }
    }

    /// The plan.
    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Whether `situation` and `policy` are what they were: the same but for costs that moved by a few percent, and for the plan
    /// itself being the previous one now. The footprint of the launch must be the same, too, which only the caller knows.
    pub(crate) fn holds(&self, situation: &Situation<'_>, policy: &Policy) -> bool {
        // Taken apart, so that nothing that is added to a situation is forgotten here.
        let &Situation {
            grid,
            splitting,
            candidates,
            arguments,
            previous,
            horizon,
            objective,
        } = situation;
        self.grid == grid
            && self.cuts_like(splitting)
            && self.horizon == horizon
            && self.objective == objective
            && self.policy == *policy
            && self.follows(split(previous))
            && self.arguments.len() == arguments.len()
            && self.arguments.iter().zip(arguments).all(same_argument)
            && self.candidates.len() == candidates.len()
            && self.candidates.iter().zip(candidates).all(near)
    }

    /// Whether the split before is the one of then, or this plan.
    fn follows(&self, previous: Option<&[Part]>) -> bool {
        match (previous, self.previous.as_deref()) {
            (None, None) => true,
            (None, Some(_)) => false,
            (Some(now), then) => {
                same_parts(now, &self.plan.parts) || then.is_some_and(|then| same_parts(now, then))
            }
        }
    }

    fn cuts_like(&self, splitting: Splitting<'_>) -> bool {
        match splitting {
            Splitting::Refused(why) => self.refused.as_deref() == Some(why),
            Splitting::Along { axis, multiple } => self.along == Some((axis, multiple)),
        }
    }
}

fn same_argument((own, argument): (&(Residency, Option<MemoryId>), &Argument<'_>)) -> bool {
    let &Argument { residency, next } = argument;
    own.1 == next && own.0 == *residency
}

/// The parts of a plan that keeps its cuts if it can: of one with several.
fn split(plan: Option<&Plan>) -> Option<&[Part]> {
    plan.map(|plan| plan.parts.as_slice())
        .filter(|parts| parts.len() > 1)
}

/// Whether the same tiles are on the same devices.
fn same_parts(a: &[Part], b: &[Part]) -> bool {
    let same = |(a, b): (&Part, &Part)| a.device == b.device && a.tile == b.tile;
    a.len() == b.len() && a.iter().zip(b).all(same)
}

/// Whether a device is as it was, and costs about as much.
fn near((a, b): (&Candidate, &Candidate)) -> bool {
    let Candidate {
        device,
        unusable,
        ready_ns,
        whole,
        up,
        down,
        dispatch_ns_max,
        power,
    } = a;
    let scale = whole.ns.max(b.whole.ns);
    *device == b.device
        && *unusable == b.unusable
        && *up == b.up
        && *down == b.down
        && *dispatch_ns_max == b.dispatch_ns_max
        && *power == b.power
        && about(*ready_ns, b.ready_ns, scale)
        && near_prediction(whole, &b.whole, scale)
}

fn near_prediction(a: &Prediction, b: &Prediction, scale: f64) -> bool {
    let Prediction {
        ns: _,
        fixed_ns,
        work_ns,
        spread: _,
        confidence,
        idle_launches,
        source,
    } = a;
    std::mem::discriminant(source) == std::mem::discriminant(&b.source)
        && about(*fixed_ns, b.fixed_ns, scale)
        && about(*work_ns, b.work_ns, scale)
        && about(*confidence, b.confidence, 1.0)
        && idle_launches / IDLE_LAUNCHES_ALIKE == b.idle_launches / IDLE_LAUNCHES_ALIKE
}

fn about(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= COST_DRIFT_MAX * scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{Link, Source};
    use crate::lanes::Tile;
    use crate::machine::DeviceId;
    use crate::plan::{Reason, choose};
    use crate::region::{Footprint, Span, SpanSet, Touch};

    const ROWS: u32 = 1000;

    fn candidate(device: u8, work_ns: f64) -> Candidate {
        let link = Link {
            latency_ns: 1000.0,
            bytes_per_s: 1e10,
        };
        Candidate {
            device: DeviceId(device),
            unusable: None,
            ready_ns: 0.0,
            whole: Prediction {
                ns: 500.0 + work_ns,
                fixed_ns: 500.0,
                work_ns,
                spread: 0.1,
                confidence: 0.9,
                idle_launches: 0,
                source: Source::Measured(3),
            },
            up: link,
            dispatch_ns_max: f64::INFINITY,
            power: None,
            down: link,
        }
    }

    fn footprint(tile: Tile) -> Footprint {
        let rows = Span::new(u64::from(tile.lo[0]), u64::from(tile.hi[0]));
        Footprint {
            arguments: vec![Touch::updating(rows)],
        }
    }

    /// What a launch of [`ROWS`] rows is planned from.
    #[derive(Clone)]
    struct World {
        candidates: Vec<Candidate>,
        residency: Residency,
        previous: Option<Plan>,
        refused: Option<String>,
        horizon: f64,
    }

    impl World {
        fn new() -> Self {
            Self {
                candidates: vec![candidate(0, 3e6), candidate(1, 2e6)],
                residency: Residency::new(ROWS.into(), MemoryId::HOST),
                previous: None,
                refused: None,
                horizon: 1.0,
            }
        }

        fn with<T>(&self, planned: impl FnOnce(&Situation<'_>) -> T) -> T {
            let arguments = [Argument {
                residency: &self.residency,
                next: None,
            }];
            let along = Splitting::Along {
                axis: 0,
                multiple: 1,
            };
            planned(&Situation {
                grid: [ROWS, 1, 1],
                splitting: self.refused.as_deref().map_or(along, Splitting::Refused),
                candidates: &self.candidates,
                arguments: &arguments,
                previous: self.previous.as_ref(),
                horizon: self.horizon,
                objective: Objective::Time,
            })
        }

        fn planned(&self) -> Plan {
            self.with(|situation| choose(situation, &Policy::Auto, footprint).unwrap())
        }

        fn remembered(&self) -> Remembered {
            let plan = Arc::new(self.planned());
            self.with(|situation| Remembered::new(situation, &Policy::Auto, plan))
        }

        fn is_known_to(&self, remembered: &Remembered) -> bool {
            self.with(|situation| remembered.holds(situation, &Policy::Auto))
        }
    }

    #[test]
    fn a_launch_that_is_repeated_keeps_the_plan_that_it_would_get_again() {
        let mut world = World::new();
        let remembered = world.remembered();
        assert_eq!(remembered.plan().parts.len(), 2, "{}", remembered.plan());
        assert!(world.is_known_to(&remembered));
        world.previous = Some(Plan::clone(remembered.plan()));
        assert!(world.is_known_to(&remembered));
        assert_eq!(world.planned().parts, remembered.plan().parts);
    }

    #[test]
    fn anything_that_a_plan_follows_from_makes_a_new_one() {
        type Change = (&'static str, fn(&mut World));
        let world = World::new();
        let remembered = world.remembered();
        let changes: [Change; 11] = [
            ("confidence", |world| {
                world.candidates[1].whole.confidence = 0.5;
            }),
            ("long idle", |world| {
                world.candidates[1].whole.idle_launches = 100;
            }),
            ("work", |world| world.candidates[1].whole.work_ns *= 1.2),
            ("waiting", |world| world.candidates[0].ready_ns = 1e6),
            ("a link", |world| {
                world.candidates[1].up.bytes_per_s = 2e10;
            }),
            ("what costs rest on", |world| {
                world.candidates[1].whole.source = Source::Prior;
            }),
            ("a device retired", |world| {
                world.candidates[1].unusable = Some(Reason::Retired("gone".to_owned()));
            }),
            ("a device added", |world| {
                world.candidates.push(candidate(2, 2e6));
            }),
            ("words moved", |world| {
                let some = SpanSet::from(Span::new(0, 10));
                world.residency.write(MemoryId(1), &some);
            }),
            ("a refusal", |world| world.refused = Some("no".to_owned())),
            ("the horizon", |world| world.horizon = 2.0),
        ];
        for (what, change) in changes {
            let mut changed = world.clone();
            change(&mut changed);
            assert!(!changed.is_known_to(&remembered), "{what}");
        }
        let other = world.with(|situation| remembered.holds(situation, &Policy::CpuOnly));
        assert!(!other, "the policy");
    }

    #[test]
    fn costs_that_move_by_a_few_percent_change_nothing() {
        let mut world = World::new();
        let remembered = world.remembered();
        world.candidates[0].whole.work_ns *= 1.04;
        world.candidates[1].whole.source = Source::Measured(9);
        assert!(world.is_known_to(&remembered));
    }

    #[test]
    fn another_split_before_makes_a_new_plan_and_a_whole_launch_before_does_not() {
        let mut world = World::new();
        let remembered = world.remembered();
        let mut other = Plan::clone(remembered.plan());
        other.parts[0].tile.hi[0] += 1;
        other.parts[1].tile.lo[0] += 1;
        world.previous = Some(other.clone());
        assert!(!world.is_known_to(&remembered));
        other.parts.truncate(1);
        world.previous = Some(other);
        assert!(world.is_known_to(&remembered));
    }
}
