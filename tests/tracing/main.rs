//! What does a subscriber of `tracing` hear? The launches, parts and transfers of a run as spans that nest, with what the trace says of
//! them as fields.

mod collector;

use std::path::PathBuf;

use collector::{Collector, Fields, Span};
use impel::sim::{Fault, FaultKind, Gpu, Machine, Moment, Phase};
use impel::trace::{Event, Trace};
use impel::{DeviceId, Policy, Runtime};
use impel_kernels::histogram::wgsl as bins_of;
use impel_kernels::saxpy::wgsl as saxpy;
use tracing::Level;

/// A runtime on an imagined machine with two cards, recording.
fn recording() -> Runtime {
    let machine = Machine::desktop().with(Gpu::card()).with(Gpu::card());
    let builder = Runtime::builder().threads(2).simulated(machine);
    builder
        .trace(true)
        .build()
        .expect("nothing is needed for it")
}

/// A split launch, a combined one and a checkpoint, within a span of the program's own.
fn program(rt: &Runtime, checkpoint: &PathBuf) {
    let _own = tracing::info_span!(target: "program", "step").entered();
    let n = 100_000_u32;
    let shares = [0, 1, 2].map(|id| (DeviceId(id), 1.0 / 3.0)).to_vec();
    let x = rt.array_from_vec(vec![2.0_f32; n as usize]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; n as usize]).unwrap();
    let params = saxpy::Params { alpha: 0.5, n };
    let launch = saxpy::saxpy {
        params,
        x: &x,
        y: &mut y,
    };
    let split = Policy::Split(shares);
    rt.launch(launch.over(n).with_policy(split.clone()))
        .unwrap();
    let keys = rt.array_from_vec((0..n).collect()).unwrap();
    let mut bins = rt.zeros::<u32>(256).unwrap();
    let launch = bins_of::histogram {
        params: bins_of::Params { n, shift: 3 },
        data: &keys,
        bins: &mut bins,
    };
    rt.launch(launch.workgroups(n.div_ceil(32_768)).with_policy(split))
        .unwrap();
    assert_eq!(bins.read().unwrap().iter().sum::<u32>(), n);
    rt.checkpoint(checkpoint, &[("y", &y)], 7).unwrap();
    assert_eq!(y.read_range(..1).unwrap()[0], 2.0);
}

/// What a subscriber hears of the program, and what the runtime recorded of it.
fn heard() -> (Collector, Trace) {
    let collector = Collector::up_to(Level::TRACE);
    let name = format!(
        "tracing-{}-{:?}.safetensors",
        std::process::id(),
        std::thread::current().id()
    );
    let checkpoint = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let trace = tracing::subscriber::with_default(collector.clone(), || {
        let rt = recording();
        program(&rt, &checkpoint);
        rt.sync();
        rt.trace()
    });
    std::fs::remove_file(checkpoint).expect("it was written");
    (collector, trace)
}

#[test]
fn spans_nest_as_the_program_does_and_all_of_them_end() {
    let (collector, _) = heard();
    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.closed), "{spans:#?}");
    assert_eq!(collector.wrong_exits(), 0);
    let above = |span: &Span| span.parent.map(|parent| spans[parent].name);
    for span in &spans {
        let parent = above(span);
        match span.name {
            "step" => assert_eq!(parent, None),
            "launch" | "checkpoint" => assert_eq!(parent, Some("step"), "{span:?}"),
            "part" => assert_eq!(parent, Some("launch"), "{span:?}"),
            "transfer" => assert!(
                matches!(parent, Some("launch" | "step") | None),
                "{span:?} in {parent:?}"
            ),
            other => panic!("{other} is no span of impel's"),
        }
    }
    let count = |name: &str, parent: &str| {
        let named = spans.iter().filter(|span| span.name == name);
        named.filter(|span| above(span) == Some(parent)).count()
    };
    assert_eq!(count("launch", "step"), 2);
    assert_eq!(count("part", "launch"), 6);
    // Both arrays of one launch and one of the other to two cards, and the cards' bins home.
    assert!(count("transfer", "launch") >= 8, "{spans:#?}");
    let mut launches = spans.iter().filter(|span| span.name == "launch");
    assert!(launches.all(|span| span.entered == 1));
    for event in collector.events() {
        let within = event.parent.map(|parent| spans[parent].name);
        let wanted = match event.message.as_str() {
            "planned" | "planned part" | "described" | "learned" => "launch",
            "copied" | "combined" => "transfer",
            "checkpoint written" => "checkpoint",
            _ => continue,
        };
        // The clocks of cards are read whenever somebody asks.
        let late = event.message == "learned" && event.fields["device"] != "CPU";
        assert!(late || within == Some(wanted), "{event:?} in {within:?}");
    }
}

