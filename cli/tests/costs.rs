//! Do `impel calibrate` and `impel costs` measure, show, export, import and forget?

use std::path::PathBuf;
use std::process::{Command, Output};

/// Runs the command on the CPU alone, with a cache of this test's own.
fn impel(cache: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_impel"));
    command.args(arguments).env("XDG_CACHE_HOME", folder(cache));
    command.output().expect("the command starts")
}

fn folder(cache: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(cache)
}

/// What a command that succeeds prints.
fn said(cache: &str, arguments: &[&str]) -> String {
    let output = impel(cache, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_measured_is_shown_exported_imported_and_forgotten() {
    for cache in ["costs-a", "costs-b"] {
        drop(std::fs::remove_dir_all(folder(cache)));
    }
    assert!(said("costs-a", &["costs"]).ends_with("nothing has been learned yet\n"));
    let measured = said("costs-a", &["calibrate", "--cpu"]);
    for line in [
        "CPU: ",
        "  memory      ",
        "  arithmetic  ",
        "  launch      ",
        "  power       ",
    ] {
        assert!(measured.contains(line), "{measured}");
    }
    let shown = said("costs-a", &["costs", "show"]);
    assert!(
        shown.contains("\ndevice ") && shown.contains(" GB/s, "),
        "{shown}"
    );

    let file = folder("costs-a").join("exported");
    let file = file.to_str().unwrap();
    said("costs-a", &["costs", "export", file]);
    said("costs-b", &["costs", "import", file]);
    let costs = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    assert_eq!(costs(&said("costs-b", &["costs"])), costs(&shown));

    let key = shown.split_once("device ").unwrap().1;
    said("costs-b", &["costs", "forget", &key[..16]]);
    assert!(said("costs-b", &["costs"]).ends_with("nothing has been learned yet\n"));
    said("costs-a", &["costs", "forget", "all"]);
    assert!(said("costs-a", &["costs"]).ends_with("nothing has been learned yet\n"));
}

#[test]
fn what_cannot_be_done_is_said() {
    let failed = |arguments: &[&str]| {
        let output = impel("costs-c", arguments);
        let code = output.status.code();
        (code, String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = failed(&["costs", "forget", "dance"]);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("no kernel and no device is called `dance`"),
        "{said}"
    );
    let (code, said) = failed(&["costs", "import", "/nowhere/costs"]);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("impel: /nowhere/costs: "), "{said}");
    let foreign = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let (code, said) = failed(&["costs", "import", foreign]);
    assert_eq!(code, Some(1));
    assert!(said.contains("this is no record of costs"), "{said}");
    for wrong in [
        &["costs", "dance"] as &[&str],
        &["costs", "export"],
        &["costs", "forget"],
    ] {
        assert_eq!(failed(wrong).0, Some(2), "{wrong:?}");
    }
}
