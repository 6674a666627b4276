//! Which mistakes must the models find? Copies of impel's sources with one mistake each, for tests that have to fail on them.

use std::path::Path;
use std::{env, fs};

/// A mistake: its module's name, the file, what stands there, and what stands there by mistake.
const MISTAKES: &[(&str, &str, &str, &str)] = &[
    (
        "sleepers_are_left_asleep",
        "src/execute/queue.rs",
        "let wake = state.idle > 0 && state.graph.has_ready();",
        "let wake = state.idle > 1 && state.graph.has_ready();",
    ),
    (
        "the_end_is_told_to_nobody",
        "src/execute/queue.rs",
        "state.awaited.contains(&id) ||",
        "state.awaited.len() > 1 ||",
    ),
    (
        "the_end_is_told_to_nobody_else",
        "src/execute/queue.rs",
        "|| state.watching > 0;",
        "|| state.watching > 1;",
    ),
    (
        "the_stop_is_told_before_it_is_set",
        "src/execute/queue.rs",
        "self.state().stopping = true;\n        self.wake.notify_all();",
        "self.wake.notify_all();\n        self.state().stopping = true;",
    ),
    (
        "the_last_piece_ends_for_one_executor_only",
        "src/execute/queue.rs",
        "if state.stopping && state.graph.pending() == 0 {\n            self.wake.notify_all();",
        "if state.stopping && state.graph.pending() == 0 {\n            self.wake.notify_one();",
    ),
    (
        "late_pollers_are_not_told",
        "src/execute/queue.rs",
        "if !state.graph.is_pending(id) {\n            return true;",
        "if state.stopping && !state.graph.is_pending(id) {\n            return true;",
    ),
    (
        "work_for_nobody",
        "src/execute/queue.rs",
        "if at_once || state.stopping {",
        "if at_once {",
    ),
    (
        "a_writer_does_not_exclude_readers",
        "src/device/cpu/ledger.rs",
        "(lending == Lending::Exclusive || *how == Lending::Exclusive)",
        "(lending == Lending::Exclusive && *how == Lending::Exclusive)",
    ),
    (
        "workers_join_when_it_is_too_late",
        "src/device/cpu/crew.rs",
        "if state.closed {\n                return;",
        "if state.closed && state.inside > 0 {\n                return;",
    ),
    (
        "the_last_worker_leaves_in_silence",
        "src/device/cpu/crew.rs",
        "if state.inside == 0 && state.closed {",
        "if state.inside == 1 && state.closed {",
    ),
];

fn main() {
    let root = Path::new("../..");
    let out = env::var("OUT_DIR").expect("cargo names a folder for what is made");
    for (name, file, right, wrong) in MISTAKES {
        let path = root.join(file);
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(&path).expect("the source is there");
        assert_eq!(
            text.matches(right).count(),
            1,
            "{file} has exactly one place for the mistake {name}"
        );
        // An included file cannot begin with its own documentation.
        let lines = text.lines().filter(|line| !line.starts_with("//!"));
        let text = lines.collect::<Vec<_>>().join("\n").replace(right, wrong);
        fs::write(Path::new(&out).join(format!("{name}.rs")), text).expect("the folder is there");
    }
}
