//! How does nothing get lost with a GPU? Launches are logged, words of main memory that they have read are kept before they are
//! overwritten, results are copied home now and then, and what is lost all the same is computed again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use super::job::{Job, Placements, Prepared};
use super::launch::{cpu_arguments, lend_from};
use super::{Shared, Work};
use crate::array::{ArrayCore, Placement};
use crate::device::cpu::{self, HostMemory, Lending};
use crate::durability::{Durability, Log, Replay, Source, Step, Touched, Version};
use crate::error::{ArrayError, LaunchError};
use crate::graph::{Access, ArrayId};
use crate::machine::{DeviceId, MemoryId};
use crate::region::{Span, SpanSet, Touch};
use crate::trace::Event;
use crate::transfer::{self, Company, Merging, Reason};

/// Launches that are remembered before results are copied home in any case.
const LAUNCHES_MAX: usize = 4096;
/// Launches that are remembered before the first look at which of them are needed.
const LAUNCHES_BEFORE_PRUNING: usize = 64;
/// Results are not copied home before computing them again would take so many times the copy, or this.
const COPY_NS_MIN: f64 = 1e6;
/// Words that may be kept, however few there are to be copied home.
const KEPT_WORDS_MIN: u64 = 16 << 20;
/// Rebuilds for one piece of work, for each GPU: a driver that fails without being lost may cost more than one.
const REBUILDS_PER_GPU: usize = 2;

/// What a runtime with [`Durability::Replay`] has besides others.
#[derive(Debug)]
pub(crate) struct Safeguard {
    mirror_at: f64,
    remembered: Mutex<Remembered>,
    /// Held shared by whoever takes loans of main memory, and exclusively by whoever makes lost words again from what is there.
    loans: RwLock<()>,
}

#[derive(Debug)]
struct Remembered {
    log: Log<Arc<Prepared>, Box<[u32]>>,
    /// Number of launches at which to look which of them are needed.
    prune_at: usize,
    /// Whether the queue holds the order to copy results home.
    queued: bool,
    /// What of the log was left when results were last copied home: launches, and the time of repeating them.
    left: usize,
    left_ns: f64,
}

/// How it comes that results are copied home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mirroring {
    /// A launch on their arrays has just ended.
    AtHand,
    /// It was the turn of the order to do so.
    Queued,
}

impl Default for Remembered {
    fn default() -> Self {
        Self {
            log: Log::default(),
            prune_at: LAUNCHES_BEFORE_PRUNING,
            queued: false,
            left: 0,
            left_ns: 0.0,
        }
    }
}

/// The right to take loans of main memory, while nothing is rebuilt.
pub(crate) struct Loans<'a> {
    held: Option<RwLockReadGuard<'a, ()>>,
}

/// An error that may mean that words were lost with a GPU.
pub(super) trait MayBeLoss {
    fn is_loss(&self) -> bool;
}

