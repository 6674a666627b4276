//! Tests of what every plan promises, on random machines, residencies and kernels.

mod rare;

use proptest::prelude::*;

use super::*;
use crate::cost::{Link, Prediction, Source};
use crate::lanes::Tile;
use crate::machine::{DeviceId, MemoryId};
use crate::region::{Footprint, Residency, Span, SpanSet, Touch};

/// Words of a row; every launch here is cut by rows.
const ROW: u64 = 64;

/// How a test kernel touches its arrays: an input that is read in one of these ways, and an output of its own rows.
#[derive(Clone, Copy, Debug)]
enum Kernel {
    Rows,
    Halo(u64),
    Whole,
    /// Every row of the input interleaved with all others: no window.
    Scattered,
    /// Adds into one array.
    Combine,
}

impl Kernel {
    fn footprint(self, tile: Tile, rows: u64) -> Footprint {
        let (lo, hi) = (u64::from(tile.lo[1]), u64::from(tile.hi[1]));
        let own = Span::new(lo * ROW, hi * ROW);
        let reads = match self {
            Self::Rows | Self::Combine => SpanSet::from(own),
            Self::Halo(h) => Span::new(lo.saturating_sub(h) * ROW, (hi + h).min(rows) * ROW).into(),
            Self::Whole => Span::new(0, rows * ROW).into(),
            Self::Scattered => (0..ROW / 4)
                .map(|i| Span::new(4 * i * rows + 4 * lo, 4 * i * rows + 4 * hi))
                .collect(),
        };
        let output = match self {
            Self::Combine => Touch {
                combine: true,
                exact: false,
                ..Touch::updating(Span::new(0, ROW))
            },
            _ => Touch::writing(own),
        };
        Footprint {
            arguments: vec![Touch::reading(reads), output],
        }
    }
}

/// A machine and a launch; `copied` says which rows of the input each GPU has.
#[derive(Clone, Debug)]
struct World {
    kernel: Kernel,
    rows: u64,
    multiple: u32,
    candidates: Vec<Candidate>,
    input: Residency,
    output: Residency,
}

impl World {
    fn new(kernel: Kernel, rows: u64, candidates: Vec<Candidate>) -> Self {
        Self {
            kernel,
            rows,
            multiple: 1,
            candidates,
            input: Residency::new(rows * ROW, MemoryId::HOST),
            output: Residency::new(rows * ROW, MemoryId::HOST),
        }
    }

    fn plan(&self, policy: &Policy, previous: Option<&Plan>) -> Result<Plan, PlanError> {
        self.plan_with(policy, previous, 1.0)
    }

    fn plan_with(
        &self,
        policy: &Policy,
        previous: Option<&Plan>,
        horizon: f64,
    ) -> Result<Plan, PlanError> {
        self.plan_for(Objective::Time, policy, previous, horizon)
    }

    fn plan_for(
        &self,
        objective: Objective,
        policy: &Policy,
        previous: Option<&Plan>,
        horizon: f64,
    ) -> Result<Plan, PlanError> {
        let argument = |residency| Argument {
            residency,
            next: None,
        };
        let arguments = [argument(&self.input), argument(&self.output)];
        let situation = Situation {
            grid: self.grid(),
            splitting: Splitting::Along {
                axis: 1,
                multiple: self.multiple,
            },
            candidates: &self.candidates,
            arguments: &arguments,
            previous,
            horizon,
            objective,
        };
        choose(&situation, policy, |tile| {
            self.kernel.footprint(tile, self.rows)
        })
    }

    fn grid(&self) -> [u32; 3] {
        [4, self.rows as u32, 1]
    }

    fn auto(&self) -> Plan {
        self.plan(&Policy::Auto, None).unwrap()
    }

    /// End time of the rows being cut at `cuts`, one device after another, as `Policy::Fixed` prices it.
    fn priced(&self, cuts: &[u64]) -> f64 {
        let mut fixed = self.auto();
        fixed.parts.clear();
        fixed.axis = Some(1);
        for (candidate, pair) in self.candidates.iter().zip(cuts.windows(2)) {
            if pair[0] < pair[1] {
                fixed.parts.push(Part {
                    device: candidate.device,
                    tile: Tile {
                        lo: [0, pair[0] as u32, 0],
                        hi: [4, pair[1] as u32, 1],
                    },
                    predicted_ns: 0.0,
                    transfer_ns: 0.0,
                    bytes_in: 0,
                    bytes_out: 0,
                    source: Source::Prior,
                });
            }
        }
        self.plan(&Policy::Fixed(fixed), None)
            .unwrap()
            .makespan_ns()
    }

