//! How does a program run? Step by step on an imagined machine and on the CPU alone, compared wherever the host looks.

use std::fmt;
use std::time::Duration;

use impel::{Array, ArrayError, DeviceId, Durability, LaunchError, Policy, Runtime};

use crate::kernels::{self, WORDS_MIN};
use crate::machines::{self, Faults};
use crate::random::Random;

/// What was met.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    launches: u64,
    reads: u64,
    /// Reads and launches that failed.
    errors: u64,
    /// Programs in which a device failed and nothing was lost.
    unharmed: u64,
    /// Failures of devices.
    failures: u64,
    /// Launches that were repeated for their lost results.
    repeated: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Self) {
        self.launches += other.launches;
        self.reads += other.reads;
        self.errors += other.errors;
        self.unharmed += other.unharmed;
        self.failures += other.failures;
        self.repeated += other.repeated;
    }

    /// Nobody would notice a test in which nothing happens.
    pub(crate) fn check(&self, faults: Faults) {
        assert!(self.launches > 100 && self.reads > 100, "{self}");
        match faults {
            Faults::None => assert_eq!(self.errors, 0, "{self}"),
            Faults::Tight => assert!(self.failures > 0 && self.errors == 0, "{self}"),
            Faults::Any => assert!(
                self.failures > 10 && self.errors > 0 && self.unharmed > 5,
                "{self}"
            ),
            Faults::Repaired => assert!(
                self.failures > 10 && self.unharmed > 10 && self.repeated > 10,
                "{self}"
            ),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            launches,
            reads,
            errors,
            unharmed,
            failures,
            repeated,
        } = self;
        write!(
            f,
            "{launches} launches and {reads} reads, {failures} failures of devices, after which {unharmed} programs lost nothing and \
             {errors} reads and launches said what was lost; {repeated} launches were repeated"
        )
    }
}

/// A program on both machines.
struct Both {
    random: Random,
    faults: Faults,
    imagined: Runtime,
    plain: Runtime,
    gpus: u8,
    /// Each array on the imagined machine and on the CPU alone.
    arrays: Vec<(Array<u32>, Array<u32>)>,
    seen: Seen,
}

/// Runs the program of a seed.
///
/// # Panics
/// If a result is wrong, or an error says something that cannot be.
pub(crate) fn run(seed: u64, faults: Faults) -> Seen {
    let mut random = Random(seed);
    let (machine, gpus) = machines::machine(&mut random, faults);
    let durability = if faults == Faults::Repaired {
        Durability::replay()
    } else {
        Durability::Off
    };
    let imagined = Runtime::builder()
        .durability(durability)
        .threads(1 + (random.next() % 2) as usize)
        .simulated(machine)
        .hang_after(Duration::from_secs(5), 20.0)
        .verify_sample([0.0, 0.0, 0.3, 1.0][(random.next() % 4) as usize], 0.0)
        .build()
        .expect("nothing is needed for it");
    let plain = Runtime::builder().threads(1).without_cache().gpus(false);
    let mut both = Both {
        arrays: Vec::new(),
        plain: plain.build().expect("a CPU"),
        seen: Seen::default(),
        random,
        faults,
        imagined,
        gpus,
    };
    for _ in 0..2 + both.below(3) {
        let len = WORDS_MIN + both.below(20_000);
        let words = both.random.floats(len, -1.0, 1.0);
        let here = both.imagined.array_from_vec(words.clone()).expect("room");
        let there = both.plain.array_from_vec(words).expect("room");
        both.arrays.push((here, there));
    }
    for _ in 0..=both.below(25) {
        match both.below(8) {
            0..5 => both.launch(),
            5 => both.read(),
            6 => both.write(),
            _ => both.imagined.sync(),
        }
    }
    for array in 0..both.arrays.len() {
        both.compare(array);
    }
    for (_, told) in both.imagined.report().failures() {
        assert!(
            !told.contains("it computed"),
            "nothing computes wrongly: {told}"
        );
    }
    both.seen.failures = both.imagined.report().failures().len() as u64;
    both.seen.repeated = both.imagined.report().replayed();
    both.seen.unharmed = u64::from(both.seen.failures > 0 && both.seen.errors == 0);
    both.seen
}

