//! How is a part of a launch carried out? One folder per kind of device: the only code that names rayon, wgpu or a clock.

mod accelerator;
mod clock;
pub(crate) mod cpu;
mod deadline;
mod energy;
pub(crate) mod environment;
mod error;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
mod pace;
pub mod sim;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use accelerator::Engine;
pub(crate) use accelerator::{
    Accelerator, Argument, Buffer, Dispatch, Dispatched, Download, Patience, Timing,
};
pub(crate) use error::DeviceError;

use crate::cost::{DeviceKey, DeviceLimits, Power, Work};
#[cfg(feature = "gpu")]
use crate::error::RuntimeError;
use crate::machine::{DeviceId, Kind, Machine};
use cpu::Cpu;
pub(crate) use deadline::Deadline;
use energy::Meters;
use pace::{Late, Pace};

/// A pool of CPU workers, as callers make them.
pub type Pool = rayon::ThreadPool;
/// A GPU that a caller has opened.
#[cfg(feature = "gpu")]
pub type WgpuDevice = wgpu::Device;
/// The queue of a GPU that a caller has opened.
#[cfg(feature = "gpu")]
pub type WgpuQueue = wgpu::Queue;

/// Which GPUs to use.
#[cfg(feature = "gpu")]
#[derive(Debug)]
pub(crate) struct GpuChoice {
    /// Whether to look for any.
    pub(crate) look: bool,
    /// Whether to fail without one.
    pub(crate) require: bool,
    /// Whether software counts; none leaves it to the environment.
    pub(crate) software: Option<bool>,
    /// Opened by the caller.
    pub(crate) lent: Vec<(WgpuDevice, WgpuQueue)>,
}

#[cfg(feature = "gpu")]
impl Default for GpuChoice {
    fn default() -> Self {
        Self {
            look: true,
            require: false,
            software: None,
            lent: Vec::new(),
        }
    }
}

/// Every device of a runtime.
#[derive(Debug)]
pub(crate) struct Devices {
    pub(crate) machine: Machine,
    pub(crate) cpu: Cpu,
    gpus: Vec<Accelerator>,
    /// The clock of a machine that is imagined.
    world: Option<Arc<sim::World>>,
    /// What an imagined CPU does at best.
    cpu_limits: Option<DeviceLimits>,
    /// When recorded launches are handed over.
    pace: Mutex<Pace>,
    /// Keys of recorded costs, the CPU's first.
    keys: Vec<DeviceKey>,
    meters: Meters,
}

impl Devices {
    /// The CPU and the chosen GPUs. A GPU that cannot be opened is left out.
    #[cfg(feature = "gpu")]
    pub(crate) fn discover(cpu: Cpu, choice: GpuChoice) -> Result<Self, RuntimeError> {
        let software = choice
            .software
            .map_or_else(environment::software_gpus, |software| Ok(Some(software)))?;
        let found = if choice.look {
            gpu::discover(gpu::Discovery {
                software: software.unwrap_or(false),
            })
        } else {
            Vec::new()
        };
        let (mut gpus, mut failures) = (Vec::new(), Vec::new());
        let lent = choice
            .lent
            .into_iter()
            .map(|(device, queue)| gpu::Gpu::adopt(device, queue));
        for opened in lent.chain(found.iter().map(gpu::Gpu::open)) {
            match opened {
                Ok(gpu) => gpus.push(Accelerator::new(Engine::Driven(Arc::new(gpu)))),
                Err(error) => failures.push(error.to_string()),
            }
        }
        if choice.require && gpus.is_empty() {
            let found = if failures.is_empty() {
                String::new()
            } else {
                format!(" that works ({})", failures.join("; "))
            };
            return Err(RuntimeError::NoGpu { found });
        }
        Ok(Self::of(cpu, gpus))
    }

    /// The CPU.
    #[cfg(not(feature = "gpu"))]
    pub(crate) fn discover(cpu: Cpu) -> Self {
        Self::of(cpu, Vec::new())
    }

