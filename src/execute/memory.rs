//! Which buffers does a part get in a GPU's memory, and who makes room for them? All of a part's buffers are found or made at once;
//! what must go is decided by [`residence`](crate::transfer::residence), and words that are nowhere else go home first.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use smallvec::SmallVec;
use thiserror::Error;

use super::Shared;
use super::job::{Job, Placements};
use super::movement::MoveError;
use crate::array::{ArrayCore, Placed, Placement};
use crate::device::{Accelerator, DeviceError};
use crate::graph::ArrayId;
use crate::machine::{DeviceId, MemoryId};
use crate::region::Span;
use crate::trace::{Event, LaunchNo};
use crate::transfer::residence::{self, Held, NoRoom, Want};
use crate::transfer::window::Room;
use crate::transfer::{self, Merging, Reason};

/// Numbers from here on stand for private copies instead of arrays.
pub(super) const PRIVATE: u64 = 1 << 63;

/// How often a part that waits for room looks again, should it miss that some came free.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How often it looks for memory that belongs to no array any more and is about to come free.
const LEAVING_LOOKS_MAX: u32 = 200;

/// Arguments of queued launches that are looked at to see which arrays are needed next.
const AHEAD_MAX: usize = 64;

/// Who has buffers where.
#[derive(Debug, Default)]
pub(super) struct Memories {
    /// By GPU, in the order of discovery: the arrays that have buffers there. Whoever makes room locks this before any placement.
    holders: Mutex<Vec<Vec<Weak<ArrayCore>>>>,
    /// A part at work has given its buffers back.
    freed: Condvar,
    uses: AtomicU64,
}

/// Why a part has no buffers.
#[derive(Debug, Error)]
pub(super) enum Denied {
    /// The device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Its memory is too small, or in use.
    #[error("{0}")]
    Room(NoRoom),
    /// There should be room, but an array that is being dropped, or a part that ends, has not given its buffers back yet.
    #[error(transparent)]
    Leaving(DeviceError),
    /// Words that have to go home first cannot.
    #[error("what is in its memory cannot be moved: {0}")]
    Stuck(String),
}

/// Whether to wait for parts at work to give their buffers back. Who holds some already must not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    Waits,
    Gives,
}

/// Tells those who wait for room when a part is done with its buffers.
#[derive(Debug)]
pub(super) struct Release(Arc<Memories>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.freed.notify_all();
    }
}

/// The arrays that hold words in a memory, with their placements locked.
struct Tenants<'j, 'o> {
    own: Placements<'j>,
    others: Vec<(&'o Arc<ArrayCore>, MutexGuard<'o, Placement>)>,
}

impl Tenants<'_, '_> {
    fn iter(&self) -> impl Iterator<Item = (&Arc<ArrayCore>, &Placement)> {
        let others = self
            .others
            .iter()
            .map(|(core, placement)| (*core, &**placement));
        self.own.iter().chain(others)
    }

    fn get_mut(&mut self, array: u64) -> Option<(&Arc<ArrayCore>, &mut Placement)> {
        let id = ArrayId(array);
        let own = self.own.iter_mut().find(|(core, _)| core.id() == id);
        own.or_else(|| {
            let mut others = self.others.iter_mut();
            let (core, placement) = others.find(|(core, _)| core.id() == id)?;
            Some((*core, &mut **placement))
        })
    }

    /// All buffers in a memory.
    fn held(&self, memory: MemoryId, next_use: &dyn Fn(ArrayId) -> Option<u64>) -> Vec<Held> {
        let of = |(core, placement): (&Arc<ArrayCore>, &Placement)| {
            let (array, next_use) = (core.id(), next_use(core.id()));
            let held = placement.buffers(memory).iter().map(|placed| Held {
                array: array.0,
                span: placed.span,
                pinned: placed.is_pinned(),
                last_use: placed.last_use,
                next_use,
            });
            held.collect::<Vec<_>>()
        };
        self.iter().flat_map(of).collect()
    }
}

impl Shared {
    /// What a GPU's memory takes.
    pub(super) fn room(&self, device: DeviceId) -> Room {
        let limits = &self.devices.machine.gpus[usize::from(device.0) - 1].limits;
        Room {
            budget_words: self.devices.gpu(device).memory_budget() / 4,
            range_words_max: limits.binding_words_max().min(limits.buffer_words_max()),
            alignment_words: limits.storage_alignment_words(),
        }
    }

    /// A token to be dropped behind the buffers of a part.
    pub(super) fn release(&self) -> Release {
        Release(Arc::clone(&self.memories))
    }

