//! How does a GPU take its part of a launch? Buffers for all of its arrays at once, then the dispatch, then the wait for it and
//! the merging of what was combined.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Shared;
use super::job::{Job, Placements};
use super::launch::{Failure, argument_error, commit, workgroups};
use super::memory::{Denied, Patience, Release};
use super::pieces::{Fit, Stream, operands};
use super::record::Starting;
use super::sampling::Expected;
use super::timing::Timed;
use crate::array::Placed;
use crate::device::cpu::Lending;
use crate::device::{Accelerator, Argument, Buffer, DeviceError, Dispatch, Dispatched, Timing};
use crate::error::LaunchError;
use crate::kernel::access::Combine;
use crate::kernel::{self, Space, Window};
use crate::lanes::Tile;
use crate::launch::{self, Slot};
use crate::machine::{DeviceId, MemoryId};
use crate::plan::{Part, Plan};
use crate::region::{Footprint, Span, SpanSet};
use crate::trace::{Doing, Entered, Event, PartKind, PartNo};
use crate::transfer::residence::Want;
use crate::transfer::{Company, Reason};

/// The buffers of a GPU part's slots, pinned as long as it lives.
pub(super) struct BoundPart {
    part: Part,
    slots: SmallVec<[BoundSlot; 8]>,
    /// Behind the buffers: fields are dropped in order.
    _release: Release,
}

impl BoundPart {
    /// The part.
    pub(super) fn part(&self) -> &Part {
        &self.part
    }

    /// The buffer behind a slot, and at which words of the array the slot and the buffer begin.
    pub(super) fn words_of(&self, index: usize, job: &Job<'_>) -> (&Buffer, u64, u64) {
        let own = &self.slots[index];
        let private = own.combine.is_some();
        let slot = if private { 0 } else { job.slots[index].span.lo };
        (&own.placed.buffer, slot, own.placed.span.lo)
    }

    /// The same buffers for another part on the same device, if all arrays are bound whole.
    pub(super) fn aim(&mut self, part: Part) {
        assert_eq!(
            part.device, self.part.device,
            "buffers stay on their device"
        );
        self.part = part;
    }
}

/// What a slot is bound to.
struct BoundSlot {
    placed: Placed,
    /// The words of the array that are bound; those of a private copy are counted from its start.
    words: Span,
    /// Set where the buffer is a private copy of what is combined.
    combine: Option<Combine>,
}

/// What GPU parts combined, by number of the slot.
#[derive(Debug, Default)]
pub(super) struct Gathered(SmallVec<[(usize, Combine, Vec<u32>); 2]>);

impl Gathered {
    fn add(&mut self, index: usize, combine: Combine, copy: Vec<u32>) {
        let known = self.0.iter_mut().find(|(known, ..)| *known == index);
        let Some((_, _, sum)) = known else {
            self.0.push((index, combine, copy));
            return;
        };
        for (word, &add) in sum.iter_mut().zip(&copy) {
            *word = combine.apply(*word, add);
        }
    }

    /// Adds what another one has.
    pub(super) fn take_in(&mut self, other: Self) {
        for (index, combine, copy) in other.0 {
            self.add(index, combine, copy);
        }
    }
}

/// A GPU part in its queue.
pub(super) struct Started {
    part: Part,
    footprint: Arc<Footprint>,
    dispatch: Dispatch,
    timing: Timing,
    bound: BoundPart,
    number: PartNo,
    /// What some of its workgroups should write, if they were computed twice.
    expected: Option<Expected>,
    watched: Entered,
}

impl Started {
    /// Its workgroups.
    pub(super) fn tile(&self) -> Tile {
        self.part.tile
    }
}

