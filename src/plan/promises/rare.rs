//! Tests of what a plan promises in rare cases: devices tried again, parts that would take too long, and energy.

use super::*;
use crate::cost::Power;

/// A CPU, and a GPU that seems to need more than the whole launch to begin with, and was left out `idle` times.
fn banished(rows: u64, idle: u64) -> World {
    let mut world = World::new(Kernel::Rows, rows, vec![cpu(1e6), gpu(1, 1e7)]);
    world.candidates[1].whole.fixed_ns = 1.1e6;
    world.candidates[1].whole.idle_launches = idle;
    world
}

#[test]
fn a_device_that_seems_slow_is_tried_again_in_a_launch_that_repeats() {
    let tried = |idle: u64, horizon: f64| {
        let plan = banished(1024, idle).plan_with(&Policy::Auto, None, horizon);
        plan.unwrap()
    };
    assert_eq!(tried(31, 100.0).parts.len(), 1);
    assert_eq!(
        tried(1000, 1.0).parts.len(),
        1,
        "a launch that is not repeated"
    );
    let plan = tried(1000, 100.0);
    assert_eq!(plan.parts.len(), 2, "{plan}");
    assert_eq!(plan.parts[1].device, DeviceId(1));
    assert!(
        plan.parts[1].tile.hi[1] - plan.parts[1].tile.lo[1] <= 32,
        "{plan}"
    );
    assert!(
        plan.to_string().contains(
            "trying GPU 1 after 1000 launches without it; the usual plan would take 1.00 ms"
        ),
        "{plan}"
    );
}

#[test]
fn trials_cost_a_fiftieth_of_the_launches_between_them_at_most() {
    // The GPU really is as slow as it seems: every trial costs its whole predicted time.
    let (mut spent_ns, mut lost_ns, mut idle, mut trials) = (0.0, 0.0, 0, 0);
    for _ in 0..5000 {
        let plan = banished(1024, idle)
            .plan_with(&Policy::Auto, None, 32.0)
            .unwrap();
        spent_ns += 1e6;
        idle += 1;
        if plan.parts.len() > 1 {
            lost_ns += (plan.makespan_ns() - 1e6).max(0.0);
            idle = 0;
            trials += 1;
        }
    }
    assert!(trials > 10, "{trials}");
    assert!(lost_ns <= 0.02 * spent_ns, "{lost_ns} of {spent_ns}");
}

#[test]
fn what_cannot_be_cut_is_tried_whole_where_that_costs_little() {
    let world = banished(1024, 10_000);
    let arguments = [&world.input, &world.output].map(|residency| Argument {
        residency,
        next: None,
    });
    let situation = |idle: u64| {
        let mut candidates = world.candidates.clone();
        candidates[1].whole.idle_launches = idle;
        let situation = Situation {
            grid: world.grid(),
            splitting: Splitting::Refused("sort.wgsl:12 scatters"),
            candidates: &candidates,
            arguments: &arguments,
            previous: None,
            horizon: 32.0,
            objective: Objective::Time,
        };
        let plan = choose(&situation, &Policy::Auto, |tile| {
            world.kernel.footprint(tile, 1024)
        });
        plan.unwrap().parts[0].device
    };
    assert_eq!(situation(100), DeviceId::CPU);
    assert_eq!(situation(10_000), DeviceId(1));
}

