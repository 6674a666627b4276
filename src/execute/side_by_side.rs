//! How do independent launches of recorded steps overlap? The thread that carries a replay out queues a few steps ahead, and others
//! take of what is ready while it works.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use super::queue::Queue;
use super::replay::Replay;
use super::{Shared, Work};
use crate::error::LaunchError;
use crate::graph::TaskId;

/// Steps whose launches wait for their turn at the same time.
const STEPS_AHEAD: usize = 3;
/// Launches that are predicted to take less than this on average are not worth another thread.
const WORTHWHILE_NS: f64 = 20_000.0;

/// A replay under way.
#[derive(Debug)]
pub(super) struct SideBySide {
    id: TaskId,
    replay: Replay,
    /// Launches, by number.
    queue: Queue<usize>,
    /// Other threads that take launches, or were asked to.
    helpers: AtomicUsize,
    failed: super::Outcome,
}

impl Shared {
    /// Whether launches of a replay are to overlap: some do not depend on each other, and they are long enough. A machine that is
    /// imagined does one after the other, always in the same order.
    pub(super) fn overlaps(&self, replay: &Replay) -> bool {
        replay.program().is_wide()
            && self.devices.simulated_time().is_none()
            && self.predict_step(replay) >= WORTHWHILE_NS * replay.program().launches() as f64
    }

    /// Carries a replay out, with the help of other threads. After the first launch that fails, no other one starts.
    pub(super) fn run_side_by_side(
        &self,
        id: TaskId,
        replay: &Replay,
    ) -> Result<(), Arc<LaunchError>> {
        let running = Arc::new(SideBySide {
            id,
            replay: replay.clone(),
            queue: Queue::default(),
            helpers: AtomicUsize::new(0),
            failed: super::Outcome::default(),
        });
        let ahead = STEPS_AHEAD * replay.program().launches();
        let mut queued = 0;
        loop {
            let (mut unfinished, _) = running.queue.counts();
            if running.failed.get().is_some() && !self.trace.is_on() {
                queued = replay.launches_in_all();
            }
            while unfinished < ahead && queued < replay.launches_in_all() {
                let launch = replay.launch(queued);
                let (accesses, ns) = (launch.body.accesses(), self.predict_on_cpu(&launch.job()));
                running.queue.add(|_| queued, accesses, ns as u64, 1, false);
                queued += 1;
                unfinished += 1;
            }
            self.invite(&running);
            match running.queue.take_or_end() {
                Some((piece, number)) => self.carry_out_piece(&running, piece, number),
                None if queued == replay.launches_in_all() => break,
                // Others were quicker than this thread is.
                None => {}
            }
        }
        running.failed.get().unwrap_or(Ok(()))
    }

    /// Asks another thread to help if there is more to do than this one takes up next, and none helps already.
    fn invite(&self, running: &Arc<SideBySide>) {
        let (_, ready) = running.queue.counts();
        // Relaxed: a helper too many or too few changes no result.
        if ready > 1 && running.helpers.load(Ordering::Relaxed) == 0 {
            running.helpers.fetch_add(1, Ordering::Relaxed);
            let replay = Arc::downgrade(running);
            let help = |_| Work::Help { replay };
            let (id, taken) = self.queue.add(help, Vec::new(), u64::MAX, 1, false);
            if let Some(work) = taken {
                self.carry_out(id, work, false);
            }
        }
    }

    /// Takes launches of a replay while there are some that could start.
    pub(super) fn help_replay(&self, replay: &Weak<SideBySide>) {
        let Some(running) = replay.upgrade() else {
            return;
        };
        while let Some((piece, number)) = running.queue.take_ready() {
            self.carry_out_piece(&running, piece, number);
        }
        running.helpers.fetch_sub(1, Ordering::Relaxed);
    }

    fn carry_out_piece(&self, running: &SideBySide, piece: TaskId, number: usize) {
        let id = TaskId(running.id.0 + number as u64);
        match running.failed.get() {
            None => {
                let launch = running.replay.launch(number);
                let outcome = self.try_launch(id, launch, running.replay.repeats());
                if let Err(error) = outcome {
                    running.failed.set(Err(Arc::new(error)));
                }
            }
            Some(failed) => self.record_finished(id, failed.err().as_deref()),
        }
        running.queue.finish(piece, false);
    }
}
