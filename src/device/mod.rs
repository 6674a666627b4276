//! How is a part of a launch carried out? One folder per kind of device: the only code that names rayon, wgpu or a clock.

pub(crate) mod cpu;
pub(crate) mod environment;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;

use crate::cost::{DeviceKey, DeviceLimits};
use crate::error::RuntimeError;
use crate::machine::{DeviceId, Machine};
use cpu::Cpu;

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
    /// Most bytes of arrays on each.
    pub(crate) budget_bytes: Option<u64>,
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
            budget_bytes: None,
            lent: Vec::new(),
        }
    }
}

/// Every device of a runtime.
#[derive(Debug)]
pub(crate) struct Devices {
    pub(crate) machine: Machine,
    pub(crate) cpu: Cpu,
    #[cfg(feature = "gpu")]
    pub(crate) gpus: Vec<gpu::Gpu>,
    /// When work was last handed to the GPUs by [`flush_if_due`](Self::flush_if_due).
    #[cfg(feature = "gpu")]
    flushed: std::sync::Mutex<Option<std::time::Instant>>,
    /// Keys of recorded costs, the CPU's first.
    keys: Vec<DeviceKey>,
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
                Ok(gpu) => gpus.push(gpu),
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
        if let Some(bytes) = choice.budget_bytes {
            for gpu in &gpus {
                gpu.set_memory_budget(bytes);
            }
        }
        let machine = Machine {
            cpu: cpu.describe(),
            gpus: gpus.iter().map(|gpu| gpu.about().clone()).collect(),
        };
        let keys = keys(&machine);
        Ok(Self {
            machine,
            cpu,
            gpus,
            flushed: std::sync::Mutex::default(),
            keys,
        })
    }

    /// The CPU.
    #[cfg(not(feature = "gpu"))]
    #[allow(clippy::unnecessary_wraps, reason = "as with GPUs")]
    pub(crate) fn discover(cpu: Cpu) -> Result<Self, RuntimeError> {
        let machine = Machine {
            cpu: cpu.describe(),
            gpus: Vec::new(),
        };
        let keys = keys(&machine);
        Ok(Self { machine, cpu, keys })
    }

    /// Whether there is nothing but the CPU.
    pub(crate) fn cpu_only(&self) -> bool {
        self.machine.gpus.is_empty()
    }

    /// Key of a device's recorded costs.
    pub(crate) fn key(&self, device: DeviceId) -> DeviceKey {
        self.keys[usize::from(device.0)]
    }

    /// All devices, the CPU first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = DeviceId> + use<> {
        (0..self.keys.len()).map(|number| DeviceId(number as u8))
    }

    /// Measures a device; none if it fails while doing so.
    pub(crate) fn measure(&self, device: DeviceId) -> Option<DeviceLimits> {
        if device == DeviceId::CPU {
            return Some(self.cpu.measure());
        }
        #[cfg(feature = "gpu")]
        return self.gpu(device).measure().ok();
        #[cfg(not(feature = "gpu"))]
        None
    }

    /// The GPU behind an id other than the CPU's.
    #[cfg(feature = "gpu")]
    pub(crate) fn gpu(&self, device: DeviceId) -> &gpu::Gpu {
        &self.gpus[usize::from(device.0) - 1]
    }

    /// Gives a GPU up.
    #[cfg(feature = "gpu")]
    pub(crate) fn lose(&self, device: DeviceId) {
        if device != DeviceId::CPU && usize::from(device.0) <= self.gpus.len() {
            self.gpu(device).destroy();
        }
    }

    /// Hands recorded work to the GPUs.
    #[cfg_attr(
        not(feature = "gpu"),
        allow(clippy::unused_self, reason = "as with GPUs")
    )]
    pub(crate) fn flush(&self) {
        #[cfg(feature = "gpu")]
        for gpu in &self.gpus {
            // A failure stays with the GPU and is told to whoever needs its results.
            drop(gpu.flush());
        }
    }

    /// Hands recorded work to the GPUs unless that was done a moment ago: a single launch starts at once, and a chain of them goes in
    /// batches. Whether it did.
    #[cfg(feature = "gpu")]
    pub(crate) fn flush_if_due(&self) -> bool {
        let now = std::time::Instant::now();
        let mut flushed = self
            .flushed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = flushed.is_none_or(|flushed| now - flushed >= FLUSH_EVERY);
        if due {
            *flushed = Some(now);
            drop(flushed);
            self.flush();
        }
        due
    }

    /// Without GPUs nothing is ever due.
    #[cfg(not(feature = "gpu"))]
    #[allow(clippy::unused_self, reason = "as with GPUs")]
    pub(crate) fn flush_if_due(&self) -> bool {
        true
    }

    /// Waits until the GPUs have done what was recorded.
    #[cfg_attr(
        not(feature = "gpu"),
        allow(clippy::unused_self, reason = "as with GPUs")
    )]
    pub(crate) fn wait(&self) {
        #[cfg(feature = "gpu")]
        for gpu in &self.gpus {
            // As in `flush`.
            drop(gpu.flush().and_then(|ticket| gpu.wait(&ticket, WAIT_MAX)));
        }
    }
}

/// Least time between two batches of launches that are recorded one by one.
#[cfg(feature = "gpu")]
const FLUSH_EVERY: std::time::Duration = std::time::Duration::from_micros(200);

/// How long to wait for a GPU before it counts as hung.
#[cfg(feature = "gpu")]
pub(crate) const WAIT_MAX: std::time::Duration = std::time::Duration::from_mins(1);

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