#[test]
fn parts_that_a_system_would_stop_are_cut_and_those_that_cannot_be_run_elsewhere() {
    let mut world = World::new(Kernel::Rows, 1000, vec![cpu(1e11), gpu(1, 4e9)]);
    world.multiple = 4;
    world.candidates[1].dispatch_ns_max = 5e8;
    let plan = world.auto();
    assert_eq!(plan.check(world.grid()), Ok(()));
    let on_gpu: Vec<&Part> = plan
        .parts
        .iter()
        .filter(|part| part.device == DeviceId(1))
        .collect();
    assert!(on_gpu.len() >= 8, "{plan}");
    for part in &on_gpu {
        let rows = part.tile.hi[1] - part.tile.lo[1];
        assert!(f64::from(rows) * 4e6 <= 5.2e8, "{plan}");
        assert!(
            part.tile.hi[1] == 1000 || part.tile.hi[1] % 4 == 0,
            "{plan}"
        );
    }
    assert!(
        on_gpu
            .windows(2)
            .all(|pair| pair[0].predicted_ns < pair[1].predicted_ns)
    );
    let last = on_gpu.last().unwrap().predicted_ns;
    assert!((3.7e9..4.2e9).contains(&last), "{plan}");
    let again = world.plan(&Policy::Auto, Some(&plan)).unwrap();
    assert_eq!(again.parts, plan.parts);

    world.rows = 2;
    let whole = world.auto();
    assert_eq!(whole.parts[0].device, DeviceId::CPU, "{whole}");
    let text = whole.to_string();
    assert!(
        text.contains(
            "GPU 1  no part: it would take 4.00 s, the launch cannot be cut, and systems stop a GPU's work after 500.00 ms"
        ),
        "{text}"
    );
    let refused = world.plan(&Policy::GpuOnly(DeviceId(1)), None).unwrap_err();
    assert!(
        refused.to_string().contains("it would take 4.00 s"),
        "{refused}"
    );
}

fn with_power(mut world: World, watts: &[(f64, f64)]) -> World {
    for (candidate, (idle_w, busy_w)) in world.candidates.iter_mut().zip(watts) {
        candidate.power = Some(Power {
            idle_w: *idle_w,
            busy_w: *busy_w,
        });
    }
    world
}

#[test]
fn the_most_frugal_plan_leaves_out_who_wastes() {
    // Equally fast, but the GPU draws ten times as much.
    let world = World::new(Kernel::Rows, 1000, vec![cpu(1e9), gpu(1, 1e9)]);
    let world = with_power(world, &[(1.0, 10.0), (5.0, 100.0)]);
    let plan = |objective| world.plan_for(objective, &Policy::Auto, None, 1.0).unwrap();
    assert_eq!(plan(Objective::Time).parts.len(), 2);
    let frugal = plan(Objective::Energy);
    assert_eq!(frugal.parts.len(), 1, "{frugal}");
    assert_eq!(frugal.parts[0].device, DeviceId::CPU);
    assert!(
        frugal
            .to_string()
            .contains("the most frugal: 1.500e1 J in 1.00 s"),
        "{frugal}"
    );
    // Together they take half as long; for energy times delay that is worth less than four times the power.
    let both = with_power(world.clone(), &[(1.0, 10.0), (5.0, 20.0)]);
    let balanced = both.plan_for(Objective::EnergyDelay, &Policy::Auto, None, 1.0);
    assert_eq!(balanced.unwrap().parts.len(), 2);
}

#[test]
fn energy_of_devices_that_nobody_knows_is_an_error() {
    let mut world = World::new(Kernel::Rows, 100, vec![cpu(1e9), gpu(1, 1e9)]);
    world = with_power(world, &[(1.0, 10.0)]);
    let error = world.plan_for(Objective::Energy, &Policy::Auto, None, 1.0);
    assert_eq!(error, Err(PlanError::PowerUnknown(DeviceId(1))));
}

proptest! {
    #![proptest_config(crate::seeded::cases(60, 0x5eed))]

    #[test]
    fn no_single_device_and_no_cut_for_time_needs_less_energy(
        world in any_world(any_kernel().boxed(), 2, 60),
        watts in proptest::collection::vec((0.0..20.0, 20.0..300.0), 3),
    ) {
        let world = with_power(world, &watts);
        let joules = |plan: &Plan| {
            let end_ns = plan.makespan_ns();
            world.candidates.iter().map(|candidate| {
                let own = plan.parts.iter().filter(|part| part.device == candidate.device);
                let busy_ns = own.map(|part| part.predicted_ns - part.transfer_ns - candidate.ready_ns).sum();
                candidate.power.unwrap().joules(busy_ns, end_ns)
            }).sum::<f64>()
        };
        let least = world.plan_for(Objective::Energy, &Policy::Auto, None, 1.0).unwrap();
        prop_assert_eq!(least.check(world.grid()), Ok(()));
        let others = world.candidates.iter().map(|candidate| {
            world.plan(&Policy::Split(vec![(candidate.device, 1.0)]), None).unwrap()
        });
        for other in others.chain([world.auto()]) {
            prop_assert!(joules(&least) <= joules(&other) * 1.0001, "{least}{other}");
        }
    }
}
