//! Do random programs give on random imagined machines, where things go wrong, what they give on the CPU alone? Bit for bit, or an
//! error that says what was lost; a seed that fails is printed, and `IMPEL_TEST_SEED` runs its program alone.

#[path = "../devices/mod.rs"]
mod devices;
#[path = "../agreement/random.rs"]
#[allow(dead_code)]
mod random;

mod kernels;
mod machines;
mod run;

use std::sync::mpsc;
use std::time::Duration;

/// Programs of each kind.
const PROGRAMS: u64 = 150;

/// Programs of each kind in the long set.
const PROGRAMS_LONG: u64 = 2_000;

/// Longest that any program may take.
const SOON: Duration = Duration::from_mins(2);

/// Runs programs with these seeds, each on a thread of its own so that one that hangs is noticed.
fn run_all(first_seed: u64, faults: machines::Faults) {
    let count = if devices::long() {
        PROGRAMS_LONG
    } else {
        PROGRAMS
    };
    let mut seen = run::Seen::default();
    let one: Option<u64> = std::env::var("IMPEL_TEST_SEED")
        .ok()
        .map(|seed| seed.parse().expect("a number"));
    let seeds = one.map_or(first_seed..first_seed + count, |seed| seed..seed + 1);
    for seed in seeds {
        let (done, when) = mpsc::channel();
        let program = std::thread::spawn(move || {
            let seen = run::run(seed, faults);
            done.send(()).expect("somebody waits");
            seen
        });
        if let Err(mpsc::RecvTimeoutError::Timeout) = when.recv_timeout(SOON) {
            panic!("the program of seed {seed} ({faults:?}) hangs");
        }
        let of_program = program.join().unwrap_or_else(|payload| {
            println!("the program of seed {seed} ({faults:?}) fails");
            std::panic::resume_unwind(payload)
        });
        seen.add(&of_program);
    }
    println!("{count} programs, {faults:?}: {seen}");
    if one.is_none() {
        seen.check(faults);
    }
}

#[test]
fn programs_without_faults_give_what_the_cpu_alone_gives() {
    run_all(1, machines::Faults::None);
}

#[test]
fn programs_on_slow_machines_without_memory_give_what_the_cpu_alone_gives() {
    run_all(1_000_000, machines::Faults::Tight);
}

#[test]
fn programs_on_machines_that_fail_lose_nothing_where_launches_can_be_repeated() {
    run_all(3_000_000, machines::Faults::Repaired);
}

#[test]
fn programs_on_machines_that_fail_give_the_same_or_say_what_was_lost() {
    run_all(2_000_000, machines::Faults::Any);
}
