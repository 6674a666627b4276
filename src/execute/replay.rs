//! How are recorded steps carried out? As one piece of work, launch by launch, without a queue between them.

use std::sync::Arc;

use super::{AT_ONCE_NS, Outcome, Prepared, Shared, Work};
use crate::error::LaunchError;
use crate::graph::{Access, TaskId};
use crate::region::SpanSet;

/// Launches to be repeated, bound to their arrays in every phase of a period.
#[derive(Debug)]
pub(crate) struct Program {
    phases: Vec<Vec<Prepared>>,
    /// What all launches of all phases use.
    accesses: Vec<Access>,
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
        Self { phases, accesses }
    }

    /// Number of launches of one step.
    pub(crate) fn launches(&self) -> usize {
        self.phases[0].len()
    }
}

impl Replay {
    /// The launches of all steps, with the ids that follow from the replay's.
    fn launches(&self, id: TaskId) -> impl Iterator<Item = (TaskId, &Prepared)> {
        let phases = self.program.phases.iter().cycle().skip(self.first);
        let ids = (id.0..).map(TaskId);
        ids.zip(phases.take(self.steps).flatten())
    }
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
        let step = program.phases[first].iter();
        let step_ns: f64 = step.map(|launch| self.predict_on_cpu(&launch.job())).sum();
        let ns = step_ns * steps as f64;
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

    /// Carries steps out. The first launch that fails ends them, and then nothing that they write counts as written.
    pub(super) fn run_replay(&self, id: TaskId, replay: &Replay) -> Result<(), Arc<LaunchError>> {
        let mut launches = replay.launches(id);
        while let Some((id, launch)) = launches.next() {
            let Err(error) = self.try_launch(id, launch) else {
                continue;
            };
            for (id, _) in launches.take_while(|_| self.trace.is_on()) {
                self.record_finished(id, Some(&error));
            }
            let error = Arc::new(error);
            for launch in replay.program.phases.iter().flatten() {
                super::mark_failed(&launch.body, &error);
            }
            return Err(error);
        }
        Ok(())
    }
}