    /// The devices of an imagined machine; `cpu` computes what all of them compute.
    pub(crate) fn simulated(cpu: Cpu, machine: &sim::Machine) -> Self {
        let world = sim::World::new(machine);
        let level = cpu.level();
        let gpus = (1..=machine.gpus.len()).map(|id| {
            let gpu = sim::SimGpu::new(DeviceId(id as u8), machine, level, &world);
            Accelerator::new(Engine::Simulated(Box::new(gpu)))
        });
        let mut devices = Self::of(cpu, gpus.collect());
        "simulated CPU".clone_into(&mut devices.machine.cpu.model);
        devices.keys = keys(&devices.machine);
        devices.cpu_limits = Some(machine.cpu);
        devices.world = Some(world);
        devices
    }

    fn of(cpu: Cpu, gpus: Vec<Accelerator>) -> Self {
        let machine = Machine {
            cpu: cpu.describe(),
            gpus: gpus.iter().map(|gpu| gpu.about().clone()).collect(),
        };
        Self {
            keys: keys(&machine),
            machine,
            cpu,
            gpus,
            world: None,
            cpu_limits: None,
            pace: Mutex::default(),
            meters: Meters::closed(),
        }
    }

    /// Opens the energy counters of this machine, those of the processor under `powercap` if that is given.
    pub(crate) fn open_meters(&mut self, powercap: Option<&Path>) {
        self.meters = match &self.world {
            Some(world) => Meters::imagined(&self.machine, world),
            None => Meters::open(&self.machine, powercap),
        };
    }

    /// Joules drawn since the counters were opened, by each device that has one.
    pub(crate) fn joules(&self) -> Vec<(DeviceId, f64)> {
        self.meters.all_joules()
    }

    /// What a device draws; takes half a second.
    ///
    /// # Errors
    /// Why nobody knows.
    pub(crate) fn measure_power(&self, device: DeviceId) -> Result<Power, String> {
        self.meters.measure(device, || {
            // What it measures is of no interest, and a failure shows when the device is next used.
            let _ = self.measure(device);
        })
    }

    /// Sets the most bytes of arrays that each GPU may hold.
    pub(crate) fn set_memory_budget(&self, bytes: u64) {
        for gpu in &self.gpus {
            gpu.set_memory_budget(bytes);
        }
    }

    /// Sets how long GPUs may take before they count as hung.
    pub(crate) fn set_patience(&mut self, patience: Patience) {
        for gpu in &mut self.gpus {
            gpu.set_patience(patience);
        }
    }

    /// Whether there is nothing but the CPU.
    pub(crate) fn cpu_only(&self) -> bool {
        self.gpus.is_empty()
    }

    /// Key of a device's recorded costs.
    pub(crate) fn key(&self, device: DeviceId) -> DeviceKey {
        self.keys[usize::from(device.0)]
    }

