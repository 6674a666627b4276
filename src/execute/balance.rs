//! How is a launch carried out whose devices share it as they go? Each takes chunks from the balance until nothing is left.
//!
//! One thread does it all: it keeps every GPU supplied with a chunk that runs and one that waits behind it, takes what has ended, and
//! has the CPU work in between, never for longer than until the next GPU should be done. Words move chunk by chunk, exactly those that are
//! missing. What the GPUs wrote is committed at the end, so that one that fails leaves nothing half done: all that it took goes
//! back into the balance, and the others do it from what memories still hold.

use std::collections::VecDeque;
use std::time::Duration;

use smallvec::SmallVec;

use super::Shared;
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
    /// Who did what, if each device did one range of the axis and none failed.
    pub(super) carried_out: Option<Plan>,
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

/// A launch under way.
struct Round<'r, 'j> {
    shared: &'r Shared,
    job: &'r Job<'j>,
    axis: usize,
    balance: Balance,
    takers: Vec<Taker>,
    clock: &'r dyn Fn() -> u64,
    start_ns: u64,
    /// Set when a chunk cannot run beside others: what is left must be done in one piece.
    inseparable: bool,
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
    pub(super) fn obey_balanced(
        &self,
        job: &Job<'_>,
        plan: &Plan,
        balance: Balance,
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
        let mut round = Round {
            shared: self,
            job,
            axis: job.axis(),
            balance,
            takers: gpus.map(taker).collect(),
            clock: &*clock,
            start_ns: clock(),
            inseparable: false,
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

impl Round<'_, '_> {
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
                self.fail(at, &error, Told::No);
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
        while !self.inseparable && self.takers[at].flying.len() < QUEUED_MAX {
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
                Err((error, told)) => {
                    self.fail(at, &error, told);
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
    fn start(
        &mut self,
        at: usize,
        part: Part,
    ) -> Result<Result<(), (DeviceError, Told)>, LaunchError> {
        let begin_ns = self.now_ns();
        let (shared, job) = (self.shared, self.job);
        let footprint = job.facts.footprint_anew(part.tile, Company::Shared);
        if let Err(error) = self.bring(&part, &footprint)? {
            return Ok(Err((error, Told::Yes)));
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
                return Ok(Err((error, Told::No)));
            }
        };
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
            given_ns: copied_ns,
            copies_ns: copied_ns - begin_ns,
        });
        Ok(gpu.flush().map(drop).map_err(|error| (error, Told::No)))
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
            let failed = self.shared.move_for(self.job, &parts, Company::Shared)?;
            let Some((device, error)) = failed else {
                return Ok(Ok(()));
            };
            if device == part.device {
                return Ok(Err(error));
            }
            if let Some(at) = self.takers.iter().position(|taker| taker.device == device) {
                self.fail(at, &error, Told::Yes);
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

    /// A GPU failed: what it took goes back.
    fn fail(&mut self, at: usize, error: &DeviceError, told: Told) {
        let taker = &mut self.takers[at];
        let device = taker.device;
        for chunk in taker.flying.drain(..).chain(taker.complete.drain(..)) {
            self.shared.note_part_failed(chunk.number, error);
        }
        taker.bound = None;
        if told == Told::Yes {
            self.shared.note_failure(device, self.job.body, error);
        } else {
            // What it gave up is in the balance again.
            drop(
                self.shared
                    .failure(self.job, device, self.job.whole(), error),
            );
        }
        self.balance.failed(device);
        self.last_cause = Some((device, error.to_string()));
    }

    /// Combines and commits what the GPUs did; false if one failed in that, so that there is more to do.
    fn commit_all(&mut self) -> Result<bool, LaunchError> {
        let mut gathered = Gathered::default();
        for at in 0..self.takers.len() {
            let taker = &self.takers[at];
            let Some(last) = taker.complete.last() else {
                continue;
            };
            let gpu = self.shared.devices.gpu(taker.device);
            let bound = taker.bound.as_ref().expect("what ran was bound");
            let outcome = self
                .shared
                .gather(self.job, gpu, last.number, bound, &mut gathered);
            if let Err(error) = outcome {
                self.fail(at, &error, Told::No);
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
        let whole = failures.is_empty() && self.last_cause.is_none();
        let carried_out = whole.then(|| self.carried_out(plan)).flatten();
        Balanced {
            failures,
            carried_out,
        }
    }

    /// `plan` with the cuts where the devices met; none if one of them has more than one range.
    fn carried_out(&self, plan: &Plan) -> Option<Plan> {
        let taken = self.balance.taken();
        let again = |at: usize| taken[..at].iter().any(|(device, _)| *device == taken[at].0);
        if (0..taken.len()).any(again) {
            return None;
        }
        let template = plan.parts.first()?;
        let part = |(device, units): &(DeviceId, Units)| {
            let planned = plan.parts.iter().find(|part| part.device == *device);
            Part {
                device: *device,
                tile: self.part(*device, *units, 0.0).tile,
                ..*planned.unwrap_or(template)
            }
        };
        let parts: Vec<Part> = taken.iter().map(part).collect();
        let axis = (parts.len() > 1).then_some(self.axis);
        Some(Plan {
            axis,
            parts,
            ..plan.clone()
        })
    }
}
