//! How is a contestant timed? What all contestants have in common: one run, a checksum, and the times of many runs.

use std::time::Instant;

/// Something that can run again and again on inputs that it holds.
pub(crate) trait Subject {
    /// Runs once, to the end.
    fn run(&mut self);

    /// Stands for the result of the first run, if called after it.
    fn checksum(&mut self) -> f64;
}

/// A subject made of a state and two functions of it.
pub(crate) struct Job<S, R, C> {
    /// What the functions work on.
    pub(crate) state: S,
    /// Runs once.
    pub(crate) run: R,
    /// Stands for the result.
    pub(crate) checksum: C,
}

impl<S, R: FnMut(&mut S), C: FnMut(&S) -> f64> Subject for Job<S, R, C> {
    fn run(&mut self) {
        (self.run)(&mut self.state);
    }

    fn checksum(&mut self) -> f64 {
        (self.checksum)(&self.state)
    }
}

/// Runs that are not timed: the first touches memory, the second fills caches and starts threads.
const WARM_UP: usize = 2;

/// What a contestant did.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Stands for the result after the first run; 0 where there is none.
    pub(crate) checksum: f64,
    /// Time of each timed run in nanoseconds.
    pub(crate) ns: Vec<u64>,
}

/// Runs once, takes the checksum, warms up for the rest, and times each of `iterations` runs.
pub(crate) fn measure(subject: &mut dyn Subject, iterations: usize) -> Outcome {
    subject.run();
    let checksum = subject.checksum();
    for _ in 1..WARM_UP {
        subject.run();
    }
    let ns = (0..iterations)
        .map(|_| nanoseconds(|| subject.run()))
        .collect();
    Outcome { checksum, ns }
}

/// The time that `work` takes.
pub(crate) fn nanoseconds(work: impl FnOnce()) -> u64 {
    let start = Instant::now();
    work();
    u64::try_from(start.elapsed().as_nanos()).expect("a run takes less than 584 years")
}
