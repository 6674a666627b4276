//! How is a launch carried out whose devices share it as they go? Each takes chunks from the balance until nothing is left.
//!
//! One thread does it all: it keeps every GPU supplied with a chunk that runs and one that waits behind it, takes what has ended, and
//! has the CPU work in between, never for longer than until the next GPU should be done. Words move chunk by chunk, exactly those that are
//! missing, and those that were lost with a GPU are made again first where that can be done.
//!
//! What the GPUs wrote is committed at the end. Until then memories hold what they held before, so that one that is lost takes no results
//! with it: all that it took goes back into the balance, and the others do it. Committed chunk by chunk, its results would be
//! the only valid copies, and gone; and nobody could use them earlier, since whoever reads them waits for the launch. A GPU that only
//! refuses a chunk keeps what it has done.

use std::collections::VecDeque;
use std::time::Duration;

use smallvec::SmallVec;

use super::Shared;
use super::durability::Loans;
use super::gpu_parts::{BoundPart, Gathered};
use super::job::{Job, Placements};
use super::launch::{Failure, commit, workgroups};
use super::memory::Patience;
use super::pieces::Fit;
use super::record::Starting;
use super::sampling::Expected;
use super::timing::Timed;
use crate::device::{DeviceError, Dispatch, Timing};
use crate::error::LaunchError;
use crate::kernel;
use crate::lanes::Tile;
use crate::machine::DeviceId;
use crate::plan::balance::{Balance, Took, Turn};
use crate::plan::{Part, Plan, Units};
use crate::region::Footprint;
use crate::trace::{Entered, Event, PartKind, PartNo};
use crate::transfer::Company;

/// Chunks that a GPU has under way: one runs, the next waits for it.
const QUEUED_MAX: usize = 2;
/// The CPU's chunks are not cut shorter than this for the sake of a GPU that will be done soon, in ns.
const CPU_NS_MIN: f64 = 100_000.0;
/// How long to wait for one GPU before looking at the others.
const LOOK_AFTER: Duration = Duration::from_micros(200);

/// How a balanced launch went.
pub(super) struct Balanced {
    /// What nobody did.
    pub(super) failures: Vec<Failure>,
    /// Who did what; the CPU, what nobody did yet.
    pub(super) carried_out: Plan,
    /// Whether no device failed and each did one range of the axis, so that the next launch may begin with these cuts.
    pub(super) smooth: bool,
}

/// A chunk of a GPU.
struct Chunk {
    part: Part,
    footprint: Footprint,
    number: PartNo,
    dispatch: Dispatch,
    /// What some of its workgroups should write, if they were computed twice.
    expected: Option<Expected>,
    /// As long as it runs.
    watched: Option<Entered>,
    timing: Timing,
    /// When the GPU was given it, copies made, in ns of the clock.
    given_ns: f64,
    /// How long its copies took.
    copies_ns: f64,
}

/// A GPU and its chunks.
struct Taker {
    device: DeviceId,
    bound: Option<BoundPart>,
    flying: VecDeque<Chunk>,
    /// Complete, but not committed yet.
    complete: Vec<Chunk>,
    /// When the last one was complete, in ns of the clock.
    last_ns: f64,
}

/// Whether a failure is in the report already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Yes,
    No,
}

/// What a failure of a GPU takes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// The chunk that it was about to begin.
    Last,
    /// All that it did in this launch.
    All,
}

/// How a GPU failed.
type Fault = (DeviceError, (Told, Extent));

/// A launch under way.
struct Round<'s, 'r, 'j> {
    shared: &'s Shared,
    job: &'r Job<'j>,
    loans: &'r mut Loans<'s>,
    axis: usize,
    balance: Balance,
    takers: Vec<Taker>,
    clock: &'r dyn Fn() -> u64,
    start_ns: u64,
    /// Set when a chunk cannot run beside others: what is left must be done in one piece.
    inseparable: bool,
    /// Chunks that a GPU may have under way.
    queued_max: usize,
    last_cause: Option<(DeviceId, String)>,
}

