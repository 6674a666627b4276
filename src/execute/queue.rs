//! Who carries out what, and who sleeps? The graph of unfinished work behind one lock, threads that take work from it, and threads
//! that wait for some of it.

use std::task::Waker;
use std::time::Duration;

use crate::graph::{Access, ArrayId, Graph, TaskId};
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait, wait_for};

/// Unfinished work, and the threads around it. `W` is whatever the work is.
#[derive(Debug)]
pub(super) struct Queue<W> {
    state: Mutex<State<W>>,
    /// Something is ready, there is something to submit, or no more work will come.
    wake: Condvar,
    /// Something has finished.
    done: Condvar,
}

#[derive(Debug)]
struct State<W> {
    graph: Graph<W>,
    /// Whether no more work will come.
    stopping: bool,
    /// Whether a GPU has work that nobody has submitted yet.
    flush_wanted: bool,
    /// Threads that sleep until there is work.
    idle: usize,
    /// What threads wait for, once for each of them.
    awaited: Vec<TaskId>,
    /// Threads that wait for anything to finish.
    watching: usize,
    wakers: Vec<(TaskId, Waker)>,
}

/// What a thread that carries out work is to do.
#[derive(Debug)]
pub(super) enum Next<W> {
    /// This; [`Queue::finish`] has to follow.
    Work(TaskId, W),
    /// Hand recorded work to the GPUs.
    Flush,
    /// End: nothing is left, and nothing more will come.
    Stop,
}

impl<W> Default for Queue<W> {
    fn default() -> Self {
        let state = State {
            graph: Graph::default(),
            stopping: false,
            flush_wanted: false,
            idle: 0,
            awaited: Vec::new(),
            watching: 0,
            wakers: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
            wake: Condvar::new(),
            done: Condvar::new(),
        }
    }
}

impl<W> Queue<W> {
    /// Adds work that is predicted to take `ns`, made for the id it gets, and wakes a thread that sleeps if it is ready. `parts` is how
    /// many ids it has: those of its parts follow its own.
    ///
    /// Work that is ready is handed back, to be carried out by the caller, if that is wanted `at_once`, or if nobody else may be there
    /// any more.
    pub(super) fn add(
        &self,
        work: impl FnOnce(TaskId) -> W,
        accesses: Vec<Access>,
        ns: u64,
        parts: u64,
        at_once: bool,
    ) -> (TaskId, Option<W>) {
        let mut state = self.state();
        let work = work(state.graph.next_id());
        let id = state.graph.add(work, accesses, ns);
        state.graph.reserve(parts.saturating_sub(1));
        let taken = if at_once || state.stopping {
            state.graph.take(id)
        } else {
            None
        };
        self.wake_one(state);
        (id, taken)
    }

    /// What `pick` makes of the earliest `most` pieces of work that have not started. It may ask whether all work before a piece that
    /// writes what an access touches is done.
    pub(super) fn ahead<T>(
        &self,
        most: usize,
        mut pick: impl FnMut(TaskId, &W, &dyn Fn(&Access) -> bool) -> Option<T>,
    ) -> Vec<T> {
        let state = self.state();
        let graph = &state.graph;
        let waiting = graph.waiting().take(most);
        waiting
            .filter_map(|(id, work)| pick(id, work, &|access| graph.is_settled(id, access)))
            .collect()
    }

    /// Whether this work waits to be taken.
    pub(super) fn has_not_started(&self, id: TaskId) -> bool {
        self.state().graph.has_not_started(id)
    }

    /// The arrays of work that has not started, the next first, `most` at most; some more than once.
    pub(super) fn upcoming(&self, most: usize) -> Vec<ArrayId> {
        self.state().graph.upcoming().take(most).collect()
    }

    /// Removes work that has been carried out, and wakes those who wait for it. `stays` says that the caller comes back at once, to
    /// [`next`](Self::next) or [`help`](Self::help).
    pub(super) fn finish(&self, id: TaskId, stays: bool) {
        let mut state = self.state();
        state.graph.finish(id);
        let woken = state.take_wakers(id);
        // Whoever waits for something else is woken only for what nobody takes up: in a chain that is nothing.
        let to_help_with = state.graph.ready() > usize::from(stays);
        let told = state.awaited.contains(&id) || state.watching > 0;
        if told || (to_help_with && !state.awaited.is_empty()) {
            self.done.notify_all();
        }
        if state.stopping && state.graph.pending() == 0 {
            self.wake.notify_all();
        }
        if stays {
            drop(state);
        } else {
            self.wake_one(state);
        }
        woken.into_iter().for_each(Waker::wake);
    }

