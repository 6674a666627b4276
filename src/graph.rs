//! What is ready? The order between pieces of work, from the ranges that they read and write.
//!
//! Work that writes a range comes after all earlier work that reads or writes it; work that reads a range comes after all earlier
//! work that writes it. Everything else may overlap. Pure: it holds no locks, threads or clocks.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

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
    ready: std::collections::VecDeque<TaskId>,
}

#[derive(Debug)]
struct Task<W> {
    /// Taken when it starts.
    work: Option<W>,
    accesses: Vec<Access>,
    blockers: usize,
    dependents: Vec<TaskId>,
}

impl<W> Default for Graph<W> {
    fn default() -> Self {
        Self {
            next: 0,
            tasks: BTreeMap::new(),
            writes: BTreeMap::new(),
            ready: std::collections::VecDeque::new(),
        }
    }
}

impl<W> Graph<W> {
    /// Adds work behind everything it conflicts with.
    ///
    /// Earlier work that writes all of what one access touches stands for everything before it: that comes before it already. So
    /// a chain of launches has as many links as launches.
    pub(crate) fn add(&mut self, work: W, accesses: Vec<Access>) -> TaskId {
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
            self.ready.push_back(id);
        }
        self.tasks.insert(
            id,
            Task {
                work: Some(work),
                accesses,
                blockers,
                dependents: Vec::new(),
            },
        );
        id
    }

    /// The id of the work that is added next.
    pub(crate) fn next_id(&self) -> TaskId {
        TaskId(self.next)
    }

    /// Takes the work that has been ready for longest.
    pub(crate) fn take_next(&mut self) -> Option<(TaskId, W)> {
        let id = self.ready.pop_front()?;
        let task = self.tasks.get_mut(&id).expect("ready work is unfinished");
        Some((id, task.work.take().expect("ready work has not started")))
    }

    /// Takes this work if it is ready.
    pub(crate) fn take(&mut self, id: TaskId) -> Option<W> {
        let at = self.ready.iter().position(|&ready| ready == id)?;
        self.ready.remove(at);
        self.tasks.get_mut(&id)?.work.take()
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
                self.ready.push_back(dependent);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(array: u64, lo: u64, hi: u64, write: bool) -> Access {
        Access {
            array: ArrayId(array),
            span: Span { lo, hi },
            write,
        }
    }

    fn started(graph: &mut Graph<char>) -> String {
        std::iter::from_fn(|| graph.take_next())
            .map(|(_, name)| name)
            .collect()
    }

    #[test]
    fn readers_overlap_and_writers_wait_for_them() {
        let mut graph = Graph::default();
        let write = graph.add('w', vec![access(0, 0, 10, true)]);
        let first = graph.add('a', vec![access(0, 0, 5, false)]);
        let second = graph.add('b', vec![access(0, 3, 10, false)]);
        graph.add('x', vec![access(0, 4, 5, true)]);
        assert_eq!(started(&mut graph), "w");
        assert_eq!(graph.finish(write), 2);
        assert_eq!(started(&mut graph), "ab");
        assert_eq!(graph.finish(first), 0);
        assert_eq!(graph.finish(second), 1);
        assert_eq!(started(&mut graph), "x");
    }

    #[test]
    fn a_chain_has_one_link_for_each_launch_and_keeps_its_order() {
        let mut graph = Graph::default();
        let ids: Vec<TaskId> = (0..100)
            .map(|_| graph.add('a', vec![access(0, 0, 8, false), access(1, 0, 8, true)]))
            .collect();
        let part = graph.add('p', vec![access(1, 2, 4, true)]);
        let whole = graph.add('w', vec![access(1, 0, 8, false)]);
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
        graph.add('a', vec![access(0, 0, 5, true)]);
        graph.add('b', vec![access(0, 5, 10, true)]);
        graph.add('c', vec![access(1, 0, 5, true)]);
        assert_eq!(started(&mut graph), "abc");
    }

    #[test]
    fn only_ready_work_can_be_taken_by_name() {
        let mut graph = Graph::default();
        let first = graph.add('a', vec![access(0, 0, 1, true)]);
        let second = graph.add('b', vec![access(0, 0, 1, true)]);
        assert_eq!(graph.conflicting(&access(0, 0, 1, false)), Some(second));
        assert_eq!((graph.take(second), graph.take(first)), (None, Some('a')));
        graph.finish(first);
        assert_eq!(graph.take(second), Some('b'));
        assert!(!graph.is_pending(first) && graph.is_pending(second));
    }
}
