//! Which launch is nothing but one more dispatch? One that a GPU did alone before, all of whose words are in place now: it moves
//! nothing and leaves every array where it is.

use std::sync::Arc;

use smallvec::SmallVec;

use super::Shared;
use super::job::{Job, Placements};
use super::launch::{Failure, workgroups};
use super::record::Starting;
use crate::device::{Argument, Buffer, Dispatched, Timing};
use crate::graph::ArrayId;
use crate::launch::{Bound, Slot};
use crate::machine::DeviceId;
use crate::plan::{Plan, Policy};
use crate::region::{Span, SpanSet, Touch};
use crate::trace::{Event, PartKind};
use crate::transfer::Company;

/// Repeats after which a launch is planned as any other: costs may have changed.
const REPEATS_MAX: u32 = 64;

/// A launch on certain arrays that one GPU does alone.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    policy: Policy,
    arrays: SmallVec<[ArrayId; 8]>,
    /// Of one part.
    plan: Arc<Plan>,
    repeats: u32,
}

impl Settled {
    /// Whether it is the same launch.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.policy == other.policy && self.arrays == other.arrays
    }

    fn is_of(&self, job: &Job<'_>, policy: &Policy) -> bool {
        self.policy == *policy
            && self
                .arrays
                .iter()
                .copied()
                .eq(job.slots.iter().map(|slot| slot.core.id()))
    }
}

impl Shared {
    /// Notes what a plan came to if from now on it is no more than a dispatch.
    pub(super) fn settle(&self, job: &Job<'_>, plan: &Arc<Plan>) {
        let [part] = plan.parts.as_slice() else {
            return;
        };
        if part.device == DeviceId::CPU
            || self.timing(job, part.device, job.facts.work) == Timing::Measured
        {
            return;
        }
        job.facts.settle(Settled {
            policy: self.policy_of(job.body).clone(),
            arrays: job.slots.iter().map(|slot| slot.core.id()).collect(),
            plan: Arc::clone(plan),
            repeats: 0,
        });
    }

    /// Hands the launch to the GPU that did it before, if that is all there is to do; none if there is more. The inner error is the
    /// GPU's.
    pub(super) fn repeat(&self, job: &Job<'_>) -> Option<Result<(), Failure>> {
        // Whoever checks wants to see the whole of it.
        if self.sampler.is_on() {
            return None;
        }
        let policy = self.policy_of(job.body);
        let settled = job.facts.settled(|settled| {
            let found = settled.is_of(job, policy);
            settled.repeats += u32::from(found);
            found && settled.repeats <= REPEATS_MAX
        })?;
        let [part] = settled.plan.parts.as_slice() else {
            return None;
        };
        let (device, predicted_ns) = (part.device, part.predicted_ns);
        // Held until the dispatch is recorded, so that nothing is moved away before.
        let placements = Placements::lock(job);
        let bound = in_place(job, &placements, device)?;
        let arguments = arguments(job, &bound)?;
        let (kernel, tile) = (job.body.kernel, job.whole());
        let gpu = self.devices.gpu(device);
        let dispatched = Dispatched {
            num_workgroups: job.grid,
            tile,
            timing: Timing::Off,
        };
        self.record_plan(job, &settled.plan);
        let starting = Starting {
            device,
            tile,
            footprint: job.facts.alone(),
            company: Company::Alone,
            kind: PartKind::Planned,
            predicted_ns,
        };
        let number = self.record_part(job, &starting);
        let outcome = gpu.dispatch(kernel, &arguments, &[], dispatched);
        let outcome = outcome.map(|_| {
            self.trace.record(|| Event::PartDone {
                part: number,
                ns: None,
            });
            gpu.expect(predicted_ns);
            let (name, count) = (kernel.name, workgroups(tile));
            self.report()
                .add_part(name, device, count, predicted_ns, None);
            self.note_success(device);
            if *policy == Policy::Auto {
                self.costs()
                    .took_part(job.key(), &[self.devices.key(device)]);
            }
        });
        Some(outcome.map_err(|error| {
            self.note_part_failed(number, &error);
            self.failure(job, device, tile, &error)
        }))
    }
}

/// What the kernel binds; `buffers` are those of its arrays.
fn arguments<'a>(
    job: &'a Job<'_>,
    buffers: &'a [Arc<Buffer>],
) -> Option<SmallVec<[Argument<'a>; 8]>> {
    let mut buffers = buffers.iter();
    let argument = |bound: &'a Bound| match bound {
        Bound::Uniform { start, end } => Some(Argument::Uniform(&job.body.uniforms[*start..*end])),
        Bound::Storage(slot) => Some(Argument::Storage {
            buffer: buffers.next()?,
            bound: slot.span,
        }),
    };
    job.body.bound.iter().map(argument).collect()
}

/// The buffers of all arguments, if everything that the launch needs is valid there, and what it writes nowhere else.
fn in_place(
    job: &Job<'_>,
    placements: &Placements<'_>,
    device: DeviceId,
) -> Option<SmallVec<[Arc<Buffer>; 8]>> {
    let memory = device.memory();
    let arguments = job.facts.needs().iter().zip(&job.facts.alone().arguments);
    let buffer = |(slot, (needs, touch)): (&&Slot, (&SpanSet, &Touch))| {
        let placement = placements.get(slot);
        let residency = &placement.residency;
        let settled = placement.is_intact()
            && residency.valid(memory).covers_all(needs)
            && residency.is_only_in(memory, &touch.writes);
        let whole = Span::new(0, residency.words());
        let placed = placement.buffer_of(memory, whole).filter(|_| settled)?;
        Some(Arc::clone(&placed.buffer))
    };
    job.slots.iter().zip(arguments).map(buffer).collect()
}