    /// What to do next, for threads that do nothing else. `recorded` says that the caller has left something for GPUs to be submitted,
    /// and `patience` how long that may wait for more.
    pub(super) fn next(&self, recorded: bool, patience: Duration) -> Next<W> {
        let mut state = self.state();
        state.flush_wanted |= recorded;
        loop {
            if let Some((id, work)) = state.graph.take_next() {
                self.wake_one(state);
                return Next::Work(id, work);
            }
            if state.stopping && state.graph.pending() == 0 {
                return Next::Stop;
            }
            state.idle += 1;
            if state.flush_wanted {
                let (woken, late) = wait_for(&self.wake, state, patience);
                state = woken;
                state.idle -= 1;
                if state.flush_wanted && (late || !state.graph.has_ready()) {
                    state.flush_wanted = false;
                    return Next::Flush;
                }
            } else {
                state = wait(&self.wake, state);
                state.idle -= 1;
            }
        }
    }

    /// Blocks until `obstacle` names nothing that is unfinished, or until there is something to carry out instead of waiting:
    /// what it names, or, while that is blocked, what may come before it.
    pub(super) fn help(
        &self,
        obstacle: impl Fn(&Graph<W>) -> Option<TaskId>,
    ) -> Option<(TaskId, W)> {
        let mut state = self.state();
        while let Some(id) = obstacle(&state.graph) {
            if let Some(work) = state.graph.take(id) {
                return Some((id, work));
            }
            if state.graph.is_blocked(id)
                && let Some(next) = state.graph.take_next()
            {
                return Some(next);
            }
            // What else is ready is for others.
            if state.idle > 0 && state.graph.has_ready() {
                self.wake.notify_one();
            }
            state.awaited.push(id);
            state = wait(&self.done, state);
            state.forget(id);
        }
        self.wake_one(state);
        None
    }

    /// Blocks until something is ready, and takes what comes first; none when nothing is left.
    pub(super) fn take_or_end(&self) -> Option<(TaskId, W)> {
        let mut state = self.state();
        loop {
            if let Some(next) = state.graph.take_next() {
                return Some(next);
            }
            if state.graph.pending() == 0 {
                return None;
            }
            state.watching += 1;
            state = wait(&self.done, state);
            state.watching -= 1;
        }
    }

    /// Takes what comes first, if anything is ready.
    pub(super) fn take_ready(&self) -> Option<(TaskId, W)> {
        self.state().graph.take_next()
    }

    /// How many pieces of work are unfinished, and how many of them could start now.
    pub(super) fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.graph.pending(), state.graph.ready())
    }

    /// Blocks until `obstacle` names nothing that is unfinished, without helping, while `left` says that there is time; whether that
    /// was enough.
    pub(super) fn wait_while_time(
        &self,
        obstacle: impl Fn(&Graph<W>) -> Option<TaskId>,
        left: impl Fn() -> Option<Duration>,
    ) -> bool {
        let mut state = self.state();
        while let Some(id) = obstacle(&state.graph) {
            let Some(left) = left() else { return false };
            state.awaited.push(id);
            (state, _) = wait_for(&self.done, state, left);
            state.forget(id);
        }
        true
    }

    /// Whether this work has finished; if not, `waker` is called when it has.
    pub(super) fn poll(&self, id: TaskId, waker: &Waker) -> bool {
        let mut state = self.state();
        if !state.graph.is_pending(id) {
            return true;
        }
        state
            .wakers
            .retain(|(task, known)| *task != id || !known.will_wake(waker));
        state.wakers.push((id, waker.clone()));
        false
    }

    /// Has a thread that does nothing else submit what GPUs were given.
    pub(super) fn want_flush(&self) {
        let mut state = self.state();
        let first = !std::mem::replace(&mut state.flush_wanted, true);
        if first && state.idle > 0 {
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Lets [`next`](Self::next) say so when everything is finished.
    pub(super) fn stop(&self) {
        self.state().stopping = true;
        self.wake.notify_all();
    }

    /// Wakes a thread that sleeps if there is something for it. A thread that is woken wakes the next in its turn.
    fn wake_one(&self, state: MutexGuard<'_, State<W>>) {
        let wake = state.idle > 0 && state.graph.has_ready();
        drop(state);
        if wake {
            self.wake.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        lock(&self.state)
    }
}

impl<W> State<W> {
    /// One thread no longer waits for this.
    fn forget(&mut self, id: TaskId) {
        if let Some(at) = self.awaited.iter().position(|&awaited| awaited == id) {
            self.awaited.swap_remove(at);
        }
    }

    fn take_wakers(&mut self, id: TaskId) -> Vec<Waker> {
        if self.wakers.is_empty() {
            return Vec::new();
        }
        let (mine, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.wakers)
            .into_iter()
            .partition(|(task, _)| *task == id);
        self.wakers = others;
        mine.into_iter().map(|(_, waker)| waker).collect()
    }
}