    /// The least end time over all cuts at multiples.
    fn searched(&self) -> f64 {
        let multiple = u64::from(self.multiple);
        let cuts: Vec<u64> = (0..self.rows)
            .step_by(multiple as usize)
            .chain([self.rows])
            .collect();
        let mut least = f64::INFINITY;
        for first in &cuts {
            if self.candidates.len() == 2 {
                least = least.min(self.priced(&[0, *first, self.rows]));
                continue;
            }
            for second in cuts.iter().filter(|second| *second >= first) {
                least = least.min(self.priced(&[0, *first, *second, self.rows]));
            }
        }
        least
    }
}

fn device(number: u8, fixed_ns: f64, work_ns: f64, link: Link) -> Candidate {
    Candidate {
        device: DeviceId(number),
        unusable: None,
        ready_ns: 0.0,
        whole: Prediction {
            ns: fixed_ns + work_ns,
            fixed_ns,
            work_ns,
            spread: 0.0,
            confidence: 1.0,
            idle_launches: 0,
            source: Source::Prior,
        },
        up: link,
        down: link,
        dispatch_ns_max: f64::INFINITY,
        power: None,
    }
}

fn cpu(work_ns: f64) -> Candidate {
    device(0, 500.0, work_ns, Link::NONE)
}

fn gpu(number: u8, work_ns: f64) -> Candidate {
    let link = Link {
        latency_ns: 8000.0,
        bytes_per_s: 1e10,
    };
    device(number, 20_000.0, work_ns, link)
}

prop_compose! {
    fn any_gpu(number: u8)(
        fixed_ns in 1e3..1e5, work_ns in 1e4..1e7, ready_ns in prop_oneof![Just(0.0), 0.0..1e6],
        latency_ns in 1e3..3e4, rate in 1e8..5e10,
    ) -> Candidate {
        let link = Link { latency_ns, bytes_per_s: rate };
        Candidate { ready_ns, ..device(number, fixed_ns, work_ns, link) }
    }
}

fn any_kernel() -> impl Strategy<Value = Kernel> {
    prop_oneof![
        Just(Kernel::Rows),
        (1_u64..4).prop_map(Kernel::Halo),
        Just(Kernel::Whole),
        Just(Kernel::Combine),
    ]
}

prop_compose! {
    /// Input rows `held` are valid on GPU 1, of which `written` only there.
    fn any_world(kernel: BoxedStrategy<Kernel>, gpus: u8, rows_max: u64)(
        kernel in kernel, rows in 9..rows_max, multiple in 1_u32..5, cpu_ns in 1e4..1e7,
        candidates in (1..=gpus).map(|number| any_gpu(number).boxed()).collect::<Vec<_>>(),
        held in (0.0..1.0, 0.0..1.0), written in (0.0..1.0, 0.0..1.0),
    ) -> World {
        let mut world = World::new(kernel, rows, vec![cpu(cpu_ns)]);
        world.candidates.extend(candidates);
        world.multiple = multiple;
        let span = |(a, b): (f64, f64)| {
            let row = |part: f64| (part * rows as f64) as u64 * ROW;
            SpanSet::from(Span::new(row(a.min(b)), row(a.max(b))))
        };
        world.input.read_into(MemoryId(1), &span(held));
        world.input.write(MemoryId(1), &span(held).intersection(&span(written)));
        world
    }
}

fn any_policy() -> impl Strategy<Value = Policy> {
    prop_oneof![
        2 => Just(Policy::Auto),
        1 => Just(Policy::CpuOnly),
        1 => Just(Policy::GpuOnly(DeviceId(1))),
        3 => proptest::array::uniform3(0.01..1.0).prop_map(|shares: [f64; 3]| {
            Policy::Split((0..).map(DeviceId).zip(shares).collect())
        }),
    ]
}

