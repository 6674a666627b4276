//! How does a GPU take its part of a launch? Buffers for all of its arrays at once, then the dispatch, then the wait for it and
//! the merging of what was combined.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Shared;
use super::job::{Job, Placements};
use super::launch::{Failure, argument_error, commit, workgroups};
use super::record::Starting;
use super::timing::Timed;
use crate::device::cpu::Lending;
use crate::device::{Accelerator, Argument, Buffer, DeviceError, Dispatch, Timing};
use crate::error::LaunchError;
use crate::kernel::access::Combine;
use crate::lanes::Tile;
use crate::launch::{self, Slot};
use crate::machine::{DeviceId, MemoryId};
use crate::plan::{Part, Plan};
use crate::region::{Footprint, Span, SpanSet};
use crate::trace::{Event, PartKind, PartNo};
use crate::transfer::Company;

/// The buffers of a GPU part's slots.
pub(super) struct BoundPart {
    device: DeviceId,
    slots: SmallVec<[BoundSlot; 8]>,
}

/// What a slot is bound to.
struct BoundSlot {
    buffer: Arc<Buffer>,
    /// Set where the buffer is a private copy of what is combined.
    combine: Option<Combine>,
}

/// A GPU part in its queue.
pub(super) struct Started<'a> {
    part: Part,
    footprint: &'a Footprint,
    dispatch: Dispatch,
    timing: Timing,
    bound: BoundPart,
    number: PartNo,
}

impl Shared {
    /// Finds or makes the buffers of all GPU parts before anything moves. A part without room leaves the plan as a failure.
    pub(super) fn bind_gpu_parts(
        &self,
        job: &Job<'_>,
        plan: &mut Plan,
        company: Company,
        failures: &mut Vec<Failure>,
    ) -> Vec<BoundPart> {
        let mut bound = Vec::new();
        plan.parts.retain(|part| {
            if part.device == DeviceId::CPU {
                return true;
            }
            match self.bind(job, part.device, company) {
                Ok(slots) => bound.push(BoundPart {
                    device: part.device,
                    slots,
                }),
                Err(error) => failures.push(self.failure(job, part.device, part.tile, &error)),
            }
            bound
                .last()
                .is_some_and(|bound| bound.device == part.device)
        });
        bound
    }

    fn bind(
        &self,
        job: &Job<'_>,
        device: DeviceId,
        company: Company,
    ) -> Result<SmallVec<[BoundSlot; 8]>, DeviceError> {
        let gpu = self.devices.gpu(device);
        let mut placements = Placements::lock(job);
        let accesses = job.body.kernel.access.buffers;
        let mut bind_slot = |slot: &Slot, combine: Option<Combine>| {
            let Some(combine) = combine.filter(|_| company == Company::Shared) else {
                let buffer = whole_buffer(gpu, device.memory(), slot, &mut placements)?;
                return Ok(BoundSlot {
                    buffer,
                    combine: None,
                });
            };
            let all = Span::new(0, slot.span.words());
            let buffer = Arc::new(gpu.allocate(all.words())?);
            gpu.fill(&buffer, all, combine.identity())?;
            Ok(BoundSlot {
                buffer,
                combine: Some(combine),
            })
        };
        let slots = job.slots.iter().zip(accesses);
        slots
            .map(|(slot, access)| bind_slot(slot, access.combine))
            .collect()
    }

