//! What does a trace say? Every launch from the queue to its end, every copy with its reason, in the order in which they came true.

mod devices;

use impel::machine::MemoryId;
use impel::sim::{Fault, FaultKind, Gpu, Machine, Moment, Phase};
use impel::trace::{ArrayNo, Ending, Event, Trace, Violation};
use impel::{Array, DeviceId, Policy, Runtime};
use impel_kernels::histogram::wgsl as bins_of;
use impel_kernels::jacobi::wgsl as jacobi;
use impel_kernels::nbody::wgsl as nbody;
use impel_kernels::saxpy::wgsl as saxpy;

/// Two launches on `y`, the second under `policy`, and a read of its first ten elements.
fn program(rt: &Runtime, policy: &Policy) {
    let n = 10_000_u32;
    let x = rt.array_from_vec(vec![2.0_f32; n as usize]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; n as usize]).unwrap();
    for policy in [Policy::CpuOnly, policy.clone()] {
        let params = saxpy::Params { alpha: 0.5, n };
        let y = &mut y;
        let launch = saxpy::saxpy { params, x: &x, y }.over(n);
        rt.launch(launch.with_policy(policy)).unwrap();
    }
    assert_eq!(*y.read_range(..10).unwrap(), [3.0; 10]);
    rt.sync();
}

/// The names of the events, without those that depend on clocks.
fn story(trace: &Trace) -> Vec<String> {
    let names = trace.events.iter().filter_map(|(_, event)| match event {
        Event::ArrayMade { array, words } => Some(format!("{array} of {words} words")),
        Event::LaunchQueued { launch, kernel, .. } => Some(format!("{launch} of {kernel} queued")),
        Event::LaunchStarted { launch } => Some(format!("{launch} started")),
        Event::PlanMade { launch, parts, .. } => Some(format!("{launch} in {} parts", parts.len())),
        Event::Copied {
            array,
            span,
            from,
            to,
            reason,
            ..
        } => Some(format!("{array} {span} from {from} to {to}, {reason}")),
        Event::PartStarted { part, device, .. } => Some(format!("{part} on {device}")),
        Event::PartDone { part, .. } => Some(format!("{part} done")),
        Event::LaunchFinished { launch, error } => Some(format!("{launch} finished {error:?}")),
        Event::HostRead { array, span } => Some(format!("{array} {span} read")),
        _ => None,
    });
    names.collect()
}

#[test]
fn a_run_without_a_trace_leaves_none() {
    let rt = devices::builder().gpus(false).trace(false).build().unwrap();
    program(&rt, &Policy::CpuOnly);
    assert!(rt.trace().events.is_empty());
}

#[test]
fn launches_are_told_from_the_queue_to_the_end_with_what_moved_for_them() {
    let name = "launches_are_told_from_the_queue_to_the_end_with_what_moved_for_them";
    devices::on_each_gpu(name, |known, gpu| {
        drop(devices::name(known, gpu));
        let builder = devices::builder().trace(true).prefetch(false);
        let rt = builder.build().unwrap();
        program(&rt, &Policy::GpuOnly(gpu));
        let trace = rt.trace();
        // Queueing runs ahead of carrying out by as much as the threads' turns allow.
        let (queued, others): (Vec<_>, Vec<_>) = story(&trace)
            .into_iter()
            .partition(|line| line.ends_with("queued"));
        assert_eq!(
            queued,
            ["launch 0 of saxpy queued", "launch 1 of saxpy queued"]
        );
        let memory = gpu.memory();
        let expected = [
            "array 0 of 10000 words".to_owned(),
            "array 1 of 10000 words".to_owned(),
            "launch 0 started".to_owned(),
            "launch 0 in 1 parts".to_owned(),
            "part 0 on CPU".to_owned(),
            "part 0 done".to_owned(),
            "launch 0 finished None".to_owned(),
            "launch 1 started".to_owned(),
            "launch 1 in 1 parts".to_owned(),
            format!("array 0 0..10000 from host to {memory}, read"),
            format!("array 1 0..10000 from host to {memory}, read"),
            format!("part 1 on {gpu}"),
            "part 1 done".to_owned(),
            "launch 1 finished None".to_owned(),
            format!("array 1 0..10 from {memory} to host, host read"),
            "array 1 0..10 read".to_owned(),
        ];
        assert_eq!(others, expected);
        assert_eq!(trace.name(gpu), devices::name(&rt, gpu));
        assert_eq!(trace.to_text().parse(), Ok(trace));
    });
}

