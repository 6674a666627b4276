//! Did a GPU test run, and on what? Keeps the ledger that `cargo xtask test` counts, and names what was skipped.

use std::fs::OpenOptions;
use std::io::{Write as _, stderr};

/// Runs a test on each adapter, or says by name that it was skipped for want of one.
pub(crate) fn on_each<A>(
    test: &str,
    adapters: impl IntoIterator<Item = A>,
    name: impl Fn(&A) -> String,
    mut run: impl FnMut(A),
) {
    let mut found = false;
    for adapter in adapters {
        found = true;
        let name = name(&adapter);
        run(adapter);
        executed(test, &name);
    }
    if !found {
        skipped(test, "no adapter");
    }
}

/// Notes that a test ran on a device.
pub(crate) fn executed(test: &str, device: &str) {
    note(&format!("executed\t{device}\t{test}\n"));
}

/// Notes that a test could not run, and says so past the harness's capture of what passing tests print.
pub(crate) fn skipped(test: &str, reason: &str) {
    note(&format!("skipped\tgpu\t{test}\t{reason}\n"));
    // Without a standard error there is nobody to tell.
    let _ = writeln!(stderr().lock(), "{test}: skipped: {reason}");
}

/// Adds a line to the ledger, if one is kept. One write a line, so that processes do not mix theirs.
fn note(line: &str) {
    let Some(path) = std::env::var_os("IMPEL_TEST_LEDGER") else {
        return;
    };
    let mut ledger = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .unwrap_or_else(|error| panic!("the ledger {} opens: {error}", path.display()));
    ledger
        .write_all(line.as_bytes())
        .expect("the ledger takes a line");
}
