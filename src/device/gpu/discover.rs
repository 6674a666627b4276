//! Which GPUs are here? Asks every interface, describes each adapter, and keeps each device once.

use super::choose::{select, vendor_name};
use crate::device::error::DeviceError;
use crate::machine::{self, Backend, GpuFeature, GpuLimits, Kind};

/// Which devices to look for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Discovery {
    /// Whether programs that act as GPUs count.
    pub(crate) software: bool,
}

/// A GPU that can be opened.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// What it is.
    pub(crate) about: machine::Gpu,
    adapter: wgpu::Adapter,
}

/// The GPUs of this machine, each once.
pub(crate) fn discover(discovery: Discovery) -> Vec<Candidate> {
    let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends;
    // The drivers' own validation layers cost time and exist for developers of drivers: never by default.
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    let adapters = pollster::block_on(instance.enumerate_adapters(backends));
    let found: Vec<machine::Gpu> = adapters
        .iter()
        .map(|adapter| describe(&adapter.get_info(), &adapter.limits(), adapter.features()))
        .collect();
    let mut adapters: Vec<Option<wgpu::Adapter>> = adapters.into_iter().map(Some).collect();
    select(&found, discovery.software)
        .into_iter()
        .filter_map(|index| {
            Some(Candidate {
                about: found[index].clone(),
                adapter: adapters[index].take()?,
            })
        })
        .collect()
}

impl Candidate {
    /// Opens the device with all that the adapter can do and impel uses.
    pub(super) fn request(&self) -> Result<(wgpu::Device, wgpu::Queue), DeviceError> {
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("impel"),
            required_features: self.adapter.features() & WANTED,
            required_limits: self.adapter.limits(),
            ..wgpu::DeviceDescriptor::default()
        };
        pollster::block_on(self.adapter.request_device(&descriptor)).map_err(|error| {
            DeviceError::Open {
                device: self.about.name.clone(),
                detail: error.to_string(),
            }
        })
    }
}

/// Optional features that are asked for where the adapter has them.
const WANTED: wgpu::Features = wgpu::Features::TIMESTAMP_QUERY;

/// An adapter or a device in impel's words.
pub(super) fn describe(
    info: &wgpu::AdapterInfo,
    limits: &wgpu::Limits,
    features: wgpu::Features,
) -> machine::Gpu {
    machine::Gpu {
        name: info.name.clone(),
        vendor: vendor_name(info.vendor),
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => Kind::Discrete,
            wgpu::DeviceType::IntegratedGpu => Kind::Integrated,
            wgpu::DeviceType::VirtualGpu => Kind::Virtual,
            wgpu::DeviceType::Cpu => Kind::Software,
            wgpu::DeviceType::Other => Kind::Unknown,
        },
        backend: match info.backend {
            wgpu::Backend::Vulkan => Backend::Vulkan,
            wgpu::Backend::Metal => Backend::Metal,
            wgpu::Backend::Dx12 => Backend::Dx12,
            _ => Backend::Other,
        },
        driver: [info.driver.as_str(), info.driver_info.as_str()]
            .join(" ")
            .trim()
            .to_owned(),
        pci_address: Some(info.device_pci_bus_id.clone()).filter(|address| !address.is_empty()),
        ids: (info.vendor, info.device),
        limits: GpuLimits {
            buffer_bytes_max: limits.max_buffer_size,
            binding_bytes_max: limits.max_storage_buffer_binding_size,
            storage_alignment_bytes: limits.min_storage_buffer_offset_alignment,
            storage_buffers_max: limits.max_storage_buffers_per_shader_stage,
            workgroups_per_dimension_max: limits.max_compute_workgroups_per_dimension,
            invocations_per_workgroup_max: limits.max_compute_invocations_per_workgroup,
            workgroup_size_max: [
                limits.max_compute_workgroup_size_x,
                limits.max_compute_workgroup_size_y,
                limits.max_compute_workgroup_size_z,
            ],
            workgroup_memory_bytes_max: limits.max_compute_workgroup_storage_size,
        },
        features: [
            (wgpu::Features::TIMESTAMP_QUERY, GpuFeature::Timestamps),
            (wgpu::Features::SHADER_F16, GpuFeature::F16),
            (wgpu::Features::SHADER_F64, GpuFeature::F64),
            (wgpu::Features::SUBGROUP, GpuFeature::Subgroups),
        ]
        .into_iter()
        .filter_map(|(flag, feature)| features.contains(flag).then_some(feature))
        .collect(),
    }
}
