//! Where does everything start? The runtime: the machine's devices, the arrays made for them, and the launches on them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::array::{Array, Element};
use crate::cost::Calibration;
use crate::device::cpu::Cpu;
use crate::device::{Devices, Patience, Pool, sim};
use crate::durability::Durability;
use crate::error::{ArrayError, GraphError, LaunchError, RuntimeError};
use crate::execute::{Books, Choices, Sampling, Shared};
use crate::lanes::Level;
use crate::launch::Launch;
use crate::machine::{DeviceId, Machine};
use crate::pending::Pending;
use crate::plan::{Objective, Plan, PlanBook, Policy};
use crate::recording::{self, Graph};
use crate::store::CostStore;
use crate::trace::{EVENTS_MAX, Ending, Recorder, Report, Running, Trace};
use crate::transfer::Merging;

/// The devices of this machine, ready for launches.
///
/// Dropping it waits for all launches. Arrays may outlive it.
#[derive(Debug)]
pub struct Runtime {
    shared: Arc<Shared>,
    executors: Vec<JoinHandle<()>>,
    /// Whether what happened is checked in the end.
    verify: bool,
    /// Where the trace goes in the end, if anywhere.
    trace_file: Option<PathBuf>,
}

/// Threads that carry launches out: independent ones overlap, and one that waits for a device holds no other up.
const EXECUTORS: usize = 2;

/// Choices about a [`Runtime`], each with a good default.
#[derive(Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct RuntimeBuilder {
    threads: Option<usize>,
    pool: Option<Arc<Pool>>,
    isa: Option<Level>,
    policy: Policy,
    objective: Objective,
    powercap: Option<PathBuf>,
    plans_from: Option<PathBuf>,
    record_plans: bool,
    cache: Cache,
    simulated: Option<sim::Machine>,
    gpu_memory: Option<u64>,
    merging: Merging,
    no_prefetch: bool,
    patience: Patience,
    sampling: Option<Sampling>,
    trace: Option<bool>,
    durability: Durability,
    #[cfg(feature = "gpu")]
    gpus: crate::device::GpuChoice,
}

#[derive(Debug, Default)]
enum Cache {
    #[default]
    OfUser,
    In(PathBuf),
    Off,
}

impl RuntimeBuilder {
    /// Number of CPU workers; at first as many as the process may use.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Runs CPU parts on the caller's rayon pool instead of on one of its own.
    pub fn pool(mut self, pool: Arc<Pool>) -> Self {
        self.pool = Some(pool);
        self
    }

    /// Instructions of CPU kernels; at first the best of this machine, or what `IMPEL_ISA` says.
    pub fn isa(mut self, level: Level) -> Self {
        self.isa = Some(level);
        self
    }

    /// Policy of launches that do not bring their own.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// What plans of launches that do not bring their own objective minimise: at first time.
    pub fn objective(mut self, objective: Objective) -> Self {
        self.objective = objective;
        self
    }

    /// Reads energy counters of the processor from this folder instead of Linux's own: for tests.
    #[doc(hidden)]
    pub fn powercap(mut self, folder: impl Into<PathBuf>) -> Self {
        self.powercap = Some(folder.into());
        self
    }

    /// Notes the plan of every launch, for [`Runtime::save_plans`].
    pub fn record_plans(mut self, record: bool) -> Self {
        self.record_plans = record;
        self
    }

    /// Makes the program follow the plans of an earlier run, which [`Runtime::save_plans`] kept in this file, so that its results are
    /// the same to the last bit. The program must make the same launches in the same order; one that differs is refused.
    pub fn plans_from(mut self, path: impl Into<PathBuf>) -> Self {
        self.plans_from = Some(path.into());
        self
    }

