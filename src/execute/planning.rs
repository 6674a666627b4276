//! Who does which part of a launch? What the planner needs to know is collected here, and its plan checked against the access map.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use super::Shared;
use super::job::{Job, Placements};
use super::launch::check_contents;
use crate::cost::{Calibration, Link};
use crate::error::LaunchError;
use crate::kernel;
use crate::launch::LaunchBody;
use crate::machine::{DeviceId, MemoryId};
use crate::plan::balance::{self, Balance};
use crate::plan::{
    self, Candidate, Objective, Plan, Policy, Reason, Remembered, Situation, Splitting,
};
use crate::region::Footprint;

/// Attempts at measuring devices; after that a guess has to do.
const MEASUREMENTS_MAX: u64 = 3;

impl Shared {
    /// The plan that the launch would follow now.
    pub(crate) fn explain(&self, body: &LaunchBody) -> Result<Plan, LaunchError> {
        body.check(self.id)?;
        self.check_objective(body)?;
        body.accesses()
            .iter()
            .for_each(|access| self.wait_for(access));
        let facts = self.facts.of(body);
        let job = Job::new(body, &facts);
        job.check_bounds()?;
        let mut loans = self.loans();
        let plan = self.recovering(&mut loans, || self.plan_by(&job, self.policy_of(body)))?;
        Ok(Arc::unwrap_or_clone(plan))
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

    /// Refuses an objective that needs to know what devices draw where nobody can tell. The first time that takes half a second for each
    /// device.
    pub(super) fn check_objective(&self, body: &LaunchBody) -> Result<(), LaunchError> {
        if body.objective.unwrap_or(self.objective) == Objective::Time {
            return Ok(());
        }
        for device in self.devices.ids() {
            let key = self.devices.key(device);
            if self.costs().power(key).is_some() {
                continue;
            }
            match self.devices.measure_power(device) {
                Ok(power) => self.costs().set_power(key, power),
                Err(reason) => {
                    return Err(LaunchError::Objective {
                        kernel: body.kernel.name,
                        device,
                        reason,
                    });
                }
            }
        }
        Ok(())
    }

    /// Measures every device now, behind all launches, and keeps the outcome.
    pub(crate) fn calibrate(&self) -> Vec<Calibration> {
        self.sync();
        let outcomes = self.devices.ids().map(|device| {
            let key = self.devices.key(device);
            let limits = self.devices.measure(device);
            let limits = limits.filter(|limits| limits.check().is_ok());
            let power = self.devices.measure_power(device);
            let mut costs = self.costs();
            if let Some(limits) = limits {
                costs.set_limits(key, limits);
            }
            if let Ok(power) = &power {
                costs.set_power(key, *power);
            }
            Calibration {
                device,
                limits,
                power,
            }
        });
        let outcomes = outcomes.collect();
        self.save_costs();
        outcomes
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

    /// Whether carrying the launch out is no more than recording it on a GPU: the GPU does all of it, and has all it needs.
    pub(super) fn only_records(&self, job: &Job<'_>) -> bool {
        let device = match self.policy_of(job.body) {
            Policy::GpuOnly(device) => Some(*device),
            Policy::Auto => self.sole_device_of_last_plan(job),
            Policy::CpuOnly | Policy::Split(_) | Policy::Fixed(_) => None,
        };
        let Some(device) = device.filter(|device| *device != DeviceId::CPU) else {
            return false;
        };
        let Some(placements) = Placements::try_lock(job) else {
            return false;
        };
        let mut needed = job.slots.iter().zip(job.facts.needs());
        needed.all(|(slot, needs)| {
            let valid = placements.get(slot).residency.valid(device.memory());
            valid.covers_all(needs)
        })
    }

    pub(super) fn sole_device_of_last_plan(&self, job: &Job<'_>) -> Option<DeviceId> {
        let plans = self.plans();
        let plan = plans.get(&job.body.kernel.fingerprint)?;
        match plan.parts.as_slice() {
            [part] if plan.grid == job.grid => Some(part.device),
            _ => None,
        }
    }

    /// Decides who does what, or finds what was decided when things were as they are now.
    pub(super) fn plan_by(&self, job: &Job<'_>, policy: &Policy) -> Result<Arc<Plan>, LaunchError> {
        self.with_situation(job, policy, |situation| decide(job, situation, policy))
    }

    /// As [`plan_by`](Self::plan_by), and the balance to carry the plan out with, where that is left to the planner and worth it.
    pub(super) fn plan_balanced(
        &self,
        job: &Job<'_>,
        policy: &Policy,
    ) -> Result<(Arc<Plan>, Option<Balance>), LaunchError> {
        self.with_situation(job, policy, |situation| {
            let plan = decide(job, situation, policy)?;
            let balance = balance(job, situation, policy, &plan);
            Ok((plan, balance))
        })
    }

    /// Calls `with` with what is known of the launch right now.
    fn with_situation<R>(
        &self,
        job: &Job<'_>,
        policy: &Policy,
        with: impl FnOnce(&Situation<'_>) -> Result<R, LaunchError>,
    ) -> Result<R, LaunchError> {
        if !matches!(policy, Policy::CpuOnly) {
            self.measure_limits();
        }
        self.read_clocks();
        let placements = Placements::lock(job);
        check_contents(job, &placements)?;
        let arguments: SmallVec<[plan::Argument<'_>; 8]> = job
            .slots
            .iter()
            .map(|slot| plan::Argument {
                residency: &placements.get(slot).residency,
                next: (job.body.results_home && slot.write).then_some(MemoryId::HOST),
            })
            .collect();
        let candidates = self.candidates(job);
        let splitting = match job.facts.refusal() {
            Some(reason) => Splitting::Refused(reason),
            None => Splitting::Along {
                axis: job.axis(),
                multiple: multiple(job),
            },
        };
        let previous = self
            .plans()
            .get(&job.body.kernel.fingerprint)
            .filter(|plan| plan.grid == job.grid)
            .cloned();
        let situation = Situation {
            grid: job.grid,
            splitting,
            candidates: &candidates,
            arguments: &arguments,
            previous: previous.as_deref(),
            horizon: job.facts.repeats().horizon(job),
            objective: job.body.objective.unwrap_or(self.objective),
        };
        with(&situation)
    }

    /// The devices as the planner sees them.
    fn candidates(&self, job: &Job<'_>) -> SmallVec<[Candidate; 4]> {
        let work = job.facts.work;
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
                dispatch_ns_max: self.devices.dispatch_ns_max(device),
                power: costs.power(key),
            }
        };
        self.devices.ids().map(candidate).collect()
    }

    /// Why a device cannot take part in a launch, if it cannot.
    fn unusable(&self, job: &Job<'_>, device: DeviceId) -> Option<Reason> {
        if device == DeviceId::CPU {
            return None;
        }
        let gpu = self.devices.gpu(device);
        if let Some(reason) = self.note_loss(device) {
            return Some(Reason::Retired(reason));
        }
        if matches!(self.policy_of(job.body), Policy::Auto)
            && let Some(reason) = self.objection(device, job.body)
        {
            return Some(reason);
        }
        if let (Some(most), Some(rounds)) = (gpu.loop_rounds_max(), job.facts.loop_rounds_max)
            && rounds > f64::from(most)
        {
            return Some(Reason::Unsupported(format!(
                "loops of {rounds} rounds; it stops after {most}"
            )));
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
        if !matches!(self.policy_of(job.body), Policy::Auto) {
            // Whoever asks for the device is told when it turns out to have no room.
            return None;
        }
        self.may_fit(job, device).err().map(Reason::NoRoom)
    }

    /// Measures the devices whose limits nobody knows. A measurement that fails or is not believable is repeated by later plans, but
    /// not by all of them: it takes a fraction of a second.
    fn measure_limits(&self) {
        let mut costs = self.costs();
        let unknown = |device: &DeviceId| costs.limits(self.devices.key(*device)).is_none();
        let unknown: SmallVec<[DeviceId; 4]> = self.devices.ids().filter(unknown).collect();
        // Relaxed: the lock on the costs orders the attempts.
        if unknown.is_empty()
            || self.measurements.fetch_add(1, Ordering::Relaxed) >= MEASUREMENTS_MAX
        {
            return;
        }
        for device in unknown {
            let limits = self.devices.measure(device);
            if let Some(limits) = limits.filter(|limits| limits.check().is_ok()) {
                costs.set_limits(self.devices.key(device), limits);
            }
        }
    }
}

/// The plan that was made when things were as they are now, or a new one.
fn decide(
    job: &Job<'_>,
    situation: &Situation<'_>,
    policy: &Policy,
) -> Result<Arc<Plan>, LaunchError> {
    if let Some(known) = job.facts.known_plan(situation, policy) {
        return Ok(known);
    }
    let plan = Arc::new(independent(job, situation, policy)?);
    let remembered = Remembered::new(situation, policy, Arc::clone(&plan));
    job.facts.remember_plan(remembered);
    Ok(plan)
}

/// The balance to carry `plan` out with, if the launch is long and free to be shared out as it goes.
fn balance(
    job: &Job<'_>,
    situation: &Situation<'_>,
    policy: &Policy,
    plan: &Plan,
) -> Option<Balance> {
    if !matches!(policy, Policy::Auto) || !balance::is_worthwhile(plan) {
        return None;
    }
    Balance::of(situation, plan, &mut |tile| job.facts.trial(tile))
}

/// Cuts lie at multiples of this many workgroups, so that two devices do not write to one cache line of main memory. Where an array
/// begins inside of a line, as adopted ones may, that cannot be had.
fn multiple(job: &Job<'_>) -> u32 {
    let written = job.slots.iter().filter(|slot| slot.write);
    if written
        .into_iter()
        .all(|slot| slot.core.begins_at_a_cache_line())
    {
        job.facts.line_multiple(job.axis())
    } else {
        1
    }
}

/// A plan whose parts do not touch what others write: whole, if the footprints of the parts that were chosen conflict.
fn independent(
    job: &Job<'_>,
    situation: &Situation<'_>,
    policy: &Policy,
) -> Result<Plan, LaunchError> {
    let choose = |situation: &Situation<'_>| {
        let plan = plan::choose(situation, policy, |tile| job.facts.trial(tile));
        plan.map_err(|error| LaunchError::Policy {
            kernel: job.body.kernel.name,
            reason: error.to_string(),
        })
    };
    let plan = choose(situation)?;
    if plan.parts.len() < 2 {
        return Ok(plan);
    }
    let footprints: SmallVec<[Footprint; 4]> = plan
        .parts
        .iter()
        .map(|part| job.facts.trial(part.tile))
        .collect();
    let Err(conflict) = kernel::disjoint(&footprints) else {
        return Ok(plan);
    };
    let tile = plan.parts[conflict.other].tile;
    let site = job.facts.resolved.site(&conflict, tile);
    let site = site.map_or_else(String::new, |site| {
        format!(" ({}:{site})", job.body.kernel.path)
    });
    let reason = format!("its parts are not independent: {conflict}{site}");
    choose(&Situation {
        splitting: Splitting::Refused(&reason),
        previous: None,
        ..*situation
    })
}
