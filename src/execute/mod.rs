//! How is a plan obeyed? Launches wait in a graph; whoever is free carries them out: the executor's thread, or a thread that waits.

mod facts;
mod gpu_parts;
mod job;
mod launch;
mod movement;
mod obey;
mod planning;
mod record;
mod repeats;
mod standing;
mod timing;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(crate) use job::Prepared;

use crate::array::ArrayCore;
use crate::cost::Costs;
use crate::device::Devices;
use crate::error::LaunchError;
use crate::graph::{Access, ArrayId, Graph, TaskId};
use crate::launch::LaunchBody;
use crate::plan::{Objective, Plan, Policy};
use crate::region::Span;
use crate::store::CostStore;
use crate::trace::{Event, Recorder, Report};

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
    pub(crate) costs: Mutex<Costs>,
    pub(crate) store: CostStore,
    pub(crate) report: Mutex<Report>,
    pub(crate) trace: Recorder,
    /// How often devices without known limits were measured.
    measurements: AtomicU64,
    /// The last plan of each kernel, so that cuts stay where they are unless moving them pays.
    plans: Mutex<std::collections::HashMap<u64, Arc<Plan>>>,
    /// What is known of launches that were repeated, or may be.
    facts: facts::KnownFacts,
    /// What GPUs failed to do.
    standings: Mutex<std::collections::BTreeMap<crate::machine::DeviceId, standing::Standing>>,
    /// GPU parts whose times are wanted.
    timed: Mutex<Vec<timing::Timed>>,
    graph: Mutex<Queue>,
    /// Something is ready, or the runtime stops.
    wake: Condvar,
    /// Something has finished.
    done: Condvar,
}

/// The graph of unfinished work, and what stands around it.
#[derive(Debug, Default)]
struct Queue {
    graph: Graph<Work>,
    stopping: bool,
    /// Whether a GPU has work that nobody has submitted yet.
    flush_wanted: bool,
    /// Threads that wait for something to finish.
    waiting: usize,
    wakers: Vec<(TaskId, Waker)>,
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
}

/// How a launch ended, once it has.
pub(crate) type Outcome = Arc<OnceLock<Result<(), Arc<LaunchError>>>>;

impl Shared {
    pub(crate) fn new(
        devices: Devices,
        (policy, objective): (Policy, Objective),
        store: CostStore,
        trace: Recorder,
    ) -> Arc<Self> {
        static RUNTIMES: AtomicU64 = AtomicU64::new(0);
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
            measurements: AtomicU64::new(0),
            plans: Mutex::default(),
            facts: facts::KnownFacts::default(),
            standings: Mutex::default(),
            timed: Mutex::default(),
            graph: Mutex::default(),
            wake: Condvar::new(),
            done: Condvar::new(),
            devices,
            policy,
            objective,
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
        let prepared = Prepared::new(body, &self.facts);
        prepared.job().check_bounds()?;
        Ok(prepared)
    }

    /// Queues a launch behind the work it conflicts with; a tiny one with nothing before it is carried out at once.
    pub(crate) fn launch(&self, body: LaunchBody) -> Result<(TaskId, Outcome), LaunchError> {
        let prepared = Arc::new(self.prepare(body)?);
        let at_once = {
            let job = prepared.job();
            if self.devices.cpu_only() {
                self.predict_on_cpu(&job) < AT_ONCE_NS
            } else {
                self.only_records(&job)
            }
        };
        let outcome = Outcome::default();
        let accesses = prepared.body.accesses();
        let work = Work::Launch {
            prepared,
            outcome: Arc::clone(&outcome),
        };
        let mut queue = self.queue();
        let id = queue.graph.next_id();
        if let Work::Launch { prepared, .. } = &work {
            self.record_queued(id, &prepared.body);
        }
        queue.graph.add(work, accesses);
        let taken = if at_once { queue.graph.take(id) } else { None };
        drop(queue);
        match taken {
            Some(work) => {
                self.carry_out(id, work);
                if !self.devices.flush_if_due() {
                    self.want_flush();
                }
            }
            None => self.wake.notify_one(),
        }
        Ok((id, outcome))
    }

    /// Blocks until nothing that conflicts with `access` is unfinished; helps meanwhile.
    pub(crate) fn wait_for(&self, access: &Access) {
        self.help_until(|queue| queue.graph.conflicting(access));
    }

    /// Blocks until this work is finished, also on the GPUs; helps meanwhile.
    pub(crate) fn wait(&self, id: TaskId) {
        self.help_until(|queue| queue.graph.is_pending(id).then_some(id));
        self.devices.wait();
    }

    /// Blocks until everything is finished; helps meanwhile.
    pub(crate) fn wait_for_all(&self) {
        self.help_until(|queue| queue.graph.latest());
    }