    /// Keeps learned costs in this directory instead of the user's cache directory.
    pub fn cache_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache = Cache::In(directory.into());
        self
    }

    /// Neither reads nor writes costs on disk.
    pub fn without_cache(mut self) -> Self {
        self.cache = Cache::Off;
        self
    }

    /// Records every decision and every movement from the start; see [`Runtime::trace`].
    pub fn trace(mut self, on: bool) -> Self {
        self.trace = Some(on);
        self
    }

    /// What happens to words that only a lost GPU held; at first they are lost.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Looks for GPUs (at first it does), or leaves them alone.
    #[cfg(feature = "gpu")]
    pub fn gpus(mut self, look: bool) -> Self {
        self.gpus.look = look;
        self
    }

    /// Fails without a GPU.
    #[cfg(feature = "gpu")]
    pub fn require_gpu(mut self) -> Self {
        self.gpus.require = true;
        self
    }

    /// Uses GPUs that are emulated on the CPU, too: right, but slow, and on the same cores. At first they are left alone unless
    /// `IMPEL_SOFTWARE_GPU=1`.
    #[cfg(feature = "gpu")]
    pub fn software_gpus(mut self, allow: bool) -> Self {
        self.gpus.software = Some(allow);
        self
    }

    /// Whether copies of near ranges are merged where the words between them cost less than a second copy (at first they are), or
    /// exactly the missing words move.
    pub fn merging(mut self, on: bool) -> Self {
        self.merging = if on { Merging::ByLink } else { Merging::Off };
        self
    }

    /// Whether GPUs are sent what queued launches will read while other parts are at work (at first they are), or every launch
    /// fetches its own words when it starts.
    pub fn prefetch(mut self, on: bool) -> Self {
        self.no_prefetch = !on;
        self
    }

    /// Most bytes of arrays that each GPU may hold.
    pub fn gpu_memory(mut self, bytes: u64) -> Self {
        self.gpu_memory = Some(bytes);
        self
    }

    /// Uses a device and queue that the caller has opened, besides those that impel finds.
    #[cfg(feature = "gpu")]
    pub fn lend_gpu(
        mut self,
        device: crate::device::WgpuDevice,
        queue: crate::device::WgpuQueue,
    ) -> Self {
        self.gpus.lent.push((device, queue));
        self
    }

    /// When a GPU counts as hung: after `least` (at first 30 s) and `times` (at first 20) times the predicted time of what it was
    /// given. It is given up then, its part is done by another device, and what only it held is lost.
    pub fn hang_after(mut self, least: Duration, times: f64) -> Self {
        self.patience = Patience {
            least,
            times: times.max(0.0),
        };
        self
    }

    /// Checks GPUs: of this share of their parts, from 0 to 1, some workgroups are computed by the CPU, too, before the GPU starts, and
    /// their results compared once it has ended. A GPU that computed something else is given up, [`Runtime::report`] says what it
    /// computed, and the part is done elsewhere.
    ///
    /// As floats, words may differ by `tolerance` times the larger one; with a tolerance of 0 they must be equal bit for bit, which
    /// suits integers. Launches of kernels that cannot be split are computed as a whole, and in two orders of their workgroups: where
    /// that makes a difference, and where there is only one workgroup, nothing is compared.
    pub fn verify_sample(mut self, fraction: f64, tolerance: f32) -> Self {
        self.sampling = Some(Sampling {
            fraction: fraction.clamp(0.0, 1.0),
            tolerance: tolerance.max(0.0),
        });
        self
    }

    /// Runs on a machine that is imagined, to try out what a program does on hardware that is not here. Results are real, computed by
    /// this CPU; only time is imagined, see [`Runtime::simulated_time`]. No GPU is looked for, and nothing learned is kept on disk.
    pub fn simulated(mut self, machine: sim::Machine) -> Self {
        self.simulated = Some(machine);
        self
    }

    /// Discovers the devices and starts the executors.
    ///
    /// # Errors
    /// [`RuntimeError`]: a demanded GPU or instruction set is not there, or an environment variable is invalid.
    pub fn build(self) -> Result<Runtime, RuntimeError> {
        let cpu = self.cpu()?;
        let cache = match &self.simulated {
            Some(_) => Cache::Off,
            None => self.cache,
        };
        let mut devices = match &self.simulated {
            Some(machine) => Devices::simulated(cpu, machine),
            #[cfg(feature = "gpu")]
            None => Devices::discover(cpu, self.gpus)?,
            #[cfg(not(feature = "gpu"))]
            None => Devices::discover(cpu),
        };
        devices.set_patience(self.patience);
        devices.open_meters(self.powercap.as_deref());
        if let Some(bytes) = self.gpu_memory {
            devices.set_memory_budget(bytes);
        }
        let books = books(&devices, self.plans_from.as_deref(), self.record_plans)?;
        let store = match cache {
            Cache::OfUser => CostStore::in_user_cache(),
            Cache::In(directory) => CostStore::in_directory(directory),
            Cache::Off => CostStore::nowhere(),
        };
        let trace = Recorder::new(devices.clock(), EVENTS_MAX);
        let verify = self.trace.is_none() && crate::device::environment::verify()?;
        let trace_file =
            crate::device::environment::trace_file().map(|file| crate::store::trace::claim(&file));
        trace.turn(self.trace.unwrap_or(verify || trace_file.is_some()));
        // An imagined machine does everything in one order, so that its clock tells the same time in every run.
        let executors = if devices.simulated_time().is_some() {
            1
        } else {
            EXECUTORS
        };
        let mut runtime = Runtime {
            shared: Shared::new(
                devices,
                Choices {
                    policy: self.policy,
                    objective: self.objective,
                    merging: self.merging,
                    prefetch: !self.no_prefetch,
                    sampling: self.sampling,
                    durability: self.durability,
                },
                books,
                store,
                trace,
            ),
            executors: Vec::new(),
            verify,
            trace_file,
        };
        for number in 0..executors {
            let shared = Arc::clone(&runtime.shared);
            let executor = std::thread::Builder::new()
                .name(format!("impel-executor-{number}"))
                .stack_size(crate::device::cpu::STACK_BYTES)
                .spawn(move || shared.run());
            let executor = executor.map_err(|error| RuntimeError::Threads {
                threads: executors,
                cause: error.to_string(),
            })?;
            runtime.executors.push(executor);
        }
        Ok(runtime)
    }

    fn cpu(&self) -> Result<Cpu, RuntimeError> {
        let level = match self.isa {
            Some(level) => level,
            None => crate::device::environment::isa()?.unwrap_or_else(Level::detect),
        };
        if !level.is_available() {
            let available = Level::available()
                .map(|level| level.to_string())
                .collect::<Vec<_>>()
                .join(", ");
            return Err(RuntimeError::Isa {
                asked: level.to_string(),
                available,
            });
        }
        if let Some(pool) = &self.pool {
            return Ok(Cpu::with_pool(Arc::clone(pool), level));
        }
        let threads = match self.threads {
            Some(threads) => threads.max(1),
            None => crate::device::environment::threads()?
                .unwrap_or_else(crate::device::cpu::usable_cores),
        };
        Cpu::new(threads, level).map_err(|error| RuntimeError::Threads {
            threads,
            cause: error.to_string(),
        })
    }
}