proptest! {
    #![proptest_config(crate::seeded::cases(300, 0x5eed))]

    #[test]
    fn every_plan_tiles_its_launch_exactly_once(
        world in any_world(any_kernel().boxed(), 3, 200), policy in any_policy(),
    ) {
        let plan = world.plan(&policy, None).unwrap();
        prop_assert_eq!(plan.check(world.grid()), Ok(()));
        for part in &plan.parts {
            let hi = u64::from(part.tile.hi[1]);
            prop_assert!(hi == world.rows || hi.is_multiple_of(u64::from(world.multiple)), "{}", plan);
        }
        let again = world.plan(&Policy::Fixed(plan.clone()), None).unwrap();
        prop_assert_eq!(again.parts, plan.parts);
    }

    #[test]
    fn no_plan_is_slower_than_the_best_single_device(world in any_world(any_kernel().boxed(), 3, 200)) {
        let makespan = world.auto().makespan_ns();
        for candidate in &world.candidates {
            let policy = Policy::Split(vec![(candidate.device, 1.0)]);
            let alone = world.plan(&policy, None).unwrap().makespan_ns();
            prop_assert!(makespan <= alone * 1.0001, "{makespan} > {alone} on {}", candidate.device);
        }
    }

    #[test]
    fn a_repeated_launch_keeps_its_cut(world in any_world(any_kernel().boxed(), 2, 200)) {
        let first = world.auto();
        let again = world.plan(&Policy::Auto, Some(&first)).unwrap();
        prop_assert_eq!(&again.parts, &first.parts);
    }

    #[test]
    fn a_cut_moves_only_where_that_pays(
        world in any_world(any_kernel().boxed(), 1, 200), faster in 0.97..1.03, before in 0.1..0.9,
    ) {
        let by_hand = Policy::Split(vec![(DeviceId(0), before), (DeviceId(1), 1.0 - before)]);
        let previous = world.plan(&by_hand, None).unwrap();
        let mut later = world.clone();
        later.candidates[1].whole.work_ns *= faster;
        let plan = later.plan(&Policy::Auto, Some(&previous)).unwrap();
        let kept = later.plan(&Policy::Fixed(previous.clone()), None).unwrap();
        prop_assert!(plan.makespan_ns() <= kept.makespan_ns() * 1.0001);
        if plan.parts != kept.parts && previous.parts.len() > 1 {
            prop_assert!(plan.makespan_ns() <= kept.makespan_ns() * 0.986, "{plan}{kept}");
        }
    }
}

proptest! {
    #![proptest_config(crate::seeded::cases(60, 0x5eed))]

    #[test]
    fn two_devices_end_within_two_percent_of_the_best_cut_there_is(
        world in any_world(any_kernel().boxed(), 1, 120),
    ) {
        let (found, least) = (world.auto().makespan_ns(), world.searched());
        prop_assert!(found <= least * 1.02, "{found} > {least}\n{}", world.auto());
    }

    #[test]
    fn three_devices_end_within_two_percent_of_the_best_cuts_there_are(
        world in any_world(any_kernel().boxed(), 2, 28),
    ) {
        let (found, least) = (world.auto().makespan_ns(), world.searched());
        prop_assert!(found <= least * 1.02, "{found} > {least}\n{}", world.auto());
    }

    #[test]
    fn scattered_footprints_are_planned_within_ten_percent(
        world in any_world(Just(Kernel::Scattered).boxed(), 1, 120),
    ) {
        let (found, least) = (world.auto().makespan_ns(), world.searched());
        prop_assert!(found <= least * 1.1, "{found} > {least}\n{}", world.auto());
    }
}

#[test]
fn devices_share_in_proportion_to_their_speed_when_nothing_moves() {
    let mut world = World::new(Kernel::Rows, 1000, vec![cpu(3e7), gpu(1, 1e7)]);
    world.input.read_into(MemoryId(1), &world.input.all());
    let plan = world.auto();
    assert!(matches!(plan.split, SplitVerdict::Split { .. }), "{plan}");
    assert!((248..=252).contains(&plan.parts[0].tile.hi[1]), "{plan}");
    assert_eq!(plan.parts[1].bytes_in, 0);
}

#[test]
fn a_device_that_costs_more_to_wake_than_it_saves_gets_nothing_and_is_told_why() {
    let plan = World::new(Kernel::Rows, 100, vec![cpu(9000.0), gpu(1, 100.0)]).auto();
    assert_eq!(plan.parts.len(), 1);
    let text = plan.to_string();
    assert!(
        text.contains("done in 9.5 µs, and a second device takes 20.0 µs"),
        "{text}"
    );
    assert!(
        text.contains("GPU 1  no part: no gain: alone it would take 30.7 µs"),
        "{text}"
    );
}

#[test]
fn copies_that_cost_more_than_the_work_keep_a_launch_on_the_cpu_until_it_repeats() {
    let mut world = World::new(Kernel::Rows, 4096, vec![cpu(1e5), gpu(1, 1e4)]);
    world.candidates[1].up.bytes_per_s = 2e8;
    let once = world.auto();
    assert_eq!(once.parts.len(), 1, "{once}");
    assert_eq!(once.parts[0].device, DeviceId::CPU);
    let often = world.plan_with(&Policy::Auto, None, 1000.0).unwrap();
    assert!(
        often.parts.iter().any(|part| part.device == DeviceId(1)),
        "{often}"
    );
}

