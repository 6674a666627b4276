//! What does an imagined machine consist of? Speeds, memories and links of a CPU and any number of GPUs, as a program writes them
//! down.

use super::Fault;
use crate::cost::{DeviceLimits, Link, Power};
use crate::machine::{self, Backend, GpuFeature, GpuLimits, Kind};

/// A machine that is imagined: give it to [`RuntimeBuilder::simulated`](crate::RuntimeBuilder::simulated) to try a program on hardware
/// that is not here.
///
/// All results are real: kernels run on this machine's CPU, each simulated GPU on memory of its own. Only time is imagined: see
/// [`Runtime::simulated_time`](crate::Runtime::simulated_time).
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// What the CPU does at best; its links are not used.
    pub cpu: DeviceLimits,
    /// What the CPU draws, if that is known; without, no launch can save energy.
    pub cpu_power: Option<Power>,
    /// The GPUs: devices 1 and up, in this order.
    pub gpus: Vec<Gpu>,
    /// Parts take up to this fraction more or less than they should, …
    pub noise: f64,
    /// … drawn from this.
    pub seed: u64,
    /// What goes wrong on them, and when.
    pub faults: Vec<Fault>,
}

/// A GPU that is imagined.
#[derive(Clone, Debug, PartialEq)]
pub struct Gpu {
    /// How people call it.
    pub name: String,
    /// What it and its links do at best.
    pub limits: DeviceLimits,
    /// What it draws, if that is known; copies draw nothing beyond that.
    pub power: Option<Power>,
    /// Most bytes of arrays that it can hold.
    pub memory_bytes: u64,
    /// Largest array, in bytes, that a kernel can see.
    pub binding_bytes_max: u64,
    /// Whether it works on the CPU's memory bus: then the two slow each other down, as far as they wait for memory.
    pub shares_memory: bool,
    /// Whether copies run beside kernels, and up beside down; otherwise one thing happens at a time, as on GPUs behind wgpu.
    pub overlap: bool,
}

impl Machine {
    /// A desktop's CPU and no GPU. At work it draws what an Intel Core i5-10400 may draw for long (65 W by its product specifications);
    /// the 10 W of one that does nothing are an estimate.
    pub fn desktop() -> Self {
        Self {
            cpu: DeviceLimits {
                bandwidth_bytes_per_s: 5e10,
                near_bytes: 0.0,
                near_bytes_per_s: 5e10,
                ops_per_s: 5e11,
                special_ops_per_s: 5e10,
                launch_ns: 5e3,
                up: Link::NONE,
                down: Link::NONE,
            },
            cpu_power: Some(Power {
                idle_w: 10.0,
                busy_w: 65.0,
            }),
            gpus: Vec::new(),
            noise: 0.0,
            seed: 0,
            faults: Vec::new(),
        }
    }

    /// The same machine with one more GPU.
    pub fn with(mut self, gpu: Gpu) -> Self {
        self.gpus.push(gpu);
        self
    }

    /// The same machine, where parts take up to `fraction` more or less than they should, as `seed` decides.
    pub fn with_noise(mut self, fraction: f64, seed: u64) -> Self {
        (self.noise, self.seed) = (fraction, seed);
        self
    }

    /// The same machine with faults to come.
    pub fn with_faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults.extend(faults);
        self
    }
}

impl Gpu {
    /// A card in a slot: ten times a desktop's CPU, behind a link of 12 GB/s. At work it draws what an NVIDIA `GeForce` RTX 3060 may draw
    /// (170 W by its specifications); the 15 W of one that does nothing are an estimate.
    pub fn card() -> Self {
        let link = Link {
            latency_ns: 1e4,
            bytes_per_s: 1.2e10,
        };
        Self {
            name: "simulated card".to_owned(),
            limits: DeviceLimits {
                bandwidth_bytes_per_s: 5e11,
                near_bytes: 0.0,
                near_bytes_per_s: 5e11,
                ops_per_s: 1e13,
                special_ops_per_s: 1e12,
                launch_ns: 2e4,
                up: link,
                down: link,
            },
            power: Some(Power {
                idle_w: 15.0,
                busy_w: 170.0,
            }),
            memory_bytes: 8 << 30,
            binding_bytes_max: 2 << 30,
            shares_memory: false,
            overlap: false,
        }
    }

    /// The same GPU under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same GPU with another power.
    pub fn with_power(mut self, idle_w: f64, busy_w: f64) -> Self {
        self.power = Some(Power { idle_w, busy_w });
        self
    }

    /// The same GPU with so much memory.
    pub fn with_memory(mut self, bytes: u64) -> Self {
        self.memory_bytes = bytes;
        self
    }

    /// The GPU as a machine's description lists it.
    pub(super) fn describe(&self) -> machine::Gpu {
        machine::Gpu {
            name: self.name.clone(),
            vendor: "impel".to_owned(),
            kind: Kind::Virtual,
            backend: Backend::Other,
            driver: "simulated".to_owned(),
            pci_address: None,
            ids: (0, 0),
            limits: GpuLimits {
                buffer_bytes_max: self.binding_bytes_max,
                binding_bytes_max: self.binding_bytes_max,
                storage_alignment_bytes: 32,
                storage_buffers_max: 16,
                workgroups_per_dimension_max: 65_535,
                invocations_per_workgroup_max: 1024,
                workgroup_size_max: [1024, 1024, 64],
                workgroup_memory_bytes_max: 48 << 10,
            },
            features: vec![GpuFeature::Timestamps],
        }
    }
}