/// The plans to follow and to write.
fn books(devices: &Devices, from: Option<&Path>, record: bool) -> Result<Books, RuntimeError> {
    let here = PlanBook::of_devices(devices.machine.devices().map(|(_, name)| name));
    let followed = match from {
        None => None,
        Some(path) => {
            let book = crate::store::plans::read(path);
            let book = book.map_err(|reason| plans_error(path, reason))?;
            let fits = book.check_machine(&here);
            fits.map_err(|error| plans_error(path, error.to_string()))?;
            Some(book)
        }
    };
    Ok(Books::new(followed, record.then_some(here)))
}

fn plans_error(path: &Path, reason: String) -> RuntimeError {
    RuntimeError::Plans {
        path: path.display().to_string(),
        reason,
    }
}

impl Runtime {
    /// A runtime on every core and every GPU of this machine. Emulated GPUs are left alone.
    ///
    /// # Errors
    /// As [`RuntimeBuilder::build`].
    pub fn new() -> Result<Self, RuntimeError> {
        Self::builder().build()
    }

    /// Choices to make before the runtime starts.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The hardware.
    pub fn machine(&self) -> &Machine {
        &self.shared.devices.machine
    }

    /// An array that takes over `vec`, without a copy.
    ///
    /// # Errors
    /// [`ArrayError::TooLarge`] from 8 GiB on.
    pub fn array_from_vec<T: Element>(&self, vec: Vec<T>) -> Result<Array<T>, ArrayError> {
        Array::adopt(&self.shared, vec)
    }

    /// An array with a copy of `elements`, at a cache line's border.
    ///
    /// # Errors
    /// [`ArrayError::TooLarge`] from 8 GiB on, [`ArrayError::OutOfMemory`].
    pub fn array_from_slice<T: Element>(&self, elements: &[T]) -> Result<Array<T>, ArrayError> {
        let mut array = self.zeros(elements.len())?;
        array.copy_from_slice(0, elements)?;
        Ok(array)
    }

    /// An array of `len` zeros, at a cache line's border.
    ///
    /// # Errors
    /// [`ArrayError::TooLarge`] from 8 GiB on, [`ArrayError::OutOfMemory`].
    pub fn zeros<T: Element>(&self, len: usize) -> Result<Array<T>, ArrayError> {
        Array::zeroed(&self.shared, len)
    }