#[test]
fn a_kernel_that_must_not_be_cut_runs_whole_and_says_why() {
    let world = World::new(Kernel::Rows, 1000, vec![cpu(3e7), gpu(1, 1e7)]);
    let arguments = [&world.input, &world.output].map(|residency| Argument {
        residency,
        next: None,
    });
    let situation = Situation {
        grid: world.grid(),
        splitting: Splitting::Refused("sort.wgsl:12 scatters"),
        candidates: &world.candidates,
        arguments: &arguments,
        previous: None,
        horizon: 1.0,
        objective: Objective::Time,
    };
    let fractions = vec![(DeviceId(0), 0.4), (DeviceId(1), 0.6)];
    for policy in [Policy::Auto, Policy::Split(fractions)] {
        let plan = choose(&situation, &policy, |tile| {
            world.kernel.footprint(tile, 1000)
        })
        .unwrap();
        assert_eq!(plan.parts.len(), 1);
        assert_eq!(plan.parts[0].device, DeviceId(1));
        assert!(
            plan.to_string()
                .contains("cannot be split: sort.wgsl:12 scatters"),
            "{plan}"
        );
    }
    let cut = world
        .plan(
            &Policy::Split(vec![(DeviceId(0), 1.0), (DeviceId(1), 1.0)]),
            None,
        )
        .unwrap();
    let refused = choose(&situation, &Policy::Fixed(cut), |tile| {
        world.kernel.footprint(tile, 1000)
    });
    assert!(matches!(refused, Err(PlanError::Split(_))), "{refused:?}");
}

#[test]
fn demands_that_cannot_be_met_are_errors_that_say_why() {
    let mut world = World::new(Kernel::Rows, 64, vec![cpu(1e6), gpu(1, 1e5)]);
    world.candidates[1].unusable = Some(Reason::Software);
    let unusable = world.plan(&Policy::GpuOnly(DeviceId(1)), None).unwrap_err();
    assert!(
        unusable
            .to_string()
            .contains("the policy demands GPU 1, which cannot run this launch")
    );
    let absent = world.plan(&Policy::GpuOnly(DeviceId(7)), None);
    assert_eq!(absent, Err(PlanError::NoSuchDevice(DeviceId(7))));
    for fractions in [
        vec![],
        vec![(DeviceId(0), 0.0)],
        vec![(DeviceId(0), f64::NAN)],
        vec![(DeviceId(0), 1.0), (DeviceId(0), 1.0)],
    ] {
        assert_eq!(
            world.plan(&Policy::Split(fractions), None),
            Err(PlanError::Fractions)
        );
    }
    world.candidates[0].unusable = Some(Reason::Retired("it is on fire".to_owned()));
    let none = world.plan(&Policy::Auto, None).unwrap_err();
    assert!(
        none.to_string()
            .contains("CPU: retired after it failed: it is on fire"),
        "{none}"
    );
}

#[test]
fn a_launch_of_no_workgroups_is_an_empty_plan() {
    let mut world = World::new(Kernel::Rows, 64, vec![cpu(1e6)]);
    world.rows = 0;
    let plan = world.auto();
    assert!(plan.parts.is_empty());
    assert_eq!(plan.check(world.grid()), Ok(()));
    assert_eq!(plan.split, SplitVerdict::Empty);
}

#[test]
fn results_awaited_elsewhere_count() {
    let world = World::new(Kernel::Rows, 1000, vec![cpu(1e6), gpu(1, 5e5)]);
    let mut held = world.clone();
    held.input.read_into(MemoryId(1), &held.input.all());
    let argument = |residency, next| Argument { residency, next };
    let out_bytes = |next| {
        let arguments = [argument(&held.input, None), argument(&held.output, next)];
        let situation = Situation {
            grid: held.grid(),
            splitting: Splitting::Along {
                axis: 1,
                multiple: 1,
            },
            candidates: &held.candidates,
            arguments: &arguments,
            previous: None,
            horizon: 1.0,
            objective: Objective::Time,
        };
        let plan = choose(&situation, &Policy::Auto, |tile| {
            held.kernel.footprint(tile, 1000)
        })
        .unwrap();
        plan.parts
            .iter()
            .map(|part| (part.tile.hi[1], part.bytes_out))
            .collect::<Vec<_>>()
    };
    let (free, awaited) = (out_bytes(None), out_bytes(Some(MemoryId::HOST)));
    assert!(free.iter().all(|(_, bytes)| *bytes == 0));
    assert!(
        awaited[0].0 > free[0].0,
        "the CPU takes more: {free:?} {awaited:?}"
    );
}
