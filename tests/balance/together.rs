//! Does sharing out go together with whatever else a runtime is asked for? Losses that are made up for, parts that are computed twice,
//! plans that are written down, energy.

use std::collections::BTreeSet;

use impel::cost::Power;
use impel::sim::{Fault, FaultKind, Moment, Phase};
use impel::trace::{Event, PartKind};
use impel::{Array, DeviceId, Durability, Launch, Objective, Runtime, RuntimeBuilder};
use impel_kernels::histogram::wgsl as histogram;

use crate::{N, axpy, parts, slow, slow_machine};

/// Launches of the program.
const LAUNCHES: usize = 3;

fn builder() -> RuntimeBuilder {
    Runtime::builder().threads(2).without_cache().trace(true)
}

fn fault(phase: Phase, nth: u32, kind: FaultKind) -> Fault {
    Fault {
        gpu: DeviceId(1),
        phase,
        nth,
        moment: Moment::Before,
        kind,
    }
}

/// `y += x / 2` some times, in place, so that from the second time on GPUs alone have parts of `y`.
fn in_place(rt: &Runtime) -> Vec<f32> {
    let x = (0..N).map(|i| (i % 1024) as f32).collect();
    let x = rt.array_from_vec(x).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; N]).unwrap();
    for _ in 0..LAUNCHES {
        rt.launch(axpy(&x, &mut y)).unwrap().wait().unwrap();
    }
    y.into_vec().unwrap()
}

fn expected() -> Vec<f32> {
    let value = |i: usize| 1.0 + (LAUNCHES * (i % 1024)) as f32 / 2.0;
    (0..N).map(value).collect()
}

/// Chunks of all launches so far, of any device.
fn chunks(rt: &Runtime) -> usize {
    let is_chunk = |event: &Event| {
        matches!(
            event,
            Event::PartStarted {
                kind: PartKind::Chunk,
                ..
            }
        )
    };
    let trace = rt.trace();
    let events = trace.events.iter();
    events.filter(|(_, event)| is_chunk(event)).count()
}

#[test]
fn what_a_gpu_wrote_before_it_refuses_a_chunk_is_not_computed_once_more_from_that() {
    let mut refused = 0;
    for phase in [Phase::Submit, Phase::Upload] {
        for nth in 1..=16 {
            let fault = fault(phase, nth, FaultKind::Invalid);
            let machine = slow_machine(1).with_faults([fault]);
            let rt = builder().simulated(machine).build().unwrap();
            assert!(in_place(&rt) == expected(), "{fault}\n{}", rt.report());
            refused += rt.report().failures().len();
        }
    }
    assert!(refused > 10, "{refused} chunks were refused");
}

#[test]
fn a_gpu_lost_in_the_middle_costs_no_result_where_launches_can_be_repeated() {
    let (mut lost, mut replays) = (0, 0_u64);
    for phase in [
        Phase::Upload,
        Phase::Submit,
        Phase::Compute,
        Phase::Download,
    ] {
        for nth in 1..=12 {
            let fault = fault(phase, nth, FaultKind::Lost);
            let machine = slow_machine(2).with_faults([fault]);
            let builder = builder().durability(Durability::replay());
            let rt = builder.simulated(machine).build().unwrap();
            assert!(in_place(&rt) == expected(), "{fault}\n{}", rt.report());
            assert!(chunks(&rt) > 2 * LAUNCHES, "{fault}\n{}", rt.report());
            lost += rt.report().failures().len();
            replays += rt.report().replayed();
        }
    }
    assert!(lost > 20 && replays > 5, "{lost} losses, {replays} replays");
}

#[test]
fn chunks_are_computed_twice_where_that_is_asked_for() {
    let checked = |faults: Vec<Fault>| {
        let machine = slow_machine(2).with_faults(faults);
        let builder = builder().durability(Durability::replay());
        let builder = builder.verify_sample(1.0, 0.0).simulated(machine);
        builder.build().unwrap()
    };
    let rt = checked(Vec::new());
    assert!(in_place(&rt) == expected());
    assert!(rt.report().failures().is_empty() && chunks(&rt) > 2 * LAUNCHES);
    for nth in 1..=6 {
        let rt = checked(vec![fault(Phase::Compute, nth, FaultKind::WrongResult)]);
        assert!(in_place(&rt) == expected(), "{nth}\n{}", rt.report());
        let report = rt.report();
        let told = report.failures();
        assert!(told[0].1.contains("where the CPU computes"), "{report}");
    }
}

/// Counts of bytes, shared out.
fn counts(rt: &Runtime) -> Vec<u32> {
    let data: Vec<u32> = (0..640_000_u32)
        .map(|i| i.wrapping_mul(2_654_435_761))
        .collect();
    let data = rt.array_from_vec(data).unwrap();
    let mut bins = rt.zeros::<u32>(256).unwrap();
    let n = data.len() as u32;
    let params = histogram::Params { n, shift: 24 };
    let arguments = histogram::histogram {
        params,
        data: &data,
        bins: &mut bins,
    };
    let groups = n.div_ceil(32_768);
    rt.launch(arguments.workgroups(groups))
        .unwrap()
        .wait()
        .unwrap();
    bins.into_vec().unwrap()
}

