//! What does the device run? Compute pipelines, compiled once per module.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::health::{Health, lock};
use super::memory::WORD;
use crate::device::error::DeviceError;
use crate::kernel::{Binding, Kernel, LAUNCH_WORDS, Space, WINDOW_WORDS};

/// Stack for parsing WGSL: the parser recurses, and a default thread may be too small for a deep module.
const COMPILE_STACK_BYTES: usize = 16 << 20;

/// What identifies a module.
type Key = (usize, usize, usize, Sharing);

/// A module and one of its entry points. The bindings all lie in group 0, in order, with one more uniform buffer behind them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) wgsl: &'static str,
    pub(super) entry: &'static str,
    pub(super) bindings: &'static [Binding],
    /// Words of the uniform buffer behind the bindings.
    pub(super) launch_words: u32,
    /// Whether one buffer stands behind a binding that is read and one that is written.
    pub(super) sharing: Sharing,
}

/// Whether a buffer may stand behind several bindings of a dispatch, as two parts of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Sharing {
    /// Bindings are as the module declares them.
    None,
    /// All storage is bound for writing, since a buffer has one use per dispatch, even in disjoint parts.
    ReadAndWritten,
}

impl Source {
    pub(super) fn of_kernel(kernel: &'static Kernel) -> Self {
        debug_assert_eq!(kernel.gpu.launch_binding as usize, kernel.bindings.len());
        Self {
            name: kernel.name,
            wgsl: kernel.gpu.wgsl,
            entry: kernel.gpu.entry,
            bindings: kernel.bindings,
            launch_words: LAUNCH_WORDS as u32,
            sharing: Sharing::None,
        }
    }

    /// The same kernel where only ranges of its arrays are bound; none if it cannot do with that.
    pub(super) fn of_windowed_kernel(kernel: &'static Kernel) -> Option<Self> {
        let windows = kernel
            .bindings
            .iter()
            .filter(|binding| binding.may_be_windowed());
        Some(Self {
            wgsl: kernel.gpu.windowed?,
            launch_words: (LAUNCH_WORDS + windows.count() * WINDOW_WORDS) as u32,
            ..Self::of_kernel(kernel)
        })
    }

    /// The same kernel by another of its entry points.
    pub(super) fn entering(self, entry: &'static str) -> Self {
        Self { entry, ..self }
    }

    /// The same kernel for arguments of which some share a buffer.
    pub(super) fn shared(self, sharing: Sharing) -> Self {
        Self { sharing, ..self }
    }

    /// The text to compile. Writers of WGSL leave out the access of storage that is only read, or say `read`.
    fn text(&self) -> Cow<'static, str> {
        match self.sharing {
            Sharing::None => self.wgsl.into(),
            Sharing::ReadAndWritten => {
                let written = "var<storage, read_write>";
                self.wgsl
                    .replace("var<storage, read>", written)
                    .replace("var<storage>", written)
                    .into()
            }
        }
    }

    /// Modules are static text, so that their addresses identify them.
    fn key(&self) -> Key {
        (
            self.wgsl.as_ptr() as usize,
            self.wgsl.len(),
            self.entry.as_ptr() as usize,
            self.sharing,
        )
    }
}

/// A compiled module.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) id: u64,
    pub(super) source: Source,
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// Words that a uniform binding of `words` words takes: WGSL rounds the size of a structure to its alignment, 16 bytes at most.
pub(super) fn uniform_words(words: u32) -> u32 {
    words.max(1).next_multiple_of(4)
}

/// All compiled modules of a device.
#[derive(Debug, Default)]
pub(super) struct Programs {
    known: Mutex<HashMap<Key, Arc<Program>>>,
    next_id: AtomicU64,
}

impl Programs {
    /// The compiled form of `source`, compiling it when it is met for the first time.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Validation`] with the compiler's message, or the device is lost.
    pub(super) fn get(
        &self,
        device: &wgpu::Device,
        health: &Health,
        source: Source,
    ) -> Result<Arc<Program>, DeviceError> {
        if let Some(program) = lock(&self.known).get(&source.key()) {
            return Ok(Arc::clone(program));
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let program = Arc::new(compile_on_a_deep_stack(device, health, source, id)?);
        lock(&self.known).insert(source.key(), Arc::clone(&program));
        Ok(program)
    }
}

fn compile_on_a_deep_stack(
    device: &wgpu::Device,
    health: &Health,
    source: Source,
    id: u64,
) -> Result<Program, DeviceError> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name(format!("impel compiles {}", source.name))
            .stack_size(COMPILE_STACK_BYTES)
            .spawn_scoped(scope, || compile(device, health, source, id))
            .map_err(|error| {
                health.invalid(source.name, format!("no thread to compile on: {error}"))
            })?
            .join()
            .unwrap_or_else(|_| Err(health.invalid(source.name, "the driver's compiler panicked")))
    })
}

/// Layout and pipeline of a module. Errors are captured on the calling thread.
fn compile(
    device: &wgpu::Device,
    health: &Health,
    source: Source,
    id: u64,
) -> Result<Program, DeviceError> {
    let what = format!("the GPU module of kernel `{}`", source.name);
    health.guarded(device, &what, || {
        let entries = layout_entries(&source);
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(source.name),
            entries: &entries,
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(source.name),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(source.name),
            source: wgpu::ShaderSource::Wgsl(source.text()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(source.name),
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(source.entry),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        Program {
            id,
            source,
            pipeline,
            layout,
        }
    })
}

fn layout_entries(source: &Source) -> Vec<wgpu::BindGroupLayoutEntry> {
    let kinds = source.bindings.iter().map(|binding| match binding.space {
        Space::Uniform => (
            wgpu::BufferBindingType::Uniform,
            uniform_words(binding.fixed_words),
        ),
        Space::StorageRead => {
            let read_only = source.sharing == Sharing::None;
            (wgpu::BufferBindingType::Storage { read_only }, 0)
        }
        Space::StorageReadWrite => (wgpu::BufferBindingType::Storage { read_only: false }, 0),
    });
    let launch = (
        wgpu::BufferBindingType::Uniform,
        uniform_words(source.launch_words),
    );
    kinds
        .chain([launch])
        .zip(0..)
        .map(|((ty, words), binding)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty,
                has_dynamic_offset: ty == wgpu::BufferBindingType::Uniform,
                min_binding_size: wgpu::BufferSize::new(u64::from(words) * WORD),
            },
            count: None,
        })
        .collect()
}
