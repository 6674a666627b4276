//! Which device can still be trusted, and with what? What each failed to do, so that it is not asked the same again at once, and when
//! it has failed too often.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use super::Shared;
use crate::device::DeviceError;
use crate::launch::LaunchBody;
use crate::machine::DeviceId;
use crate::plan::Reason;
use crate::trace::Event;

/// Failures without a success between them, after which a device gets no more parts.
const FAILURES_MAX: u32 = 5;
/// Launches that a device is spared for want of memory, before it is tried again: others may have freed some.
const SPARED_MAX: u32 = 64;

/// What a device has failed to do.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Failures since the last success.
    in_a_row: u32,
    /// The least that did not fit.
    too_much: Option<TooMuch>,
    /// Kernels that it, or its driver, refused, by fingerprint, and why.
    refused: BTreeMap<u64, String>,
    /// Why it gets no more parts.
    retired: Option<Retired>,
}

/// Why a device gets no more parts.
#[derive(Debug)]
enum Retired {
    /// It is gone, for the reason given.
    Lost(String),
    /// It failed too often. A part that somebody asks of it all the same, and that it does, brings it back.
    Failing(String),
}

/// Arrays for which a device had no room.
#[derive(Clone, Copy, Debug)]
struct TooMuch {
    /// Bytes of the launch's arrays.
    bytes: u64,
    /// Bytes in use when it failed.
    used_bytes: u64,
    /// Launches that it was spared since.
    spared: u32,
}

impl Standing {
    /// A launch that uses arrays of `bytes` bytes failed. Returns why the device is retired, if it is from now on.
    fn note_failure(&mut self, kernel: u64, bytes: u64, error: &DeviceError) -> Option<String> {
        self.in_a_row += 1;
        match error {
            DeviceError::OutOfMemory { used_bytes, .. } => {
                self.too_much = Some(TooMuch {
                    bytes,
                    used_bytes: *used_bytes,
                    spared: 0,
                });
            }
            DeviceError::Validation { detail, .. } => {
                self.refused.insert(kernel, detail.clone());
            }
            _ => {}
        }
        if self.in_a_row < FAILURES_MAX || self.retired.is_some() {
            return None;
        }
        let why = format!("it failed {FAILURES_MAX} times in a row, at last: {error}");
        self.retired = Some(Retired::Failing(why.clone()));
        Some(why)
    }

    /// The device is gone. Returns whether that is news.
    fn note_loss(&mut self, why: &str) -> bool {
        let known = matches!(self.retired, Some(Retired::Lost(_)));
        let retired = self.retired.is_some();
        if !known {
            self.retired = Some(Retired::Lost(why.to_owned()));
        }
        !retired
    }

    /// A part was done. Returns whether that brings the device back.
    fn note_success(&mut self) -> bool {
        self.in_a_row = 0;
        let back = matches!(self.retired, Some(Retired::Failing(_)));
        if back {
            self.retired = None;
        }
        back
    }

    /// Why a launch of `kernel` that uses arrays of `bytes` bytes should not go to the device, of whose memory so much is used now.
    fn objection(&mut self, kernel: u64, bytes: u64, used_bytes: u64) -> Option<Reason> {
        if let Some(Retired::Lost(why) | Retired::Failing(why)) = &self.retired {
            return Some(Reason::Retired(why.clone()));
        }
        if let Some(detail) = self.refused.get(&kernel) {
            return Some(Reason::Unsupported(format!("it refused it: {detail}")));
        }
        let too_much = self.too_much.as_mut()?;
        if bytes < too_much.bytes {
            return None;
        }
        too_much.spared += 1;
        if used_bytes < too_much.used_bytes || too_much.spared > SPARED_MAX {
            self.too_much = None;
            return None;
        }
        let had = too_much.bytes;
        Some(Reason::Unsupported(format!(
            "its arrays have {bytes} bytes, and there was no room for {had}"
        )))
    }
}

impl Shared {
    /// A device failed to do a part of this launch, or to take its words.
    pub(super) fn note_failure(&self, device: DeviceId, body: &LaunchBody, error: &DeviceError) {
        let kernel = body.kernel.fingerprint;
        let mut standings = self.standings();
        let standing = standings.entry(device).or_default();
        if let Some(why) = standing.note_failure(kernel, bytes_of(body), error) {
            self.record_retired(device, why);
        }
    }

