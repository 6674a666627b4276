//! When is recorded work handed over? At once, so that a GPU starts early, or with what follows, so that a chain of launches, or a
//! launch and the read of its results, is one submission.

use std::time::{Duration, Instant};

/// Least time between two batches of launches that are recorded one by one.
const FLUSH_EVERY: Duration = Duration::from_micros(200);

/// A wait that comes so soon after a launch submits it as early as the launch itself could have done: a submission takes as long.
const SOON: Duration = Duration::from_micros(40);

/// While launches with waits soon after them come more often than this, whoever hands over what is late stays awake: to be woken by
/// each of them would cost them more.
const VIGIL: Duration = Duration::from_millis(1);

/// What somebody who does nothing else is to do with recorded work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// Hand it over.
    Now,
    /// Hand it over, and ask again after a moment.
    NowAndLater,
    /// Ask again after a moment: a launch is so new that its wait may be about to come.
    Later,
}

/// What was recorded and handed over, and when.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When a launch was last handed over by itself.
    flushed: Option<Instant>,
    /// When a launch was last recorded.
    recorded: Option<Instant>,
    /// When the last wait came, if that was soon after a launch: then the next one is expected to, and submits both.
    awaited: Option<Instant>,
}

impl Pace {
    /// A launch has been recorded: whether to hand it over now. If not, somebody has to do it soon.
    pub(super) fn record(&mut self, now: Instant) -> bool {
        self.recorded = Some(now);
        let due = self
            .flushed
            .is_none_or(|flushed| now - flushed >= FLUSH_EVERY);
        let flush = due && self.awaited.is_none();
        if flush {
            self.flushed = Some(now);
        }
        flush
    }

    /// Somebody waits for what was recorded.
    pub(super) fn wait(&mut self, now: Instant) {
        // A wait without a launch before it tells nothing.
        if let Some(recorded) = self.recorded.take() {
            self.awaited = (now - recorded < SOON).then_some(now);
        }
    }

    /// Nothing has been recorded for a moment, or for longer than anything should wait.
    pub(super) fn late(&mut self, now: Instant) -> Late {
        match self.recorded {
            Some(recorded) if now - recorded < SOON => Late::Later,
            Some(_) => {
                (self.recorded, self.awaited) = (None, None);
                Late::Now
            }
            None if self.awaited.is_some_and(|awaited| now - awaited < VIGIL) => Late::NowAndLater,
            None => Late::Now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: Instant, us: u64) -> Instant {
        start + Duration::from_micros(us)
    }

    #[test]
    fn a_launch_starts_at_once_and_a_chain_of_them_goes_in_batches() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let flushed: Vec<u64> = (0..1000).filter(|&us| pace.record(at(start, us))).collect();
        assert_eq!(flushed, [0, 200, 400, 600, 800]);
    }

    #[test]
    fn a_launch_that_is_read_at_once_is_left_to_the_read() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert!(pace.record(start));
        pace.wait(at(start, 5));
        for round in 1..10 {
            assert!(!pace.record(at(start, round * 500)));
            pace.wait(at(start, round * 500 + 39));
        }
    }

    #[test]
    fn what_comes_by_while_nothing_waits_changes_nothing() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert!(pace.record(start));
        pace.wait(at(start, 5));
        // Something else may have been recorded.
        assert_eq!(pace.late(at(start, 400)), Late::NowAndLater);
        assert_eq!(pace.late(at(start, 1005)), Late::Now);
        assert!(!pace.record(at(start, 2000)));
    }

    #[test]
    fn work_between_a_launch_and_its_wait_has_the_next_one_start_at_once() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert!(pace.record(start));
        pace.wait(at(start, 5));
        assert!(!pace.record(at(start, 500)));
        pace.wait(at(start, 541));
        assert!(pace.record(at(start, 1000)));
    }

    #[test]
    fn a_launch_that_nobody_waits_for_has_the_next_one_start_at_once() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        pace.record(start);
        pace.wait(at(start, 5));
        assert!(!pace.record(at(start, 500)));
        assert_eq!(pace.late(at(start, 539)), Late::Later);
        assert_eq!(pace.late(at(start, 540)), Late::Now);
        assert!(pace.record(at(start, 700)));
        // Two waits in a row: the second is for nothing new.
        pace.wait(at(start, 705));
        pace.wait(at(start, 2000));
        assert!(!pace.record(at(start, 3000)));
    }
}
