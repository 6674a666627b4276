//! How are recorded steps carried out? As one piece of work, launch by launch, without a queue between those that depend on each other.

use std::sync::Arc;

use super::{AT_ONCE_NS, Outcome, Prepared, Shared, Work};
use crate::error::LaunchError;
use crate::graph::{Access, Graph, TaskId};
use crate::region::SpanSet;

/// Launches to be repeated, bound to their arrays in every phase of a period.
#[derive(Debug)]
pub(crate) struct Program {
    phases: Vec<Vec<Arc<Prepared>>>,
    /// What all launches of all phases use.
    accesses: Vec<Access>,
    /// Whether some launches do not depend on each other.
    wide: bool,
}

/// A number of steps of a program.
#[derive(Clone, Debug)]
pub(super) struct Replay {
    program: Arc<Program>,
    /// Phase of the first step.
    first: usize,
    steps: usize,
}

impl Program {
    /// # Panics
    /// Without a phase.
    pub(crate) fn new(phases: Vec<Vec<Prepared>>) -> Self {
        assert!(!phases.is_empty(), "a program has at least one phase");
        let launches = phases.iter().flatten();
        let accesses = together(launches.flat_map(|launch| launch.body.accesses()));
        let steps = phases.iter().cycle().take(2).flatten();
        let wide = is_wide(steps.map(|launch| launch.body.accesses()));
        let phases = phases
            .into_iter()
            .map(|launches| launches.into_iter().map(Arc::new).collect());
        Self {
            phases: phases.collect(),
            accesses,
            wide,
        }
    }

    /// Whether some launches do not depend on each other.
    pub(super) fn is_wide(&self) -> bool {
        self.wide
    }

    /// Number of launches of one step.
    pub(crate) fn launches(&self) -> usize {
        self.phases[0].len()
    }
}

impl Replay {
    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// A launch, counted from the first of the first step.
    pub(super) fn launch(&self, number: usize) -> &Arc<Prepared> {
        let (step, at) = (
            number / self.program.launches(),
            number % self.program.launches(),
        );
        let phases = &self.program.phases;
        &phases[(self.first + step % phases.len()) % phases.len()][at]
    }

    /// Number of launches of all steps.
    pub(super) fn launches_in_all(&self) -> usize {
        self.steps * self.program.launches()
    }

    /// How often each launch is repeated.
    pub(super) fn repeats(&self) -> u32 {
        u32::try_from(self.steps).unwrap_or(u32::MAX)
    }

    /// The launches of all steps, with the ids that follow from the replay's.
    fn launches(&self, id: TaskId) -> impl Iterator<Item = (TaskId, &Arc<Prepared>)> {
        let phases = self.program.phases.iter().cycle().skip(self.first);
        let ids = (id.0..).map(TaskId);
        ids.zip(phases.take(self.steps).flatten())
    }
}

/// Whether some of the work can be ready at the same time.
fn is_wide(work: impl Iterator<Item = Vec<Access>>) -> bool {
    let mut graph = Graph::default();
    for accesses in work {
        graph.add((), accesses, 1);
    }
    while graph.ready() == 1 {
        let (id, ()) = graph.take_next().expect("something is ready");
        graph.finish(id);
    }
    graph.ready() > 1
}

/// The fewest accesses that stand for all of these.
fn together(accesses: impl Iterator<Item = Access>) -> Vec<Access> {
    let mut all: Vec<Access> = accesses.collect();
    all.sort_by_key(|access| (access.array, access.write));
    let alike = |a: &Access, b: &Access| (a.array, a.write) == (b.array, b.write);
    let mut merged = Vec::new();
    for group in all.chunk_by(alike) {
        let spans: SpanSet = group.iter().map(|access| access.span).collect();
        merged.extend(spans.iter().map(|span| Access { span, ..group[0] }));
    }
    merged
}

impl Shared {
    /// Queues steps of a program behind the work that they conflict with; a few tiny ones with nothing before them are carried out
    /// at once, as such launches are.
    pub(crate) fn replay(
        &self,
        program: &Arc<Program>,
        first: usize,
        steps: usize,
    ) -> (TaskId, Outcome) {
        let replay = Replay {
            program: Arc::clone(program),
            first,
            steps,
        };
        let outcome = Outcome::default();
        let ns = self.predict_step(&replay) * steps as f64;
        let at_once = self.devices.cpu_only() && ns < AT_ONCE_NS;
        let work = |id| {
            if self.trace.is_on() {
                for (id, launch) in replay.launches(id) {
                    self.record_queued(id, &launch.body);
                }
            }
            let outcome = outcome.clone();
            Work::Replay { replay, outcome }
        };
        let parts = (steps * program.launches()) as u64;
        let accesses = program.accesses.clone();
        let (id, taken) = self.queue.add(work, accesses, ns as u64, parts, at_once);
        if let Some(work) = taken {
            self.carry_out(id, work, false);
        }
        (id, outcome)
    }

    /// Time of one step on the CPU, in ns.
    pub(super) fn predict_step(&self, replay: &Replay) -> f64 {
        let step = replay.program.phases[replay.first].iter();
        step.map(|launch| self.predict_on_cpu(&launch.job())).sum()
    }

    /// Carries steps out. The first launch that fails ends them, and then nothing that they write counts as written.
    pub(super) fn run_replay(&self, id: TaskId, replay: &Replay) -> Result<(), Arc<LaunchError>> {
        let outcome = if self.overlaps(replay) {
            self.run_side_by_side(id, replay)
        } else {
            self.run_one_by_one(id, replay)
        };
        if let Err(error) = &outcome {
            for launch in replay.program.phases.iter().flatten() {
                super::mark_failed(&launch.body, error);
            }
        }
        outcome
    }

    fn run_one_by_one(&self, id: TaskId, replay: &Replay) -> Result<(), Arc<LaunchError>> {
        let mut launches = replay.launches(id);
        while let Some((id, launch)) = launches.next() {
            if let Err(error) = self.try_launch(id, launch, replay.repeats()) {
                for (id, _) in launches.take_while(|_| self.trace.is_on()) {
                    self.record_finished(id, Some(&error));
                }
                return Err(Arc::new(error));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::access;

    #[test]
    fn work_is_wide_where_two_pieces_may_run_at_once() {
        let sweep = |from, to| vec![access(from, 0, 8, false), access(to, 0, 8, true)];
        let chain = [sweep(0, 1), sweep(1, 0), sweep(0, 1)];
        assert!(!is_wide(chain.into_iter()));
        let forked = [sweep(0, 1), sweep(1, 2), sweep(1, 3)];
        assert!(is_wide(forked.into_iter()));
        let halves = [vec![access(0, 0, 4, true)], vec![access(0, 4, 8, true)]];
        assert!(is_wide(halves.into_iter()));
        assert!(!is_wide(std::iter::empty()));
    }

    #[test]
    fn accesses_of_many_launches_are_put_together() {
        let all = [
            access(1, 0, 4, true),
            access(0, 0, 4, false),
            access(1, 4, 8, true),
            access(1, 2, 3, false),
            access(0, 6, 8, false),
        ];
        let together = together(all.into_iter());
        let expected = [
            access(0, 0, 4, false),
            access(0, 6, 8, false),
            access(1, 2, 3, false),
            access(1, 0, 8, true),
        ];
        assert_eq!(together, expected);
    }
}
