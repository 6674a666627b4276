//! What can be brought to a GPU ahead of the launch that will read it? While parts are at work, the arrays that queued launches only read
//! are sent to where those launches will run, as far as that is certain and there is room that nobody has to leave.

use std::sync::Arc;

use smallvec::SmallVec;

use super::job::{Job, Prepared};
use super::{Shared, Work};
use crate::graph::TaskId;
use crate::launch::Slot;
use crate::machine::DeviceId;
use crate::plan::Policy;
use crate::region::{Footprint, SpanSet, Touch};
use crate::trace::Event;
use crate::transfer::{self, Company, Merging};

/// Queued launches that are looked at.
const LAUNCHES_MAX: usize = 4;

/// A queued launch, and the numbers of the slots whose contents nobody will change before it reads them.
struct Ahead {
    id: TaskId,
    prepared: Arc<Prepared>,
    settled: SmallVec<[usize; 8]>,
}

impl Shared {
    /// Does `work`, and beside it brings queued launches what they will read.
    pub(super) fn prefetch_beside<T>(&self, work: impl FnOnce() -> T) -> T {
        let ahead = self.ahead();
        let prefetch = || ahead.iter().for_each(|launch| self.prefetch(launch));
        if ahead.is_empty() {
            return work();
        }
        if self.devices.simulated_time().is_some() {
            // There the host hands copies over in no time, and everything happens in one order.
            prefetch();
            return work();
        }
        std::thread::scope(|scope| {
            scope.spawn(prefetch);
            work()
        })
    }

    fn ahead(&self) -> Vec<Ahead> {
        if self.devices.cpu_only() || !self.prefetch {
            return Vec::new();
        }
        let mut ahead = self.queue.ahead(LAUNCHES_MAX, |id, work, is_settled| {
            let Work::Launch { prepared, .. } = work else {
                return None;
            };
            let accesses = prepared.body.accesses();
            let settled = accesses
                .iter()
                .enumerate()
                .filter(|(_, access)| !access.write);
            let settled = settled.filter(|(_, access)| is_settled(access));
            Some(Ahead {
                id,
                prepared: Arc::clone(prepared),
                settled: settled.map(|(index, _)| index).collect(),
            })
        });
        ahead.retain(|launch| !launch.settled.is_empty());
        ahead
    }

    /// Where a queued launch will run, if that is certain.
    fn device_of(&self, job: &Job<'_>) -> Option<DeviceId> {
        match self.policy_of(job.body) {
            Policy::GpuOnly(device) if *device != DeviceId::CPU => {
                let alive = self.devices.gpu(*device).is_lost().is_none();
                alive.then_some(*device)
            }
            _ => None,
        }
    }

    fn prefetch(&self, ahead: &Ahead) {
        let job = ahead.prepared.job().numbered(ahead.id);
        let Some(device) = self.device_of(&job) else {
            return;
        };
        for &index in &ahead.settled {
            let (slot, needs) = (job.slots[index], &job.facts.needs()[index]);
            let missing = slot
                .core
                .placement()
                .residency
                .missing(device.memory(), needs);
            if !missing.is_empty() && self.spare_buffer(&slot.core, device) {
                self.send_ahead(&job, slot, device, missing);
            }
        }
    }

    /// Sends words to a GPU. What goes wrong will go wrong again when the launch wants them, and is told then.
    fn send_ahead(&self, job: &Job<'_>, slot: &Slot, device: DeviceId, words: SpanSet) {
        let memory = device.memory();
        let count = words.words();
        let footprint = Footprint {
            arguments: vec![Touch::reading(words)],
        };
        let mut placement = slot.core.placement();
        let copies = transfer::copies_of_parts(
            &[(memory, &footprint)],
            Company::Alone,
            &[&placement.residency],
            &self.links(),
            Merging::Off,
        );
        let Ok(copies) = copies else {
            return;
        };
        self.trace.record(|| Event::Prefetched {
            launch: job.number,
            memory,
            words: count,
        });
        drop(self.make_copies(Some(job.number), &slot.core, &mut placement, &copies.list));
    }
}
