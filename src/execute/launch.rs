//! How is one launch carried out? Planned, its words moved, its parts run, their results committed; and what a GPU could not do is
//! done by the CPU.

use std::cell::Cell;
use std::sync::{Arc, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::Shared;
use super::durability::{Loans, Logged, MayBeLoss};
use super::job::{Job, Placements, Prepared};
use super::record::Starting;
use crate::cost::{DeviceKey, KernelKey, Prediction, Sample, Work};
use crate::device::cpu::{self, Lending, Loan};
use crate::error::{ArrayError, LaunchError};
use crate::graph::TaskId;
use crate::lanes::Tile;
use crate::launch::{self, Slot};
use crate::machine::{DeviceId, MemoryId};
use crate::plan::balance::Balance;
use crate::plan::{Part, Plan, Policy, SplitVerdict};
use crate::region::{Footprint, Span, Touch};
use crate::trace::{Event, PartKind, Report};
use crate::transfer::Company;

/// A part that a device failed to do.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) device: DeviceId,
    pub(super) tile: Tile,
    pub(super) cause: String,
}

/// How a launch was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CarriedOut {
    /// By the devices that were to.
    AsPlanned,
    /// The CPU did what GPUs failed to do.
    Repaired,
    /// The CPU did all of it, from the beginning.
    Anew,
}

impl Shared {
    /// Carries out a launch that is known to be repeated so often.
    pub(super) fn run_launch(
        &self,
        id: TaskId,
        prepared: &Arc<Prepared>,
        repeats: u32,
    ) -> Result<(), LaunchError> {
        self.trace
            .record(|| Event::LaunchStarted { launch: id.into() });
        let job = prepared.job().numbered(id).repeated(repeats);
        self.record_description(&job);
        let by_itself = matches!(self.policy_of(job.body), Policy::Auto | Policy::CpuOnly)
            && self.books.are_closed();
        if self.devices.cpu_only() && by_itself {
            let footprint = job.facts.alone();
            check_contents(&job, &Placements::lock(&job))?;
            self.run_on_cpu(
                &job,
                job.whole(),
                footprint,
                (Company::Alone, PartKind::Planned),
            )?;
            return Ok(());
        }
        let mut loans = self.loans();
        let repeated = if self.books.are_closed() && !job.body.results_home {
            self.repeat(&job)
        } else {
            None
        };
        if let Some(outcome) = repeated {
            let logged = self.log_start(prepared, &job, || true);
            let failures: SmallVec<[Failure; 1]> = outcome.err().into_iter().collect();
            let repaired = self.repair(&job, &failures);
            self.or_anew(&job, repaired, (logged.as_ref(), &mut loans))?;
            logged.into_iter().for_each(Logged::end);
            return Ok(());
        }
        let recorded = self.recorded_policy(&job)?;
        let policy = recorded.as_ref().unwrap_or(self.policy_of(job.body));
        let planned = || self.plan_balanced(&job, policy);
        let (mut plan, balance) = self.recovering(&mut loans, planned)?;
        self.record_plan(&job, &plan);
        self.write_plan(&job, &plan);
        self.note_plan(&job, &plan);
        let on_gpu = |part: &Part| part.device != DeviceId::CPU;
        // What goes through windows is as planned: its pieces are chosen for what fits at once, in the order in which they move.
        let balance = balance.filter(|_| self.have_room(&job, &plan));
        let uses_gpus = || balance.is_some() || plan.parts.iter().any(on_gpu);
        let logged = self.log_start(prepared, &job, uses_gpus);
        let followed = self.follow(&job, (&mut plan, balance), &mut loans);
        let repaired = followed.and_then(|failures| self.repair(&job, &failures));
        let carried_out = self.or_anew(&job, repaired, (logged.as_ref(), &mut loans))?;
        if carried_out == CarriedOut::Anew {
            self.write_all_repaired(&job, &plan);
        }
        logged.into_iter().for_each(Logged::end);
        if carried_out == CarriedOut::AsPlanned && !matches!(plan.split, SplitVerdict::Trial { .. })
        {
            self.settle(&job, &plan);
            self.plans().insert(job.body.kernel.fingerprint, plan);
        }
        Ok(())
    }

