//! How do threads work on something that only the calling thread owns? They may join while it works itself, and it waits for those
//! who did.
//!
//! Unlike a rayon scope, the caller waits neither for workers that never came nor takes up other work meanwhile: so it gets done also
//! where all workers are blocked by callers, and a caller that is a worker itself cannot pick up something that waits for it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::sync::{Condvar, Mutex, lock, wait};

/// Who works along.
#[derive(Debug)]
pub(super) struct Crew {
    state: Mutex<State>,
    /// The last one has left.
    empty: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Number of threads that have joined and not left.
    inside: usize,
    closed: bool,
    /// The first panic of those who joined.
    panic: Option<Box<dyn Any + Send>>,
}

impl Default for Crew {
    fn default() -> Self {
        Self {
            state: Mutex::new(State::default()),
            empty: Condvar::new(),
        }
    }
}

impl Crew {
    /// Does `work`, or nothing if it is too late to join.
    pub(super) fn join(&self, work: impl FnOnce()) {
        {
            let mut state = lock(&self.state);
            if state.closed {
                return;
            }
            state.inside += 1;
        }
        let caught = catch_unwind(AssertUnwindSafe(work));
        let mut state = lock(&self.state);
        if let Err(payload) = caught {
            state.panic.get_or_insert(payload);
        }
        state.inside -= 1;
        if state.inside == 0 && state.closed {
            self.empty.notify_one();
        }
    }

    /// Lets nobody join any more and waits until all have left. The panic of one of them, if there was one.
    pub(super) fn close(&self) -> Option<Box<dyn Any + Send>> {
        let mut state = lock(&self.state);
        state.closed = true;
        while state.inside > 0 {
            state = wait(&self.empty, state);
        }
        state.panic.take()
    }
}
