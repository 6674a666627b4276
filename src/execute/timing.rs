//! How long did GPU parts take that nobody waited for? Their clocks are read when they are done, and the times learned.

use std::sync::PoisonError;

use super::Shared;
use super::job::Job;
use crate::cost::{KernelKey, Source, Work};
use crate::device::{Dispatch, Timing};
use crate::machine::{DeviceId, GpuFeature};
use crate::trace::{Entered, Event, PartNo};

/// Samples after which a kernel's time on a GPU is known well enough to stop measuring, which costs a few microseconds.
const SAMPLES_ENOUGH: u32 = 10;
/// Every so often a known kernel is measured again: clocks throttle and neighbours come and go.
const LAUNCHES_BETWEEN: u64 = 32;
/// Parts that may be under way with their clocks running; more are not learned from.
const WAITING_MAX: usize = 64;

/// A part in a GPU's queue whose time is wanted.
#[derive(Debug)]
pub(super) struct Timed {
    pub(super) number: PartNo,
    /// Dropped when the part is known to be done.
    #[allow(dead_code, reason = "it is watched as long as this lives")]
    pub(super) watched: Option<Entered>,
    pub(super) dispatch: Dispatch,
    pub(super) name: &'static str,
    pub(super) kernel: KernelKey,
    pub(super) id: DeviceId,
    pub(super) work: Work,
    pub(super) workgroups: u64,
    pub(super) predicted_ns: f64,
}

impl Shared {
    /// Whether a part's time is worth measuring.
    pub(super) fn timing(&self, job: &Job<'_>, device: DeviceId, work: Work) -> Timing {
        let known = match self.predict(job, device, work).source {
            Source::Measured(samples) => samples >= SAMPLES_ENOUGH,
            Source::Guess | Source::Prior | Source::FirstRun | Source::Scaled(_) => false,
        };
        let look_again = || {
            self.costs()
                .launches(job.key())
                .is_multiple_of(LAUNCHES_BETWEEN)
        };
        if self.has_clock(device) && (!known || look_again()) {
            Timing::Measured
        } else {
            Timing::Off
        }
    }

    /// A chunk's time decides who takes the next: it is measured wherever that can be.
    pub(super) fn timing_of_chunk(&self, device: DeviceId) -> Timing {
        if self.has_clock(device) {
            Timing::Measured
        } else {
            Timing::Off
        }
    }

    fn has_clock(&self, device: DeviceId) -> bool {
        self.devices
            .gpu(device)
            .about()
            .features
            .contains(&GpuFeature::Timestamps)
    }

    /// Learns from a part when it is done, if its clock runs.
    pub(super) fn learn_later(&self, part: Timed, timing: Timing) {
        let mut waiting = self.timed.lock().unwrap_or_else(PoisonError::into_inner);
        if timing == Timing::Measured && waiting.len() < WAITING_MAX {
            waiting.push(part);
        } else {
            drop(waiting);
            self.report()
                .add_part(part.name, part.id, part.workgroups, part.predicted_ns, None);
        }
    }

    /// Learns from the parts that are done by now.
    pub(crate) fn read_clocks(&self) {
        let mut waiting = self.timed.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|part| {
            let Some(ns) = part.dispatch.elapsed_ns() else {
                return true;
            };
            self.trace.record(|| Event::PartMeasured {
                part: part.number,
                ns,
            });
            self.learn((part.kernel, part.name), part.id, part.work, ns);
            self.report().add_part(
                part.name,
                part.id,
                part.workgroups,
                part.predicted_ns,
                Some(ns),
            );
            false
        });
    }
}