    /// Gives a GPU up.
    pub(crate) fn lose(&self, device: DeviceId) {
        self.devices.lose(device);
        if device != DeviceId::CPU && self.devices.ids().any(|known| known == device) {
            self.note_loss(device);
        }
    }

    /// Why a GPU is gone, if it is. The first to notice tells it to the trace.
    pub(super) fn note_loss(&self, device: DeviceId) -> Option<String> {
        let why = self.devices.gpu(device).is_lost()?;
        let mut standings = self.standings();
        if standings.entry(device).or_default().note_loss(&why) {
            self.record_retired(device, why.clone());
        }
        Some(why)
    }

    /// A device did a part.
    pub(super) fn note_success(&self, device: DeviceId) {
        // Told to the trace behind the lock, so that retiring and resuming take turns there, too.
        let mut standings = self.standings();
        if standings
            .get_mut(&device)
            .is_some_and(Standing::note_success)
        {
            self.trace.warn(|| Event::DeviceResumed { device });
        }
    }

    fn record_retired(&self, device: DeviceId, why: String) {
        self.trace.warn(|| Event::DeviceRetired {
            device,
            cause: why.into(),
        });
    }

    /// Why a device should not take part in this launch, after what it failed to do before.
    pub(super) fn objection(&self, device: DeviceId, body: &LaunchBody) -> Option<Reason> {
        let mut standings = self.standings();
        let standing = standings.get_mut(&device)?;
        let used_bytes = self.devices.gpu(device).used_bytes();
        standing.objection(body.kernel.fingerprint, bytes_of(body), used_bytes)
    }

    fn standings(&self) -> MutexGuard<'_, BTreeMap<DeviceId, Standing>> {
        self.standings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of a launch's arrays, each counted once.
fn bytes_of(body: &LaunchBody) -> u64 {
    let mut arrays: BTreeMap<_, u64> = BTreeMap::new();
    for slot in body.slots() {
        arrays.insert(slot.core.id(), slot.core.words() * 4);
    }
    arrays.values().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out_of_memory(used_bytes: u64) -> DeviceError {
        DeviceError::OutOfMemory {
            device: "GPU".to_owned(),
            wanted_bytes: 8,
            used_bytes,
            budget_bytes: 10,
        }
    }

    fn invalid() -> DeviceError {
        DeviceError::Validation {
            device: "GPU".to_owned(),
            what: "a module".to_owned(),
            detail: "line 3".to_owned(),
        }
    }

    #[test]
    fn what_did_not_fit_is_not_asked_again_until_there_is_room() {
        let mut standing = Standing::default();
        standing.note_failure(1, 100, &out_of_memory(50));
        assert!(standing.objection(2, 100, 50).is_some());
        assert_eq!(standing.objection(2, 99, 50), None, "smaller things go on");
        assert_eq!(standing.objection(2, 100, 49), None, "something was freed");
        standing.note_failure(1, 100, &out_of_memory(50));
        let spared = (0..200).take_while(|_| standing.objection(2, 100, 50).is_some());
        assert_eq!(spared.count() as u32, SPARED_MAX, "then it is tried again");
    }

    #[test]
    fn a_kernel_that_was_refused_stays_away_and_others_do_not() {
        let mut standing = Standing::default();
        standing.note_failure(1, 100, &invalid());
        let objection = standing.objection(1, 4, 0).expect("it was refused");
        assert!(objection.to_string().contains("line 3"), "{objection}");
        assert_eq!(standing.objection(2, 4, 0), None);
    }

    #[test]
    fn failures_in_a_row_retire_a_device_and_a_success_forgives_them() {
        let mut standing = Standing::default();
        for kernel in 1..u64::from(FAILURES_MAX) {
            standing.note_failure(kernel, 1, &invalid());
        }
        standing.note_success();
        for kernel in 1..u64::from(FAILURES_MAX) {
            standing.note_failure(kernel, 1, &invalid());
        }
        assert_eq!(standing.objection(99, 1, 0), None);
        standing.note_failure(98, 1, &invalid());
        let objection = standing.objection(99, 1, 0);
        assert!(
            matches!(objection, Some(Reason::Retired(_))),
            "{objection:?}"
        );
    }
}