impl MayBeLoss for ArrayError {
    fn is_loss(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}

impl MayBeLoss for LaunchError {
    fn is_loss(&self) -> bool {
        matches!(self, Self::Argument { cause, .. } if cause.is_loss())
    }
}

/// A launch that is being carried out, and how the log knows it. Unless it ends well, what it should have written is of no use.
pub(super) struct Logged<'a, 'j> {
    shared: &'a Shared,
    job: &'a Job<'j>,
    version: Option<Version>,
    ended_well: bool,
}

impl Safeguard {
    /// What this durability takes on a machine, if anything.
    pub(super) fn of(durability: Durability, cpu_only: bool) -> Option<Self> {
        match durability {
            Durability::Replay { mirror_at } if !cpu_only => Some(Self {
                mirror_at,
                remembered: Mutex::default(),
                loans: RwLock::default(),
            }),
            Durability::Replay { .. } | Durability::Off => None,
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    /// Forgets what nobody needs; what is returned is to be dropped when nothing is locked.
    fn prune(&mut self) -> Vec<Arc<Prepared>> {
        let held = arrays_held_by(&self.log).into_iter();
        let unseen = held.filter(|(_, (core, count))| Arc::strong_count(core) == *count);
        let unseen: BTreeSet<ArrayId> = unseen.map(|(array, _)| array).collect();
        let forgotten = self.log.prune(|array| !unseen.contains(&array));
        self.prune_at = (2 * self.log.len()).max(LAUNCHES_BEFORE_PRUNING);
        forgotten
    }
}

/// The arrays of remembered launches, and how many of their handles are there only because the launches are remembered.
fn arrays_held_by<D>(log: &Log<Arc<Prepared>, D>) -> BTreeMap<ArrayId, (&Arc<ArrayCore>, usize)> {
    let mut launches: BTreeMap<*const Prepared, (&Arc<Prepared>, usize)> = BTreeMap::new();
    for prepared in log.works() {
        let times = launches
            .entry(Arc::as_ptr(prepared))
            .or_insert((prepared, 0));
        times.1 += 1;
    }
    let mut arrays = BTreeMap::new();
    for (prepared, times) in launches.into_values() {
        // Somebody else may run the launch again.
        let own = usize::from(Arc::strong_count(prepared) == times);
        for slot in prepared.body.slots() {
            let of_array = arrays.entry(slot.core.id()).or_insert((&slot.core, 0));
            of_array.1 += own;
        }
    }
    arrays
}

impl Shared {
    /// Waits until nothing is being rebuilt, and keeps it so.
    pub(crate) fn loans(&self) -> Loans<'_> {
        let safeguard = self.safeguard.as_ref();
        let held = safeguard.map(|safeguard| {
            let held = safeguard.loans.read();
            held.unwrap_or_else(PoisonError::into_inner)
        });
        Loans { held }
    }

    /// Does something that may find words lost; if so, they are made again, and it is done once more. Nothing that it lent
    /// may be left when it fails.
    pub(super) fn recovering<'a, T, E: MayBeLoss>(
        &'a self,
        loans: &mut Loans<'a>,
        mut attempt: impl FnMut() -> Result<T, E>,
    ) -> Result<T, E> {
        for _ in 0..REBUILDS_PER_GPU * self.devices.machine.gpus.len() {
            match attempt() {
                Err(error) if error.is_loss() && self.safeguard.is_some() => {
                    drop(loans.held.take());
                    let rebuilt = self.rebuild(None);
                    *loans = self.loans();
                    if rebuilt.is_none() {
                        return Err(error);
                    }
                }
                outcome => return outcome,
            }
        }
        attempt()
    }

    /// Makes in main memory what a launch under way has read and overwritten, and whatever is lost, as if the launch had not begun; none
    /// if that cannot be done. Nothing that it lent may be left.
    pub(super) fn undo<'a>(&'a self, job: &Job<'_>, loans: &mut Loans<'a>) -> Option<()> {
        drop(loans.held.take());
        let rebuilt = self.rebuild(Some(job));
        *loans = self.loans();
        rebuilt
    }

    /// Keeps what the log needs of words of main memory that are about to be overwritten. Not to be called by one that has lent them.
    pub(crate) fn before_overwrite(
        &self,
        core: &ArrayCore,
        spans: &SpanSet,
    ) -> Result<(), ArrayError> {
        let Some(safeguard) = &self.safeguard else {
            return Ok(());
        };
        let log = &mut safeguard.remembered().log;
        for (span, version) in log.to_keep(core.id(), spans) {
            let loan = core.lend(span, Lending::Shared)?;
            log.keep(core.id(), span, version, loan.words().into());
        }
        log.overwritten(core.id(), spans);
        Ok(())
    }

    /// Tells the log that the host has written words.
    pub(crate) fn log_host_write(&self, core: &ArrayCore, span: Span) {
        if let Some(safeguard) = &self.safeguard {
            let mut remembered = safeguard.remembered();
            remembered.log.host_wrote(core.id(), &SpanSet::from(span));
        }
    }

    /// Tells the log that words have come home; when all have, it is emptied.
    pub(super) fn log_fetch(&self, core: &ArrayCore, spans: &SpanSet) {
        let Some(safeguard) = &self.safeguard else {
            return;
        };
        let mut remembered = safeguard.remembered();
        remembered.log.fetched(core.id(), spans);
        if remembered.log.exposed_words() == 0 && !remembered.log.is_empty() {
            let forgotten = remembered.prune();
            drop(remembered);
            drop(forgotten);
        }
    }

    /// Logs a launch that starts now, unless nothing depends on GPUs.
    pub(super) fn log_start<'a, 'j>(
        &'a self,
        prepared: &Arc<Prepared>,
        job: &'a Job<'j>,
        uses_gpus: impl FnOnce() -> bool,
    ) -> Option<Logged<'a, 'j>> {
        let safeguard = self.safeguard.as_ref()?;
        let recompute_ns = self.predict_on_cpu(job);
        let mut remembered = safeguard.remembered();
        let needed = !remembered.log.is_empty() || uses_gpus();
        let version = needed.then(|| {
            let touched = touched(job);
            let log = &mut remembered.log;
            log.begin(Arc::clone(prepared), &touched, recompute_ns)
        });
        Some(Logged {
            shared: self,
            job,
            version,
            ended_well: false,
        })
    }

