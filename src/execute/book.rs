//! Are plans written down, or followed that were? What a runtime that repeats a run, or is to be repeated, does with each launch.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Shared;
use super::job::Job;
use super::launch::Failure;
use crate::error::LaunchError;
use crate::lanes::Tile;
use crate::machine::DeviceId;
use crate::plan::{Part, Plan, PlanBook, Policy};

/// Plans to follow, and plans that were followed.
#[derive(Debug, Default)]
pub(crate) struct Books {
    followed: Option<PlanBook>,
    written: Option<Mutex<PlanBook>>,
}

impl Books {
    /// Follows the plans of `followed` if there are such, and notes those of all launches in `written` if that is given.
    pub(crate) fn new(followed: Option<PlanBook>, written: Option<PlanBook>) -> Self {
        Self {
            followed,
            written: written.map(Mutex::new),
        }
    }

    /// Whether launches need not be planned one by one.
    pub(super) fn are_closed(&self) -> bool {
        self.followed.is_none() && self.written.is_none()
    }

    /// What was written so far, if anything is.
    pub(crate) fn written(&self) -> Option<PlanBook> {
        Some(self.lock()?.clone())
    }

    fn lock(&self) -> Option<MutexGuard<'_, PlanBook>> {
        let written = self.written.as_ref()?;
        Some(written.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    /// The policy that makes a launch follow its recorded plan; none where no plans are followed.
    pub(super) fn recorded_policy(&self, job: &Job<'_>) -> Result<Option<Policy>, LaunchError> {
        let Some(book) = &self.books.followed else {
            return Ok(None);
        };
        let kernel = job.body.kernel;
        let plan = book.read(job.number.0, kernel.name, kernel.fingerprint, job.grid);
        let plan = plan.map_err(|error| LaunchError::Policy {
            kernel: kernel.name,
            reason: error.to_string(),
        })?;
        Ok(Some(Policy::Fixed(plan)))
    }

    /// Notes the plan that a launch follows, or has followed: what is written last counts.
    pub(super) fn write_plan(&self, job: &Job<'_>, plan: &Plan) {
        let kernel = job.body.kernel;
        if let Some(mut book) = self.books.lock() {
            book.write(job.number.0, kernel.name, kernel.fingerprint, plan);
        }
    }

    /// Notes a plan of which the CPU did all.
    pub(super) fn write_all_repaired(&self, job: &Job<'_>, plan: &Plan) {
        let failed = |part: &Part| Failure {
            device: part.device,
            tile: part.tile,
            cause: String::new(),
        };
        let failures: Vec<Failure> = plan.parts.iter().map(failed).collect();
        self.write_repaired(job, plan, &failures);
    }

    /// Notes a plan that GPUs failed to carry out, with the CPU in their place.
    pub(super) fn write_repaired(&self, job: &Job<'_>, plan: &Plan, failures: &[Failure]) {
        if self.books.written.is_some() {
            self.write_plan(job, &repaired(plan, failures, job.axis()));
        }
    }
}

/// `plan`, cut along `axis` if at all, with what failed on the CPU.
fn repaired(plan: &Plan, failures: &[Failure], axis: usize) -> Plan {
    let mut parts = Vec::with_capacity(plan.parts.len() + failures.len());
    for part in &plan.parts {
        let failed = |failure: &&Failure| {
            failure.device == part.device
                && failure.tile.lo[axis] >= part.tile.lo[axis]
                && failure.tile.hi[axis] <= part.tile.hi[axis]
        };
        let mut failed: Vec<Tile> = failures
            .iter()
            .filter(failed)
            .map(|failure| failure.tile)
            .collect();
        failed.sort_unstable_by_key(|tile| tile.lo[axis]);
        let mut add = |device, lo: u32, hi: u32| {
            if lo < hi {
                let mut own = Part { device, ..*part };
                (own.tile.lo[axis], own.tile.hi[axis]) = (lo, hi);
                parts.push(own);
            }
        };
        let mut done = part.tile.lo[axis];
        for tile in failed {
            add(part.device, done, tile.lo[axis]);
            add(DeviceId::CPU, tile.lo[axis], tile.hi[axis]);
            done = tile.hi[axis];
        }
        add(part.device, done, part.tile.hi[axis]);
    }
    Plan {
        axis: (parts.len() > 1).then_some(axis),
        parts,
        ..plan.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::Source;
    use crate::plan::SplitVerdict;

    fn tile(lo: u32, hi: u32) -> Tile {
        Tile {
            lo: [0, lo, 0],
            hi: [4, hi, 1],
        }
    }

    #[test]
    fn what_failed_is_the_cpus_in_the_book() {
        let part = |(device, lo, hi): (u8, u32, u32)| Part {
            device: DeviceId(device),
            tile: tile(lo, hi),
            predicted_ns: 1.0,
            transfer_ns: 0.0,
            bytes_in: 0,
            bytes_out: 0,
            source: Source::Prior,
        };
        let plan = Plan {
            grid: [4, 20, 1],
            axis: Some(1),
            parts: [(0, 0, 5), (1, 5, 15), (2, 15, 20)].map(part).to_vec(),
            rejected: Vec::new(),
            split: SplitVerdict::Policy,
        };
        let failure = |(device, lo, hi): (u8, u32, u32)| Failure {
            device: DeviceId(device),
            tile: tile(lo, hi),
            cause: String::new(),
        };
        let failures = [(2, 15, 20), (1, 7, 9)].map(failure);
        let repaired = repaired(&plan, &failures, 1);
        let expected = [(0, 0, 5), (1, 5, 7), (0, 7, 9), (1, 9, 15), (0, 15, 20)];
        assert_eq!(repaired.parts, expected.map(part));
        assert_eq!(repaired.check([4, 20, 1]), Ok(()));
        let whole = Plan {
            axis: None,
            parts: vec![part((1, 0, 20))],
            ..plan
        };
        let alone = self::repaired(&whole, &[failure((1, 0, 20))], 1);
        assert_eq!((alone.axis, alone.parts), (None, vec![part((0, 0, 20))]));
    }
}