#[test]
fn times_ascend_and_the_trace_names_every_device() {
    let rt = devices::builder().trace(true).build().unwrap();
    program(&rt, &Policy::CpuOnly);
    let trace = rt.trace();
    assert!(trace.events.is_sorted_by_key(|(at_ns, _)| *at_ns));
    assert_eq!(trace.devices.len(), rt.machine().devices().count());
    assert_eq!(trace.devices[0].id, DeviceId::CPU);
    let made = trace.events.iter().map(|(_, event)| event);
    let arrays = made
        .filter(|event| matches!(event, Event::ArrayMade { array, .. } if *array == ArrayNo(0)));
    assert_eq!(arrays.count(), 1);
    assert_eq!(MemoryId::HOST, DeviceId::CPU.memory());
}

/// A machine with two cards on which a stencil took a few steps, split over all devices, beside launches on one device and combined
/// ones: what it recorded.
fn busy_run() -> Trace {
    let machine = Machine::desktop().with(Gpu::card()).with(Gpu::card());
    let builder = Runtime::builder().threads(2).simulated(machine);
    let rt = builder.trace(true).build().unwrap();
    let shares = [0, 1, 2].map(|id| (DeviceId(id), 1.0 / 3.0)).to_vec();
    let (width, height) = (64_u32, 96_u32);
    let cells = (width * height) as usize;
    let mut from = rt.array_from_vec(vec![1.0_f32; cells]).unwrap();
    let mut to = rt.zeros::<f32>(cells).unwrap();
    for _ in 0..3 {
        let params = jacobi::Params {
            width,
            height,
            relaxation: 1.0,
        };
        let (src, dst) = (&from, &mut to);
        let step = jacobi::jacobi { params, src, dst }.over([width, height]);
        rt.launch(step.with_policy(Policy::Split(shares.clone())))
            .unwrap();
        std::mem::swap(&mut from, &mut to);
    }
    assert_eq!(from.read_range(..1).unwrap()[0], 1.0);
    let keys = rt.array_from_vec((0..10_000_u32).collect()).unwrap();
    let mut bins = rt.zeros::<u32>(256).unwrap();
    histogram(&rt, &keys, &mut bins, shares);
    assert_eq!(bins.read().unwrap().iter().sum::<u32>(), 10_000);
    program(&rt, &Policy::GpuOnly(DeviceId(2)));
    rt.trace()
}

/// Bins of the lowest byte's upper bits.
fn histogram(rt: &Runtime, keys: &Array<u32>, bins: &mut Array<u32>, shares: Vec<(DeviceId, f64)>) {
    let n = keys.len() as u32;
    let params = bins_of::Params { n, shift: 3 };
    let launch = bins_of::histogram {
        params,
        data: keys,
        bins,
    }
    .workgroups(n.div_ceil(1024));
    rt.launch(launch.with_policy(Policy::Split(shares)))
        .unwrap();
}

/// A machine with a card that fails in its first five submissions.
fn five_failures() -> Machine {
    let fault = |nth| Fault {
        gpu: DeviceId(1),
        phase: Phase::Submit,
        nth,
        moment: Moment::Before,
        kind: FaultKind::OutOfMemory,
    };
    let machine = Machine::desktop().with(Gpu::card());
    machine.with_faults((1..=5).map(fault))
}

