//! What is ready? The order between pieces of work, from the ranges that they read and write.
//!
//! Work that writes a range comes after all earlier work that reads or writes it; work that reads a range comes after all earlier
//! work that writes it. Everything else may overlap; of what is ready, the work with the longest path behind it comes first.

use std::cmp::Reverse;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use crate::region::Span;

/// Identifies an array within a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ArrayId(pub(crate) u64);

/// Identifies a piece of work; later work has a larger id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TaskId(pub(crate) u64);

/// A range that a piece of work uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    /// Of which array.
    pub(crate) array: ArrayId,
    /// Which words.
    pub(crate) span: Span,
    /// Whether they are written.
    pub(crate) write: bool,
}

impl Access {
    /// Whether the order between the two matters.
    pub(crate) fn conflicts(&self, other: &Self) -> bool {
        self.array == other.array
            && (self.write || other.write)
            && self.span.lo < other.span.hi
            && other.span.lo < self.span.hi
    }

    /// Whether this writes all that the other touches.
    fn overwrites(&self, other: &Self) -> bool {
        self.array == other.array
            && self.write
            && self.span.lo <= other.span.lo
            && other.span.hi <= self.span.hi
    }
}

/// Unfinished work and its order. `W` is whatever the work is.
#[derive(Debug)]
pub(crate) struct Graph<W> {
    next: u64,
    tasks: BTreeMap<TaskId, Task<W>>,
    /// Writes of unfinished work, by array: an array that is only read orders nothing.
    writes: BTreeMap<ArrayId, usize>,
    /// What may start, the longest path first; of equals the one that was added first.
    ready: BTreeSet<(Reverse<u64>, TaskId)>,
    /// Number of pieces of work that were added since paths were measured.
    unmeasured: usize,
}

#[derive(Debug)]
struct Task<W> {
    /// Taken when it starts.
    work: Option<W>,
    accesses: Vec<Access>,
    blockers: usize,
    dependents: Vec<TaskId>,
    /// How long it is predicted to take.
    ns: u64,
    /// How long it and everything that has to come after it, one by one, are predicted to take.
    path_ns: u64,
}

impl<W> Default for Graph<W> {
    fn default() -> Self {
        Self {
            next: 0,
            tasks: BTreeMap::new(),
            writes: BTreeMap::new(),
            ready: BTreeSet::new(),
            unmeasured: 0,
        }
    }
}

impl<W> Graph<W> {
    /// Adds work that is predicted to take `ns` behind everything it conflicts with.
    ///
    /// Earlier work that writes all of what one access touches stands for everything before it: that comes before it already. So
    /// a chain of launches has as many links as launches.
    pub(crate) fn add(&mut self, work: W, accesses: Vec<Access>, ns: u64) -> TaskId {
        let id = TaskId(self.next);
        self.next += 1;
        let mut open: SmallVec<[Access; 8]> = accesses
            .iter()
            .filter(|access| access.write || self.writes.contains_key(&access.array))
            .copied()
            .collect();
        let mut blockers = 0;
        for task in self.tasks.values_mut().rev() {
            if open.is_empty() {
                break;
            }
            let conflicts =
                |later: &Access| task.accesses.iter().any(|earlier| later.conflicts(earlier));
            if open.iter().any(conflicts) {
                task.dependents.push(id);
                blockers += 1;
                open.retain(|later| {
                    !task
                        .accesses
                        .iter()
                        .any(|earlier| earlier.overwrites(later))
                });
            }
        }
        for access in accesses.iter().filter(|access| access.write) {
            *self.writes.entry(access.array).or_default() += 1;
        }
        if blockers == 0 {
            self.ready.insert((Reverse(ns), id));
        }
        self.unmeasured += 1;
        self.tasks.insert(
            id,
            Task {
                work: Some(work),
                accesses,
                blockers,
                dependents: Vec::new(),
                ns,
                path_ns: ns,
            },
        );
        id
    }

    /// Keeps `count` ids back, for parts of the work that was added last.
    pub(crate) fn reserve(&mut self, count: u64) {
        self.next += count;
    }

    /// The id of the work that is added next.
    pub(crate) fn next_id(&self) -> TaskId {
        TaskId(self.next)
    }

    /// Takes, of what is ready, the work with the longest path.
    ///
    /// Paths are measured anew when a quarter of the work is new, so that choosing costs little however much is waiting.
    pub(crate) fn take_next(&mut self) -> Option<(TaskId, W)> {
        if self.ready.len() > 1 && self.unmeasured * 4 >= self.tasks.len() {
            self.measure_paths();
        }
        let (_, id) = self.ready.pop_first()?;
        let task = self.tasks.get_mut(&id).expect("ready work is unfinished");
        Some((id, task.work.take().expect("ready work has not started")))
    }

    /// Takes this work if it is ready.
    pub(crate) fn take(&mut self, id: TaskId) -> Option<W> {
        let task = self.tasks.get_mut(&id)?;
        if !self.ready.remove(&(Reverse(task.path_ns), id)) {
            return None;
        }
        task.work.take()
    }