/// What is recorded of an event, as the name of what is told of it and its fields.
fn recorded(event: &Event) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    match event {
        Event::LaunchQueued { launch, kernel, .. } => vec![(
            "launch",
            vec![
                ("launch", launch.0.to_string()),
                ("kernel", kernel.to_string()),
            ],
        )],
        Event::PlanMade { parts, .. } => {
            let planned = parts.iter().map(|part| {
                let fields = vec![
                    ("device", part.device.to_string()),
                    ("tile", part.tile.to_string()),
                    ("bytes", part.bytes_in.to_string()),
                    ("predicted_ns", part.predicted_ns.to_string()),
                ];
                ("planned part", fields)
            });
            planned.collect()
        }
        Event::PartStarted {
            part,
            device,
            tile,
            predicted_ns,
            ..
        } => vec![(
            "part",
            vec![
                ("part", part.0.to_string()),
                ("device", device.to_string()),
                ("tile", tile.to_string()),
                ("predicted_ns", predicted_ns.to_string()),
            ],
        )],
        Event::Copied {
            span, from, to, ns, ..
        } => vec![(
            "copied",
            vec![
                ("bytes", (span.words() * 4).to_string()),
                ("from", from.to_string()),
                ("to", to.to_string()),
                ("measured_ns", ns.to_string()),
            ],
        )],
        Event::Learned {
            kernel,
            device,
            predicted_ns,
            ns,
        } => vec![(
            "learned",
            vec![
                ("kernel", kernel.to_string()),
                ("device", device.to_string()),
                ("predicted_ns", predicted_ns.to_string()),
                ("measured_ns", ns.to_string()),
            ],
        )],
        Event::Checkpoint { step, bytes, .. } => vec![(
            "checkpoint written",
            vec![("step", step.to_string()), ("bytes", bytes.to_string())],
        )],
        _ => Vec::new(),
    }
}

#[test]
fn what_is_heard_is_what_is_recorded_with_the_same_fields() {
    let (collector, trace) = heard();
    let (spans, events) = (collector.spans(), collector.events());
    let mut recorded: Vec<_> = trace
        .events
        .iter()
        .flat_map(|(_, event)| recorded(event))
        .collect();
    // Threads may be told in another order than they are recorded in.
    recorded.sort_unstable();
    for told in recorded.chunk_by(|a, b| a.0 == b.0) {
        let names: Vec<_> = told[0].1.iter().map(|(name, _)| *name).collect();
        let own = |fields: &Fields| -> Vec<_> {
            names
                .iter()
                .map(|name| (*name, fields[name].clone()))
                .collect()
        };
        let spans = spans.iter().filter(|span| span.name == told[0].0);
        let events = events.iter().filter(|event| event.message == told[0].0);
        let heard = spans
            .map(|span| own(&span.fields))
            .chain(events.map(|event| own(&event.fields)));
        let mut heard: Vec<_> = heard.map(|fields| (told[0].0, fields)).collect();
        heard.sort_unstable();
        assert_eq!(heard, told);
    }
    let mut kinds: Vec<_> = recorded.iter().map(|(kind, _)| *kind).collect();
    kinds.dedup();
    assert_eq!(
        kinds,
        [
            "checkpoint written",
            "copied",
            "launch",
            "learned",
            "part",
            "planned part"
        ]
    );
    for (_, event) in &trace.events {
        let Event::PartDone { part, ns: Some(ns) } = event else {
            continue;
        };
        let own = |span: &&Span| span.name == "part" && span.fields["part"] == part.0.to_string();
        let fields = &spans.iter().find(own).expect("it started").fields;
        assert_eq!(fields["measured_ns"], ns.to_string());
    }
}

#[test]
fn who_wants_to_hear_what_goes_wrong_hears_nothing_else() {
    let collector = Collector::up_to(Level::WARN);
    tracing::subscriber::with_default(collector.clone(), || {
        let fault = Fault {
            gpu: DeviceId(1),
            phase: Phase::Compute,
            nth: 1,
            moment: Moment::During,
            kind: FaultKind::Lost,
        };
        let machine = Machine::desktop().with(Gpu::card()).with_faults([fault]);
        let builder = Runtime::builder().threads(2).simulated(machine);
        let rt = builder.trace(false).build().unwrap();
        let x = rt.array_from_vec(vec![2.0_f32; 100]).unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; 100]).unwrap();
        let params = saxpy::Params { alpha: 0.5, n: 100 };
        let launch = saxpy::saxpy {
            params,
            x: &x,
            y: &mut y,
        };
        let launch = launch.over(100).with_policy(Policy::GpuOnly(DeviceId(1)));
        let _ = rt.launch(launch).unwrap().wait();
        assert!(y.read().is_err(), "its words are gone");
        assert!(rt.trace().events.is_empty(), "nobody asked for a trace");
    });
    assert!(collector.spans().is_empty());
    let events = collector.events();
    assert!(events.iter().all(|event| event.level == Level::WARN));
    let heard: Vec<&str> = events.iter().map(|event| event.message.as_str()).collect();
    for message in ["device failed", "device retired", "lost"] {
        assert!(heard.contains(&message), "{message} in {heard:?}");
    }
    let retired = events
        .iter()
        .filter(|event| event.message == "device retired");
    let devices: Vec<&str> = retired
        .map(|event| event.fields["device"].as_str())
        .collect();
    assert_eq!(devices, ["GPU 1"]);
}

#[test]
fn a_launch_that_fails_says_so_in_its_span() {
    let collector = Collector::up_to(Level::DEBUG);
    tracing::subscriber::with_default(collector.clone(), || {
        let rt = recording();
        let mut y = rt.array_from_vec(vec![1.0_f32; 100]).unwrap();
        let x = rt.array_from_vec(vec![2.0_f32; 100]).unwrap();
        rt.lose_gpu(DeviceId(2));
        let params = saxpy::Params { alpha: 0.5, n: 100 };
        let launch = saxpy::saxpy {
            params,
            x: &x,
            y: &mut y,
        };
        let launch = launch.over(100).with_policy(Policy::GpuOnly(DeviceId(2)));
        drop(rt.launch(launch));
        assert!(y.read().is_err(), "nobody computed it");
    });
    let spans = collector.spans();
    assert!(spans.iter().all(|span| span.closed));
    let errors: Vec<&String> = spans
        .iter()
        .filter_map(|span| span.fields.get("error"))
        .collect();
    assert!(
        errors.iter().any(|error| error.contains("GPU 2")),
        "{spans:#?}"
    );
}