    /// The buffers for `wants`, one for each; those in the list of a launch's arrays stay there for the next part. They are pinned as
    /// long as the caller has them.
    pub(super) fn buffers_for(
        &self,
        job: &Job<'_>,
        device: DeviceId,
        wants: &[Want],
        patience: Patience,
    ) -> Result<SmallVec<[Placed; 8]>, Denied> {
        let memory = device.memory();
        if let Some(found) = self.found(&mut Placements::lock(job), memory, wants) {
            return Ok(found);
        }
        let mut holders = self.memories.lock();
        let mut looks = 0;
        loop {
            let denied = match self.make_room(job, device, wants, &mut holders) {
                Err(Denied::Room(room @ NoRoom::Now { .. })) => Denied::Room(room),
                Err(Denied::Leaving(error)) if looks == LEAVING_LOOKS_MAX => {
                    return Err(Denied::Device(error));
                }
                Err(Denied::Leaving(error)) => {
                    looks += 1;
                    Denied::Room(now_of(&error))
                }
                outcome => return outcome,
            };
            if patience == Patience::Gives {
                return Err(denied);
            }
            let woken = self.memories.freed.wait_timeout(holders, LOOK_AGAIN);
            holders = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether a GPU has a buffer for a whole array; makes one if there is room that nobody has to leave.
    pub(super) fn spare_buffer(&self, core: &Arc<ArrayCore>, device: DeviceId) -> bool {
        let memory = device.memory();
        let all = Span::new(0, core.words());
        let mut holders = self.memories.lock();
        let mut placement = core.placement();
        if placement.buffer_of(memory, all).is_some() {
            return true;
        }
        let (gpu, room) = (self.devices.gpu(device), self.room(device));
        let free_words = gpu.memory_budget().saturating_sub(gpu.used_bytes()) / 4;
        let fits = all.words() <= free_words.min(room.range_words_max);
        if !fits || !placement.buffers(memory).is_empty() {
            return false;
        }
        let Ok(buffer) = gpu.allocate(all.words()) else {
            return false;
        };
        placement.place(
            memory,
            Placed {
                span: all,
                buffer: Arc::new(buffer),
                last_use: self.memories.uses.fetch_add(1, Ordering::Relaxed) + 1,
            },
        );
        register(&mut holders, memory, core);
        true
    }

    /// The buffers, if all are there.
    fn found(
        &self,
        placements: &mut Placements<'_>,
        memory: MemoryId,
        wants: &[Want],
    ) -> Option<SmallVec<[Placed; 8]>> {
        let found = wants.iter().map(|want| {
            let placement = placements.by_id(ArrayId(want.array))?;
            placement.buffer_of(memory, want.span).cloned()
        });
        let found: SmallVec<[Placed; 8]> = found.collect::<Option<_>>()?;
        self.note_use(placements, memory, wants);
        Some(found)
    }

    fn note_use(&self, placements: &mut Placements<'_>, memory: MemoryId, wants: &[Want]) {
        // Relaxed: the numbers only have to differ.
        let now = self.memories.uses.fetch_add(1, Ordering::Relaxed) + 1;
        for want in wants {
            if let Some(placement) = placements.by_id(ArrayId(want.array)) {
                placement.used(memory, want.span, now);
            }
        }
    }

    /// Evicts what has to go, and makes the buffers that are missing.
    fn make_room(
        &self,
        job: &Job<'_>,
        device: DeviceId,
        wants: &[Want],
        holders: &mut Vec<Vec<Weak<ArrayCore>>>,
    ) -> Result<SmallVec<[Placed; 8]>, Denied> {
        let memory = device.memory();
        let cores = living(holders, memory);
        let own = Placements::lock(job);
        let is_other = |core: &&Arc<ArrayCore>| !own.iter().any(|(own, _)| own.id() == core.id());
        // An array whose placement is locked is being moved or used just now: its buffers stay, as if they were pinned.
        let others: Vec<_> = cores
            .iter()
            .filter(is_other)
            .filter_map(|core| Some((core, core.try_placement()?)))
            .collect();
        let unseen = cores.iter().filter(is_other).count() > others.len();
        let mut tenants = Tenants { own, others };
        let upcoming = self.queue.upcoming(AHEAD_MAX);
        let next_use = |array: ArrayId| upcoming.iter().position(|next| *next == array);
        let held = tenants.held(memory, &|array| next_use(array).map(|at| at as u64));
        let room = self.room(device);
        let reservation =
            residence::reserve(room.budget_words, &held, wants).map_err(Denied::Room)?;
        for &index in &reservation.evict {
            let Held { array, span, .. } = held[index];
            self.evict(job.number, &mut tenants, (memory, array), span)?;
        }
        let gpu = self.devices.gpu(device);
        let mut private: SmallVec<[Placed; 2]> = SmallVec::new();
        for want in &reservation.make {
            let made = self.allocate(gpu, want, (job.number, memory), (&mut tenants, wants));
            let buffer = made.map_err(|denied| later(denied, unseen))?;
            let placed = Placed {
                span: want.span,
                buffer: Arc::new(buffer),
                last_use: 0,
            };
            match tenants.get_mut(want.array) {
                Some((core, placement)) => {
                    placement.place(memory, placed);
                    register(holders, memory, core);
                }
                None => private.push(placed),
            }
        }
        let mut own_copies = private.into_iter();
        let placed = wants.iter().map(|want| {
            if want.array >= PRIVATE {
                return own_copies.next();
            }
            let placement = tenants.own.by_id(ArrayId(want.array))?;
            placement.buffer_of(memory, want.span).cloned()
        });
        let placed: Option<SmallVec<[Placed; 8]>> = placed.collect();
        self.note_use(&mut tenants.own, memory, wants);
        Ok(placed.expect("every wanted range has its buffer"))
    }

    /// Makes a buffer. Where the driver has less memory than the budget, all goes that nobody uses.
    fn allocate(
        &self,
        gpu: &Accelerator,
        want: &Want,
        (launch, memory): (LaunchNo, MemoryId),
        (tenants, wants): (&mut Tenants<'_, '_>, &[Want]),
    ) -> Result<crate::device::Buffer, Denied> {
        let full = match gpu.allocate(want.span.words()) {
            Err(error @ DeviceError::OutOfMemory { .. }) => error,
            outcome => return Ok(outcome?),
        };
        let is_wanted = |held: &Held| {
            let mut wants = wants.iter();
            wants.any(|want| {
                want.array == held.array && !want.span.intersection(held.span).is_empty()
            })
        };
        let idle = tenants.held(memory, &|_| None);
        let idle = idle
            .into_iter()
            .filter(|held| !held.pinned && !is_wanted(held));
        let mut freed = false;
        for held in idle.collect::<Vec<_>>() {
            self.evict(launch, tenants, (memory, held.array), held.span)?;
            freed = true;
        }
        if !freed {
            return Err(full.into());
        }
        Ok(gpu.allocate(want.span.words())?)
    }

    /// Takes a buffer out of a memory; what is nowhere else goes home first.
    fn evict(
        &self,
        launch: LaunchNo,
        tenants: &mut Tenants<'_, '_>,
        (memory, array): (MemoryId, u64),
        span: Span,
    ) -> Result<(), Denied> {
        let (core, placement) = tenants.get_mut(array).expect("what is held has an owner");
        let sole = placement.residency.sole(memory).within(span);
        if !sole.is_empty() {
            let copies = transfer::home(&placement.residency, &sole, &self.links(), Merging::Off);
            let mut copies = copies.map_err(|lost| Denied::Stuck(lost.to_string()))?;
            for copy in &mut copies.list {
                copy.reason = Reason::WriteBack;
            }
            let made = self.make_copies(Some(launch), core, placement, &copies.list);
            made.map_err(|error| match error {
                MoveError::Array(error) => Denied::Stuck(error.to_string()),
                MoveError::Device { error, .. } => Denied::Device(error),
            })?;
        }
        let spans = placement.evict(memory, span);
        let array = core.number();
        self.trace.record(|| Event::Evicted {
            array,
            spans,
            memory,
        });
        Ok(())
    }
}

impl Memories {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<Weak<ArrayCore>>>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What could not be had because arrays were out of sight for a moment may be had later; so may what was to fit into the budget beside all
/// that arrays hold, and does not.
fn later(denied: Denied, unseen: bool) -> Denied {
    match denied {
        Denied::Device(error @ DeviceError::OutOfMemory { .. }) if unseen => {
            Denied::Room(now_of(&error))
        }
        Denied::Device(
            error @ DeviceError::OutOfMemory {
                wanted_bytes,
                used_bytes,
                budget_bytes,
                ..
            },
        ) if used_bytes.saturating_add(wanted_bytes) > budget_bytes => Denied::Leaving(error),
        denied => denied,
    }
}

/// What lacks, of memory that is only taken now.
fn now_of(error: &DeviceError) -> NoRoom {
    let (wanted_bytes, used_bytes) = match error {
        DeviceError::OutOfMemory {
            wanted_bytes,
            used_bytes,
            ..
        } => (*wanted_bytes, *used_bytes),
        _ => (0, 0),
    };
    NoRoom::Now {
        wanted_words: wanted_bytes / 4,
        pinned_words: used_bytes / 4,
    }
}

/// The arrays with buffers in a memory that still exist.
fn living(holders: &mut [Vec<Weak<ArrayCore>>], memory: MemoryId) -> Vec<Arc<ArrayCore>> {
    let Some(holders) = holders.get_mut(usize::from(memory.0) - 1) else {
        return Vec::new();
    };
    holders.retain(|core| core.strong_count() > 0);
    holders.iter().filter_map(Weak::upgrade).collect()
}

fn register(holders: &mut Vec<Vec<Weak<ArrayCore>>>, memory: MemoryId, core: &Arc<ArrayCore>) {
    let at = usize::from(memory.0) - 1;
    if holders.len() <= at {
        holders.resize_with(at + 1, Vec::new);
    }
    let known = |weak: &Weak<ArrayCore>| std::ptr::eq(weak.as_ptr(), Arc::as_ptr(core));
    if !holders[at].iter().any(known) {
        holders[at].push(Arc::downgrade(core));
    }
}