    /// Finds the longest path behind each piece of work: what comes after it is younger, so one pass from the youngest does.
    fn measure_paths(&mut self) {
        self.unmeasured = 0;
        let youngest_first: Vec<TaskId> = self.tasks.keys().rev().copied().collect();
        for id in youngest_first {
            let behind = self.tasks[&id].dependents.iter();
            let longest = behind.map(|later| self.tasks[later].path_ns).max();
            let task = self.tasks.get_mut(&id).expect("it was just listed");
            let before = task.path_ns;
            task.path_ns = task.ns.saturating_add(longest.unwrap_or(0));
            if task.path_ns != before && self.ready.remove(&(Reverse(before), id)) {
                self.ready.insert((Reverse(task.path_ns), id));
            }
        }
    }

    /// Removes finished work; how much more is ready now.
    ///
    /// # Panics
    /// If the work was not taken before, or is finished already.
    pub(crate) fn finish(&mut self, id: TaskId) -> usize {
        let task = self.tasks.remove(&id).expect("work finishes once");
        assert!(task.work.is_none(), "work starts before it finishes");
        for access in task.accesses.iter().filter(|access| access.write) {
            if let Entry::Occupied(mut count) = self.writes.entry(access.array) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
        let before = self.ready.len();
        for dependent in task.dependents {
            let waiting = self
                .tasks
                .get_mut(&dependent)
                .expect("what waits is unfinished");
            waiting.blockers -= 1;
            if waiting.blockers == 0 {
                self.ready.insert((Reverse(waiting.path_ns), dependent));
            }
        }
        self.ready.len() - before
    }

    /// Whether this work has not finished.
    pub(crate) fn is_pending(&self, id: TaskId) -> bool {
        self.tasks.contains_key(&id)
    }

    /// Whether this work waits for other work.
    pub(crate) fn is_blocked(&self, id: TaskId) -> bool {
        self.tasks.get(&id).is_some_and(|task| task.blockers > 0)
    }

    /// The latest unfinished work that conflicts with `access`, if any.
    pub(crate) fn conflicting(&self, access: &Access) -> Option<TaskId> {
        let mut latest_first = self.tasks.iter().rev();
        latest_first
            .find(|(_, task)| {
                task.accesses
                    .iter()
                    .any(|earlier| access.conflicts(earlier))
            })
            .map(|(&id, _)| id)
    }

    /// The arrays that work which has not started will use, the next first; some more than once.
    pub(crate) fn upcoming(&self) -> impl Iterator<Item = ArrayId> + '_ {
        let waiting = self.tasks.values().filter(|task| task.work.is_some());
        waiting.flat_map(|task| task.accesses.iter().map(|access| access.array))
    }

    /// Work that has not started, the earliest first.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (TaskId, &W)> {
        let tasks = self.tasks.iter();
        tasks.filter_map(|(&id, task)| Some((id, task.work.as_ref()?)))
    }

    /// Whether this work has not started.
    pub(crate) fn has_not_started(&self, id: TaskId) -> bool {
        self.tasks.get(&id).is_some_and(|task| task.work.is_some())
    }

    /// Whether no unfinished work before `id` writes what `access` touches.
    pub(crate) fn is_settled(&self, id: TaskId, access: &Access) -> bool {
        let writes = |earlier: &Access| earlier.write && earlier.conflicts(access);
        let mut before = self.tasks.range(..id);
        before.all(|(_, task)| !task.accesses.iter().any(writes))
    }

    /// The latest unfinished work.
    pub(crate) fn latest(&self) -> Option<TaskId> {
        self.tasks.last_key_value().map(|(&id, _)| id)
    }

    /// Number of unfinished pieces of work.
    pub(crate) fn pending(&self) -> usize {
        self.tasks.len()
    }

    /// Whether something can start now.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// How many pieces of work can start now.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }
}

