//! How much energy has an NVIDIA GPU drawn? The counter that its driver's management library shows; the library is loaded when it is
//! first asked for, so that programs run without it.

use std::sync::OnceLock;

use nvml_wrapper::Nvml;

use crate::machine::Gpu;

/// NVIDIA's number among makers of PCI devices.
const VENDOR: u32 = 0x10de;

/// The energy counter of one GPU.
#[derive(Debug)]
pub(super) struct Counter {
    /// The GPU's place on the PCI bus.
    pci: String,
    start_mj: u64,
}

impl Counter {
    /// Opens the counter of `gpu`; energy is counted from here on.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn open(gpu: &Gpu) -> Result<Self, String> {
        if gpu.ids.0 != VENDOR {
            return Err(format!(
                "{} has no energy counter that impel knows",
                gpu.name
            ));
        }
        let pci = gpu.pci_address.clone().ok_or_else(|| {
            format!("the energy counter of {} cannot be told from others: its driver tells no PCI address", gpu.name)
        })?;
        let start_mj = energy_mj(&pci)?;
        Ok(Self { pci, start_mj })
    }

    /// Joules drawn since it was opened.
    ///
    /// # Errors
    /// What the driver says.
    pub(super) fn joules(&self) -> Result<f64, String> {
        let now_mj = energy_mj(&self.pci)?;
        Ok(now_mj.saturating_sub(self.start_mj) as f64 / 1e3)
    }
}

fn energy_mj(pci: &str) -> Result<u64, String> {
    static LIBRARY: OnceLock<Result<Nvml, String>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        Nvml::init().map_err(|error| format!("NVIDIA's management library: {error}"))
    });
    let library = library.as_ref().map_err(Clone::clone)?;
    let energy = library
        .device_by_pci_bus_id(pci)
        .and_then(|device| device.total_energy_consumption());
    energy.map_err(|error| format!("the energy counter of the GPU at {pci}: {error}"))
}
