//! Does `impel simulate` say what a recorded program would do: on its own machine as long as it took, on others what their figures say?

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use impel::sim::{Gpu, Machine};
use impel::trace::{Ending, Event, Trace};
use impel::{DeviceId, Policy, Runtime};
use impel_kernels::{jacobi, nbody};

fn impel(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_impel"));
    command
        .args(arguments)
        .output()
        .expect("the command starts")
}

fn machine(name: &str) -> String {
    format!("{}/../machines/{name}.machine", env!("CARGO_MANIFEST_DIR"))
}

/// A trace of steps of a stencil and of n-body on the CPU, in a file of its own.
fn recorded(name: &str) -> String {
    let builder = Runtime::builder().threads(1).gpus(false).without_cache();
    let rt = builder
        .policy(Policy::CpuOnly)
        .trace(true)
        .build()
        .expect("a CPU is there");
    let side = 512;
    let mut from = rt
        .array_from_vec(vec![1.0_f32; side * side])
        .expect("it is small");
    let mut to = rt.zeros::<f32>(side * side).expect("it is small");
    let bodies = rt
        .array_from_vec(vec![[1.0_f32; 4]; 1000])
        .expect("it is small");
    let mut forces = rt.zeros::<[f32; 4]>(1000).expect("it is small");
    for _ in 0..10 {
        let grid = jacobi::Grid {
            width: side,
            height: side,
            relaxation: 1.0,
        };
        jacobi::jacobi(&rt, grid, &from, &mut to).expect("the launch is right");
        std::mem::swap(&mut from, &mut to);
    }
    for _ in 0..10 {
        nbody::nbody(&rt, 0.1, &bodies, &mut forces).expect("the launch is right");
    }
    rt.sync();
    assert_eq!(from.read().expect("it was computed")[0], 1.0);
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, rt.trace().to_text()).expect("the folder is there");
    file.to_string_lossy().into_owned()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// By how much the launches took longer than recorded, in percent.
fn percent(text: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with("launches: "));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    let percent = line
        .rsplit_once('(')
        .and_then(|(_, rest)| rest.split_once(' '));
    percent
        .and_then(|(number, _)| number.parse().ok())
        .expect("a number")
}

/// An imagined machine with two unequal GPUs, where nothing takes as long as the last time.
fn noisy(seed: u64) -> Machine {
    let card = |name: &str, bandwidth_bytes_per_s: f64| {
        let mut card = Gpu::card().named(name);
        card.limits.bandwidth_bytes_per_s = bandwidth_bytes_per_s;
        card.limits.ops_per_s = bandwidth_bytes_per_s * 10.0;
        card
    };
    // Slow, so that small launches take long.
    let mut machine = Machine::desktop()
        .with(card("large", 2e9))
        .with(card("small", 1e9));
    machine.cpu.bandwidth_bytes_per_s = 5e8;
    machine.with_noise(0.2, seed)
}

/// Runs `program` on an imagined machine; the file of its trace, and the imagined time that it took, in ns.
fn imagined(
    name: &str,
    machine: Machine,
    policy: Policy,
    program: impl FnOnce(&Runtime),
) -> (String, f64) {
    let builder = Runtime::builder().threads(2).policy(policy).trace(true);
    let rt = builder.simulated(machine).build().expect("it is imagined");
    program(&rt);
    rt.sync();
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, rt.trace().to_text()).expect("the folder is there");
    let took = rt.simulated_time().expect("it is imagined");
    (file.to_string_lossy().into_owned(), took.as_nanos() as f64)
}

/// Steps of a stencil on a square.
fn stencil(rt: &Runtime, side: usize, steps: usize) {
    let mut from = rt.array_from_vec(vec![1.0_f32; side * side]).unwrap();
    let mut to = rt.zeros::<f32>(side * side).unwrap();
    for _ in 0..steps {
        let grid = jacobi::Grid {
            width: side,
            height: side,
            relaxation: 1.0,
        };
        jacobi::jacobi(rt, grid, &from, &mut to).expect("the launch is right");
        std::mem::swap(&mut from, &mut to);
    }
    assert_eq!(from.read().expect("it was computed")[0], 1.0);
}

#[test]
fn a_machine_as_one_run_shows_it_predicts_another_run() {
    let thirds = (0..3).map(|number| (DeviceId(number), 1.0)).collect();
    for (name, policy, side) in [
        ("split", Policy::Split(thirds), 256),
        ("auto", Policy::Auto, 1024),
    ] {
        let run = |seed: u64, steps: usize| {
            let file = format!("{name}{seed}.trace");
            imagined(&file, noisy(seed), policy.clone(), |rt| {
                stencil(rt, side, steps);
            })
        };
        let ((one, _), (other, _)) = (run(1, 20), run(2, 15));
        // Without a policy, the devices share every launch out as it goes.
        let chunks = fs::read_to_string(&one).expect("it was written");
        assert_eq!(chunks.contains(" 'chunk "), name == "auto");
        for (program, like) in [(&one, &one), (&one, &other), (&other, &one)] {
            let arguments = ["simulate", "--program", program, "--like", like];
            let text = stdout(&impel(&arguments));
            assert!(percent(&text).abs() <= 15.0, "{name}: {text}");
        }
    }
}