    /// All devices, the CPU first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = DeviceId> + use<> {
        (0..self.keys.len()).map(|number| DeviceId(number as u8))
    }

    /// The longest that one dispatch may take on a device, in ns: systems stop what keeps a GPU busy for a few seconds, and
    /// predictions err.
    pub(crate) fn dispatch_ns_max(&self, device: DeviceId) -> f64 {
        const GPU_NS_MAX: f64 = 5e8;
        let gpu = usize::from(device.0).checked_sub(1);
        match gpu.map(|at| self.machine.gpus[at].kind) {
            None | Some(Kind::Software) => f64::INFINITY,
            Some(Kind::Discrete | Kind::Integrated | Kind::Virtual | Kind::Unknown) => GPU_NS_MAX,
        }
    }

    /// Measures a device; none if it fails while doing so.
    pub(crate) fn measure(&self, device: DeviceId) -> Option<DeviceLimits> {
        if device == DeviceId::CPU {
            return Some(self.cpu_limits.unwrap_or_else(|| self.cpu.measure()));
        }
        self.gpu(device).measure().ok()
    }

    /// Runs a part on the CPU, to its end: how long that took, in ns of the machine's clock, which may be imagined.
    pub(crate) fn run_on_cpu(
        &self,
        part: &cpu::Part<'_>,
        work: Work,
    ) -> Result<u64, cpu::Panicked> {
        let ns = self.cpu.run(part)?;
        Ok(self
            .world
            .as_ref()
            .map_or(ns, |world| world.work_on_cpu(work) as u64))
    }

    /// Time that has passed on a machine that is imagined.
    pub(crate) fn simulated_time(&self) -> Option<Duration> {
        let world = self.world.as_ref()?;
        Some(Duration::from_nanos(world.now() as u64))
    }

    /// The clock of traces and reports, in ns: the imagined one where the machine is imagined.
    pub(crate) fn clock(&self) -> Arc<dyn Fn() -> u64 + Send + Sync> {
        match &self.world {
            Some(world) => {
                let world = Arc::clone(world);
                Arc::new(move || world.now() as u64)
            }
            None => clock::from_now(),
        }
    }

    /// The GPU behind an id other than the CPU's.
    pub(crate) fn gpu(&self, device: DeviceId) -> &Accelerator {
        &self.gpus[usize::from(device.0) - 1]
    }

    /// Gives a GPU up.
    pub(crate) fn lose(&self, device: DeviceId) {
        if device != DeviceId::CPU && usize::from(device.0) <= self.gpus.len() {
            self.gpu(device).destroy();
        }
    }

    /// Hands recorded work to the GPUs.
    pub(crate) fn flush(&self) {
        for gpu in &self.gpus {
            // A failure stays with the GPU and is told to whoever needs its results.
            drop(gpu.flush());
        }
    }

    /// Hands a launch that was just recorded to the GPUs, unless it should go with what follows: a single launch starts at once, a
    /// chain of them goes in batches, and one whose results will be read at once goes with the read. Whether it did.
    pub(crate) fn flush_if_due(&self) -> bool {
        if self.cpu_only() {
            return true;
        }
        let due = self.pace().record(Instant::now());
        if due {
            self.flush();
        }
        due
    }

    /// Notes that somebody waits for what was recorded.
    pub(crate) fn note_wait(&self) {
        if !self.cpu_only() {
            self.pace().wait(Instant::now());
        }
    }

    /// Hands over what was recorded a while ago. Whether there may be more in a moment.
    pub(crate) fn flush_late(&self) -> bool {
        let late = self.pace().late(Instant::now());
        if late != Late::Later {
            self.flush();
        }
        late != Late::Now
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the GPUs have done what was recorded.
    pub(crate) fn wait(&self) {
        self.note_wait();
        for gpu in &self.gpus {
            // As in `flush`.
            drop(gpu.flush().and_then(|ticket| gpu.wait(&ticket)));
        }
    }

    /// As [`wait`](Self::wait), but no longer than until `deadline`. Whether they have done it.
    pub(crate) fn wait_until(&self, deadline: Deadline) -> bool {
        self.note_wait();
        for gpu in &self.gpus {
            let left = deadline.left().unwrap_or_default();
            let ended = gpu.flush().map(|ticket| gpu.wait_within(&ticket, left));
            if let Ok(false) = ended {
                return false;
            }
        }
        true
    }
}

/// A device's key names what it is, its driver, and this version of impel: costs of another are not trusted.
fn keys(machine: &Machine) -> Vec<DeviceKey> {
    let version = env!("CARGO_PKG_VERSION");
    let cpu = &machine.cpu;
    let mut keys = vec![DeviceKey::new(&format!(
        "{version}|{}|{}|{}",
        cpu.model, cpu.threads, cpu.level
    ))];
    for gpu in &machine.gpus {
        keys.push(DeviceKey::new(&format!(
            "{version}|{}|{:?}|{}",
            gpu.name, gpu.backend, gpu.driver
        )));
    }
    keys
}