    /// Carries out a plan, shared out as it goes if there is a balance for that: what GPUs failed to do. The plan becomes what the next
    /// launch should begin with.
    fn follow<'a>(
        &'a self,
        job: &Job<'_>,
        (plan, balance): (&mut Arc<Plan>, Option<Balance>),
        loans: &mut Loans<'a>,
    ) -> Result<Vec<Failure>, LaunchError> {
        let Some(balance) = balance else {
            let begun = Cell::new(false);
            let failures = self.recovering(loans, || match self.obey(job, plan, &begun) {
                // What has been done must not be done again.
                Err(error) if begun.get() => Ok(Err(error)),
                outcome => outcome.map(Ok),
            })??;
            if !failures.is_empty() {
                self.write_repaired(job, plan, &failures);
            }
            return Ok(failures);
        };
        let balanced = self.obey_balanced(job, (plan, balance), loans)?;
        self.write_plan(job, &balanced.carried_out);
        if balanced.smooth {
            *plan = Arc::new(balanced.carried_out);
        }
        Ok(balanced.failures)
    }

    /// Counts the launch, for its horizon and for the devices that have no part in it.
    fn note_plan(&self, job: &Job<'_>, plan: &Plan) {
        job.facts.repeats().note(job, plan);
        let devices: SmallVec<[DeviceKey; 4]> = plan
            .parts
            .iter()
            .map(|part| self.devices.key(part.device))
            .collect();
        self.costs().took_part(job.key(), &devices);
    }

    /// Does on the CPU what GPUs failed to do. With [`Policy::GpuOnly`] the failure is the launch's.
    fn repair(&self, job: &Job<'_>, failures: &[Failure]) -> Result<CarriedOut, LaunchError> {
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
            self.run_on_cpu(
                job,
                failure.tile,
                &footprint,
                (Company::Alone, PartKind::Repair),
            )?;
        }
        Ok(if failures.is_empty() {
            CarriedOut::AsPlanned
        } else {
            CarriedOut::Repaired
        })
    }

    /// A launch that lost words which it needs, when some of it was done, is done anew by the CPU alone, if the log knows what its arrays
    /// held before it. The words cannot just be made again as it goes on, as they can before it has begun: some of what is lost may be
    /// its own results, and what they overwrote would take their place.
    fn or_anew<'a>(
        &'a self,
        job: &Job<'_>,
        outcome: Result<CarriedOut, LaunchError>,
        (logged, loans): (Option<&Logged<'_, '_>>, &mut Loans<'a>),
    ) -> Result<CarriedOut, LaunchError> {
        let error = match outcome {
            Err(error) if error.is_loss() => error,
            outcome => return outcome,
        };
        if !logged.is_some_and(Logged::can_be_undone) || self.undo(job, loans).is_none() {
            return Err(error);
        }
        let footprint = job.facts.alone();
        self.recovering(loans, || self.move_home(job, footprint))?;
        let how = (Company::Alone, PartKind::Repair);
        self.run_on_cpu(job, job.whole(), footprint, how)?;
        Ok(CarriedOut::Anew)
    }

    /// Makes valid in main memory what a tile needs.
    pub(super) fn move_home(
        &self,
        job: &Job<'_>,
        footprint: &Footprint,
    ) -> Result<(), LaunchError> {
        let mut placements = Placements::lock(job);
        for (slot, touch) in job.slots.iter().zip(&footprint.arguments) {
            let needs = touch.needs();
            let outcome =
                self.bring_home_placed(Some(job.number), &slot.core, placements.of(slot), &needs);
            outcome.map_err(|cause| argument_error(job, slot, cause))?;
        }
        Ok(())
    }

    /// Runs a tile on the CPU, whose words are at home, notes what it wrote, and learns from it.
    pub(super) fn run_on_cpu(
        &self,
        job: &Job<'_>,
        tile: Tile,
        footprint: &Footprint,
        (company, kind): (Company, PartKind),
    ) -> Result<(), LaunchError> {
        let kernel = job.body.kernel;
        let work = job.work(tile, footprint);
        let predicted = self.predict(job, DeviceId::CPU, work);
        self.keep_before(job, footprint)?;
        let loans = {
            // Copies under way may hold words between those that they are for.
            let _settled = (!self.devices.cpu_only()).then(|| Placements::lock(job));
            lend(job, footprint)?
        };
        let number = self.record_part(
            job,
            &Starting {
                device: DeviceId::CPU,
                tile,
                footprint,
                company,
                kind,
                predicted_ns: predicted.ns,
            },
        );
        let arguments = cpu_arguments(job, &loans);
        let threads = self.devices.cpu.threads() as f64;
        let part = cpu::Part {
            kernel,
            arguments: &arguments,
            num_workgroups: job.grid,
            tile,
            predicted_ns: predicted.work_ns * threads,
        };
        let watched =
            self.watch
                .enter(DeviceId::CPU, (kernel.name, workgroups(tile)), predicted.ns);
        let ns = self
            .devices
            .run_on_cpu(&part, work)
            .map_err(|cpu::Panicked(message)| LaunchError::WorkerPanicked {
                kernel: kernel.name,
                message,
            })?;
        drop(watched);
        commit(
            job,
            &mut Placements::lock(job),
            MemoryId::HOST,
            footprint,
            company,
        );
        self.trace.record(|| Event::PartDone {
            part: number,
            ns: Some(ns),
        });
        let own = (job.key(), kernel.name);
        self.learn(own, DeviceId::CPU, work, ns);
        self.report().add_part(
            kernel.name,
            DeviceId::CPU,
            workgroups(tile),
            predicted.ns,
            Some(ns),
        );
        Ok(())
    }

    /// Keeps what the log needs of the words that a CPU part overwrites.
    fn keep_before(&self, job: &Job<'_>, footprint: &Footprint) -> Result<(), LaunchError> {
        for (slot, touch) in job.slots.iter().zip(&footprint.arguments) {
            if !touch.writes.is_empty() {
                let kept = self.before_overwrite(&slot.core, &touch.writes);
                kept.map_err(|cause| argument_error(job, slot, cause))?;
            }
        }
        Ok(())
    }

    /// Time of some work on a device.
    pub(super) fn predict(&self, job: &Job<'_>, device: DeviceId, work: Work) -> Prediction {
        self.costs()
            .predict(job.key(), self.devices.key(device), work)
    }

    /// Takes into account how long some work took on a device.
    pub(super) fn learn(
        &self,
        (kernel, name): (KernelKey, &'static str),
        device: DeviceId,
        work: Work,
        ns: u64,
    ) {
        let key = self.devices.key(device);
        let mut costs = self.costs();
        let wanted = self.trace.is_on();
        let expected = wanted.then(|| costs.predict(kernel, key, work));
        costs.name_kernel(kernel, name);
        let cold = !costs.has_run(kernel, key);
        costs.record(&Sample {
            kernel,
            device: key,
            work,
            ns: ns as f64,
            cold,
        });
        drop(costs);
        if let Some(expected) = expected {
            self.trace.record(|| Event::Learned {
                kernel: name.into(),
                device,
                predicted_ns: expected.ns,
                ns,
            });
        }
    }

    /// Time of the whole launch on the CPU, in ns.
    pub(super) fn predict_on_cpu(&self, job: &Job<'_>) -> f64 {
        self.predict(job, DeviceId::CPU, job.facts.work).work_ns
    }

    pub(super) fn costs(&self) -> MutexGuard<'_, crate::cost::Costs> {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn plans(&self) -> MutexGuard<'_, std::collections::HashMap<u64, Arc<Plan>>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of what happened so far.
    pub(crate) fn report_so_far(&self) -> Report {
        self.read_clocks();
        let mut report = self.report().clone();
        report.set_joules(self.devices.joules());
        report.set_now(self.trace.now_ns(), self.watch.running());
        report
    }

    /// Keeps what was learned for the next run.
    pub(crate) fn save_costs(&self) {
        self.store.save(&mut self.costs());
    }
}