#[test]
fn what_overlapped_overlaps_again() {
    let on = |gpu: u8| Policy::GpuOnly(DeviceId(gpu));
    let (program, took_ns) = imagined("overlap.trace", noisy(3), Policy::Auto, |rt| {
        let bodies = rt.array_from_vec(vec![[1.0_f32; 4]; 1000]).unwrap();
        let mut forces = [(); 2].map(|()| rt.zeros::<[f32; 4]>(1000).unwrap());
        for _ in 0..5 {
            for (gpu, forces) in (1..).zip(&mut forces) {
                let params = nbody::wgsl::Params {
                    n: 1000,
                    softening_squared: 0.1,
                };
                let launch = nbody::wgsl::nbody {
                    params,
                    bodies: &bodies,
                    accelerations: forces,
                };
                rt.launch(launch.over(1000).with_policy(on(gpu))).unwrap();
            }
        }
    });
    let out = format!("{program}.again");
    stdout(&impel(&[
        "simulate",
        "--program",
        &program,
        "--trace",
        &out,
    ]));
    let read = |file: &str| -> Trace {
        let text = fs::read_to_string(file).expect("it was written");
        text.parse().expect("it is a trace")
    };
    let again = read(&out);
    assert_eq!(again.verify(Ending::Complete), Ok(()));
    let end_ns = again.events.last().expect("there are events").0 as f64;
    assert!((end_ns / took_ns - 1.0).abs() <= 0.15, "{end_ns} {took_ns}");
    let worked = again.events.iter().map(|(_, event)| match event {
        Event::PartDone { ns: Some(ns), .. } => *ns as f64,
        _ => 0.0,
    });
    let worked_ns: f64 = worked.sum();
    assert!(end_ns < 0.95 * worked_ns, "{end_ns} of {worked_ns}");
}

#[test]
fn an_imagined_machine_says_what_it_draws() {
    let program = recorded("energy.trace");
    let file = machine("workstation");
    let joules = |objective: &str| {
        let arguments = ["simulate", "--program", &program, "--machine", &file];
        let text = stdout(&impel(
            &[&arguments[..], &["--objective", objective]].concat(),
        ));
        let drawn = text
            .lines()
            .filter_map(|line| line.split_once(" J drawn by "));
        let drawn: Vec<f64> = drawn
            .map(|(joules, _)| joules.trim().parse().expect("a number"))
            .collect();
        assert_eq!(drawn.len(), 2, "{text}");
        drawn.iter().sum::<f64>()
    };
    let (fast, frugal) = (joules("time"), joules("energy"));
    assert!(
        0.0 < frugal && frugal <= fast * 1.01,
        "{frugal} J, {fast} J"
    );
    let wrong = impel(&["simulate", "--objective", "beauty", "--program", &program]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn on_its_own_machine_a_program_takes_as_long_as_it_took() {
    let program = recorded("own.trace");
    let text = stdout(&impel(&["simulate", "--program", &program]));
    assert!(percent(&text).abs() <= 15.0, "{text}");
    assert!(
        text.contains("jacobi: 10 launches") && text.contains("nbody: 10 launches"),
        "{text}"
    );
}

#[test]
fn on_every_machine_that_comes_along_the_imagined_run_is_right_word_by_word() {
    let program = recorded("everywhere.trace");
    for name in [
        "cpu-server",
        "eight-gpus-on-slow-links",
        "laptop",
        "two-h100",
        "workstation",
    ] {
        let out = format!("{program}.{name}");
        let arguments = [
            "simulate",
            "--program",
            &program,
            "--machine",
            &machine(name),
        ];
        let text = stdout(&impel(&[&arguments[..], &["--trace", &out]].concat()));
        assert!(text.contains("until the end: "), "{text}");
        let trace = fs::read_to_string(&out).expect("it was written");
        let trace: Trace = trace.parse().expect("it is a trace");
        assert_eq!(trace.verify(Ending::Complete), Ok(()), "{name}");
        let launches = trace.events.iter();
        let launches = launches.filter(|(_, event)| matches!(event, Event::LaunchFinished { .. }));
        assert_eq!(launches.count(), 20, "{name}");
    }
}

#[test]
fn what_cannot_be_simulated_is_refused_with_the_reason() {
    let missing = impel(&["simulate"]);
    assert_eq!(missing.status.code(), Some(2));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (empty, wrong) = (folder.join("empty.trace"), folder.join("wrong.machine"));
    fs::write(&empty, Trace::default().to_text()).expect("the folder is there");
    fs::write(&wrong, "cpu A\nspeed high\n").expect("the folder is there");
    let said = |output: Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let output = impel(&["simulate", "--program", &empty.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(output).contains("no launch"));
    let program = recorded("refused.trace");
    let machine = wrong.to_string_lossy().into_owned();
    let output = impel(&["simulate", "--program", &program, "--machine", &machine]);
    assert!(said(output).contains("line 2: `speed high` says nothing of a device"));
}