/// Where in a trace devices are retired and resumed, and why.
fn standing(trace: &Trace) -> Vec<(DeviceId, Option<&str>)> {
    let events = trace.events.iter().filter_map(|(_, event)| match event {
        Event::DeviceRetired { device, cause } => Some((*device, Some(cause.as_ref()))),
        Event::DeviceResumed { device } => Some((*device, None)),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_device_is_retired_for_failures_and_resumed_when_it_does_what_is_asked_of_it() {
    let gpu = DeviceId(1);
    let builder = Runtime::builder().threads(2).simulated(five_failures());
    let rt = builder.trace(true).build().unwrap();
    let x = rt.array_from_vec(vec![2.0_f32; 100]).unwrap();
    let launch = || {
        let params = saxpy::Params { alpha: 0.5, n: 100 };
        let y = &mut rt.array_from_vec(vec![1.0_f32; 100]).unwrap();
        let launch = saxpy::saxpy { params, x: &x, y }.over(100);
        let launch = rt.launch(launch.with_policy(Policy::GpuOnly(gpu)));
        launch.unwrap().wait().is_ok()
    };
    let outcomes: Vec<bool> = (0..5).map(|_| launch()).collect();
    let cause = "it failed 5 times in a row";
    let told = |trace: &Trace| {
        let standing = standing(trace).into_iter();
        standing
            .map(|(id, why)| (id, why.is_some_and(|why| why.starts_with(cause))))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (outcomes, told(&rt.trace())),
        (vec![false; 5], vec![(gpu, true)])
    );
    assert!(launch() && launch());
    let trace = rt.trace();
    assert_eq!(told(&trace), [(gpu, true), (gpu, false)]);
    let json = trace.to_chrome_json();
    for mark in ["GPU 1 is retired: it failed 5 times", "GPU 1 is used again"] {
        assert!(json.contains(mark), "{json}");
    }
    assert_eq!(trace.verify(Ending::Open), Ok(()));
    let mut turned = trace.clone();
    let retired = |(_, event): &(u64, Event)| matches!(event, Event::DeviceRetired { .. });
    turned.events.retain(|event| !retired(event));
    let found = turned.verify(Ending::Open).unwrap_err();
    assert!(
        found[0]
            .to_string()
            .ends_with("resumes GPU 1, which was not retired")
    );
}

#[test]
fn a_device_that_is_gone_is_retired_once_and_for_all() {
    let (gpu, machine) = (DeviceId(1), Machine::desktop().with(Gpu::card()));
    let builder = Runtime::builder().threads(2).simulated(machine);
    let rt = builder.trace(true).build().unwrap();
    program(&rt, &Policy::GpuOnly(gpu));
    rt.lose_gpu(gpu);
    program(&rt, &Policy::Auto);
    rt.lose_gpu(gpu);
    let trace = rt.trace();
    assert_eq!(standing(&trace), [(gpu, Some("it was destroyed"))]);
    assert_eq!(trace.verify(Ending::Complete), Ok(()));
}

#[test]
fn every_measured_time_is_learned_and_surprises_are_marked() {
    let trace = busy_run();
    let mut parts = Vec::new();
    let (mut measured, mut learned) = (Vec::new(), Vec::new());
    for (_, event) in &trace.events {
        match event {
            Event::PartStarted { part, device, .. } => parts.push((*part, *device)),
            Event::PartDone { part, ns: Some(ns) } | Event::PartMeasured { part, ns } => {
                let device = parts.iter().find(|(known, _)| known == part);
                measured.push((device.expect("it started").1, *ns));
            }
            Event::Learned {
                device,
                predicted_ns,
                ns,
                ..
            } => learned.push((*device, *ns, *predicted_ns)),
            _ => {}
        }
    }
    let mut times: Vec<_> = learned
        .iter()
        .map(|(device, ns, _)| (*device, *ns))
        .collect();
    measured.sort_unstable();
    times.sort_unstable();
    assert!(measured.len() > 9, "{measured:?}");
    assert_eq!(measured, times);
    let surprise =
        |(_, ns, expected): &&(DeviceId, u64, f64)| !(0.5..=2.0).contains(&(*ns as f64 / expected));
    let line = trace.timeline();
    let marks = line
        .marks
        .iter()
        .filter(|mark| mark.label.contains("were expected"));
    assert_eq!(marks.count(), learned.iter().filter(surprise).count());
}

/// Whether leaving an event out, or having it twice, changes nothing that can be told from the rest.
fn is_remark(event: &Event) -> bool {
    matches!(
        event,
        Event::LaunchDescribed { .. }
            | Event::PlanMade { .. }
            | Event::PartMeasured { .. }
            | Event::Combined { .. }
            | Event::HostWrote { .. }
            | Event::Learned { .. }
            | Event::Prefetched { .. }
    )
}

#[test]
fn a_recorded_run_is_right_and_with_any_one_event_missing_it_is_not() {
    let trace = busy_run();
    assert_eq!(trace.verify(Ending::Complete), Ok(()));
    for at in 0..trace.events.len() {
        let mut broken = trace.clone();
        let (_, removed) = broken.events.remove(at);
        let found = broken.verify(Ending::Complete).is_err();
        // Words that were at home could be read without anybody noticing.
        let moved = matches!(trace.events[at.max(1) - 1].1, Event::Copied { .. });
        let unseen = matches!(removed, Event::HostRead { .. }) && !moved;
        assert_eq!(
            found,
            !(is_remark(&removed) || unseen),
            "without event {at}, {removed:?}"
        );
    }
}

#[test]
fn no_part_or_copy_of_a_recorded_run_may_happen_twice() {
    let trace = busy_run();
    for at in 0..trace.events.len() {
        let mut broken = trace.clone();
        let again = broken.events[at].clone();
        let harmless = is_remark(&again.1) || matches!(again.1, Event::HostRead { .. });
        broken.events.insert(at, again);
        let found = broken.verify(Ending::Complete).is_err();
        assert_eq!(
            found, !harmless,
            "twice event {at}, {:?}",
            trace.events[at].1
        );
    }
}

#[test]
fn a_launch_that_starts_before_what_it_depends_on_has_finished_is_found() {
    let trace = busy_run();
    let events = trace.events.iter().map(|(_, event)| event);
    let mut starts = events.clone().enumerate().filter_map(|(at, event)| {
        let starts = matches!(event, Event::LaunchStarted { .. });
        starts.then_some(at)
    });
    let second = starts.nth(1).expect("there are several launches");
    let mut ends = events.map(|event| matches!(event, Event::LaunchFinished { .. }));
    let first = ends.position(|ends| ends).expect("launches end");
    assert!(first < second, "the steps of a stencil follow each other");
    let mut broken = trace.clone();
    let late = broken.events.remove(first);
    broken.events.insert(second, late);
    let violations = broken.verify(Ending::Complete).unwrap_err();
    let expected = |violation: &Violation| matches!(violation, Violation::TooEarly { event, .. } if *event == second - 1);
    assert!(violations.iter().any(expected), "{violations:?}");
}

#[test]
fn another_thread_sees_which_device_is_in_which_part_and_what_was_predicted() {
    let rt = devices::builder().gpus(false).build().unwrap();
    let n = 3_000_u32;
    let bodies = rt.array_from_vec(vec![[1.0_f32; 4]; n as usize]).unwrap();
    let mut accelerations = rt.zeros::<[f32; 4]>(n as usize).unwrap();
    let softening_squared = 0.1;
    let params = nbody::Params {
        n,
        softening_squared,
    };
    let running = std::thread::scope(|threads| {
        threads.spawn(|| {
            let (bodies, accelerations) = (&bodies, &mut accelerations);
            let launch = nbody::nbody {
                params,
                bodies,
                accelerations,
            }
            .over(n);
            rt.launch(launch).unwrap().wait().unwrap();
        });
        loop {
            let running = rt.watch();
            if let Some(running) = running.into_iter().next() {
                return running;
            }
            std::thread::yield_now();
        }
    });
    assert_eq!((running.device, running.kernel), (DeviceId::CPU, "nbody"));
    assert_eq!(running.workgroups, u64::from(n.div_ceil(64)));
    assert!(running.predicted_ns > 0.0 && running.to_string().contains("has been in nbody"));
    assert!(rt.watch().is_empty(), "it is done");
}