impl Taker {
    /// When the chunk that runs should be done, if there is one.
    fn due_ns(&self) -> Option<f64> {
        let chunk = self.flying.front()?;
        Some(chunk.given_ns.max(self.last_ns) + chunk.part.predicted_ns - chunk.copies_ns)
    }
}

impl Shared {
    /// Whether all GPUs of a plan have room for the launch's arrays as a whole; otherwise their parts go through windows, as planned.
    pub(super) fn have_room(&self, job: &Job<'_>, plan: &Plan) -> bool {
        let mut gpus = plan
            .parts
            .iter()
            .filter(|part| part.device != DeviceId::CPU);
        gpus.all(|part| {
            let fit = self.fit(job, part.device, job.whole(), Company::Shared);
            matches!(fit, Ok(Fit::Whole(_)))
        })
    }

    /// The failure of a device that is gone.
    fn loss_of(&self, device: DeviceId) -> Option<DeviceError> {
        let gpu = (device != DeviceId::CPU).then(|| self.devices.gpu(device))?;
        let device = gpu.about().name.clone();
        let reason = gpu.is_lost()?;
        Some(DeviceError::Lost { device, reason })
    }

    /// The buffers of all chunks of one GPU.
    fn bind_whole(
        &self,
        job: &Job<'_>,
        part: &Part,
        patience: Patience,
    ) -> Result<BoundPart, Failure> {
        match self.fit(job, part.device, part.tile, Company::Shared) {
            Ok(Fit::Whole(wants)) => self
                .bind(job, part, Company::Shared, (&wants, patience))
                .map_err(|denied| self.denied(job, part, &denied)),
            Ok(Fit::Windows(_) | Fit::Pieces(_)) => {
                Err(self.no_room(part, "its memory has no room for the arrays as a whole"))
            }
            Err(reason) => Err(self.no_room(part, &reason)),
        }
    }

    /// Carries out a launch, beginning with the shares of `plan`, as `balance` says.
    pub(super) fn obey_balanced<'s>(
        &'s self,
        job: &Job<'_>,
        (plan, balance): (&Plan, Balance),
        loans: &mut Loans<'s>,
    ) -> Result<Balanced, LaunchError> {
        let clock = self.devices.clock();
        let gpus = self.devices.ids().filter(|device| *device != DeviceId::CPU);
        let taker = |device| Taker {
            device,
            bound: None,
            flying: VecDeque::new(),
            complete: Vec::new(),
            last_ns: 0.0,
        };
        // What a checked chunk combined can be told from the next one's only before that begins.
        let combines = job.body.kernel.access.buffers.iter();
        let in_turn = self.sampler.is_on() && combines.into_iter().any(|own| own.combine.is_some());
        let mut round = Round {
            shared: self,
            job,
            loans,
            axis: job.axis(),
            balance,
            takers: gpus.map(taker).collect(),
            clock: &*clock,
            start_ns: clock(),
            inseparable: false,
            queued_max: if in_turn { 1 } else { QUEUED_MAX },
            last_cause: None,
        };
        loop {
            round.run()?;
            if round.commit_all()? {
                break;
            }
        }
        Ok(round.outcome(plan))
    }
}