    /// Copies results home if it is time to: at once where they are in the `own` ranges of a launch that has ended and that nothing
    /// else has followed yet, and behind the work before it elsewhere.
    pub(super) fn mirror_if_due(&self, own: &[Access]) {
        let Some(safeguard) = &self.safeguard else {
            return;
        };
        let at_hand = {
            let remembered = Self::pruned(safeguard);
            if !self.is_mirror_due(safeguard.mirror_at, &remembered) {
                return;
            }
            exposed(&remembered, |array, exposed| {
                used_of(own, array).intersection(exposed)
            })
        };
        self.mirror(&at_hand, Mirroring::AtHand);
        let others = {
            let mut remembered = safeguard.remembered();
            let others = exposed(&remembered, |_, exposed| SpanSet::from(exposed.hull()));
            if others.is_empty() || remembered.queued {
                return;
            }
            remembered.queued = true;
            others
        };
        let read = |(core, span): &(Arc<ArrayCore>, Span)| Access {
            array: core.id(),
            span: *span,
            write: false,
        };
        let accesses = others.iter().map(read).collect();
        let work = Work::Mirror { cores: others };
        let (id, taken) = self.queue.add(|_| work, accesses, 0, 1, false);
        if let Some(work) = taken {
            self.carry_out(id, work, false);
        }
    }

