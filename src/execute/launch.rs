//! How is one launch carried out? Planned, its words moved, its parts run, their results committed; and what a GPU could not do is
//! done by the CPU.

use std::sync::{Arc, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::Shared;
use crate::array::{ArrayCore, Placement};
use crate::cost::{KernelKey, Link, Prediction, Sample, Work};
use crate::device::cpu::{self, Lending, Loan};
use crate::error::{ArrayError, LaunchError};
use crate::kernel::access::Split;
use crate::kernel::{self, Bound, Environment, Resolved};
use crate::lanes::Tile;
use crate::launch::{self, LaunchBody, Slot};
use crate::machine::{DeviceId, MemoryId};
use crate::plan::{self, Candidate, Objective, Plan, Policy, Reason, Situation, Splitting};
use crate::region::{Footprint, Touch};
use crate::trace::Report;
use crate::transfer::Company;

/// A launch with everything that is known of it before it is planned.
pub(super) struct Job<'a> {
    pub(super) body: &'a LaunchBody,
    pub(super) slots: SmallVec<[&'a Slot; 8]>,
    pub(super) resolved: Resolved<'a>,
    pub(super) grid: [u32; 3],
    work_per_invocation: kernel::WorkEstimate,
}

/// The placements of a launch's arrays, each locked once, in the order of their ids so that launches cannot wait for each
/// other in a circle.
pub(super) struct Placements<'a> {
    cores: SmallVec<[&'a Arc<ArrayCore>; 8]>,
    locked: SmallVec<[MutexGuard<'a, Placement>; 8]>,
}

/// A part that a device failed to do.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) device: DeviceId,
    pub(super) tile: Tile,
    pub(super) cause: String,
}

impl<'a> Job<'a> {
    pub(super) fn new(body: &'a LaunchBody, bindings: &'a [Bound<'a>]) -> Self {
        let grid = body.num_workgroups();
        let workgroup_size = body.kernel.workgroup_size;
        let resolved = body.kernel.access.resolve(&Environment {
            bindings,
            num_workgroups: grid,
            workgroup_size,
        });
        let work_per_invocation = resolved.work();
        Self {
            body,
            slots: body.slots().collect(),
            resolved,
            grid,
            work_per_invocation,
        }
    }

    /// What a tile touches, counted from the starts of the arrays.
    pub(super) fn footprint(&self, tile: Tile) -> Footprint {
        let mut footprint = self.resolved.footprint(tile);
        for (touch, slot) in footprint.arguments.iter_mut().zip(&self.slots) {
            if slot.span.lo > 0 {
                touch.reads = touch.reads.shifted(slot.span.lo);
                touch.writes = touch.writes.shifted(slot.span.lo);
            }
        }
        footprint
    }

    /// What a tile touches in this company: alone, what would be combined is updated in place.
    pub(super) fn footprint_in(&self, tile: Tile, company: Company) -> Footprint {
        let mut footprint = self.footprint(tile);
        if company == Company::Alone {
            footprint
                .arguments
                .iter_mut()
                .filter(|touch| touch.combine)
                .for_each(in_place);
        }
        footprint
    }

    /// How much work a tile is. Memory traffic is the footprint, since caches serve repeated loads.
    pub(super) fn work(&self, tile: Tile, footprint: &Footprint) -> Work {
        let per = &self.work_per_invocation;
        let invocations: f64 = (0..3)
            .map(|axis| {
                f64::from(tile.hi[axis] - tile.lo[axis])
                    * f64::from(self.body.kernel.workgroup_size[axis])
            })
            .product();
        let words: u64 = footprint
            .arguments
            .iter()
            .map(|touch| touch.reads.words() + touch.writes.words())
            .sum();
        Work {
            bytes: words as f64 * 4.0,
            ops: (per.flops + per.int_ops) * invocations,
            special_ops: per.special * invocations,
        }
    }

    pub(super) fn whole(&self) -> Tile {
        Tile {
            lo: [0; 3],
            hi: self.grid,
        }
    }

    pub(super) fn key(&self) -> KernelKey {
        KernelKey(self.body.kernel.fingerprint)
    }

    /// The slowest axis along which there is something to cut.
    fn axis(&self) -> usize {
        (0..3).rev().find(|&axis| self.grid[axis] > 1).unwrap_or(0)
    }
}

/// Turns what would be combined into what is read and written.
fn in_place(touch: &mut Touch) {
    touch.combine = false;
    touch.exact = false;
    touch.reads = touch.reads.union(&touch.writes);
}

/// What is bound, for the access map.
pub(super) fn bindings(body: &LaunchBody) -> SmallVec<[Bound<'_>; 8]> {
    let of = |bound: &'_ launch::Bound| match bound {
        launch::Bound::Uniform { start, end } => (*start..*end, 0),
        launch::Bound::Storage(slot) => (0..0, slot.span.words()),
    };
    body.bound
        .iter()
        .map(|bound| match (bound, of(bound)) {
            (launch::Bound::Uniform { .. }, (range, _)) => Bound::Uniform(&body.uniforms[range]),
            (launch::Bound::Storage(_), (_, words)) => Bound::Array(words),
        })
        .collect()
}

impl<'a> Placements<'a> {
    pub(super) fn lock(job: &Job<'a>) -> Self {
        let mut cores: SmallVec<[&Arc<ArrayCore>; 8]> =
            job.slots.iter().map(|slot| &slot.core).collect();
        cores.sort_by_key(|core| core.id());
        cores.dedup_by_key(|core| core.id());
        let locked = cores.iter().map(|core| core.placement()).collect();
        Self { cores, locked }
    }

    pub(super) fn of(&mut self, slot: &Slot) -> &mut Placement {
        let at = self.position(slot);
        &mut self.locked[at]
    }

    pub(super) fn get(&self, slot: &Slot) -> &Placement {
        &self.locked[self.position(slot)]
    }

    fn position(&self, slot: &Slot) -> usize {
        let id = slot.core.id();
        self.cores
            .iter()
            .position(|core| core.id() == id)
            .expect("every slot's array is locked")
    }
}

impl Shared {
    /// Carries a launch out.
    pub(super) fn run_launch(&self, body: &LaunchBody) -> Result<(), LaunchError> {
        let bindings = bindings(body);
        let job = Job::new(body, &bindings);
        if self.devices.cpu_only() {
            let whole = job.whole();
            let footprint = job.footprint_in(whole, Company::Alone);
            check_contents(&job, &Placements::lock(&job), &footprint)?;
            self.run_on_cpu(&job, whole, &footprint)?;
            commit(
                &job,
                &mut Placements::lock(&job),
                MemoryId::HOST,
                &footprint,
                Company::Alone,
            );
            return Ok(());
        }
        let plan = self.plan(&job)?;
        let failures = self.obey(&job, &plan)?;
        let repaired = self.repair(&job, &failures)?;
        if repaired {
            self.plans().insert(body.kernel.fingerprint, plan);
        }
        Ok(())
    }

    /// Does on the CPU what GPUs failed to do; false if anything had to be done. With [`Policy::GpuOnly`] the failure is the
    /// launch's.
    fn repair(&self, job: &Job<'_>, failures: &[Failure]) -> Result<bool, LaunchError> {
        for failure in failures {
            if matches!(self.policy_of(job.body), Policy::GpuOnly(_)) {
                let (kernel, device, cause) =
                    (job.body.kernel.name, failure.device, failure.cause.clone());
                return Err(LaunchError::Device {
                    kernel,
                    device,
                    cause,
                });
            }
            let footprint = job.footprint_in(failure.tile, Company::Alone);
            self.move_home(job, &footprint)?;
            self.run_on_cpu(job, failure.tile, &footprint)?;
            commit(
                job,
                &mut Placements::lock(job),
                MemoryId::HOST,
                &footprint,
                Company::Alone,
            );
        }
        Ok(failures.is_empty())
    }

    /// Makes valid in main memory what a tile needs.
    pub(super) fn move_home(
        &self,
        job: &Job<'_>,
        footprint: &Footprint,
    ) -> Result<(), LaunchError> {
        let mut placements = Placements::lock(job);
        for (slot, touch) in job.slots.iter().zip(&footprint.arguments) {
            let outcome = self.bring_home_placed(&slot.core, placements.of(slot), &touch.needs());
            outcome.map_err(|cause| argument_error(job, slot, cause))?;
        }
        Ok(())
    }

    /// Runs a tile on the CPU, whose words are at home, and learns from it.
    pub(super) fn run_on_cpu(
        &self,
        job: &Job<'_>,
        tile: Tile,
        footprint: &Footprint,
    ) -> Result<(), LaunchError> {
        let kernel = job.body.kernel;
        let work = job.work(tile, footprint);
        let predicted = self.predict(job, DeviceId::CPU, work);
        let loans = lend(job, footprint)?;
        let arguments = cpu_arguments(job, &loans);
        let threads = self.devices.cpu.threads() as f64;
        let part = cpu::Part {
            kernel,
            arguments: &arguments,
            num_workgroups: job.grid,
            tile,
            predicted_ns: predicted.work_ns * threads,
        };
        let ns = self
            .devices
            .cpu
            .run(&part)
            .map_err(|cpu::Panicked(message)| LaunchError::WorkerPanicked {
                kernel: kernel.name,
                message,
            })?;
        self.learn(job, DeviceId::CPU, work, ns);
        self.report().add_part(
            kernel.name,
            DeviceId::CPU,
            workgroups(tile),
            predicted.ns,
            Some(ns),
        );
        Ok(())
    }

    /// Time of some work on a device.
    pub(super) fn predict(&self, job: &Job<'_>, device: DeviceId, work: Work) -> Prediction {
        self.costs()
            .predict(job.key(), self.devices.key(device), work)
    }

    /// Takes a measured time into account.
    fn learn(&self, job: &Job<'_>, device: DeviceId, work: Work, ns: u64) {
        let (kernel, device) = (job.key(), self.devices.key(device));
        self.costs().record(&Sample {
            kernel,
            device,
            work,
            ns: ns as f64,
            cold: false,
        });
    }

    /// Time of the whole launch on the CPU, in ns.
    pub(super) fn predict_on_cpu(&self, body: &LaunchBody) -> f64 {
        let bindings = bindings(body);
        let job = Job::new(body, &bindings);
        let work = job.work(job.whole(), &job.footprint(job.whole()));
        self.predict(&job, DeviceId::CPU, work).work_ns
    }

    /// The plan that the launch would follow now.
    pub(crate) fn explain(&self, body: &LaunchBody) -> Result<Plan, LaunchError> {
        body.check(self.id)?;
        body.accesses()
            .iter()
            .for_each(|access| self.wait_for(access));
        let bindings = bindings(body);
        self.plan(&Job::new(body, &bindings))
    }

    /// Refuses a policy that names devices which are not there, before the launch is queued.
    pub(super) fn check_policy(&self, body: &LaunchBody) -> Result<(), LaunchError> {
        let missing = |device: DeviceId| usize::from(device.0) > self.devices.machine.gpus.len();
        let named = match self.policy_of(body) {
            Policy::GpuOnly(device) => vec![*device],
            Policy::Split(fractions) => fractions.iter().map(|(device, _)| *device).collect(),
            Policy::Fixed(plan) => plan.parts.iter().map(|part| part.device).collect(),
            Policy::Auto | Policy::CpuOnly => Vec::new(),
        };
        match named.into_iter().find(|&device| missing(device)) {
            None => Ok(()),
            Some(device) => {
                let reason = format!(
                    "the policy demands {device}, which this machine does not have; it has {}",
                    self.device_names()
                );
                Err(LaunchError::Policy {
                    kernel: body.kernel.name,
                    reason,
                })
            }
        }
    }

    fn device_names(&self) -> String {
        let names = self
            .devices
            .machine
            .devices()
            .map(|(id, name)| format!("{id} ({name})"));
        names.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn policy_of<'a>(&'a self, body: &'a LaunchBody) -> &'a Policy {
        body.policy.as_ref().unwrap_or(&self.policy)
    }

    /// Decides who does what.
    fn plan(&self, job: &Job<'_>) -> Result<Plan, LaunchError> {
        let policy = self.policy_of(job.body);
        if !matches!(policy, Policy::CpuOnly) {
            self.measure_limits();
        }
        #[cfg(feature = "gpu")]
        self.read_clocks();
        let placements = Placements::lock(job);
        check_contents(
            job,
            &placements,
            &job.footprint_in(job.whole(), Company::Alone),
        )?;
        let arguments: SmallVec<[plan::Argument<'_>; 8]> = job
            .slots
            .iter()
            .map(|slot| plan::Argument {
                residency: &placements.get(slot).residency,
                next: None,
            })
            .collect();
        let candidates = self.candidates(job);
        let refusal = refusal(job);
        let splitting = match &refusal {
            Some(reason) => Splitting::Refused(reason),
            None => Splitting::Along {
                axis: job.axis(),
                multiple: 1,
            },
        };
        let previous = self
            .plans()
            .get(&job.body.kernel.fingerprint)
            .filter(|plan| plan.grid == job.grid)
            .cloned();
        let mut situation = Situation {
            grid: job.grid,
            splitting,
            candidates: &candidates,
            arguments: &arguments,
            previous: previous.as_ref(),
            horizon: 1.0,
            objective: Objective::Time,
        };
        let refused = |error: plan::PlanError| LaunchError::Policy {
            kernel: job.body.kernel.name,
            reason: error.to_string(),
        };
        let plan = plan::choose(&situation, policy, |tile| job.footprint(tile)).map_err(refused)?;
        let footprints: SmallVec<[Footprint; 4]> = plan
            .parts
            .iter()
            .map(|part| job.footprint(part.tile))
            .collect();
        let Err(conflict) = kernel::disjoint(&footprints) else {
            return Ok(plan);
        };
        let site = job
            .resolved
            .site(&conflict, plan.parts[conflict.other].tile);
        let site = site.map_or_else(String::new, |site| {
            format!(" ({}:{site})", job.body.kernel.path)
        });
        let reason = format!("its parts are not independent: {conflict}{site}");
        situation.splitting = Splitting::Refused(&reason);
        situation.previous = None;
        plan::choose(&situation, policy, |tile| job.footprint(tile)).map_err(refused)
    }

    /// The devices as the planner sees them.
    fn candidates(&self, job: &Job<'_>) -> SmallVec<[Candidate; 4]> {
        let work = job.work(job.whole(), &job.footprint(job.whole()));
        let costs = self.costs();
        let candidate = |device: DeviceId| {
            let key = self.devices.key(device);
            let limits = costs.limits(key);
            Candidate {
                device,
                unusable: self.unusable(job, device),
                ready_ns: 0.0,
                whole: costs.predict(job.key(), key, work),
                up: limits.map_or(Link::NONE, |limits| limits.up),
                down: limits.map_or(Link::NONE, |limits| limits.down),
            }
        };
        self.devices.ids().map(candidate).collect()
    }

    /// Why a device cannot take part in a launch, if it cannot.
    fn unusable(&self, job: &Job<'_>, device: DeviceId) -> Option<Reason> {
        if device == DeviceId::CPU {
            return None;
        }
        #[cfg(feature = "gpu")]
        {
            let gpu = self.devices.gpu(device);
            if let Some(reason) = gpu.is_lost() {
                return Some(Reason::Retired(reason));
            }
            if let (Some(most), Some(rounds)) =
                (gpu.loop_rounds_max(), job.resolved.loop_rounds_max())
                && rounds > f64::from(most)
            {
                return Some(Reason::Unsupported(format!(
                    "loops of {rounds} rounds; it stops after {most}"
                )));
            }
        }
        let limits = &self.devices.machine.gpus[usize::from(device.0) - 1].limits;
        let invocations: u32 = job.body.kernel.workgroup_size.iter().product();
        if invocations > limits.invocations_per_workgroup_max {
            let most = limits.invocations_per_workgroup_max;
            return Some(Reason::Unsupported(format!(
                "workgroups of {invocations} invocations; it takes {most}"
            )));
        }
        for (argument, slot) in job.slots.iter().enumerate() {
            let bytes_max = limits.binding_bytes_max.min(limits.buffer_bytes_max);
            let bytes = slot.core.words() * 4;
            if bytes > bytes_max {
                return Some(Reason::TooLarge {
                    argument,
                    bytes,
                    bytes_max,
                });
            }
            if !slot
                .span
                .lo
                .is_multiple_of(limits.storage_alignment_words())
            {
                let alignment = u64::from(limits.storage_alignment_bytes);
                return Some(Reason::Misaligned {
                    argument,
                    offset: slot.span.lo * 4,
                    alignment,
                });
            }
        }
        None
    }

    /// Measures the devices whose limits nobody knows, once.
    fn measure_limits(&self) {
        let mut costs = self.costs();
        for device in self.devices.ids() {
            let key = self.devices.key(device);
            if costs.limits(key).is_none()
                && let Some(limits) = self
                    .devices
                    .measure(device)
                    .filter(|limits| limits.check().is_ok())
            {
                costs.set_limits(key, limits);
            }
        }
    }

    pub(super) fn costs(&self) -> MutexGuard<'_, crate::cost::Costs> {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plans(&self) -> MutexGuard<'_, std::collections::HashMap<u64, Plan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of what happened so far.
    pub(crate) fn report_so_far(&self) -> Report {
        #[cfg(feature = "gpu")]
        self.read_clocks();
        self.report().clone()
    }

    /// Keeps what was learned for the next run.
    pub(crate) fn save_costs(&self) {
        self.store.save(&self.costs());
    }
}

/// Why the launch cannot be cut, if it cannot.
fn refusal(job: &Job<'_>) -> Option<String> {
    match job.body.kernel.access.split {
        Split::WhereDisjoint => None,
        Split::No { reason, site } => {
            let site = &job.body.kernel.access.sites[usize::from(site.0)];
            Some(format!("{reason} ({}:{site})", job.body.kernel.path))
        }
    }
}

/// Refuses arguments whose content is missing because an earlier launch failed or a GPU was lost.
fn check_contents(
    job: &Job<'_>,
    placements: &Placements<'_>,
    footprint: &Footprint,
) -> Result<(), LaunchError> {
    for (slot, touch) in job.slots.iter().zip(&footprint.arguments) {
        let placement = placements.get(slot);
        if placement.is_intact() {
            continue;
        }
        let outcome = touch
            .needs()
            .iter()
            .try_for_each(|span| placement.check(span));
        outcome.map_err(|cause| argument_error(job, slot, cause))?;
    }
    Ok(())
}

/// An error of one argument.
pub(super) fn argument_error(job: &Job<'_>, slot: &Slot, cause: ArrayError) -> LaunchError {
    let position =
        job.body.bound.iter().position(
            |bound| matches!(bound, launch::Bound::Storage(own) if std::ptr::eq(own, slot)),
        );
    let binding = position.map_or("an argument", |at| job.body.kernel.bindings[at].name);
    LaunchError::Argument {
        kernel: job.body.kernel.name,
        binding,
        cause: Box::new(cause),
    }
}

/// Notes what a finished tile that ran in `memory` wrote.
pub(super) fn commit(
    job: &Job<'_>,
    placements: &mut Placements<'_>,
    memory: MemoryId,
    footprint: &Footprint,
    company: Company,
) {
    for (slot, touch) in job.slots.iter().zip(&footprint.arguments) {
        if !touch.writes.is_empty() {
            placements.of(slot).commit(touch, memory, company);
        }
    }
}

/// Lends the main memory that a tile uses.
fn lend(job: &Job<'_>, footprint: &Footprint) -> Result<SmallVec<[Loan; 8]>, LaunchError> {
    let loan = |(slot, touch): (&&Slot, &Touch)| {
        let (spans, lending) = if slot.write {
            (touch.reads.union(&touch.writes), Lending::Exclusive)
        } else {
            (touch.reads.clone(), Lending::Shared)
        };
        slot.core
            .lend_spans(slot.span, spans.spans(), lending)
            .map_err(|cause| argument_error(job, slot, cause))
    };
    job.slots
        .iter()
        .zip(&footprint.arguments)
        .map(loan)
        .collect()
}

/// The arguments of a CPU part, in the order of the kernel's bindings.
fn cpu_arguments<'a>(job: &'a Job<'_>, loans: &'a [Loan]) -> SmallVec<[cpu::Argument<'a>; 8]> {
    let mut storage = loans.iter().zip(job.body.kernel.access.buffers);
    let mut next = || storage.next().expect("a loan for every storage binding");
    job.body
        .bound
        .iter()
        .map(|bound| match bound {
            launch::Bound::Uniform { start, end } => {
                cpu::Argument::Uniform(&job.body.uniforms[*start..*end])
            }
            launch::Bound::Storage(_) => {
                let (loan, access) = next();
                let combined = access
                    .combine
                    .map(|combine| cpu::Argument::Combined(loan, combine));
                combined.unwrap_or(cpu::Argument::Storage(loan))
            }
        })
        .collect()
}

/// Number of workgroups in a tile.
pub(super) fn workgroups(tile: Tile) -> u64 {
    (0..3)
        .map(|axis| u64::from(tile.hi[axis] - tile.lo[axis]))
        .product()
}
