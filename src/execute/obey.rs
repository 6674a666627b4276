//! How are the parts of a plan carried out together? Words move first, GPU parts are recorded, then the CPU works while they
//! run, and what each part wrote is committed when it is complete.

use std::cell::Cell;

use smallvec::SmallVec;

use super::Shared;
use super::gpu_parts::{Gathered, same_device};
use super::job::{Job, Placements};
use super::launch::{Failure, argument_error};
use super::movement::MoveError;
use crate::device::DeviceError;
use crate::error::{ArrayError, LaunchError};
use crate::machine::{DeviceId, MemoryId};
use crate::plan::{Part, Plan};
use crate::region::{Footprint, Residency};
use crate::trace::PartKind;
use crate::transfer::{self, Company, Merging};

impl Shared {
    /// Carries out a plan, and returns what GPUs failed to do. Nothing of a failed part is committed.
    ///
    /// A plan of one GPU part is complete for residency as soon as it is in the GPU's queue, where everything that follows waits for
    /// it: so chained launches never wait for the host. Parts of a split launch are waited for, so that one that fails late can
    /// be done again by the CPU from what main memory still holds.
    ///
    /// Until `begun` is set, nothing has been done that would be wrong to do again.
    pub(super) fn obey(
        &self,
        job: &Job<'_>,
        plan: &Plan,
        begun: &Cell<bool>,
    ) -> Result<Vec<Failure>, LaunchError> {
        if let Err(error) = plan.check(job.grid) {
            let reason = error.to_string();
            return Err(LaunchError::Policy {
                kernel: job.body.kernel.name,
                reason,
            });
        }
        let company = Company::of(plan.parts.len());
        let mut failures = Vec::new();
        let mut live = plan.clone();
        let (bound, streams) = self.bind_gpu_parts(job, &mut live, company, &mut failures);
        let footprint_of = |part: &Part| Footprint::clone(&job.footprint_in(part.tile, company));
        let mut footprints: SmallVec<[Footprint; 4]> =
            live.parts.iter().map(footprint_of).collect();
        // A device that fails gives up its part, or what it held, so this ends. What moved is noted.
        loop {
            let failed = {
                let memories = live.parts.iter().map(|part| part.device.memory());
                let parts: SmallVec<[(MemoryId, &Footprint); 4]> =
                    memories.zip(&footprints).collect();
                self.move_for(job, &parts, company)?
            };
            let Some((device, error)) = failed else {
                break;
            };
            self.note_failure(device, job.body, &error);
            let given_up = live.parts.iter().filter(|part| part.device == device);
            failures.extend(given_up.map(|part| Failure {
                device,
                tile: part.tile,
                cause: error.to_string(),
            }));
            live.parts.retain(|part| part.device != device);
            footprints = live.parts.iter().map(footprint_of).collect();
        }
        begun.set(true);
        let kind = (company, PartKind::Planned);
        let mut running = Vec::new();
        for bound in bound {
            if !live.parts.contains(bound.part()) {
                continue;
            }
            let cut = same_device(plan, bound.part());
            match self.start(job, bound, kind) {
                Ok(started) => running.push(started),
                Err(failure) => failures.push(failure),
            }
            if cut {
                // So that no piece keeps the device too long for the system: they must not become one batch again.
                self.devices.flush();
            }
        }
        if live.parts.len() + streams.len() > 1 {
            // The parts run side by side only if every GPU has its own before anything is waited for.
            self.devices.flush();
        }
        let cpu_parts = || {
            let parts = on_cpu(&live, &footprints);
            parts
                .map(|(part, footprint)| self.run_on_cpu(job, part.tile, footprint, kind))
                .collect::<Result<Vec<()>, LaunchError>>()
        };
        let beside = || self.stream_beside(job, &streams, company, cpu_parts);
        let waits = company == Company::Shared || running.is_empty();
        let streamed = if waits {
            self.prefetch_beside(beside)
        } else {
            beside()
        };
        let mut gathered = Gathered::default();
        for started in running {
            self.finish_gpu_part(job, started, company, (&mut gathered, &mut failures));
        }
        let (of_streams, failed) = streamed?;
        gathered.take_in(of_streams);
        failures.extend(failed);
        self.merge(job, gathered)?;
        Ok(failures)
    }

    /// Makes the copies that the parts lack. The device and its error, if one failed without losing anything.
    pub(super) fn move_for(
        &self,
        job: &Job<'_>,
        parts: &[(MemoryId, &Footprint)],
        company: Company,
    ) -> Result<Option<(DeviceId, DeviceError)>, LaunchError> {
        let mut placements = Placements::lock(job);
        let merging = self.merging_in(placements.iter().map(|(_, placement)| placement));
        match self.move_merged(job, parts, company, (&mut placements, merging)) {
            Err(LaunchError::Argument { cause, .. })
                if merging != Merging::Off && matches!(*cause, ArrayError::Busy { .. }) =>
            {
                // Somebody uses words of a gap.
                self.move_merged(job, parts, company, (&mut placements, Merging::Off))
            }
            outcome => outcome,
        }
    }

    fn move_merged(
        &self,
        job: &Job<'_>,
        parts: &[(MemoryId, &Footprint)],
        company: Company,
        (placements, merging): (&mut Placements<'_>, Merging),
    ) -> Result<Option<(DeviceId, DeviceError)>, LaunchError> {
        let copies = {
            let residencies: SmallVec<[&Residency; 8]> = job
                .slots
                .iter()
                .map(|slot| &placements.get(slot).residency)
                .collect();
            let links = self.links();
            transfer::copies_of_parts(parts, company, &residencies, &links, merging)
        };
        let copies = copies.map_err(|lost| {
            let slot = job.slots[lost.argument];
            let check = lost
                .words
                .iter()
                .try_for_each(|span| placements.get(slot).check(span));
            let cause = check.err().unwrap_or_else(|| ArrayError::Lost {
                device: "a GPU".to_owned(),
                words: lost.words.to_string(),
                cause: "it is gone".to_owned(),
            });
            argument_error(job, slot, cause)
        })?;
        for run in copies.list.chunk_by(|a, b| a.argument == b.argument) {
            let slot = job.slots[run[0].argument];
            match self.make_copies(Some(job.number), &slot.core, placements.of(slot), run) {
                Ok(()) => {}
                Err(MoveError::Array(cause)) => return Err(argument_error(job, slot, cause)),
                Err(MoveError::Device { device, error }) => return Ok(Some((device, error))),
            }
        }
        Ok(None)
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
