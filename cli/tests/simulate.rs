//! Does `impel simulate` say what a recorded program would do: on its own machine as long as it took, on others what their figures say?

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use impel::trace::{Ending, Event, Trace};
use impel::{Policy, Runtime};
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
    // One thing after the other, as it is simulated.
    rt.sync();
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

#[test]
fn on_its_own_machine_a_program_takes_as_long_as_it_took() {
    let program = recorded("own.trace");
    let text = stdout(&impel(&["simulate", "--program", &program]));
    let line = text.lines().find(|line| line.starts_with("launches: "));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    let percent = line
        .rsplit_once('(')
        .and_then(|(_, rest)| rest.split_once(' '));
    let percent: f64 = percent
        .and_then(|(number, _)| number.parse().ok())
        .expect("a number");
    assert!(percent.abs() <= 15.0, "{text}");
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
