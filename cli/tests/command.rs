//! Does the command do what it says, and refuse what it does not understand with the right exit code?

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs the command on the CPU alone, with a cache of its own.
fn impel(arguments: &[&str]) -> Output {
    let cache = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let mut command = Command::new(env!("CARGO_BIN_EXE_impel"));
    command.args(arguments).env("XDG_CACHE_HOME", cache);
    command.output().expect("the command starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn shader(name: &str) -> String {
    format!("{}/../shaders/{name}.wgsl", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn help_and_version_are_no_failures() {
    let help = impel(&["--help"]);
    assert!(help.status.success() && stdout(&help).contains("usage: impel VERB"));
    let version = impel(&["--version"]);
    assert_eq!(
        stdout(&version),
        format!("impel {}\n", env!("CARGO_PKG_VERSION"))
    );
    let verb = impel(&["explain", "--help"]);
    assert!(verb.status.success() && stdout(&verb).starts_with("usage: impel explain"));
}

#[test]
fn what_is_not_understood_is_exit_code_2_and_says_where_help_is() {
    for wrong in [
        &[] as &[&str],
        &["dance"],
        &["--fast"],
        &["devices", "--fast"],
        &["explain"],
        &["explain", "dance"],
        &["explain", "saxpy", "many"],
        &["check"],
        &["bench", "--threads", "0"],
    ] {
        let output = impel(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(stderr(&output).starts_with("impel: "), "{wrong:?}");
        assert!(stdout(&output).is_empty(), "{wrong:?}");
    }
}

#[test]
fn devices_names_the_processor_within_80_columns() {
    let output = impel(&["devices", "--cpu"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("device 0: CPU"), "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}

#[test]
fn check_praises_what_is_right_and_points_at_what_is_wrong() {
    let right = impel(&["check", &shader("saxpy")]);
    assert!(right.status.success(), "{}", stderr(&right));
    assert!(
        stdout(&right).contains("saxpy in workgroups of 64 × 1 × 1, can be split over devices")
    );
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("wrong.wgsl");
    let wgsl = "@compute @workgroup_size(64)\nfn f() {\n    let x = y;\n}\n";
    std::fs::write(&path, wgsl).expect("the folder is there");
    let wrong = impel(&["check", &path.to_string_lossy(), &shader("sum")]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(
        stderr(&wrong).contains("wrong.wgsl:3:13"),
        "{}",
        stderr(&wrong)
    );
    assert!(stderr(&wrong).ends_with("impel: 1 of 2 files are wrong\n"));
    assert!(stdout(&wrong).contains("sum in workgroups"));
    let missing = impel(&["check", "no such file"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("no such file"));
}

#[test]
fn explain_shows_who_does_what() {
    let output = impel(&["explain", "jacobi", "64", "--cpu"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(
        text.starts_with("jacobi of 64 elements along a side\n4 × 4 × 1 workgroups"),
        "{text}"
    );
    assert!(text.contains("CPU    everything          100 %"), "{text}");
}

#[test]
fn bench_has_a_line_for_every_kernel_and_device() {
    let output = impel(&[
        "bench", "saxpy", "sum", "--size", "5000", "--runs", "2", "--cpu",
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = stdout(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[1].starts_with("saxpy ") && lines[2].starts_with("sum "),
        "{text}"
    );
    assert!(
        lines.iter().all(|line| line.chars().count() <= 80),
        "{text}"
    );
}