/// Refuses arguments whose content is missing because an earlier launch failed or a GPU was lost.
pub(super) fn check_contents(
    job: &Job<'_>,
    placements: &Placements<'_>,
) -> Result<(), LaunchError> {
    for (slot, needs) in job.slots.iter().zip(job.facts.needs()) {
        let placement = placements.get(slot);
        if placement.is_intact() {
            continue;
        }
        let outcome = needs.iter().try_for_each(|span| placement.check(span));
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
    lend_from(job, footprint, |slot, spans, lending| {
        slot.core
            .lend_spans(slot.span, spans, lending)
            .map_err(|cause| argument_error(job, slot, cause))
    })
}

/// Lends the memory that a tile uses, whosever it is.
pub(super) fn lend_from<E>(
    job: &Job<'_>,
    footprint: &Footprint,
    lend: impl Fn(&Slot, &[Span], Lending) -> Result<Loan, E>,
) -> Result<SmallVec<[Loan; 8]>, E> {
    let loan = |(slot, touch): (&&Slot, &Touch)| {
        let (spans, lending) = if slot.write {
            (touch.reads.union(&touch.writes), Lending::Exclusive)
        } else {
            (touch.reads.clone(), Lending::Shared)
        };
        lend(slot, spans.spans(), lending)
    };
    job.slots
        .iter()
        .zip(&footprint.arguments)
        .map(loan)
        .collect()
}

/// The arguments of a CPU part, in the order of the kernel's bindings.
pub(super) fn cpu_arguments<'a>(
    job: &'a Job<'_>,
    loans: &'a [Loan],
) -> SmallVec<[cpu::Argument<'a>; 8]> {
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
