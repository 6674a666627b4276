//! Is there an order of events in which threads miss each other? Loom tries all of them on impel's own sources, with as many
//! preemptions as mistakes need, and finds the mistakes that `build.rs` puts in.

#![cfg(test)]

#[path = "../../../src/device/cpu/crew.rs"]
#[allow(dead_code)]
mod crew;
#[path = "../../../src/graph/mod.rs"]
#[allow(dead_code, unused_imports)]
mod graph;
#[path = "../../../src/device/cpu/ledger.rs"]
#[allow(dead_code)]
mod ledger;
#[path = "../../../src/execute/outcome.rs"]
#[allow(dead_code)]
mod outcome;
#[path = "../../../src/execute/queue.rs"]
#[allow(dead_code)]
mod queue;
mod region;
mod sync;

mod crews;
mod ledgers;
mod queues;

/// Tries every order of events with at most `preemptions` places where a thread is stopped for another.
fn every_order(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Set in the process that tries a model which must fail.
const CHILD: &str = "IMPEL_LOOM_CHILD";

/// Expects that the model fails, saying so. The test of this name runs once more for it in a process of its own, which loom aborts when
/// a thread that can never go on has to be taken down.
fn fails(test: &str, saying: &str, model: fn()) {
    if std::env::var_os(CHILD).is_some() {
        return every_order(3, model);
    }
    let program = std::env::current_exe().expect("the test program has a path");
    let mut child = std::process::Command::new(program);
    child.args(["--exact", "--nocapture", test]).env(CHILD, "1");
    let output = child.output().expect("the test program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{test}: nothing is found");
    assert!(said.contains(saying), "{test} says: {said}");
}

/// The rest of a module whose source has a mistake.
macro_rules! with_mistake {
    ($name:ident) => {
        #[allow(dead_code)]
        mod $name {
            include!(concat!(env!("OUT_DIR"), "/", stringify!($name), ".rs"));
        }
    };
}
use with_mistake;
