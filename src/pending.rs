//! Has it finished, and how? A handle on launches that are under way.

use std::sync::Arc;
use std::time::Duration;

use crate::error::LaunchError;
use crate::execute::{Outcome, Shared};
use crate::graph::TaskId;

/// A launch, or a replay of a [`Graph`](crate::Graph), that may not have finished.
///
/// Dropping it changes nothing: what was started goes on.
#[derive(Debug)]
pub struct Pending<'a> {
    shared: &'a Shared,
    id: TaskId,
    outcome: Outcome,
}

impl<'a> Pending<'a> {
    pub(crate) fn new(shared: &'a Shared, (id, outcome): (TaskId, Outcome)) -> Self {
        Self {
            shared,
            id,
            outcome,
        }
    }

    /// Waits until the launch has been carried out, also on the GPUs, and returns its error if it failed.
    ///
    /// # Errors
    /// The reason why the launch failed.
    pub fn wait(self) -> Result<(), Arc<LaunchError>> {
        self.shared.wait(self.id);
        self.outcome.get().unwrap_or(Ok(()))
    }

    /// As [`wait`](Self::wait), but gives up after `patience`: then the launch goes on, and nothing is returned.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # impel::shader!(mod saxpy = "shaders/saxpy.wgsl");
    /// # let rt = impel::Runtime::new()?;
    /// # let (x, mut y) = (rt.zeros::<f32>(8)?, rt.zeros::<f32>(8)?);
    /// let launch = saxpy::saxpy { params: saxpy::Params { alpha: 3.0, n: 8 }, x: &x, y: &mut y };
    /// let pending = rt.launch(launch.over(8_u32))?;
    /// match pending.wait_timeout(Duration::from_secs(10)) {
    ///     Some(outcome) => outcome?,
    ///     None => eprintln!("still not done: {}", rt.report()),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_timeout(&self, patience: Duration) -> Option<Result<(), Arc<LaunchError>>> {
        let finished = self.shared.wait_timeout(self.id, patience);
        finished.then(|| self.outcome.get().unwrap_or(Ok(())))
    }
}