impl Shared {
    /// Finds or makes the buffers of all GPU parts before anything moves. A part without room leaves the plan as a failure, and one
    /// that fits only piece by piece as a stream of pieces; where there is one, all GPU parts are.
    pub(super) fn bind_gpu_parts(
        &self,
        job: &Job<'_>,
        plan: &mut Plan,
        company: Company,
        failures: &mut Vec<Failure>,
    ) -> (Vec<BoundPart>, Vec<Stream>) {
        let (mut bound, mut streams) = (Vec::new(), Vec::new());
        let cut: SmallVec<[DeviceId; 4]> = plan
            .parts
            .iter()
            .filter(|part| same_device(plan, part))
            .map(|part| part.device)
            .collect();
        plan.parts.retain(|part| {
            if part.device == DeviceId::CPU {
                return true;
            }
            let fit = match self.fit(job, part.device, part.tile, company) {
                Ok(Fit::Whole(wants)) => match self.overlapping_chunks(job, part, company) {
                    Some(tiles) if !cut.contains(&part.device) => {
                        Stream::add(&mut streams, part, tiles);
                        return false;
                    }
                    _ => wants,
                },
                Ok(Fit::Windows(wants)) if !cut.contains(&part.device) => wants,
                Ok(Fit::Windows(_)) => {
                    // Cut for another reason: its windows are not all needed at once.
                    Stream::add(&mut streams, part, vec![part.tile]);
                    return false;
                }
                Ok(Fit::Pieces(tiles)) => {
                    Stream::add(&mut streams, part, tiles);
                    return false;
                }
                Err(reason) => {
                    failures.push(self.no_room(part, &reason));
                    return false;
                }
            };
            let patience = if bound.is_empty() {
                Patience::Waits
            } else {
                Patience::Gives
            };
            let bind = || self.bind(job, part, company, (&fit, patience));
            let found = bind().or_else(|denied| match denied {
                Denied::Room(_) if self.forget_dropped() => bind(),
                denied => Err(denied),
            });
            match found {
                Ok(found) => bound.push(found),
                Err(denied) => {
                    failures.push(self.denied(job, part, &denied));
                    return false;
                }
            }
            true
        });
        if !streams.is_empty() {
            // A stream may have to wait for room. What waits must not hold any elsewhere, or two launches wait for each other for ever: so
            // all GPU parts become streams, each of which holds nothing while it waits.
            for bound in bound.drain(..) {
                Stream::add(&mut streams, bound.part(), vec![bound.part().tile]);
            }
            plan.parts.retain(|part| part.device == DeviceId::CPU);
        }
        (bound, streams)
    }

    /// The buffers of a part.
    pub(super) fn bind(
        &self,
        job: &Job<'_>,
        part: &Part,
        company: Company,
        (wants, patience): (&[Want], Patience),
    ) -> Result<BoundPart, Denied> {
        let gpu = self.devices.gpu(part.device);
        let release = self.release();
        let found = self.buffers_for(job, part.device, wants, patience)?;
        let footprint = job.footprint_in(part.tile, company);
        let operands = operands(job, company);
        let alignment = self.room(part.device).alignment_words;
        let accesses = job.body.kernel.access.buffers.iter();
        let mut slots = SmallVec::new();
        for (index, (placed, access)) in found.into_iter().zip(accesses).enumerate() {
            let combine = access.combine.filter(|_| company == Company::Shared);
            if let Some(combine) = combine {
                gpu.fill(&placed.buffer, placed.span, combine.identity())?;
            }
            let touch = &footprint.arguments[index];
            let whole = operands[index].bound;
            let words = if placed.span.covers(whole)
                && whole.words() <= self.room(part.device).range_words_max
            {
                whole
            } else {
                operands[index].window(touch.reads.hull().hull(touch.writes.hull()), alignment)
            };
            slots.push(BoundSlot {
                placed,
                words,
                combine,
            });
        }
        Ok(BoundPart {
            part: *part,
            slots,
            _release: release,
        })
    }

    /// Records a GPU part, whose words are in place, or says how its GPU refuses it.
    pub(super) fn start(
        &self,
        job: &Job<'_>,
        bound: BoundPart,
        (company, kind): (Company, PartKind),
    ) -> Result<Started, Failure> {
        let part = bound.part;
        let footprint = job.footprint_in(part.tile, company);
        let work = job.work(part.tile, &footprint);
        let timing = self.timing(job, part.device, work);
        let number = self.record_part(
            job,
            &Starting {
                device: part.device,
                tile: part.tile,
                footprint: &footprint,
                company,
                kind,
                predicted_ns: part.predicted_ns,
            },
        );
        let expected = self.expected_of(job, &part, (&bound, company));
        let dispatched = expected.and_then(|expected| {
            let dispatch = self.dispatch(job, timing, &bound)?;
            Ok((dispatch, expected))
        });
        match dispatched {
            Ok((dispatch, expected)) => Ok(Started {
                part,
                footprint,
                dispatch,
                timing,
                bound,
                number,
                expected,
                watched: self.watch.enter(
                    part.device,
                    (job.body.kernel.name, workgroups(part.tile)),
                    part.predicted_ns,
                ),
            }),
            Err(error) => Err(self.failure_of(job, number, &part, &error)),
        }
    }