    /// Carries out what `obstacle` names, or what it waits for, until it names nothing.
    fn help_until(&self, obstacle: impl Fn(&Queue) -> Option<TaskId>) {
        let mut queue = self.queue();
        while let Some(id) = obstacle(&queue) {
            let mine = queue.graph.take(id).map(|work| (id, work));
            let next = mine.or_else(|| {
                if queue.graph.is_blocked(id) {
                    queue.graph.take_next()
                } else {
                    None
                }
            });
            if let Some((id, work)) = next {
                drop(queue);
                self.carry_out(id, work);
                queue = self.queue();
            } else {
                queue.waiting += 1;
                let woken = self.done.wait(queue);
                queue = woken.unwrap_or_else(PoisonError::into_inner);
                queue.waiting -= 1;
            }
        }
    }

    /// The executor's thread: carries out what is ready until the runtime stops and nothing is left.
    pub(crate) fn run(&self) {
        let mut queue = self.queue();
        loop {
            if let Some((id, work)) = queue.graph.take_next() {
                drop(queue);
                self.carry_out(id, work);
                queue = self.queue();
                queue.flush_wanted = !self.devices.cpu_only();
            } else if queue.stopping && queue.graph.pending() == 0 {
                return;
            } else if queue.flush_wanted {
                queue = self.flush_unless_woken(queue);
            } else {
                let woken = self.wake.wait(queue);
                queue = woken.unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Submits what GPUs were given, unless more work comes first: a batch costs little more than one launch.
    fn flush_unless_woken<'q>(&'q self, queue: MutexGuard<'q, Queue>) -> MutexGuard<'q, Queue> {
        let waited = self.wake.wait_timeout(queue, FLUSH_AFTER);
        let (mut queue, time_out) = waited.unwrap_or_else(PoisonError::into_inner);
        if !time_out.timed_out() && queue.graph.has_ready() {
            return queue;
        }
        queue.flush_wanted = false;
        drop(queue);
        self.devices.flush();
        self.queue()
    }

    /// Has the executor submit what GPUs were given.
    fn want_flush(&self) {
        let mut queue = self.queue();
        let first = !queue.flush_wanted;
        queue.flush_wanted = true;
        drop(queue);
        if first {
            self.wake.notify_one();
        }
    }

    /// Lets [`run`](Self::run) return when everything is finished.
    pub(crate) fn stop(&self) {
        self.queue().stopping = true;
        self.wake.notify_all();
    }

    fn carry_out(&self, id: TaskId, work: Work) {
        match work {
            Work::Launch { prepared, outcome } => {
                // A panic of impel's own is the launch's error: otherwise what waits for the launch would wait for ever.
                let caught = catch_unwind(AssertUnwindSafe(|| self.run_launch(id, &prepared)));
                let result = caught.unwrap_or_else(|payload| {
                    Err(LaunchError::WorkerPanicked {
                        kernel: prepared.body.kernel.name,
                        message: crate::device::cpu::message(payload.as_ref()),
                    })
                });
                let result = result.map_err(Arc::new);
                self.trace.record(|| Event::LaunchFinished {
                    launch: id.into(),
                    error: result.as_ref().err().map(|error| error.to_string().into()),
                });
                if let Err(error) = &result {
                    mark_failed(&prepared.body, error);
                }
                // Nobody else sets it: a piece of work is taken once.
                outcome.get_or_init(|| result);
            }
            // An error, or a panic, comes again in the read that follows, to its caller.
            Work::Fetch { core, span } => {
                drop(catch_unwind(AssertUnwindSafe(|| {
                    if self.bring_home(&core, span).is_ok() {
                        self.record_host_read(&core, span);
                    }
                })));
            }
        }
        let mut queue = self.queue();
        let ready = queue.graph.finish(id);
        let stopping = queue.stopping;
        let woken = if queue.wakers.is_empty() {
            Vec::new()
        } else {
            take_wakers(&mut queue.wakers, id)
        };
        let waiting = queue.waiting;
        drop(queue);
        if ready > 0 || stopping {
            self.wake.notify_one();
        }
        if waiting > 0 {
            self.done.notify_all();
        }
        woken.into_iter().for_each(Waker::wake);
    }

    /// Brings `span` home behind the work before it, and resolves when that is done.
    pub(crate) fn fetch(&self, core: Arc<ArrayCore>, access: Access) -> Fetching<'_> {
        let work = Work::Fetch {
            core,
            span: access.span,
        };
        let id = self.queue().graph.add(work, vec![access]);
        self.wake.notify_one();
        Fetching { shared: self, id }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for everything, also on the GPUs.
    pub(crate) fn sync(&self) {
        self.wait_for_all();
        self.devices.wait();
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

fn take_wakers(wakers: &mut Vec<(TaskId, Waker)>, id: TaskId) -> Vec<Waker> {
    let (mine, others) = std::mem::take(wakers)
        .into_iter()
        .partition(|(task, _)| *task == id);
    *wakers = others;
    let mine: Vec<(TaskId, Waker)> = mine;
    mine.into_iter().map(|(_, waker)| waker).collect()
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
        let mut queue = self.shared.queue();
        if !queue.graph.is_pending(self.id) {
            return Poll::Ready(());
        }
        queue
            .wakers
            .retain(|(task, waker)| *task != self.id || !waker.will_wake(context.waker()));
        queue.wakers.push((self.id, context.waker().clone()));
        Poll::Pending
    }
}