impl Both {
    /// Whether words may be lost for good.
    fn may_lose(&self) -> bool {
        self.faults != Faults::Repaired
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.random.next() % bound as u64) as usize
    }

    /// A policy. What is drawn does not depend on what happened, so that a seed stays the same program.
    fn policy(&mut self) -> Policy {
        let any = DeviceId(1 + self.below(usize::from(self.gpus)) as u8);
        let devices: Vec<DeviceId> = (0..=self.gpus).map(DeviceId).collect();
        let shares = self.random.shares(&devices);
        let drawn = self.below(8);
        // What names a device that failed is an error, and teaches nothing.
        let failed = !self.imagined.report().failures().is_empty();
        match drawn {
            0 => Policy::CpuOnly,
            1 | 2 if self.faults == Faults::None => Policy::GpuOnly(any),
            1..5 if !failed => Policy::Split(shares),
            _ => Policy::Auto,
        }
    }

    fn launch(&mut self) {
        let x = self.below(self.arrays.len());
        let y = (x + 1 + self.below(self.arrays.len() - 1)) % self.arrays.len();
        let (read, written) = (self.arrays[x].0.len(), self.arrays[y].0.len());
        let call = kernels::any(&mut self.random, read, written);
        let policy = self.policy();
        let waits = self.below(2) == 0;
        let [(x, x_plain), (y, y_plain)] = self
            .arrays
            .get_disjoint_mut([x, y])
            .expect("two different arrays");
        self.seen.launches += 1;
        let pending = self
            .imagined
            .launch(call.launch(x, y).with_policy(policy))
            .expect("a good launch");
        let outcome = if waits { pending.wait() } else { Ok(()) };
        match outcome {
            Ok(()) => {
                let pending = self.plain.launch(call.launch(x_plain, y_plain));
                pending.expect("a good launch").wait().expect("no fault");
            }
            Err(error) => {
                self.seen.errors += 1;
                assert_ne!(self.faults, Faults::None, "{error}");
                assert!(is_honest(&error), "{error}");
                assert!(self.may_lose() || !is_loss(&error), "{error}");
            }
        }
    }

    /// The host reads a part of an array.
    fn read(&mut self) {
        let array = self.below(self.arrays.len());
        let lo = self.below(self.arrays[array].0.len());
        let hi = lo + self.below(self.arrays[array].0.len() - lo);
        let (here, there) = &self.arrays[array];
        self.seen.reads += 1;
        match here.read_range(lo..hi) {
            Ok(words) => {
                let right = there.read_range(lo..hi).expect("no fault");
                assert!(*words == *right, "array {array}, {lo}..{hi}");
            }
            Err(error) => self.say_and_renew(array, &error),
        }
    }

    /// The host writes a part of an array.
    fn write(&mut self) {
        let array = self.below(self.arrays.len());
        let lo = self.below(self.arrays[array].0.len());
        let len = self.below(self.arrays[array].0.len() - lo);
        let words = self.random.floats(len, -1.0, 1.0);
        let (here, there) = &mut self.arrays[array];
        here.copy_from_slice(lo, &words).expect("it fits");
        there.copy_from_slice(lo, &words).expect("it fits");
    }

    fn compare(&mut self, array: usize) {
        let (here, there) = &self.arrays[array];
        self.seen.reads += 1;
        match here.to_vec() {
            Ok(words) => assert!(words == there.to_vec().expect("no fault"), "array {array}"),
            Err(error) => self.say_and_renew(array, &error),
        }
    }

    /// What is lost is written anew.
    fn say_and_renew(&mut self, array: usize, error: &ArrayError) {
        self.seen.errors += 1;
        assert_ne!(self.faults, Faults::None, "{error}");
        assert!(says_what_was_lost(error), "{error}");
        assert!(self.may_lose() || !are_lost(error), "{error}");
        let len = self.arrays[array].0.len();
        let words = Random(array as u64).floats(len, -1.0, 1.0);
        let (here, there) = &mut self.arrays[array];
        here.copy_from_slice(0, &words).expect("it fits");
        there.copy_from_slice(0, &words).expect("it fits");
        assert!(*here.read().expect("it is new") == *words);
    }
}

/// Whether an error names what a failed device lost, or the device that a policy demands in vain.
fn is_honest(error: &LaunchError) -> bool {
    match error {
        LaunchError::Argument { cause, .. } => says_what_was_lost(cause),
        LaunchError::Policy { reason, .. } => reason.contains("retired after it failed"),
        LaunchError::Device { .. } => true,
        _ => false,
    }
}

fn says_what_was_lost(error: &ArrayError) -> bool {
    match error {
        ArrayError::Lost { device, words, .. } => device.starts_with("card ") && !words.is_empty(),
        ArrayError::Failed { cause, .. } => is_honest(cause),
        _ => false,
    }
}

/// Whether a launch failed because words that it needs are lost.
fn is_loss(error: &LaunchError) -> bool {
    matches!(error, LaunchError::Argument { cause, .. } if are_lost(cause))
}

/// Whether words are lost, and not merely never written because a launch was refused.
fn are_lost(error: &ArrayError) -> bool {
    match error {
        ArrayError::Lost { .. } => true,
        ArrayError::Failed { cause, .. } => is_loss(cause),
        _ => false,
    }
}
