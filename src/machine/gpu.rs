//! What is a GPU? Name, maker, kind, the interface it is reached through, its driver, limits and features.

use std::fmt;

use super::{bytes_words, wrapped};

/// A GPU, or a program that acts as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// The driver's name for it.
    pub name: String,
    /// Who made it, or its vendor number.
    pub vendor: String,
    /// How it is attached.
    pub kind: Kind,
    /// The interface that it is used through.
    pub backend: Backend,
    /// The driver and its version.
    pub driver: String,
    /// Place on the PCI bus, where known.
    pub pci_address: Option<String>,
    /// Vendor and device number: equal for the same device through every interface.
    pub ids: (u32, u32),
    /// The limits it is opened with: its own.
    pub limits: GpuLimits,
    /// What else it can do.
    pub features: Vec<GpuFeature>,
}

/// How a GPU is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A card with its own memory.
    Discrete,
    /// It shares the processor's memory.
    Integrated,
    /// A part of a GPU, lent to a virtual machine.
    Virtual,
    /// A program on the CPU's cores: for tests, and never used unless asked for.
    Software,
    /// Not told.
    Unknown,
}

/// The interface that a GPU is used through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Backend {
    /// Vulkan: preferred.
    Vulkan,
    /// Metal, on Apple's systems.
    Metal,
    /// Direct3D 12, on Windows.
    Dx12,
    /// Anything else.
    Other,
}

/// What a GPU can take at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuLimits {
    /// Largest buffer.
    pub buffer_bytes_max: u64,
    /// Largest part of a buffer that a kernel can see.
    pub binding_bytes_max: u64,
    /// Alignment of such a part.
    pub storage_alignment_bytes: u32,
    /// Storage buffers that a kernel can bind.
    pub storage_buffers_max: u32,
    /// Workgroups along each dimension of a dispatch.
    pub workgroups_per_dimension_max: u32,
    /// Invocations in a workgroup.
    pub invocations_per_workgroup_max: u32,
    /// Invocations in a workgroup along x, y, z.
    pub workgroup_size_max: [u32; 3],
    /// Memory of a workgroup.
    pub workgroup_memory_bytes_max: u32,
}

impl GpuLimits {
    /// Longest bound part of a buffer, in 32-bit words.
    pub const fn binding_words_max(&self) -> u64 {
        self.binding_bytes_max / 4
    }

    /// Longest buffer, in 32-bit words.
    pub const fn buffer_words_max(&self) -> u64 {
        self.buffer_bytes_max / 4
    }

    /// A bound part of a buffer begins at a multiple of this many words.
    pub const fn storage_alignment_words(&self) -> u64 {
        let words = self.storage_alignment_bytes as u64 / 4;
        if words == 0 { 1 } else { words }
    }
}

/// What a device can do side by side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Nothing: copies and kernels take their turns, as on a device with one queue.
    #[default]
    None,
    /// Copies run beside kernels, one direction at a time.
    HalfDuplex,
    /// Copies run beside kernels, up beside down.
    FullDuplex,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "one thing at a time",
            Self::HalfDuplex => "copies beside kernels",
            Self::FullDuplex => "copies beside kernels, both ways at once",
        })
    }
}

/// What a GPU can do besides what every one can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GpuFeature {
    /// It can time dispatches itself.
    Timestamps,
    /// 16-bit floats.
    F16,
    /// 64-bit floats.
    F64,
    /// Operations across the invocations of a subgroup.
    Subgroups,
}

impl Gpu {
    /// Whether it can do something besides what every GPU can.
    pub fn has(&self, feature: GpuFeature) -> bool {
        self.features.contains(&feature)
    }
}

impl fmt::Display for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let features: Vec<String> = self.features.iter().map(GpuFeature::to_string).collect();
        let features = if features.is_empty() {
            "no optional features".to_owned()
        } else {
            features.join(", ")
        };
        let limits = &self.limits;
        f.write_str(&wrapped(&format!(
            "{kind}, {name}\n  {vendor}, {backend}, {driver}\n  buffers of {buffer}, {binding} bound at once\n  \
             workgroups of {invocations} invocations, {memory} memory, {workgroups} a dimension\n  {features}",
            kind = self.kind,
            name = self.name,
            vendor = self.vendor,
            backend = self.backend,
            driver = self.driver,
            buffer = bytes_words(limits.buffer_bytes_max),
            binding = bytes_words(limits.binding_bytes_max),
            invocations = limits.invocations_per_workgroup_max,
            memory = bytes_words(limits.workgroup_memory_bytes_max.into()),
            workgroups = limits.workgroups_per_dimension_max,
        )))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Software => "software GPU",
            Self::Unknown => "GPU",
        })
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vulkan => "Vulkan",
            Self::Metal => "Metal",
            Self::Dx12 => "Direct3D 12",
            Self::Other => "another interface",
        })
    }
}

impl fmt::Display for GpuFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timestamps => "timestamps",
            Self::F16 => "f16",
            Self::F64 => "f64",
            Self::Subgroups => "subgroups",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_prints_in_lines_of_80_columns() {
        let text = Gpu {
            name: "Example RTX".to_owned(),
            vendor: "NVIDIA".to_owned(),
            kind: Kind::Discrete,
            backend: Backend::Vulkan,
            driver: "driver 1.0".to_owned(),
            pci_address: None,
            ids: (0x10de, 1),
            limits: GpuLimits {
                buffer_bytes_max: 1 << 31,
                binding_bytes_max: (1 << 31) - 1,
                storage_alignment_bytes: 16,
                storage_buffers_max: 8,
                workgroups_per_dimension_max: 65535,
                invocations_per_workgroup_max: 1024,
                workgroup_size_max: [1024, 1024, 64],
                workgroup_memory_bytes_max: 48 << 10,
            },
            features: vec![GpuFeature::Timestamps],
        }
        .to_string();
        assert!(
            text.starts_with(
                "discrete GPU, Example RTX\n  NVIDIA, Vulkan, driver 1.0\n  buffers of 2 GiB"
            ),
            "{text}"
        );
        assert!(text.ends_with("timestamps"), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
    }
}