impl Round<'_, '_, '_> {
    /// Hands out chunks until nothing is left and nothing is under way.
    fn run(&mut self) -> Result<(), LaunchError> {
        loop {
            let mut busy = false;
            for at in 0..self.takers.len() {
                busy |= self.collect(at);
                busy |= self.feed(at)?;
            }
            busy |= self.work_on_cpu()?;
            if busy {
                continue;
            }
            let Some(at) = self.soonest() else {
                return Ok(());
            };
            let taker = &self.takers[at];
            let gpu = self.shared.devices.gpu(taker.device);
            if let Some(chunk) = taker.flying.front() {
                gpu.wait_within(&chunk.dispatch.ticket(), LOOK_AFTER);
            }
        }
    }

    /// Time since the launch began, in ns.
    fn now_ns(&self) -> f64 {
        (self.clock)().saturating_sub(self.start_ns) as f64
    }

    /// The GPU whose chunk should be done first.
    fn soonest(&self) -> Option<usize> {
        let due = |taker: &Taker| taker.due_ns();
        let due = (0..self.takers.len()).filter_map(|at| Some((at, due(&self.takers[at])?)));
        due.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at)
    }

    /// Takes what a GPU has completed. Whether it had.
    fn collect(&mut self, at: usize) -> bool {
        let mut collected = false;
        while let Some(chunk) = self.takers[at].flying.front() {
            let gpu = self.shared.devices.gpu(self.takers[at].device);
            let ticket = chunk.dispatch.ticket();
            if !gpu.is_done(&ticket) {
                break;
            }
            collected = true;
            if let Err(error) = gpu.wait(&ticket).and_then(|()| self.check(at, chunk)) {
                self.fail(at, &error, (Told::No, Extent::All));
                break;
            }
            let now_ns = self.now_ns();
            let taker = &mut self.takers[at];
            let mut chunk = taker.flying.pop_front().expect("it was looked at");
            chunk.watched = None;
            let waited_ns = now_ns - chunk.given_ns.max(taker.last_ns);
            // The device's own clock does not count the time until somebody looked.
            let work_ns = chunk
                .dispatch
                .elapsed_ns()
                .map_or(waited_ns, |ns| ns as f64);
            let took = Took {
                copies_ns: chunk.copies_ns,
                work_ns,
            };
            self.balance.finished(taker.device, took, now_ns);
            taker.last_ns = now_ns;
            taker.complete.push(chunk);
        }
        collected
    }

    /// Compares what a complete chunk wrote with what it should have, if that is known.
    fn check(&self, at: usize, chunk: &Chunk) -> Result<(), DeviceError> {
        let bound = self.takers[at].bound.as_ref();
        let (Some(expected), Some(bound)) = (&chunk.expected, bound) else {
            return Ok(());
        };
        self.shared
            .compare(&chunk.part, (self.job, bound), expected)
    }

    /// Gives a GPU what it can take. Whether it took anything.
    fn feed(&mut self, at: usize) -> Result<bool, LaunchError> {
        let device = self.takers[at].device;
        let mut fed = false;
        while !self.inseparable && self.takers[at].flying.len() < self.queued_max {
            let Turn::Take(taken) = self.balance.next(device, self.now_ns()) else {
                break;
            };
            fed = true;
            if !self.bind(at) {
                break;
            }
            let part = self.part(device, taken.units, taken.predicted_ns);
            if !self.is_separable(part.tile) {
                self.inseparable = true;
                self.balance.put_back(device);
                break;
            }
            match self.start(at, part)? {
                Ok(()) => {}
                Err((error, how)) => {
                    self.fail(at, &error, how);
                    break;
                }
            }
        }
        Ok(fed)
    }

    /// Finds or makes the buffers of all chunks of a GPU; one without room is out.
    fn bind(&mut self, at: usize) -> bool {
        if self.takers[at].bound.is_some() {
            return true;
        }
        let device = self.takers[at].device;
        let part = Part {
            tile: self.job.whole(),
            ..self.part(device, Units { lo: 0, hi: 0 }, 0.0)
        };
        let first = self.takers.iter().all(|taker| taker.bound.is_none());
        let patience = if first {
            Patience::Waits
        } else {
            Patience::Gives
        };
        match self.shared.bind_whole(self.job, &part, patience) {
            Ok(bound) => {
                self.takers[at].bound = Some(bound);
                true
            }
            Err(failure) => {
                self.last_cause = Some((device, failure.cause));
                self.balance.failed(device);
                false
            }
        }
    }

    /// Has a GPU begin a chunk: its words travel, and it goes into the queue. The inner error is the GPU's.
    fn start(&mut self, at: usize, part: Part) -> Result<Result<(), Fault>, LaunchError> {
        let begin_ns = self.now_ns();
        let (shared, job) = (self.shared, self.job);
        let footprint = job.facts.footprint_anew(part.tile, Company::Shared);
        if let Err(error) = self.bring(&part, &footprint)? {
            return Ok(Err((error, (Told::Yes, Extent::Last))));
        }
        let copied_ns = self.now_ns();
        let number = shared.record_part(
            job,
            &Starting {
                device: part.device,
                tile: part.tile,
                footprint: &footprint,
                company: Company::Shared,
                kind: PartKind::Chunk,
                predicted_ns: part.predicted_ns,
            },
        );
        let timing = shared.timing_of_chunk(part.device);
        let taker = &mut self.takers[at];
        let bound = taker.bound.as_mut().expect("bound before");
        bound.aim(part);
        let gpu = shared.devices.gpu(part.device);
        let expected = shared.expected_of(job, &part, (bound, Company::Shared));
        let dispatched = expected.and_then(|expected| {
            let dispatch = shared.dispatch(job, timing, bound)?;
            Ok((dispatch, expected))
        });
        let (dispatch, expected) = match dispatched {
            Ok(dispatched) => dispatched,
            Err(error) => {
                shared.note_part_failed(number, &error);
                return Ok(Err((error, (Told::No, Extent::Last))));
            }
        };
        let given_ns = if expected.is_some() {
            // The CPU's reckoning took a while.
            self.now_ns()
        } else {
            copied_ns
        };
        let taker = &mut self.takers[at];
        let what = (job.body.kernel.name, workgroups(part.tile));
        let watched = shared.watch.enter(part.device, what, part.predicted_ns);
        taker.flying.push_back(Chunk {
            part,
            footprint,
            number,
            dispatch,
            expected,
            watched: Some(watched),
            timing,
            given_ns,
            copies_ns: copied_ns - begin_ns,
        });
        let flushed = gpu.flush().map(drop);
        Ok(flushed.map_err(|error| (error, (Told::No, Extent::All))))
    }

    /// Makes the copies that a part lacks. The inner error is that of the part's own device; another one that fails is out.
    fn bring(
        &mut self,
        part: &Part,
        footprint: &Footprint,
    ) -> Result<Result<(), DeviceError>, LaunchError> {
        let parts = [(part.device.memory(), footprint)];
        // A device that fails gives up what it held of an array, so this ends.
        loop {
            let (shared, job) = (self.shared, self.job);
            // Making lost words again takes every lost device's buffers away, this one's, too.
            let moved = || match shared.loss_of(part.device) {
                Some(error) => Ok(Some((part.device, error))),
                None => shared.move_for(job, &parts, Company::Shared),
            };
            let failed = shared.recovering(self.loans, moved)?;
            let Some((device, error)) = failed else {
                return Ok(Ok(()));
            };
            if device == part.device {
                return Ok(Err(error));
            }
            if let Some(at) = self.takers.iter().position(|taker| taker.device == device) {
                self.fail(at, &error, (Told::Yes, Extent::All));
            }
        }
    }

    /// Has the CPU do a chunk. Whether there was one.
    fn work_on_cpu(&mut self) -> Result<bool, LaunchError> {
        if self.inseparable {
            return Ok(false);
        }
        let now_ns = self.now_ns();
        let due = self.soonest().and_then(|at| self.takers[at].due_ns());
        let most_ns = due.map_or(f64::INFINITY, |due_ns| (due_ns - now_ns).max(CPU_NS_MIN));
        let turn = self.balance.next_within(DeviceId::CPU, now_ns, most_ns);
        let Turn::Take(taken) = turn else {
            return Ok(false);
        };
        let part = self.part(DeviceId::CPU, taken.units, taken.predicted_ns);
        if !self.is_separable(part.tile) {
            self.inseparable = true;
            self.balance.put_back(DeviceId::CPU);
            return Ok(true);
        }
        let footprint = self.job.facts.footprint_anew(part.tile, Company::Shared);
        let brought = self.bring(&part, &footprint)?;
        debug_assert!(brought.is_ok(), "the CPU's memory does not fail");
        let brought_ns = self.now_ns();
        let how = (Company::Shared, PartKind::Chunk);
        self.shared
            .run_on_cpu(self.job, part.tile, &footprint, how)?;
        let done_ns = self.now_ns();
        let took = Took {
            copies_ns: brought_ns - now_ns,
            work_ns: done_ns - brought_ns,
        };
        self.balance.finished(DeviceId::CPU, took, done_ns);
        Ok(true)
    }

    /// A GPU failed: what it took goes back, as far as that is of no use.
    fn fail(&mut self, at: usize, error: &DeviceError, (told, extent): (Told, Extent)) {
        let device = self.takers[at].device;
        let is_lost = self.shared.devices.gpu(device).is_lost().is_some();
        if extent == Extent::Last && !is_lost {
            self.balance.withdraw(device);
        } else {
            self.give_up(at, error, is_lost);
            self.balance.failed(device);
        }
        if told == Told::Yes {
            self.shared.note_failure(device, self.job.body, error);
        } else {
            // What it gave up is in the balance again.
            drop(
                self.shared
                    .failure(self.job, device, self.job.whole(), error),
            );
        }
        self.last_cause = Some((device, error.to_string()));
    }

    /// Nothing that a GPU did in this launch counts. If its memory is still there, what its chunks have written in place is not what
    /// residency takes it for.
    fn give_up(&mut self, at: usize, error: &DeviceError, is_lost: bool) {
        let (shared, job) = (self.shared, self.job);
        let taker = &mut self.takers[at];
        let memory = taker.device.memory();
        let chunks = taker.flying.drain(..).chain(taker.complete.drain(..));
        for chunk in chunks {
            shared.note_part_failed(chunk.number, error);
            if is_lost {
                continue;
            }
            let name = &shared.devices.gpu(taker.device).about().name;
            let mut placements = Placements::lock(job);
            for (slot, touch) in job.slots.iter().zip(&chunk.footprint.arguments) {
                let placement = placements.of(slot);
                let here = Company::Shared.place(touch, memory) == memory;
                if here && placement.residency.valid(memory).meets(&touch.writes) {
                    let lost = placement.lose(memory, name.clone(), error.to_string());
                    shared.trace.warn(|| Event::Lost {
                        array: slot.core.number(),
                        memory,
                        spans: lost,
                    });
                }
            }
        }
        taker.bound = None;
    }

    /// Combines and commits what the GPUs did; false if one failed in that, so that there is more to do.
    fn commit_all(&mut self) -> Result<bool, LaunchError> {
        let mut gathered = Gathered::default();
        for at in 0..self.takers.len() {
            let taker = &self.takers[at];
            let Some(last) = taker.complete.last() else {
                continue;
            };
            let (device, number) = (taker.device, last.number);
            let gpu = self.shared.devices.gpu(device);
            let bound = taker.bound.as_ref().expect("what ran was bound");
            let outcome = self.shared.loss_of(device).map_or(Ok(()), Err);
            let outcome = outcome.and_then(|()| {
                let (shared, job) = (self.shared, self.job);
                shared.gather(job, gpu, number, bound, &mut gathered)
            });
            if let Err(error) = outcome {
                self.fail(at, &error, (Told::No, Extent::All));
                return Ok(false);
            }
        }
        for at in 0..self.takers.len() {
            self.commit(at);
        }
        self.shared.merge(self.job, gathered)?;
        Ok(true)
    }

    fn commit(&mut self, at: usize) {
        let (shared, job) = (self.shared, self.job);
        let device = self.takers[at].device;
        if self.takers[at].complete.is_empty() {
            return;
        }
        let mut placements = Placements::lock(job);
        for chunk in self.takers[at].complete.drain(..) {
            let memory = device.memory();
            commit(
                job,
                &mut placements,
                memory,
                &chunk.footprint,
                Company::Shared,
            );
            shared.trace.record(|| Event::PartDone {
                part: chunk.number,
                ns: None,
            });
            let timed = Timed {
                number: chunk.number,
                watched: None,
                name: job.body.kernel.name,
                kernel: job.key(),
                id: device,
                work: job.work(chunk.part.tile, &chunk.footprint),
                workgroups: workgroups(chunk.part.tile),
                predicted_ns: chunk.part.predicted_ns,
                dispatch: chunk.dispatch,
            };
            shared.learn_later(timed, chunk.timing);
        }
        drop(placements);
        shared.note_success(device);
    }

    /// Whether no workgroup outside of `tile` writes what one inside touches, or the other way round.
    fn is_separable(&self, tile: Tile) -> bool {
        let whole = self.job.whole();
        let (mut before, mut after) = (whole, whole);
        before.hi[self.axis] = tile.lo[self.axis];
        after.lo[self.axis] = tile.hi[self.axis];
        let not_empty = |own: &Tile| own.lo[self.axis] < own.hi[self.axis];
        let footprints: SmallVec<[Footprint; 3]> = [before, tile, after]
            .into_iter()
            .filter(not_empty)
            .map(|own| self.job.facts.trial(own))
            .collect();
        kernel::disjoint(&footprints).is_ok()
    }

    fn part(&self, device: DeviceId, units: Units, predicted_ns: f64) -> Part {
        let mut tile = self.job.whole();
        tile.lo[self.axis] = units.lo as u32;
        tile.hi[self.axis] = units.hi as u32;
        Part {
            device,
            tile,
            predicted_ns,
            transfer_ns: 0.0,
            bytes_in: 0,
            bytes_out: 0,
            source: crate::cost::Source::Prior,
        }
    }

    fn outcome(self, plan: &Plan) -> Balanced {
        let (device, cause) = self
            .last_cause
            .clone()
            .unwrap_or((DeviceId::CPU, "its parts are not independent".to_owned()));
        let left = self.balance.left().iter().map(|units| Failure {
            device,
            tile: self.part(device, *units, 0.0).tile,
            cause: cause.clone(),
        });
        let failures: Vec<Failure> = left.collect();
        let taken = self.balance.taken();
        let again = |at: usize| taken[..at].iter().any(|(device, _)| *device == taken[at].0);
        let smooth = failures.is_empty()
            && self.last_cause.is_none()
            && !(0..taken.len()).any(again)
            && !plan.parts.is_empty();
        Balanced {
            carried_out: self.carried_out(plan, taken),
            failures,
            smooth,
        }
    }

    /// `plan` with the cuts where the devices met, and what nobody did on the CPU.
    fn carried_out(&self, plan: &Plan, taken: Vec<(DeviceId, Units)>) -> Plan {
        let left = self.balance.left().iter();
        let mut ranges: Vec<(DeviceId, Units)> = left
            .map(|units| (DeviceId::CPU, *units))
            .chain(taken)
            .collect();
        ranges.sort_unstable_by_key(|(_, units)| units.lo);
        let part = |(device, units): &(DeviceId, Units)| {
            let own = self.part(*device, *units, 0.0);
            let planned = plan.parts.iter().find(|part| part.device == *device);
            let like = planned.or(plan.parts.first()).copied();
            Part {
                device: own.device,
                tile: own.tile,
                ..like.unwrap_or(own)
            }
        };
        let parts: Vec<Part> = ranges.iter().map(part).collect();
        let axis = (parts.len() > 1).then_some(self.axis);
        Plan {
            axis,
            parts,
            ..plan.clone()
        }
    }
}