    pub(super) fn dispatch(
        &self,
        job: &Job<'_>,
        timing: Timing,
        bound: &BoundPart,
    ) -> Result<Dispatch, DeviceError> {
        let part = &bound.part;
        let mut storage = bound.slots.iter();
        let mut arguments: SmallVec<[Argument<'_>; 8]> = SmallVec::new();
        for argument in &job.body.bound {
            arguments.push(match argument {
                launch::Bound::Uniform { start, end } => {
                    Argument::Uniform(&job.body.uniforms[*start..*end])
                }
                launch::Bound::Storage(_) => {
                    let own = storage.next().expect("a buffer for every slot");
                    let from = own.placed.span.lo;
                    Argument::Storage {
                        buffer: &own.placed.buffer,
                        bound: Span::new(own.words.lo - from, own.words.hi - from),
                    }
                }
            });
        }
        let gpu = self.devices.gpu(part.device);
        let dispatched = Dispatched {
            num_workgroups: job.grid,
            tile: part.tile,
            timing,
        };
        let windows = windows(job, bound);
        let dispatch = gpu.dispatch(job.body.kernel, &arguments, &windows, dispatched)?;
        gpu.expect(part.predicted_ns);
        Ok(dispatch)
    }

    /// Waits for a part that shares its launch, gathers what it combined, and commits it.
    pub(super) fn finish_gpu_part(
        &self,
        job: &Job<'_>,
        started: Started,
        company: Company,
        (gathered, failures): (&mut Gathered, &mut Vec<Failure>),
    ) {
        let Started {
            part,
            footprint,
            dispatch,
            timing,
            bound,
            number,
            expected,
            watched,
        } = started;
        let gpu = self.devices.gpu(part.device);
        let waited = if company == Company::Shared {
            gpu.wait(&dispatch.ticket())
        } else {
            Ok(())
        };
        let compared = waited.and_then(|()| {
            let compare = |expected| self.compare(&part, (job, &bound), &expected);
            expected.map_or(Ok(()), compare)
        });
        let outcome = compared.and_then(|()| self.gather(job, gpu, number, &bound, gathered));
        if let Err(error) = outcome {
            failures.push(self.failure_of(job, number, &part, &error));
            return;
        }
        commit(
            job,
            &mut Placements::lock(job),
            part.device.memory(),
            &footprint,
            company,
        );
        self.trace.record(|| Event::PartDone {
            part: number,
            ns: None,
        });
        let part = Timed {
            number,
            watched: Some(watched),
            name: job.body.kernel.name,
            kernel: job.key(),
            id: part.device,
            work: job.work(part.tile, &footprint),
            workgroups: workgroups(part.tile),
            predicted_ns: part.predicted_ns,
            dispatch,
        };
        self.note_success(part.id);
        self.learn_later(part, timing);
    }

    /// Fetches a part's private copies: all of them before the first is gathered, so that a GPU that fails leaves nothing half done.
    pub(super) fn gather(
        &self,
        job: &Job<'_>,
        gpu: &Accelerator,
        number: PartNo,
        bound: &BoundPart,
        gathered: &mut Gathered,
    ) -> Result<(), DeviceError> {
        let mut fetched: SmallVec<[(usize, Combine, Vec<u32>); 2]> = SmallVec::new();
        for (index, (slot, own)) in job.slots.iter().zip(&bound.slots).enumerate() {
            let Some(combine) = own.combine else { continue };
            let all = Span::new(0, slot.span.words());
            let mut copy = Vec::with_capacity(all.words() as usize);
            let mut append = |_, words: &[u32]| copy.extend_from_slice(words);
            let from = bound.part.device.memory();
            let fetching = self.trace.begin(|| Doing::Transfer {
                launch: Some(job.number),
                array: slot.core.number(),
                from,
                to: MemoryId::HOST,
                words: all.words(),
            });
            let _within = fetching.enter();
            gpu.download(&own.placed.buffer, &[all], &mut append)?;
            self.trace.record(|| Event::Combined {
                part: number,
                array: slot.core.number(),
                span: slot.span,
                from,
                ns: self.trace.ns_of(&fetching),
            });
            let spans = SpanSet::from(all);
            self.report().add_copies(from, MemoryId::HOST, &spans);
            self.report().add_reason(Reason::Combine, spans.words());
            fetched.push((index, combine, copy));
        }
        for (index, combine, copy) in fetched {
            gathered.add(index, combine, copy);
        }
        Ok(())
    }

    /// Merges what was gathered into main memory, which no other part of the launch uses any more.
    pub(super) fn merge(&self, job: &Job<'_>, gathered: Gathered) -> Result<(), LaunchError> {
        for (index, combine, copy) in gathered.0 {
            let slot = job.slots[index];
            let kept = self.before_overwrite(&slot.core, &SpanSet::from(slot.span));
            kept.map_err(|cause| argument_error(job, slot, cause))?;
            let loan = slot.core.lend(slot.span, Lending::Exclusive);
            let mut loan = loan.map_err(|cause| argument_error(job, slot, cause))?;
            for (word, &add) in loan.words_mut().iter_mut().zip(&copy) {
                *word = combine.apply(*word, add);
            }
        }
        Ok(())
    }

    /// A part that had started failed.
    fn failure_of(
        &self,
        job: &Job<'_>,
        number: PartNo,
        part: &Part,
        error: &DeviceError,
    ) -> Failure {
        self.note_part_failed(number, error);
        self.failure(job, part.device, part.tile, error)
    }

    /// Notes in the trace that a part failed.
    pub(super) fn note_part_failed(&self, number: PartNo, error: &DeviceError) {
        self.trace.record(|| Event::PartFailed {
            part: number,
            cause: error.to_string().into(),
        });
    }

    /// A part has no buffers.
    pub(super) fn denied(&self, job: &Job<'_>, part: &Part, denied: &Denied) -> Failure {
        match denied {
            Denied::Device(error) | Denied::Leaving(error) => {
                self.failure(job, part.device, part.tile, error)
            }
            Denied::Room(_) | Denied::Stuck(_) => self.no_room(part, &denied.to_string()),
        }
    }

    /// A part does not fit its device's memory.
    pub(super) fn no_room(&self, part: &Part, cause: &str) -> Failure {
        self.report().add_failure(part.device, cause.to_owned());
        Failure {
            device: part.device,
            tile: part.tile,
            cause: cause.to_owned(),
        }
    }

    /// A part failed.
    pub(super) fn failure(
        &self,
        job: &Job<'_>,
        device: DeviceId,
        tile: Tile,
        error: &DeviceError,
    ) -> Failure {
        self.record_device_failure(device, error);
        self.note_failure(device, job.body, error);
        self.report().add_failure(device, error.to_string());
        Failure {
            device,
            tile,
            cause: error.to_string(),
        }
    }
}

/// Whether another part of the plan is on the same device.
pub(super) fn same_device(plan: &Plan, part: &Part) -> bool {
    let own = plan.parts.iter().filter(|own| own.device == part.device);
    own.count() > 1
}

/// What of the arrays is bound, where anything is bound in part: one for each binding that may be.
fn windows(job: &Job<'_>, bound: &BoundPart) -> SmallVec<[Window; 8]> {
    let slots = job.slots.iter().zip(&bound.slots);
    let whole = |(slot, own): (&&Slot, &BoundSlot)| own.combine.is_some() || own.words == slot.span;
    if slots.clone().all(whole) {
        return SmallVec::new();
    }
    let bindings = job.body.kernel.bindings.iter();
    let storage = bindings.filter(|binding| binding.space != Space::Uniform);
    let window = |((slot, own), binding): ((&&Slot, &BoundSlot), &kernel::Binding)| {
        let stride = u64::from(binding.stride_words);
        let from = if own.combine.is_some() {
            0
        } else {
            slot.span.lo
        };
        Window {
            first: ((own.words.lo - from) / stride) as u32,
            len: (slot.span.words() / stride) as u32,
        }
    };
    slots
        .zip(storage)
        .filter(|(_, binding)| binding.may_be_windowed())
        .map(window)
        .collect()
}
