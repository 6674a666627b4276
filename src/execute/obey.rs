//! How are the parts of a plan carried out together? GPU parts are recorded first, then the CPU works while they run, and what
//! each part wrote is committed when it is complete.

use smallvec::SmallVec;

use super::Shared;
use super::launch::{Failure, Job, Placements, argument_error, commit};
use crate::error::LaunchError;
use crate::machine::{DeviceId, MemoryId};
use crate::plan::{Part, Plan};
use crate::region::Footprint;

impl Shared {
    /// Carries out a plan, and returns what GPUs failed to do. Nothing of a failed part is committed.
    ///
    /// A plan of one GPU part is complete for residency as soon as it is in the GPU's queue, where everything that follows waits for
    /// it: so chained launches never wait for the host. Parts of a split launch are waited for, so that one that fails late can
    /// be done again by the CPU from what main memory still holds.
    pub(super) fn obey(&self, job: &Job<'_>, plan: &Plan) -> Result<Vec<Failure>, LaunchError> {
        if let Err(error) = plan.check(job.grid) {
            return Err(LaunchError::Policy {
                kernel: job.body.kernel.name,
                reason: error.to_string(),
            });
        }
        let alone = plan.parts.len() == 1;
        let footprints: SmallVec<[Footprint; 4]> = plan
            .parts
            .iter()
            .map(|part| {
                if alone {
                    job.footprint_alone(part.tile)
                } else {
                    job.footprint(part.tile)
                }
            })
            .collect();
        let mut failures = Vec::new();
        self.move_for_cpu(job, plan, &footprints)?;
        #[cfg(feature = "gpu")]
        let running = self.start_gpu_parts(job, plan, &footprints, &mut failures)?;
        for (part, footprint) in on_cpu(plan, &footprints) {
            self.run_on_cpu(job, part.tile, footprint)?;
            commit(job, &mut Placements::lock(job), MemoryId::HOST, footprint);
        }
        #[cfg(feature = "gpu")]
        for started in running {
            self.finish_gpu_part(job, started, alone, &mut failures)?;
        }
        Ok(failures)
    }

    /// Brings home what CPU parts need, and what is combined in main memory.
    fn move_for_cpu(
        &self,
        job: &Job<'_>,
        plan: &Plan,
        footprints: &[Footprint],
    ) -> Result<(), LaunchError> {
        for (_, footprint) in on_cpu(plan, footprints) {
            self.move_home(job, footprint)?;
        }
        let mut placements = Placements::lock(job);
        for footprint in footprints {
            for (slot, touch) in job
                .slots
                .iter()
                .zip(&footprint.arguments)
                .filter(|(_, touch)| touch.combine)
            {
                let placement = placements.of(slot);
                self.bring_home_placed(&slot.core, placement, &touch.writes)
                    .map_err(|cause| argument_error(job, slot, cause))?;
                placement.written(MemoryId::HOST, &touch.writes);
            }
        }
        Ok(())
    }
}

fn on_cpu<'a>(
    plan: &'a Plan,
    footprints: &'a [Footprint],
) -> impl Iterator<Item = (&'a Part, &'a Footprint)> {
    plan.parts
        .iter()
        .zip(footprints)
        .filter(|(part, _)| part.device == DeviceId::CPU)
}

#[cfg(feature = "gpu")]
mod on_gpu {
    use std::sync::Arc;

    use smallvec::SmallVec;

    use crate::device::cpu::Lending;
    use crate::device::gpu::{Argument, Buffer, Dispatch, Gpu, GpuError};
    use crate::error::LaunchError;
    use crate::execute::Shared;
    use crate::execute::launch::{Failure, Job, Placements, argument_error, commit, workgroups};
    use crate::execute::timing::Timed;
    use crate::kernel::access::Combine;
    use crate::launch::{self, Slot};
    use crate::machine::DeviceId;
    use crate::plan::{Part, Plan};
    use crate::region::{Footprint, Span, SpanSet};