    /// What is remembered; if that has become much, only what somebody may need.
    fn pruned(safeguard: &Safeguard) -> MutexGuard<'_, Remembered> {
        let mut remembered = safeguard.remembered();
        if remembered.log.len() < remembered.prune_at {
            return remembered;
        }
        let forgotten = remembered.prune();
        drop(remembered);
        drop(forgotten);
        safeguard.remembered()
    }

    fn is_mirror_due(&self, mirror_at: f64, remembered: &Remembered) -> bool {
        let log = &remembered.log;
        let exposed_words = log.exposed_words();
        if exposed_words == 0 {
            return false;
        }
        let (grown, grown_ns) = (
            log.len().saturating_sub(remembered.left),
            log.recompute_ns() - remembered.left_ns,
        );
        if grown >= LAUNCHES_MAX || log.kept_words() > exposed_words.max(KEPT_WORDS_MIN) {
            return true;
        }
        if grown_ns < mirror_at * COPY_NS_MIN {
            return false;
        }
        let bytes = exposed_words as f64 * 4.0;
        let slowest = self
            .links()
            .iter()
            .map(|links| links.down.copy_ns(bytes))
            .fold(COPY_NS_MIN, f64::max);
        grown_ns >= mirror_at * slowest
    }

    /// Copies what only GPUs hold home, and forgets the launches that are not needed any more.
    pub(super) fn mirror(&self, cores: &[(Arc<ArrayCore>, Span)], how: Mirroring) {
        let loans = self.loans();
        for (core, span) in cores {
            let mut placement = core.placement();
            let (residency, spans) = (&placement.residency, SpanSet::from(*span));
            let Ok(mut home) = transfer::home(residency, &spans, &self.links(), Merging::Off)
            else {
                continue;
            };
            for copy in &mut home.list {
                copy.reason = Reason::Mirror;
            }
            // Whoever needs what could not be fetched will be told.
            drop(self.make_copies(None, core, &mut placement, &home.list));
        }
        drop(loans);
        if let Some(safeguard) = &self.safeguard {
            let mut remembered = safeguard.remembered();
            if how == Mirroring::Queued {
                remembered.queued = false;
            }
            let forgotten = remembered.prune();
            remembered.left = remembered.log.len();
            remembered.left_ns = remembered.log.recompute_ns();
            drop(remembered);
            drop(forgotten);
        }
    }

    /// Forgets launches whose arrays nobody will read again, which keep memory of GPUs; whether there were any.
    pub(super) fn forget_dropped(&self) -> bool {
        let Some(safeguard) = &self.safeguard else {
            return false;
        };
        let forgotten = safeguard.remembered().prune();
        !forgotten.is_empty()
    }

    /// Forgets all launches: what is lost from now on is lost.
    pub(crate) fn forget_launches(&self) {
        if let Some(safeguard) = &self.safeguard {
            let forgotten = std::mem::take(&mut *safeguard.remembered());
            drop(forgotten);
        }
    }

    /// Makes in main memory whatever was lost with GPUs, and what the launch `undone` has overwritten if there is one; none if that
    /// cannot be done.
    fn rebuild(&self, undone: Option<&Job<'_>>) -> Option<()> {
        let safeguard = self.safeguard.as_ref()?;
        let alone = safeguard.loans.write();
        let _alone = alone.unwrap_or_else(PoisonError::into_inner);
        let cores: BTreeMap<ArrayId, Arc<ArrayCore>> = {
            let remembered = safeguard.remembered();
            let arrays = arrays_held_by(&remembered.log);
            let core =
                |(id, (core, _)): (ArrayId, (&Arc<ArrayCore>, usize))| (id, Arc::clone(core));
            arrays.into_iter().map(core).collect()
        };
        if let Some(job) = undone {
            let launch = job.number;
            self.trace.warn(|| Event::Undone { launch });
        }
        let lost: Vec<(ArrayId, SpanSet)> = cores
            .iter()
            .map(|(id, core)| (*id, self.lost_words(core)))
            .map(|(id, lost)| {
                let wanted = undone.map(|job| words_before(job, id, &lost));
                (id, wanted.unwrap_or(lost))
            })
            .filter(|(_, lost)| !lost.is_empty())
            .collect();
        if lost.is_empty() {
            // Another piece of work has made it again meanwhile.
            return Some(());
        }
        let made = {
            let remembered = safeguard.remembered();
            let replay = remembered.log.replay(&lost).ok()?;
            self.make_again(&remembered.log, &replay, &cores)?
        };
        for (id, spans) in &lost {
            self.put_back(&cores[id], spans, &made[id])?;
        }
        Some(())
    }

    /// The words of an array that are lost, those in the memory of GPUs that are gone included.
    fn lost_words(&self, core: &ArrayCore) -> SpanSet {
        let mut placement = core.placement();
        for device in self.devices.ids().filter(|device| *device != DeviceId::CPU) {
            let (gpu, memory) = (self.devices.gpu(device), device.memory());
            if let Some(reason) = gpu.is_lost()
                && !placement.residency.valid(memory).is_empty()
            {
                let spans = placement.lose(memory, gpu.about().name.clone(), reason);
                self.trace.warn(|| Event::Lost {
                    array: core.number(),
                    memory,
                    spans,
                });
            }
        }
        let failed: SpanSet = placement.failed.iter().map(|(span, _)| *span).collect();
        placement.residency.lost().difference(&failed)
    }

    /// Carries a replay out in memory of its own; none if a launch fails this time.
    fn make_again(
        &self,
        log: &Log<Arc<Prepared>, Box<[u32]>>,
        replay: &Replay,
        cores: &BTreeMap<ArrayId, Arc<ArrayCore>>,
    ) -> Option<BTreeMap<ArrayId, Arc<HostMemory>>> {
        let mut scratch = BTreeMap::new();
        for (id, core) in cores {
            scratch.insert(*id, Arc::new(HostMemory::zeroed(core.words())?));
        }
        for step in &replay.steps {
            match *step {
                Step::Run(version) => self.run_again(log.work(version), &scratch)?,
                Step::Load { need, from } => {
                    let window = Span::new(0, scratch[&need.array].words());
                    let memory = &scratch[&need.array];
                    let mut into = memory
                        .lend_spans(window, &[need.span], Lending::Exclusive)
                        .ok()?;
                    match from {
                        Source::Home => {
                            let words = cores[&need.array].lend(need.span, Lending::Shared).ok()?;
                            into.copy_in(need.span, words.words());
                        }
                        Source::Kept => {
                            let (lo, words) = log.kept(need.array, need.version, need.span)?;
                            let at = (need.span.lo - lo) as usize;
                            let words = &words[at..at + need.span.words() as usize];
                            into.copy_in(need.span, words);
                        }
                    }
                }
            }
        }
        self.report().add_replay(replay.launches() as u64);
        Some(scratch)
    }

    /// Repeats a launch on the CPU, in other memory than its arrays'.
    fn run_again(
        &self,
        prepared: &Prepared,
        scratch: &BTreeMap<ArrayId, Arc<HostMemory>>,
    ) -> Option<()> {
        let job = prepared.job();
        let footprint = job.facts.alone();
        let loans = lend_from(&job, footprint, |slot, spans, lending| {
            let memory = &scratch[&slot.core.id()];
            memory.lend_spans(slot.span, spans, lending)
        });
        let loans = loans.ok()?;
        let arguments = cpu_arguments(&job, &loans);
        let work = job.work(job.whole(), footprint);
        let threads = self.devices.cpu.threads() as f64;
        let part = cpu::Part {
            kernel: job.body.kernel,
            arguments: &arguments,
            num_workgroups: job.grid,
            tile: job.whole(),
            predicted_ns: self.predict(&job, DeviceId::CPU, work).work_ns * threads,
        };
        self.devices.run_on_cpu(&part, work).ok().map(drop)
    }

    /// Copies words that were made again into main memory, where they are valid from now on.
    fn put_back(&self, core: &ArrayCore, spans: &SpanSet, made: &Arc<HostMemory>) -> Option<()> {
        self.before_overwrite(core, spans).ok()?;
        let window = Span::new(0, core.words());
        let mut into = core
            .lend_spans(window, spans.spans(), Lending::Exclusive)
            .ok()?;
        for span in spans.iter() {
            into.copy_in(span, made.lend(span, Lending::Shared).ok()?.words());
        }
        drop(into);
        rebuilt(&mut core.placement(), spans);
        self.trace.warn(|| Event::Rebuilt {
            array: core.number(),
            spans: spans.clone(),
        });
        self.log_fetch(core, spans);
        Some(())
    }
}