/// An access in a test.
#[cfg(test)]
pub(crate) fn access(array: u64, lo: u64, hi: u64, write: bool) -> Access {
    Access {
        array: ArrayId(array),
        span: Span { lo, hi },
        write,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(graph: &mut Graph<char>) -> String {
        std::iter::from_fn(|| graph.take_next())
            .map(|(_, name)| name)
            .collect()
    }

    #[test]
    fn readers_overlap_and_writers_wait_for_them() {
        let mut graph = Graph::default();
        let write = graph.add('w', vec![access(0, 0, 10, true)], 1);
        let first = graph.add('a', vec![access(0, 0, 5, false)], 1);
        let second = graph.add('b', vec![access(0, 3, 10, false)], 1);
        graph.add('x', vec![access(0, 4, 5, true)], 1);
        assert_eq!(started(&mut graph), "w");
        assert_eq!(graph.finish(write), 2);
        assert_eq!(started(&mut graph), "ab");
        assert_eq!(graph.finish(first), 0);
        assert_eq!(graph.finish(second), 1);
        assert_eq!(started(&mut graph), "x");
    }

    #[test]
    fn work_has_not_started_until_it_is_taken() {
        let mut graph = Graph::default();
        let first = graph.add('a', vec![access(0, 0, 5, true)], 1);
        let second = graph.add('b', vec![access(0, 0, 5, false)], 1);
        assert!(graph.has_not_started(first) && graph.has_not_started(second));
        assert_eq!(graph.take(first), Some('a'));
        assert!(!graph.has_not_started(first) && graph.has_not_started(second));
        graph.finish(first);
        assert!(!graph.has_not_started(first) && graph.has_not_started(second));
    }

    #[test]
    fn a_chain_has_one_link_for_each_launch_and_keeps_its_order() {
        let mut graph = Graph::default();
        let ids: Vec<TaskId> = (0..100)
            .map(|_| graph.add('a', vec![access(0, 0, 8, false), access(1, 0, 8, true)], 1))
            .collect();
        let part = graph.add('p', vec![access(1, 2, 4, true)], 1);
        let whole = graph.add('w', vec![access(1, 0, 8, false)], 1);
        for (at, &id) in ids.iter().enumerate() {
            assert_eq!(started(&mut graph), "a", "launch {at}");
            assert_eq!(
                graph.tasks[&id].dependents.len(),
                if at == 99 { 2 } else { 1 }
            );
            graph.finish(id);
        }
        assert_eq!(
            started(&mut graph),
            "p",
            "a part that is overwritten hides nothing of the rest"
        );
        graph.finish(part);
        assert_eq!(started(&mut graph), "w");
        graph.finish(whole);
        assert!(graph.writes.is_empty());
    }

    #[test]
    fn disjoint_ranges_and_other_arrays_do_not_wait() {
        let mut graph = Graph::default();
        graph.add('a', vec![access(0, 0, 5, true)], 1);
        graph.add('b', vec![access(0, 5, 10, true)], 1);
        graph.add('c', vec![access(1, 0, 5, true)], 1);
        assert_eq!(started(&mut graph), "abc");
    }

    #[test]
    fn only_ready_work_can_be_taken_by_name() {
        let mut graph = Graph::default();
        let first = graph.add('a', vec![access(0, 0, 1, true)], 1);
        let second = graph.add('b', vec![access(0, 0, 1, true)], 1);
        assert_eq!(graph.conflicting(&access(0, 0, 1, false)), Some(second));
        assert_eq!((graph.take(second), graph.take(first)), (None, Some('a')));
        graph.finish(first);
        assert_eq!(graph.take(second), Some('b'));
        assert!(!graph.is_pending(first) && graph.is_pending(second));
    }

    #[test]
    fn of_what_is_ready_the_longest_path_comes_first() {
        let mut graph = Graph::default();
        let short = graph.add('s', vec![access(0, 0, 1, true)], 50);
        graph.add('a', vec![access(1, 0, 1, true)], 10);
        graph.add('l', vec![access(2, 0, 1, true)], 40);
        graph.add('b', vec![access(1, 0, 1, true)], 10);
        graph.add('c', vec![access(1, 0, 1, true)], 40);
        // a, b and c are one path of 60.
        assert_eq!(started(&mut graph), "asl");
        assert_eq!(graph.finish(short), 0);
    }

    #[test]
    fn equals_come_in_the_order_in_which_they_were_added() {
        let mut graph = Graph::default();
        for name in ['a', 'b', 'c', 'd'] {
            graph.add(name, Vec::new(), 7);
        }
        assert_eq!(started(&mut graph), "abcd");
    }

    #[test]
    fn paths_follow_work_that_is_added_while_other_work_runs() {
        let mut graph = Graph::default();
        let first = graph.add('f', vec![access(0, 0, 2, true)], 1);
        assert_eq!(graph.take(first), Some('f'));
        graph.add('x', vec![access(0, 0, 1, true)], 5);
        graph.add('y', vec![access(0, 1, 2, true)], 4);
        graph.add('z', vec![access(0, 1, 2, true)], 4);
        assert_eq!(graph.finish(first), 2);
        assert_eq!(started(&mut graph), "yx", "y has z behind it");
    }

    #[test]
    fn many_chains_are_ordered_by_what_is_left_of_them() {
        let mut graph = Graph::default();
        let long = 1000;
        for step in 0..long {
            graph.add('l', vec![access(0, 0, 1, true)], 1);
            if step % 2 == 0 {
                graph.add('s', vec![access(1, 0, 1, true)], 1);
            }
        }
        let order: String = std::iter::from_fn(|| {
            let (id, name) = graph.take_next()?;
            graph.finish(id);
            Some(name)
        })
        .collect();
        // The long chain alone until as much is left of both, then in turns.
        assert!(order.starts_with(&"l".repeat(long / 2 - 1)), "{order}");
        assert_eq!(order.len(), long + long / 2);
    }
}