    /// A GPU part in its queue.
    pub(in crate::execute) struct Started<'a> {
        part: Part,
        footprint: &'a Footprint,
        dispatch: Dispatch,
        /// Private copies of what is combined, by slot.
        private: SmallVec<[Option<Private>; 8]>,
    }

    /// A GPU's private copy of words that the launch combines into.
    struct Private {
        buffer: Arc<Buffer>,
        combine: Combine,
    }

    /// The buffers that a part's slots are bound to, and which of them are private.
    struct Bound {
        buffers: SmallVec<[Arc<Buffer>; 8]>,
        private: SmallVec<[Option<Private>; 8]>,
    }

    impl Shared {
        /// Moves what GPU parts need and records them. A part that its GPU refuses is a failure; the others go on.
        pub(in crate::execute) fn start_gpu_parts<'a>(
            &self,
            job: &Job<'_>,
            plan: &Plan,
            footprints: &'a [Footprint],
            failures: &mut Vec<Failure>,
        ) -> Result<Vec<Started<'a>>, LaunchError> {
            let mut running = Vec::new();
            for (part, footprint) in plan
                .parts
                .iter()
                .zip(footprints)
                .filter(|(part, _)| part.device != DeviceId::CPU)
            {
                let mut placements = Placements::lock(job);
                self.move_home_from_others(job, part.device, footprint, &mut placements)?;
                match self.start_gpu_part(job, part, footprint, &mut placements) {
                    Ok((dispatch, private)) => running.push(Started {
                        part: *part,
                        footprint,
                        dispatch,
                        private,
                    }),
                    Err(error) => failures.push(self.failure(part, &error)),
                }
            }
            Ok(running)
        }

        /// Words that only other GPUs hold go through main memory.
        fn move_home_from_others(
            &self,
            job: &Job<'_>,
            device: DeviceId,
            footprint: &Footprint,
            placements: &mut Placements<'_>,
        ) -> Result<(), LaunchError> {
            for (slot, touch) in job.slots.iter().zip(&footprint.arguments) {
                let placement = placements.of(slot);
                let missing = placement.residency.missing(device.memory(), &touch.needs());
                self.bring_home_placed(&slot.core, placement, &missing)
                    .map_err(|cause| argument_error(job, slot, cause))?;
            }
            Ok(())
        }

        fn start_gpu_part(
            &self,
            job: &Job<'_>,
            part: &Part,
            footprint: &Footprint,
            placements: &mut Placements<'_>,
        ) -> Result<(Dispatch, SmallVec<[Option<Private>; 8]>), GpuError> {
            let gpu = self.devices.gpu(part.device);
            let memory = part.device.memory();
            let Bound { buffers, private } =
                self.bind(job, gpu, part.device, footprint, placements)?;
            for (slot, touch) in job.slots.iter().zip(&footprint.arguments) {
                let placement = placements.of(slot);
                let missing = placement.residency.missing(memory, &touch.needs());
                if !missing.is_empty() {
                    self.upload(&slot.core, placement, memory, &missing)?;
                }
            }
            let timing = self.timing(job, part.device, job.work(part.tile, footprint));
            let mut storage = job.slots.iter().zip(&buffers).zip(&private);
            let mut arguments: SmallVec<[Argument<'_>; 8]> = SmallVec::new();
            for bound in &job.body.bound {
                arguments.push(match bound {
                    launch::Bound::Uniform { start, end } => {
                        Argument::Uniform(&job.body.uniforms[*start..*end])
                    }
                    launch::Bound::Storage(_) => {
                        let ((slot, buffer), private) =
                            storage.next().expect("a buffer for every slot");
                        let bound = if private.is_some() {
                            Span {
                                lo: 0,
                                hi: slot.span.words(),
                            }
                        } else {
                            slot.span
                        };
                        Argument::Storage { buffer, bound }
                    }
                });
            }
            let dispatch =
                gpu.dispatch(job.body.kernel, &arguments, job.grid, part.tile, timing)?;
            Ok((dispatch, private))
        }

        /// Finds or makes the buffers of a part's slots, all before anything moves.
        fn bind(
            &self,
            job: &Job<'_>,
            gpu: &Gpu,
            device: DeviceId,
            footprint: &Footprint,
            placements: &mut Placements<'_>,
        ) -> Result<Bound, GpuError> {
            let mut bound = Bound {
                buffers: SmallVec::new(),
                private: SmallVec::new(),
            };
            let accesses = job.body.kernel.access.buffers;
            for ((slot, touch), access) in job.slots.iter().zip(&footprint.arguments).zip(accesses)
            {
                let (buffer, private) = match access.combine.filter(|_| touch.combine) {
                    Some(combine) => {
                        let buffer = Arc::new(gpu.allocate(slot.span.words())?);
                        gpu.fill(
                            &buffer,
                            Span {
                                lo: 0,
                                hi: slot.span.words(),
                            },
                            combine.identity(),
                        )?;
                        (Arc::clone(&buffer), Some(Private { buffer, combine }))
                    }
                    None => (whole_buffer(gpu, device, slot, placements)?, None),
                };
                bound.buffers.push(buffer);
                bound.private.push(private);
            }
            Ok(bound)
        }

        /// Waits for a part where that is needed, commits it, and merges what it combined.
        pub(in crate::execute) fn finish_gpu_part(
            &self,
            job: &Job<'_>,
            started: Started<'_>,
            alone: bool,
            failures: &mut Vec<Failure>,
        ) -> Result<(), LaunchError> {
            let Started {
                part,
                footprint,
                dispatch,
                private,
            } = started;
            let gpu = self.devices.gpu(part.device);
            if !alone && let Err(error) = gpu.wait(&dispatch.ticket, crate::device::WAIT_MAX) {
                failures.push(self.failure(&part, &error));
                return Ok(());
            }
            for (slot, private) in job.slots.iter().zip(&private) {
                if let Some(private) = private
                    && let Err(error) = self.merge(job, slot, gpu, private)?
                {
                    failures.push(self.failure(&part, &error));
                    return Ok(());
                }
            }
            commit(
                job,
                &mut Placements::lock(job),
                part.device.memory(),
                footprint,
            );
            self.learn_later(Timed {
                name: job.body.kernel.name,
                kernel: job.key(),
                id: part.device,
                device: self.devices.key(part.device),
                work: job.work(part.tile, footprint),
                workgroups: workgroups(part.tile),
                predicted_ns: part.predicted_ns,
                dispatch,
            });
            Ok(())
        }

        /// Combines a GPU's private copy into main memory. The inner error is the GPU's.
        fn merge(
            &self,
            job: &Job<'_>,
            slot: &Slot,
            gpu: &Gpu,
            private: &Private,
        ) -> Result<Result<(), GpuError>, LaunchError> {
            let all = Span {
                lo: 0,
                hi: slot.span.words(),
            };
            let mut copy = Vec::with_capacity(all.words() as usize);
            let outcome = gpu.download(&private.buffer, &[all], &mut |_, words| {
                copy.extend_from_slice(words)
            });
            if outcome.is_err() {
                return Ok(outcome);
            }
            let mut loan = slot
                .core
                .lend(slot.span, Lending::Exclusive)
                .map_err(|cause| argument_error(job, slot, cause))?;
            for (word, &add) in loan.words_mut().iter_mut().zip(&copy) {
                *word = private.combine.apply(*word, add);
            }
            let memory = self.device_memory(gpu);
            self.report()
                .add_copies(memory, crate::machine::MemoryId::HOST, &SpanSet::from(all));
            Ok(Ok(()))
        }

        fn device_memory(&self, gpu: &Gpu) -> crate::machine::MemoryId {
            let at = self
                .devices
                .gpus
                .iter()
                .position(|own| std::ptr::eq(own, gpu))
                .expect("the GPU is one of ours");
            crate::machine::MemoryId(at as u8 + 1)
        }

        fn failure(&self, part: &Part, error: &GpuError) -> Failure {
            self.retire(part.device, error);
            Failure {
                device: part.device,
                tile: part.tile,
                cause: error.to_string(),
            }
        }

        /// Notes that a GPU has failed; a lost one is left out from now on (its own health says so).
        pub(in crate::execute) fn retire(&self, device: DeviceId, error: &GpuError) {
            self.report().add_failure(device, error.to_string());
        }
    }

    /// The buffer that holds a slot's array in a GPU's memory.
    fn whole_buffer(
        gpu: &Gpu,
        device: DeviceId,
        slot: &Slot,
        placements: &mut Placements<'_>,
    ) -> Result<Arc<Buffer>, GpuError> {
        let placement = placements.of(slot);
        if let Some(buffer) = placement.buffer(device.memory()) {
            return Ok(buffer);
        }
        let buffer = Arc::new(gpu.allocate(slot.core.words())?);
        placement.set_buffer(device.memory(), Some(Arc::clone(&buffer)));
        Ok(buffer)
    }
}