/// What has to be made again of an array so that a launch can be done anew: what it has read and may have overwritten, and what is `lost`
/// but for words that it will write whatever they are.
fn words_before(job: &Job<'_>, array: ArrayId, lost: &SpanSet) -> SpanSet {
    let (mut needs, mut writes) = (SpanSet::EMPTY, SpanSet::EMPTY);
    for touch in touched(job).iter().filter(|touch| touch.array == array) {
        needs = needs.union(&touch.reads);
        writes = writes.union(&touch.writes);
    }
    let overwritten = needs.intersection(&writes);
    lost.difference(&writes).union(&overwritten)
}

/// What GPUs alone hold, of what `which` picks.
fn exposed(
    remembered: &Remembered,
    which: impl Fn(ArrayId, &SpanSet) -> SpanSet,
) -> Vec<(Arc<ArrayCore>, Span)> {
    let arrays = arrays_held_by(&remembered.log);
    let mut found = Vec::new();
    for (array, exposed) in remembered.log.exposed() {
        if let Some((core, _)) = arrays.get(&array) {
            let spans = which(array, &exposed);
            found.extend(spans.iter().map(|span| (Arc::clone(core), span)));
        }
    }
    found
}

/// The words of an array that are used.
fn used_of(accesses: &[Access], array: ArrayId) -> SpanSet {
    let own = accesses.iter().filter(|access| access.array == array);
    own.map(|access| access.span).collect()
}

/// Notes that lost words are in main memory again.
fn rebuilt(placement: &mut Placement, spans: &SpanSet) {
    let touch = Touch::writing(spans.clone());
    placement.commit(&touch, MemoryId::HOST, Company::Alone);
}

/// What a whole launch does to its arrays.
fn touched(job: &Job<'_>) -> Vec<Touched> {
    let arguments = job.slots.iter().zip(job.facts.needs());
    let arguments = arguments.zip(&job.facts.alone().arguments);
    arguments
        .map(|((slot, needs), touch)| Touched {
            array: slot.core.id(),
            words: slot.core.words(),
            reads: needs.clone(),
            writes: touch.writes.clone(),
        })
        .collect()
}

impl Logged<'_, '_> {
    /// Whether the log knows what the launch found.
    pub(super) fn can_be_undone(&self) -> bool {
        self.version.is_some()
    }

    /// The launch has ended well.
    pub(super) fn end(mut self) {
        self.ended_well = true;
    }
}

impl Drop for Logged<'_, '_> {
    fn drop(&mut self) {
        let Some(safeguard) = &self.shared.safeguard else {
            return;
        };
        let placements = Placements::lock(self.job);
        let mut remembered = safeguard.remembered();
        let log = &mut remembered.log;
        match self.version {
            Some(version) if self.ended_well => {
                let slot = |array| self.job.slots.iter().find(|slot| slot.core.id() == array);
                log.finish(version, |array, writes| {
                    slot(array).map_or(SpanSet::EMPTY, |slot| {
                        let home = placements.get(slot).residency.valid(MemoryId::HOST);
                        home.intersection(writes)
                    })
                });
            }
            Some(version) => log.abandon(version),
            None => {
                let written = self.job.slots.iter().zip(&self.job.facts.alone().arguments);
                for (slot, touch) in written.filter(|(_, touch)| !touch.writes.is_empty()) {
                    if self.ended_well {
                        log.host_wrote(slot.core.id(), &touch.writes);
                    } else {
                        log.spoilt(slot.core.id(), &touch.writes);
                    }
                }
            }
        }
    }
}