    /// Records the GPU parts of a plan, whose words are in place. A part that its GPU refuses is a failure; the others go on.
    pub(super) fn start_gpu_parts<'a>(
        &self,
        job: &Job<'_>,
        plan: &Plan,
        footprints: &'a [Footprint],
        bound: &mut Vec<BoundPart>,
        failures: &mut Vec<Failure>,
    ) -> Vec<Started<'a>> {
        let mut running = Vec::new();
        for (part, footprint) in plan.parts.iter().zip(footprints) {
            let Some(at) = bound.iter().position(|bound| bound.device == part.device) else {
                continue;
            };
            let bound = bound.swap_remove(at);
            let work = job.work(part.tile, footprint);
            let timing = self.timing(job, part.device, work);
            let number = self.record_part(
                job,
                &Starting {
                    device: part.device,
                    tile: part.tile,
                    footprint,
                    company: Company::of(plan.parts.len()),
                    kind: PartKind::Planned,
                    predicted_ns: part.predicted_ns,
                },
            );
            let dispatched = self.dispatch(job, part, timing, &bound);
            if same_device(plan, part) {
                // Cut so that no piece keeps the device too long for the system: they must not become one batch again.
                self.devices.flush();
            }
            match dispatched {
                Ok(dispatch) => {
                    running.push(Started {
                        part: *part,
                        footprint,
                        dispatch,
                        timing,
                        bound,
                        number,
                    });
                }
                Err(error) => failures.push(self.failure_of(job, number, part, &error)),
            }
        }
        running
    }

    fn dispatch(
        &self,
        job: &Job<'_>,
        part: &Part,
        timing: Timing,
        bound: &BoundPart,
    ) -> Result<Dispatch, DeviceError> {
        let mut storage = job.slots.iter().zip(&bound.slots);
        let mut arguments: SmallVec<[Argument<'_>; 8]> = SmallVec::new();
        for bound in &job.body.bound {
            arguments.push(match bound {
                launch::Bound::Uniform { start, end } => {
                    Argument::Uniform(&job.body.uniforms[*start..*end])
                }
                launch::Bound::Storage(_) => {
                    let (slot, own) = storage.next().expect("a buffer for every slot");
                    let private = own.combine.is_some();
                    let bound = if private {
                        Span::new(0, slot.span.words())
                    } else {
                        slot.span
                    };
                    Argument::Storage {
                        buffer: &own.buffer,
                        bound,
                    }
                }
            });
        }
        let gpu = self.devices.gpu(part.device);
        let dispatch = gpu.dispatch(job.body.kernel, &arguments, job.grid, part.tile, timing)?;
        gpu.expect(part.predicted_ns);
        Ok(dispatch)
    }

    /// Waits for a part that shares its launch, merges what it combined, and commits it.
    pub(super) fn finish_gpu_part(
        &self,
        job: &Job<'_>,
        started: Started<'_>,
        company: Company,
        failures: &mut Vec<Failure>,
    ) -> Result<(), LaunchError> {
        let Started {
            part,
            footprint,
            dispatch,
            timing,
            bound,
            number,
        } = started;
        let gpu = self.devices.gpu(part.device);
        if company == Company::Shared
            && let Err(error) = gpu.wait(&dispatch.ticket())
        {
            failures.push(self.failure_of(job, number, &part, &error));
            return Ok(());
        }
        if let Err(error) = self.merge_all(job, gpu, number, &bound)? {
            failures.push(self.failure_of(job, number, &part, &error));
            return Ok(());
        }
        commit(
            job,
            &mut Placements::lock(job),
            part.device.memory(),
            footprint,
            company,
        );
        self.trace.record(|| Event::PartDone {
            part: number,
            ns: None,
        });
        let part = Timed {
            number,
            name: job.body.kernel.name,
            kernel: job.key(),
            id: part.device,
            device: self.devices.key(part.device),
            work: job.work(part.tile, footprint),
            workgroups: workgroups(part.tile),
            predicted_ns: part.predicted_ns,
            dispatch,
        };
        self.note_success(part.id);
        self.learn_later(part, timing);
        Ok(())
    }

    /// Combines a part's private copies into main memory: all of them are fetched before the first is merged, so that a GPU that
    /// fails leaves nothing half done. The inner error is the GPU's.
    fn merge_all(
        &self,
        job: &Job<'_>,
        gpu: &Accelerator,
        number: PartNo,
        bound: &BoundPart,
    ) -> Result<Result<(), DeviceError>, LaunchError> {
        let mut fetched: SmallVec<[(&Slot, Combine, Vec<u32>); 2]> = SmallVec::new();
        for (slot, own) in job.slots.iter().zip(&bound.slots) {
            let Some(combine) = own.combine else { continue };
            let all = Span::new(0, slot.span.words());
            let mut copy = Vec::with_capacity(all.words() as usize);
            let mut append = |_, words: &[u32]| copy.extend_from_slice(words);
            let start_ns = self.trace.now_ns();
            if let Err(error) = gpu.download(&own.buffer, &[all], &mut append) {
                return Ok(Err(error));
            }
            self.trace.record(|| Event::Combined {
                part: number,
                array: slot.core.number(),
                span: slot.span,
                from: bound.device.memory(),
                ns: self.trace.now_ns() - start_ns,
            });
            self.report()
                .add_copies(bound.device.memory(), MemoryId::HOST, &SpanSet::from(all));
            fetched.push((slot, combine, copy));
        }
        for (slot, combine, copy) in fetched {
            let loan = slot.core.lend(slot.span, Lending::Exclusive);
            let mut loan = loan.map_err(|cause| argument_error(job, slot, cause))?;
            for (word, &add) in loan.words_mut().iter_mut().zip(&copy) {
                *word = combine.apply(*word, add);
            }
        }
        Ok(Ok(()))
    }

    /// A part that had started failed.
    fn failure_of(
        &self,
        job: &Job<'_>,
        number: PartNo,
        part: &Part,
        error: &DeviceError,
    ) -> Failure {
        self.trace.record(|| Event::PartFailed {
            part: number,
            cause: error.to_string().into(),
        });
        self.failure(job, part.device, part.tile, error)
    }

    /// A part failed.
    pub(super) fn failure(
        &self,
        job: &Job<'_>,
        device: DeviceId,
        tile: Tile,
        error: &DeviceError,
    ) -> Failure {
        self.note_failure(device, job.body, error);
        self.record_device_failure(device, error);
        self.report().add_failure(device, error.to_string());
        Failure {
            device,
            tile,
            cause: error.to_string(),
        }
    }
}

/// Whether another part of the plan is on the same device.
fn same_device(plan: &Plan, part: &Part) -> bool {
    let own = plan.parts.iter().filter(|own| own.device == part.device);
    own.count() > 1
}

/// The buffer that holds a slot's array in a GPU's memory.
fn whole_buffer(
    gpu: &Accelerator,
    memory: MemoryId,
    slot: &Slot,
    placements: &mut Placements<'_>,
) -> Result<Arc<Buffer>, DeviceError> {
    let placement = placements.of(slot);
    if let Some(buffer) = placement.buffer(memory) {
        return Ok(buffer);
    }
    let buffer = Arc::new(gpu.allocate(slot.core.words())?);
    placement.set_buffer(memory, Some(Arc::clone(&buffer)));
    Ok(buffer)
}
