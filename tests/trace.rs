//! What does a trace say? Every launch from the queue to its end, every copy with its reason, in the order in which they came true.

mod devices;

use impel::machine::MemoryId;
use impel::trace::{ArrayNo, Event, Trace};
use impel::{DeviceId, Policy, Runtime};
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
        let rt = devices::builder().trace(true).build().unwrap();
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
