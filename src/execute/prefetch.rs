//! What can be brought to a GPU ahead of the launch that will read it? While parts are at work, the arrays that queued launches only read
//! are sent to where those launches will run, as far as that is certain, or nearly so, and there is room that nobody has to leave.

use std::sync::Arc;

use smallvec::SmallVec;

use super::job::{Job, Placements, Prepared};
use super::{Shared, Work};
use crate::array::Placement;
use crate::graph::TaskId;
use crate::machine::DeviceId;
use crate::plan::Policy;
use crate::region::{Footprint, Span, SpanSet, Touch};
use crate::trace::Event;
use crate::transfer::{self, Company, Merging};

/// Queued launches that are looked at.
const LAUNCHES_MAX: usize = 4;

/// A queued launch, where it will run, and the numbers of the slots whose contents nobody will change before it reads them.
struct Ahead {
    id: TaskId,
    prepared: Arc<Prepared>,
    device: DeviceId,
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

    /// Queued launches that will run on a certain GPU and may miss words there.
    fn ahead(&self) -> Vec<Ahead> {
        if self.devices.cpu_only() || !self.prefetch {
            return Vec::new();
        }
        let mut ahead = self.queue.ahead(LAUNCHES_MAX, |id, work, is_settled| {
            let Work::Launch { prepared, .. } = work else {
                return None;
            };
            let device = self.device_of(&prepared.job())?;
            let accesses = prepared.body.accesses();
            let settled = accesses
                .iter()
                .enumerate()
                .filter(|(_, access)| !access.write);
            let settled = settled.filter(|(_, access)| is_settled(access));
            Some(Ahead {
                id,
                prepared: Arc::clone(prepared),
                device,
                settled: settled.map(|(index, _)| index).collect(),
            })
        });
        ahead.retain_mut(|launch| {
            let job = launch.prepared.job();
            launch.settled.retain(|index| {
                // Whoever has the placement may be moving just these words.
                let placement = job.slots[*index].core.try_placement();
                placement.is_some_and(|placement| {
                    !missing(&job, *index, launch.device, &placement).is_empty()
                })
            });
            !launch.settled.is_empty() && self.would_still_run(&job, launch.device)
        });
        ahead
    }

    /// Where a queued launch will run, if that is certain, or ran when it was planned last.
    fn device_of(&self, job: &Job<'_>) -> Option<DeviceId> {
        match self.policy_of(job.body) {
            Policy::GpuOnly(device) if *device != DeviceId::CPU => {
                let alive = self.devices.gpu(*device).is_lost().is_none();
                alive.then_some(*device)
            }
            Policy::Auto if self.books.are_closed() => {
                let device = self.sole_device_of_last_plan(job)?;
                (device != DeviceId::CPU).then_some(device)
            }
            _ => None,
        }
    }

    /// Whether a launch would have this GPU to itself if it began now, which makes it nearly certain that it will.
    fn would_still_run(&self, job: &Job<'_>, device: DeviceId) -> bool {
        let policy = self.policy_of(job.body);
        if !matches!(policy, Policy::Auto) {
            return true;
        }
        // Whoever has a placement would keep the planner waiting.
        if Placements::try_lock(job).is_none() {
            return false;
        }
        let plan = self.plan_by(job, policy);
        plan.is_ok_and(|plan| matches!(plan.parts.as_slice(), [part] if part.device == device))
    }

    fn prefetch(&self, ahead: &Ahead) {
        let job = ahead.prepared.job().numbered(ahead.id);
        for &index in &ahead.settled {
            if self.spare_buffer(&job.slots[index].core, ahead.device) {
                self.send_ahead(&job, index, ahead);
            }
        }
    }

    /// Sends a queued launch the words of one array that are missing. What goes wrong will go wrong again when the launch wants them,
    /// and is told then.
    fn send_ahead(&self, job: &Job<'_>, index: usize, ahead: &Ahead) {
        let (slot, memory) = (job.slots[index], ahead.device.memory());
        let mut placement = slot.core.placement();
        // A launch that has started fetches for itself; if it is over, somebody may have written the words since. One that has not
        // cannot go on without this placement, and nobody writes before it.
        if !self.queue.has_not_started(ahead.id) {
            return;
        }
        let all = Span::new(0, slot.core.words());
        let words = missing(job, index, ahead.device, &placement);
        if words.is_empty() || placement.buffer_of(memory, all).is_none() {
            return;
        }
        let count = words.words();
        let footprint = Footprint {
            arguments: vec![Touch::reading(words)],
        };
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

/// The words of an argument that the launch needs on a device and that are not there.
fn missing(job: &Job<'_>, index: usize, device: DeviceId, placement: &Placement) -> SpanSet {
    let needs = &job.facts.needs()[index];
    placement.residency.missing(device.memory(), needs)
}
