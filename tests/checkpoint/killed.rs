//! Does a simulation that is killed again and again end as one that is left alone, bit for bit?

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use impel::{CheckpointError, Policy};

use crate::devices;
use crate::folder::Folder;
use crate::lesson::{Options, simulate};

/// Set in child processes: the file to go on from.
const CHILD: &str = "IMPEL_TEST_SIMULATE";
const STEPS: u64 = 20_000_000;
const EVERY: u64 = 2;

#[test]
fn a_child_simulates_until_it_is_killed() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let rt = devices::builder()
        .gpus(false)
        .policy(Policy::CpuOnly)
        .build()
        .unwrap();
    let options = Options {
        checkpoint: path.into(),
        every: EVERY,
        steps: STEPS,
    };
    simulate(&rt, &options).unwrap();
}

/// Numbers that look random, from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// Starts the simulation on the checkpoint, and kills it after a while.
fn run_and_kill(path: &Path, after: Duration) {
    let exe = std::env::current_exe().expect("the test knows where it is");
    let mut child = Command::new(exe)
        .args(["--exact", "killed::a_child_simulates_until_it_is_killed"])
        .env(CHILD, path)
        .stdout(Stdio::null())
        .spawn()
        .expect("the child starts");
    std::thread::sleep(after);
    assert!(
        child.try_wait().expect("the child can be asked").is_none(),
        "the child ended by itself"
    );
    // On Unix this is SIGKILL: nothing of the child runs after it.
    child.kill().expect("the child can be killed");
    child.wait().expect("the child can be waited for");
}

#[test]
fn killed_at_random_moments_a_simulation_resumes_and_ends_bit_for_bit_as_an_undisturbed_one() {
    let kills = if devices::long() { 200 } else { 20 };
    let folder = Folder::new();
    let path = folder.file("heat");
    let rt = devices::builder()
        .gpus(false)
        .policy(Policy::CpuOnly)
        .build()
        .unwrap();
    let mut random = Random(0x5eed);
    let (mut last, mut progressed, mut while_writing) = (0, 0, 0);
    for kill in 0..kills {
        run_and_kill(&path, Duration::from_micros(20_000 + random.below(100_000)));
        while_writing += usize::from(folder.names().iter().any(|name| name != "heat"));
        let step = match rt.restore(&path) {
            Ok(saved) => saved.step(),
            Err(CheckpointError::Missing { .. }) if last == 0 => 0,
            Err(error) => panic!("after kill {kill}: {error}"),
        };
        assert!(
            step >= last && step.is_multiple_of(EVERY),
            "from {last} to {step}"
        );
        progressed += usize::from(step > last);
        last = step;
    }
    println!(
        "{kills} kills, {while_writing} of them while a checkpoint was written; {progressed} runs got further; step {last}"
    );
    assert!(last > 0, "no run reached a checkpoint");

    let steps = last + 7;
    let run = |checkpoint| {
        let every = 1000;
        let options = Options {
            checkpoint,
            every,
            steps,
        };
        simulate(&rt, &options).unwrap().to_vec().unwrap()
    };
    let resumed = run(path.clone());
    let undisturbed = run(folder.file("undisturbed"));
    let bits = |values: &[f32]| {
        values
            .iter()
            .map(|value| value.to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!(bits(&resumed), bits(&undisturbed));
    assert_eq!(
        folder.names(),
        ["heat", "undisturbed"],
        "what killed runs left is gone"
    );
}
