//! What does the table of faults say? Written from what the tests saw, and compared with the documentation.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use impel::sim::FaultKind;

use crate::outcome::Outcome;
use crate::scenario::Company;
use crate::{host, real, simulated};

/// Longest that any case may take.
const SOON: Duration = Duration::from_mins(1);

const HEAD: &str = "\
# Faults

What becomes of a program when a device fails. Written by `tests/faults`, which makes each of these happen;
`UPDATE=1 cargo test --test faults` rewrites it.

The program adds to an array in place, three launches after each other, and reads the result. It runs split between the CPU and the GPU
that fails, on that GPU alone, split between that GPU and a second one, and shared by all of them as it goes, chunk by chunk. *First* is
the first operation of its kind on that GPU, before which everything is in main memory; *second* is the next one, when a part of the
array may be in that GPU's memory only.

- *right*: the result is right, and nothing was noticed but time.
- *right, reported*: the result is right, another device did what failed, and the GPU is still used; `Runtime::report` names the failure.
- *right, retired*: as before, and the GPU gets no more work; plans give the reason.
- *wrong*: a GPU computed something else than it should, and nobody looked. `RuntimeBuilder::verify_sample` has some of the work
  computed twice, and compared.
- *error*: only that GPU had some words, and they are gone. Whoever uses them gets an error that names the GPU, the words and the cause.
  Writing them anew makes the array usable again.

After each of these the runtime goes on with new data, which every case checks.

";

/// Runs all cases and compares the table with the documentation.
pub(crate) fn check() {
    let mut text = HEAD.to_owned();
    text.push_str("## On simulated GPUs\n\n");
    text.push_str("| what happens | when | CPU and GPU: first | second | GPU alone: first | second | two GPUs: first | second | as it goes: first | second |\n");
    text.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
    for row in simulated::rows() {
        let checked = match (row.kind, row.verified > 0.0) {
            (FaultKind::WrongResult, true) => ", all parts checked",
            (FaultKind::WrongResult, false) => ", no part checked",
            _ => "",
        };
        let when = format!("{} {}{checked}", row.moment, row.phase);
        write!(text, "| {} | {when} |", row.kind).unwrap();
        for company in Company::ALL {
            for nth in [1, 2] {
                let start = Instant::now();
                let outcome = simulated::outcome(row, nth, company);
                let unseen = row.kind == FaultKind::WrongResult && row.verified == 0.0;
                assert!(
                    outcome != Outcome::Wrong || unseen,
                    "{row:?} {nth} {company:?}"
                );
                assert!(start.elapsed() < SOON, "{row:?} {nth} {company:?} hung");
                write!(text, " {outcome} |").unwrap();
            }
        }
        text.push('\n');
    }
    text.push_str("\n## On GPUs behind drivers\n\n");
    text.push_str(
        "Checked on every adapter that there is; software ones in the project's own tests.\n\n",
    );
    text.push_str(
        "| what happens | when | CPU and GPU | GPU alone | two GPUs |\n|---|---|---|---|---|\n",
    );
    for (_, what, [with_cpu, alone, with_gpu]) in real::ROWS {
        writeln!(text, "| {what} | {with_cpu} | {alone} | {with_gpu} |").unwrap();
    }
    text.push_str("\n## On the host\n\n| what happens | when | CPU |\n|---|---|---|\n");
    for (what, when, outcome) in host::ROWS {
        writeln!(text, "| {what} | {when} | {outcome} |").unwrap();
    }
    compare(&text);
}

fn compare(text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).expect("the table is written");
        return;
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        known == text,
        "docs/faults.md is not what happens; UPDATE=1 accepts the new text:\n{text}"
    );
}
