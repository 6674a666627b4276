//! How is a plan obeyed? Launches wait in a graph; whoever is free carries them out: an executor's thread, or a thread that waits.

mod balance;
mod book;
mod durability;
mod facts;
mod gpu_parts;
mod homeward;
mod job;
mod launch;
mod memory;
mod movement;
mod obey;
mod outcome;
mod pieces;
mod planning;
mod prefetch;
mod queue;
mod record;
mod repeats;
mod replay;
mod sampling;
mod settled;
mod side_by_side;
mod standing;
mod timing;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

pub(crate) use job::Prepared;

use crate::array::ArrayCore;
use crate::cost::Costs;
use crate::device::{Deadline, Devices};
use crate::durability::Durability;
use crate::error::LaunchError;
use crate::graph::{Access, ArrayId, Graph, TaskId};
use crate::launch::LaunchBody;
use crate::plan::{Objective, Plan, Policy};
use crate::region::Span;
use crate::store::CostStore;
use crate::trace::{Recorder, Report, Watch};
use crate::transfer::Merging;
pub(crate) use book::Books;
use queue::{Next, Queue};
pub(crate) use replay::Program;
use replay::Replay;
use sampling::Sampler;
pub(crate) use sampling::Sampling;
use side_by_side::SideBySide;

/// A launch that is predicted to take less runs before [`Shared::launch`] returns: handing it to another thread takes as long.
const AT_ONCE_NS: f64 = 10_000.0;

/// How long to wait for more before recorded work goes to the GPUs: a chain of small launches is submitted in large batches.
const FLUSH_AFTER: Duration = Duration::from_micros(200);

/// What a runtime, its arrays and its executor share.
#[derive(Debug)]
pub(crate) struct Shared {
    id: u64,
    arrays: AtomicU64,
    pub(crate) devices: Devices,
    pub(crate) policy: Policy,
    pub(crate) objective: Objective,
    pub(crate) books: Books,
    pub(crate) costs: Mutex<Costs>,
    pub(crate) store: CostStore,
    pub(crate) report: Mutex<Report>,
    pub(crate) trace: Recorder,
    pub(crate) watch: Arc<Watch>,
    /// How often devices without known limits were measured.
    measurements: AtomicU64,
    /// The last plan of each kernel, so that cuts stay where they are unless moving them pays.
    plans: Mutex<std::collections::HashMap<u64, Arc<Plan>>>,
    /// What is known of launches that were repeated, or may be.
    facts: facts::KnownFacts,
    /// Which parts are computed twice.
    sampler: Sampler,
    /// What GPUs failed to do.
    standings: Mutex<std::collections::BTreeMap<crate::machine::DeviceId, standing::Standing>>,
    /// Whether near copies are merged.
    merging: Merging,
    /// Whether queued launches are sent what they will read.
    prefetch: bool,
    /// Who has buffers in which memory.
    memories: Arc<memory::Memories>,
    /// What threads of the host wait to read.
    wishes: homeward::Wishes,
    /// GPU parts whose times are wanted.
    timed: Mutex<Vec<timing::Timed>>,
    /// What makes lost words again, if that was asked for.
    safeguard: Option<durability::Safeguard>,
    queue: Queue<Work>,
}

/// How a runtime is to work, as its builder was told.
#[derive(Debug)]
pub(crate) struct Choices {
    pub(crate) policy: Policy,
    pub(crate) objective: Objective,
    pub(crate) merging: Merging,
    pub(crate) prefetch: bool,
    pub(crate) sampling: Option<Sampling>,
    pub(crate) durability: Durability,
}

/// A piece of work.
#[derive(Debug)]
enum Work {
    Launch {
        prepared: Arc<Prepared>,
        outcome: Outcome,
    },
    Fetch {
        core: Arc<ArrayCore>,
        span: Span,
    },
    Replay {
        replay: Replay,
        outcome: Outcome,
    },
    /// Help with a replay that is under way.
    Help {
        replay: Weak<SideBySide>,
    },
    Mirror {
        cores: Vec<(Arc<ArrayCore>, Span)>,
    },
}

/// How a launch ended, once it has.
pub(crate) type Outcome = outcome::Outcome<Result<(), Arc<LaunchError>>>;

