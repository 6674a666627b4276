//! Which results come home while their launch is still at work? Those that the host is known to want next, piece by piece, where a device
//! can copy beside its work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use smallvec::SmallVec;

use super::Shared;
use super::job::{Job, Placements};
use super::movement::by_buffer;
use crate::array::{ArrayCore, Placed};
use crate::device::Download;
use crate::graph::{Access, ArrayId};
use crate::launch::Slot;
use crate::machine::{DeviceId, MemoryId, Overlap};
use crate::region::{Footprint, Span, SpanSet, Touch};
use crate::trace::{Doing, LaunchNo, Timed};
use crate::transfer::{Company, Copy, Reason};

/// What threads of the host wait for.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    list: Mutex<Vec<Wish>>,
    /// Length of the list, so that nobody takes the lock in vain.
    count: AtomicUsize,
}

/// The host will read these words as soon as this launch, the last that writes them, is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    after: LaunchNo,
    array: ArrayId,
    span: Span,
}

/// Words of one array on their way home.
pub(super) struct Homeward {
    core: Arc<ArrayCore>,
    from: DeviceId,
    spans: SpanSet,
    /// The buffers that they are in, pinned, and the copies out of them.
    downloads: SmallVec<[(Placed, Download); 1]>,
    travel: Timed,
}

impl Wishes {
    fn add(&self, wish: Wish) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(wish);
        self.count.store(list.len(), Ordering::Relaxed);
    }

    fn remove(&self, wish: Wish) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = list.iter().position(|own| *own == wish) {
            list.swap_remove(at);
        }
        self.count.store(list.len(), Ordering::Relaxed);
    }

    /// What is wanted of an array after some work. A wish that is just being made may be missed, which costs time and nothing else.
    fn of(&self, after: LaunchNo, array: ArrayId) -> SpanSet {
        if self.count.load(Ordering::Relaxed) == 0 {
            return SpanSet::EMPTY;
        }
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let own = list
            .iter()
            .filter(|wish| (wish.after, wish.array) == (after, array));
        own.map(|wish| wish.span).collect()
    }
}

impl Shared {
    /// Blocks until nothing that conflicts with `access` is unfinished, and lets it be known meanwhile that the host wants its words;
    /// helps.
    pub(crate) fn wait_to_read(&self, access: &Access) {
        if self.devices.cpu_only() {
            return self.wait_for(access);
        }
        let wished = std::cell::Cell::new(None);
        self.help_until(|graph| {
            let after = graph.conflicting(access)?;
            if wished.get().is_none() {
                let wish = Wish {
                    after: after.into(),
                    array: access.array,
                    span: access.span,
                };
                self.wishes.add(wish);
                wished.set(Some(wish));
            }
            Some(after)
        });
        if let Some(wish) = wished.get() {
            self.wishes.remove(wish);
        }
    }

    /// The words of a slot that are wanted at home when the launch is done.
    fn wanted_home(&self, job: &Job<'_>, slot: &Slot) -> SpanSet {
        if job.body.results_home {
            return SpanSet::from(slot.span);
        }
        self.wishes.of(job.number, slot.core.id())
    }

    /// What of a tile's results is wanted at home. Combined ones come home in another way.
    pub(super) fn wanted_results(
        &self,
        job: &Job<'_>,
        touch: &Touch,
        slot: &Slot,
        company: Company,
    ) -> SpanSet {
        if touch.writes.is_empty() || touch.combine && company == Company::Shared {
            return SpanSet::EMPTY;
        }
        self.wanted_home(job, slot).intersection(&touch.writes)
    }

    /// Has the results of a committed tile begin their way home, as far as they are wanted there and the device can copy them beside
    /// its work. Where it refuses, the host's read asks again.
    pub(super) fn send_home(
        &self,
        job: &Job<'_>,
        device: DeviceId,
        footprint: &Footprint,
        company: Company,
    ) -> Vec<Homeward> {
        let gpu = self.devices.gpu(device);
        let mut homeward = Vec::new();
        if gpu.overlap() == Overlap::None {
            return homeward;
        }
        let placements = Placements::lock(job);
        for (slot, touch) in job.slots.iter().zip(&footprint.arguments) {
            let wanted = self.wanted_results(job, touch, slot, company);
            let placement = placements.get(slot);
            let there = placement.residency.valid(device.memory());
            let spans = placement
                .residency
                .missing(MemoryId::HOST, &wanted.intersection(there));
            if spans.is_empty() {
                continue;
            }
            let travel = self.trace.begin(|| Doing::Transfer {
                launch: Some(job.number),
                array: slot.core.number(),
                from: device.memory(),
                to: MemoryId::HOST,
                words: spans.words(),
            });
            let begin = |(placed, own): (&Placed, Vec<Span>)| {
                let download = gpu.begin_download(&placed.buffer, &own)?;
                Ok::<_, crate::device::DeviceError>((placed.clone(), download))
            };
            let parts = by_buffer(placement, gpu, device.memory(), &spans);
            if let Ok(downloads) = parts.and_then(|parts| parts.map(begin).collect()) {
                homeward.push(Homeward {
                    core: Arc::clone(&slot.core),
                    from: device,
                    spans,
                    downloads,
                    travel,
                });
            }
        }
        homeward
    }

    /// Waits for words on their way home, and takes them in. What goes wrong is noted, and told to whoever reads them.
    pub(super) fn arrive(&self, job: &Job<'_>, homeward: Homeward) {
        let Homeward {
            core,
            from,
            spans,
            downloads,
            travel,
        } = homeward;
        let _within = travel.enter();
        let mut placement = core.placement();
        let residency = &placement.residency;
        let still_missing = residency.missing(MemoryId::HOST, &spans) == spans;
        if !still_missing || !residency.valid(from.memory()).covers_all(&spans) {
            return;
        }
        if self.before_overwrite(&core, &spans).is_err() {
            return;
        }
        let window = Span::new(0, core.words());
        let lent = core.lend_spans(
            window,
            spans.spans(),
            crate::device::cpu::Lending::Exclusive,
        );
        let Ok(mut loan) = lent else { return };
        let gpu = self.devices.gpu(from);
        let mut finish = |(placed, download): (Placed, Download)| {
            gpu.finish_download(&placed.buffer, download, &mut |span, words| {
                loan.copy_in(span.shifted(placed.span.lo), words);
            })
        };
        if let Err(error) = downloads.into_iter().try_for_each(&mut finish) {
            let is_lost = gpu.is_lost().is_some();
            self.note_copy_failed(&core, &mut placement, (from, &error), is_lost);
            return;
        }
        drop(loan);
        let copy = |span: Span| Copy {
            argument: 0,
            span,
            from: from.memory(),
            to: MemoryId::HOST,
            reason: Reason::HostRead,
            gap_words: 0,
        };
        let run: SmallVec<[Copy; 4]> = spans.iter().map(copy).collect();
        let ns = self.trace.ns_of(&travel);
        self.note_copies(Some(job.number), &core, &mut placement, &run, ns);
    }
}