    /// Starts a launch behind the launches that it depends on, and returns at once.
    ///
    /// Errors that show only when it runs come from [`Pending::wait`] and from reading the arrays that it writes.
    ///
    /// # Errors
    /// [`LaunchError`]: the grid, an array or the policy cannot be right.
    pub fn launch(&self, launch: Launch<'_>) -> Result<Pending<'_>, LaunchError> {
        let started = self.shared.launch(launch.body)?;
        Ok(Pending::new(&self.shared, started))
    }

    /// Records launches, the step of a simulation, to be replayed any number of times; see [`Graph`]. Nothing runs yet.
    ///
    /// # Errors
    /// What `record` returns, and [`GraphError::Period`] if swapped names take too long to come back.
    pub fn graph<'a>(
        &'a self,
        record: impl FnOnce(&mut recording::Recorder<'a>) -> Result<(), GraphError>,
    ) -> Result<Graph<'a>, GraphError> {
        let mut recorder = recording::Recorder::new(&self.shared);
        record(&mut recorder)?;
        recorder.finish()
    }

    /// The plan that the launch would follow now: who does which part, why, how long that should take, and what has to move.
    /// Waits for the launches before it, whose end decides what has to move.
    ///
    /// # Errors
    /// As [`launch`](Self::launch).
    pub fn explain(&self, launch: &Launch<'_>) -> Result<Plan, LaunchError> {
        self.shared.explain(&launch.body)
    }

    /// Measures what every device can do at best, and what it draws, and keeps that for later runs. Waits for all launches; takes a
    /// second for each device. Without this, devices are measured once, when they are first planned with.
    pub fn calibrate(&self) -> Vec<Calibration> {
        self.shared.calibrate()
    }

    /// Keeps the plans of all launches so far in a file, for [`RuntimeBuilder::plans_from`]. Waits for the launches.
    ///
    /// # Errors
    /// [`RuntimeError::Plans`] if the runtime does not [record plans](RuntimeBuilder::record_plans), or the file cannot be written.
    pub fn save_plans(&self, path: impl AsRef<Path>) -> Result<(), RuntimeError> {
        self.sync();
        let path = path.as_ref();
        let written = self.shared.books.written();
        let outcome = written.map_or_else(
            || Err("the runtime was not built with `record_plans(true)`".to_owned()),
            |book| crate::store::plans::write(path, &book),
        );
        outcome.map_err(|reason| plans_error(path, reason))
    }

    /// What happened so far.
    pub fn report(&self) -> Report {
        self.shared.report_so_far()
    }

    /// Every decision and movement so far, if the runtime was [built with a trace](RuntimeBuilder::trace); without, it is empty.
    pub fn trace(&self) -> Trace {
        self.shared.trace_so_far()
    }

    /// Time that has passed on a machine that is [imagined](RuntimeBuilder::simulated); none on real ones.
    pub fn simulated_time(&self) -> Option<Duration> {
        self.shared.devices.simulated_time()
    }

    /// Makes a GPU fail as if its driver had lost it, to try out what a program does then. Nothing happens for other devices.
    pub fn lose_gpu(&self, device: DeviceId) {
        self.shared.lose(device);
    }

    /// The parts that devices are at right now, the oldest first, each with since when and what was predicted: from another thread,
    /// while one waits, it tells a device that hangs from one that is merely slow. A GPU's part that nobody waits for is listed while
    /// its time is being measured.
    pub fn watch(&self) -> Vec<Running> {
        self.shared.read_clocks();
        self.shared.watch.running()
    }

    /// Checks everything that happened since the start, see [`Trace::verify`].
    ///
    /// # Panics
    /// If anything was wrong. That is what `IMPEL_VERIFY=1` asks for, which impel's own tests run with.
    fn verify(&self) {
        if let Err(violations) = self.trace().verify(Ending::Complete) {
            let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
            panic!("the run was not right:\n{}", lines.join("\n"));
        }
    }

    /// Waits for all launches, also on the GPUs.
    pub fn sync(&self) {
        self.shared.sync();
    }

    /// As [`sync`](Self::sync), but gives up after `patience`; whether all launches are finished.
    pub fn sync_timeout(&self, patience: Duration) -> bool {
        self.shared.sync_timeout(patience)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.shared.stop();
        for executor in self.executors.drain(..) {
            // Executors do not panic: launches run behind `catch_unwind`. If one did, its launches are marked by nobody and waiting
            // again would not help.
            drop(executor.join());
        }
        // Arrays that outlive the runtime keep what they hold, but not what could make it again.
        self.shared.forget_launches();
        self.shared.save_costs();
        if let Some(file) = &self.trace_file {
            crate::store::trace::save(&self.trace(), file);
        }
        if self.verify && !std::thread::panicking() {
            self.verify();
        }
    }
}