impl Shared {
    pub(crate) fn new(
        devices: Devices,
        choices: Choices,
        books: Books,
        store: CostStore,
        trace: Recorder,
    ) -> Arc<Self> {
        static RUNTIMES: AtomicU64 = AtomicU64::new(0);
        let Choices {
            policy,
            objective,
            merging,
            prefetch,
            sampling,
            durability,
        } = choices;
        let mut costs = store.load();
        for (device, name) in devices.machine.devices() {
            costs.name_device(devices.key(device), name);
        }
        Arc::new(Self {
            id: RUNTIMES.fetch_add(1, Ordering::Relaxed),
            arrays: AtomicU64::new(0),
            costs: Mutex::new(costs),
            report: Mutex::new(Report::of_devices(
                devices
                    .machine
                    .devices()
                    .map(|(_, name)| name.to_owned())
                    .collect(),
            )),
            trace,
            watch: Watch::new(devices.clock()),
            measurements: AtomicU64::new(0),
            plans: Mutex::default(),
            facts: facts::KnownFacts::default(),
            standings: Mutex::default(),
            merging,
            prefetch,
            memories: Arc::default(),
            wishes: homeward::Wishes::default(),
            sampler: Sampler::new(sampling),
            timed: Mutex::default(),
            safeguard: durability::Safeguard::of(durability, devices.cpu_only()),
            queue: Queue::default(),
            devices,
            policy,
            objective,
            books,
            store,
        })
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn next_array(&self) -> ArrayId {
        ArrayId(self.arrays.fetch_add(1, Ordering::Relaxed))
    }

    /// Checks a launch and looks up, or works out, all that follows from it: what [`run_launch`](Self::run_launch) needs, any number of
    /// times.
    pub(crate) fn prepare(&self, body: LaunchBody) -> Result<Prepared, LaunchError> {
        body.check(self.id)?;
        self.check_policy(&body)?;
        self.check_objective(&body)?;
        let prepared = Prepared::new(body, &self.facts);
        prepared.job().check_bounds()?;
        Ok(prepared)
    }

    /// Queues a launch behind the work it conflicts with; a tiny one with nothing before it is carried out at once.
    pub(crate) fn launch(&self, body: LaunchBody) -> Result<(TaskId, Outcome), LaunchError> {
        let prepared = Arc::new(self.prepare(body)?);
        let (ns, at_once) = {
            let job = prepared.job();
            let ns = self.predict_on_cpu(&job);
            let at_once = if self.devices.cpu_only() {
                ns < AT_ONCE_NS
            } else {
                self.only_records(&job)
            };
            (ns as u64, at_once)
        };
        let outcome = Outcome::default();
        let accesses = prepared.body.accesses();
        let work = Work::Launch {
            prepared,
            outcome: outcome.clone(),
        };
        let work = |id| {
            if let Work::Launch { prepared, .. } = &work {
                self.record_queued(id, &prepared.body);
            }
            work
        };
        let (id, taken) = self.queue.add(work, accesses, ns, 1, at_once);
        if let Some(work) = taken {
            self.carry_out(id, work, false);
            if !self.devices.flush_if_due() {
                self.queue.want_flush();
            }
        }
        Ok((id, outcome))
    }

    /// Blocks until nothing that conflicts with `access` is unfinished; helps meanwhile.
    pub(crate) fn wait_for(&self, access: &Access) {
        self.help_until(|graph| graph.conflicting(access));
    }

    /// Blocks until this work is finished, also on the GPUs; helps meanwhile.
    pub(crate) fn wait(&self, id: TaskId) {
        self.help_until(|graph| graph.is_pending(id).then_some(id));
        self.devices.wait();
    }

    /// As [`wait`](Self::wait), but no longer than `patience`, and without helping, which could take longer. Whether it is finished.
    pub(crate) fn wait_timeout(&self, id: TaskId, patience: Duration) -> bool {
        self.wait_until(
            |graph| graph.is_pending(id).then_some(id),
            Deadline::after(patience),
        )
    }

    /// Waits for everything, also on the GPUs; helps meanwhile.
    pub(crate) fn sync(&self) {
        self.help_until(Graph::latest);
        self.devices.wait();
    }

    /// As [`sync`](Self::sync), but no longer than `patience`. Whether everything is finished.
    pub(crate) fn sync_timeout(&self, patience: Duration) -> bool {
        self.wait_until(Graph::latest, Deadline::after(patience))
    }

    fn wait_until(
        &self,
        obstacle: impl Fn(&Graph<Work>) -> Option<TaskId>,
        deadline: Deadline,
    ) -> bool {
        self.queue.wait_while_time(obstacle, || deadline.left())
            && self.devices.wait_until(deadline)
    }

    /// Carries out what `obstacle` names, or what it waits for, until it names nothing.
    fn help_until(&self, obstacle: impl Fn(&Graph<Work>) -> Option<TaskId>) {
        while let Some((id, work)) = self.queue.help(&obstacle) {
            self.carry_out(id, work, true);
        }
    }

    /// What an executor's thread does: it carries out what is ready until the runtime stops and nothing is left.
    pub(crate) fn run(&self) {
        let mut recorded = false;
        loop {
            match self.queue.next(recorded, FLUSH_AFTER) {
                Next::Work(id, work) => {
                    self.carry_out(id, work, true);
                    recorded = !self.devices.cpu_only();
                }
                Next::Flush => recorded = self.devices.flush_late(),
                Next::Stop => return,
            }
        }
    }

    /// Lets [`run`](Self::run) return when everything is finished.
    pub(crate) fn stop(&self) {
        self.queue.stop();
    }

    /// Carries out a piece of work. `stays` says that the caller then asks the queue for more.
    fn carry_out(&self, id: TaskId, work: Work, stays: bool) {
        match work {
            Work::Launch { prepared, outcome } => {
                let result = self.try_launch(id, &prepared, 1).map_err(Arc::new);
                if let Err(error) = &result {
                    mark_failed(&prepared.body, error);
                }
                outcome.set(result);
            }
            Work::Replay { replay, outcome } => outcome.set(self.run_replay(id, &replay)),
            Work::Help { replay } => self.help_replay(&replay),
            // An error, or a panic, comes again in the read that follows, to its caller.
            Work::Fetch { core, span } => {
                drop(catch_unwind(AssertUnwindSafe(|| {
                    if self.bring_home(&core, span).is_ok() {
                        self.record_host_read(&core, span);
                    }
                })));
            }
            Work::Mirror { cores } => {
                drop(catch_unwind(AssertUnwindSafe(|| {
                    self.mirror(&cores, durability::Mirroring::Queued);
                })));
            }
        }
        self.queue.finish(id, stays);
    }

    /// Carries out a launch that is known to be repeated so often. A panic of impel's own is the launch's error: otherwise what waits for
    /// the launch would wait for ever.
    fn try_launch(
        &self,
        id: TaskId,
        prepared: &Arc<Prepared>,
        repeats: u32,
    ) -> Result<(), LaunchError> {
        let run = || self.run_launch(id, prepared, repeats);
        let caught = catch_unwind(AssertUnwindSafe(run));
        let result = caught.unwrap_or_else(|payload| {
            Err(LaunchError::WorkerPanicked {
                kernel: prepared.body.kernel.name,
                message: crate::device::cpu::message(payload.as_ref()),
            })
        });
        self.record_finished(id, result.as_ref().err());
        if self.safeguard.is_some() {
            self.mirror_if_due(&prepared.body.accesses());
        }
        result
    }

    /// Brings `span` home behind the work before it, and resolves when that is done.
    pub(crate) fn fetch(&self, core: Arc<ArrayCore>, access: Access) -> Fetching<'_> {
        let work = Work::Fetch {
            core,
            span: access.span,
        };
        let (id, taken) = self.queue.add(|_| work, vec![access], 0, 1, false);
        if let Some(work) = taken {
            self.carry_out(id, work, false);
        }
        Fetching { shared: self, id }
    }
}

/// The arrays that a failed launch should have written are marked, with the reason, until they are overwritten.
fn mark_failed(body: &LaunchBody, error: &Arc<LaunchError>) {
    for slot in body.slots().filter(|slot| slot.write) {
        slot.core
            .placement()
            .failed
            .push((slot.span, Arc::clone(error)));
    }
}

/// Resolves when a piece of work is finished.
#[derive(Debug)]
pub(crate) struct Fetching<'a> {
    shared: &'a Shared,
    id: TaskId,
}

impl Future for Fetching<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.shared.queue.poll(self.id, context.waker()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}