#[test]
fn what_chunks_combine_is_compared_chunk_by_chunk() {
    let plain = builder().simulated(slow_machine(2)).build().unwrap();
    let right = counts(&plain);
    for fraction in [0.4, 1.0] {
        let builder = builder().verify_sample(fraction, 0.0);
        let rt = builder.simulated(slow_machine(2)).build().unwrap();
        assert_eq!(counts(&rt), right);
        assert!(rt.report().failures().is_empty(), "{}", rt.report());
        assert!(chunks(&rt) > 3, "{}", rt.report());
    }
    let wrong = [fault(Phase::Compute, 2, FaultKind::WrongResult)];
    let machine = slow_machine(2).with_faults(wrong);
    let builder = builder().verify_sample(1.0, 0.0).simulated(machine);
    let rt = builder.build().unwrap();
    assert_eq!(counts(&rt), right, "{}", rt.report());
    assert_eq!(rt.report().failures().len(), 1);
}

/// Which units of 64 elements each device did, launch by launch.
fn who(rt: &Runtime) -> Vec<BTreeSet<(u8, u32)>> {
    let mut launches: Vec<BTreeSet<(u8, u32)>> = Vec::new();
    for (_, event) in rt.trace().events {
        match event {
            Event::LaunchStarted { .. } => launches.push(BTreeSet::new()),
            Event::PartStarted { device, tile, .. } => {
                let own = launches
                    .last_mut()
                    .expect("a launch starts before its parts");
                own.extend((tile.lo[0]..tile.hi[0]).map(|unit| (device.0, unit)));
            }
            _ => {}
        }
    }
    launches
}

#[test]
fn a_plan_that_was_shared_out_is_written_down_as_it_was_carried_out() {
    let path = std::env::temp_dir().join(format!("impel-balance-plans-{}", std::process::id()));
    let rt = builder()
        .record_plans(true)
        .simulated(slow_machine(2).with_faults(slow(1, 5.0)))
        .build()
        .unwrap();
    let first = in_place(&rt);
    assert!(chunks(&rt) > 2 * LAUNCHES, "{}", rt.report());
    rt.save_plans(&path).unwrap();
    let again = builder().plans_from(&path).record_plans(true);
    let again = again.simulated(slow_machine(2)).build().unwrap();
    assert_eq!(in_place(&again), first);
    assert_eq!(chunks(&again), 0, "as written");
    assert_eq!(who(&again), who(&rt));
    let copy = path.with_extension("copy");
    again.save_plans(&copy).unwrap();
    let text = |path| std::fs::read_to_string(path).unwrap();
    assert_eq!(text(&copy), text(&path));
    std::fs::remove_file(path).unwrap();
    std::fs::remove_file(copy).unwrap();
}

#[test]
fn what_a_gpu_failed_to_do_is_the_cpus_in_the_written_plan() {
    let path = std::env::temp_dir().join(format!("impel-balance-lost-{}", std::process::id()));
    let faults = [fault(Phase::Submit, 3, FaultKind::Lost)];
    let machine = slow_machine(1).with_faults(faults);
    let builder = || {
        builder()
            .record_plans(true)
            .durability(Durability::replay())
    };
    let rt = builder().simulated(machine).build().unwrap();
    let first = in_place(&rt);
    assert_eq!(rt.report().failures().len(), 1);
    rt.save_plans(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let after: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("part"))
        .collect();
    assert!(
        after.iter().all(|line| line.starts_with("part 0 ")),
        "{text}"
    );
    let again = builder().plans_from(&path).simulated(slow_machine(1));
    assert_eq!(in_place(&again.build().unwrap()), first);
    std::fs::remove_file(path).unwrap();
}

/// A launch that is planned for an objective.
fn for_objective<'a>(x: &'a Array<f32>, y: &'a mut Array<f32>, objective: Objective) -> Launch<'a> {
    axpy(x, y).with_objective(objective)
}

#[test]
fn a_launch_planned_for_energy_is_shared_by_the_devices_that_its_plan_names() {
    let mut machine = slow_machine(2).with_faults(slow(1, 4.0));
    // Nobody should run the second one, however fast it is.
    for (gpu, busy_w) in machine.gpus.iter_mut().zip([30.0, 10_000.0]) {
        gpu.name = format!("card of {busy_w} W");
        gpu.power = Some(Power {
            idle_w: 1.0,
            busy_w,
        });
    }
    machine.cpu_power = Some(Power {
        idle_w: 1.0,
        busy_w: 10.0,
    });
    let rt = builder().simulated(machine).build().unwrap();
    let x = rt.array_from_vec(vec![2.0_f32; N]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; N]).unwrap();
    let plan = rt
        .explain(&for_objective(&x, &mut y, Objective::EnergyDelay))
        .unwrap();
    let devices: Vec<u8> = plan.parts.iter().map(|part| part.device.0).collect();
    assert_eq!(devices, [0, 1], "{plan}");
    let launch = for_objective(&x, &mut y, Objective::EnergyDelay);
    rt.launch(launch).unwrap().wait().unwrap();
    assert_eq!(*y.read().unwrap(), vec![2.0; N]);
    assert_eq!(parts(&rt, "saxpy", 2), 0);
    assert!(chunks(&rt) > 2, "{}", rt.report());
    let units = |device| who(&rt)[0].iter().filter(|(own, _)| *own == device).count();
    let planned = f64::from(plan.parts[1].tile.hi[0] - plan.parts[1].tile.lo[0]);
    // It is four times slower than the plan took it for.
    assert!(
        (units(1) as f64) < 0.6 * planned,
        "{} of {planned}",
        units(1)
    );
}
