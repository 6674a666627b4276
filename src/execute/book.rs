//! Are plans written down, or followed that were? What a runtime that repeats a run, or is to be repeated, does with each launch.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Shared;
use super::job::Job;
use crate::error::LaunchError;
use crate::plan::{Plan, PlanBook, Policy};

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

    /// Notes the plan that a launch follows.
    pub(super) fn write_plan(&self, job: &Job<'_>, plan: &Plan) {
        let kernel = job.body.kernel;
        if let Some(mut book) = self.books.lock() {
            book.write(job.number.0, kernel.name, kernel.fingerprint, plan);
        }
    }
}
