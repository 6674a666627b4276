//! Is it done yet? Batches of recorded work, tickets for them, and waits that end.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Gpu;
use super::health::lock;
use crate::device::error::DeviceError;

/// The longest single wait inside wgpu. It holds a lock there that freeing memory needs, and keeps submissions out, so that waits
/// are cut into slices.
const SLICE: Duration = Duration::from_micros(250);

/// Where a batch of recorded work stands.
#[derive(Clone, Debug)]
pub(super) enum Progress {
    Recording,
    Submitted(wgpu::SubmissionIndex),
    Done,
    Failed(DeviceError),
}

/// Work that is submitted together.
#[derive(Debug)]
pub(super) struct Batch {
    progress: Mutex<Progress>,
}

impl Batch {
    pub(super) fn new(progress: Progress) -> Arc<Self> {
        Arc::new(Self {
            progress: Mutex::new(progress),
        })
    }

    pub(super) fn progress(&self) -> Progress {
        lock(&self.progress).clone()
    }

    pub(super) fn set(&self, progress: Progress) {
        *lock(&self.progress) = progress;
    }
}

/// A claim on work: done when everything recorded before it was drawn has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ticket(pub(super) Arc<Batch>);

impl Gpu {
    /// Whether the work has ended, without waiting. Submits it first if it was still being recorded.
    ///
    /// # Errors
    ///
    /// The work failed, or the device is lost.
    #[cfg(test)]
    pub(crate) fn is_done(&self, ticket: &Ticket) -> Result<bool, DeviceError> {
        self.submit_if_recording(ticket)?;
        if let Some(outcome) = ended(ticket) {
            return outcome.map(|()| true);
        }
        self.health.poll(&self.device, wgpu::PollType::Poll)?;
        ended(ticket).map_or(Ok(false), |outcome| outcome.map(|()| true))
    }

    /// Waits for the work, submitting it first if it was still being recorded.
    ///
    /// # Errors
    ///
    /// The work failed, the device is lost, or `patience` is at an end; the work goes on in the last case.
    pub(crate) fn wait(&self, ticket: &Ticket, patience: Duration) -> Result<(), DeviceError> {
        self.submit_if_recording(ticket)?;
        self.wait_until(&ticket.0, patience, "a launch", || ended(ticket))
    }

    fn submit_if_recording(&self, ticket: &Ticket) -> Result<(), DeviceError> {
        if matches!(ticket.0.progress(), Progress::Recording) {
            self.flush()?;
        }
        Ok(())
    }

    /// Lets the device work on `batch`, in slices, until `ended` has an answer.
    pub(super) fn wait_until<T>(
        &self,
        batch: &Batch,
        patience: Duration,
        what: &'static str,
        mut ended: impl FnMut() -> Option<Result<T, DeviceError>>,
    ) -> Result<T, DeviceError> {
        let start = Instant::now();
        loop {
            if let Some(outcome) = ended() {
                return outcome;
            }
            self.health.check()?;
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(DeviceError::TimedOut {
                    device: self.health.device.clone(),
                    what,
                    after: patience,
                });
            }
            let submission_index = match batch.progress() {
                Progress::Submitted(index) => Some(index),
                Progress::Recording | Progress::Done | Progress::Failed(_) => None,
            };
            let slice = wgpu::PollType::Wait {
                submission_index,
                timeout: Some(left.min(SLICE)),
            };
            self.health.poll(&self.device, slice)?;
        }
    }
}

fn ended(ticket: &Ticket) -> Option<Result<(), DeviceError>> {
    match ticket.0.progress() {
        Progress::Done => Some(Ok(())),
        Progress::Failed(error) => Some(Err(error)),
        Progress::Recording | Progress::Submitted(_) => None,
    }
}
