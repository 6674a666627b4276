//! What would one write by hand with wgpu? A device, a warm pipeline, buffers that stay; a run is from encoding to a completed poll.

use wgpu::util::{BufferInitDescriptor, DeviceExt as _};

use super::problems::{Dispatch, Problem};
use super::subject::Subject;

/// A problem on a GPU.
pub(crate) struct OnWgpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::ComputePipeline,
    buffers: Vec<wgpu::Buffer>,
    dispatches: Vec<(wgpu::BindGroup, [u32; 3])>,
    results: std::ops::Range<usize>,
    checksum: fn(&[u32]) -> f64,
}

/// Bytes of a word.
const WORD: u64 = 4;

impl OnWgpu {
    /// Opens the first adapter, which the environment chooses, and uploads.
    ///
    /// # Errors
    /// There is no adapter, or it cannot be opened.
    pub(crate) fn prepare(problem: Problem) -> Result<OnWgpu, String> {
        let (device, queue) = open()?;
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(problem.wgsl.into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: None,
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let buffers: Vec<wgpu::Buffer> = problem
            .buffers
            .iter()
            .map(|words| {
                filled(
                    &device,
                    words,
                    wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
                )
            })
            .collect();
        let dispatches = problem
            .dispatches
            .iter()
            .map(|dispatch| {
                (
                    bind(&device, &pipeline, &buffers, dispatch),
                    dispatch.workgroups.map(|count| count as u32),
                )
            })
            .collect();
        let Problem {
            results, checksum, ..
        } = problem;
        Ok(OnWgpu {
            device,
            queue,
            pipeline,
            buffers,
            dispatches,
            results,
            checksum,
        })
    }

    /// Encodes the problem `times` over, then a copy of the beginning of a buffer where one is asked for, and submits it at once.
    pub(crate) fn submit(&self, times: usize, copy: Option<&Copy>) {
        let mut encoder = self
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        pass.set_pipeline(&self.pipeline);
        for _ in 0..times {
            for (group, [x, y, z]) in &self.dispatches {
                pass.set_bind_group(0, group, &[]);
                pass.dispatch_workgroups(*x, *y, *z);
            }
        }
        drop(pass);
        if let Some(Copy { buffer, staging }) = copy {
            encoder.copy_buffer_to_buffer(&self.buffers[*buffer], 0, staging, 0, staging.size());
        }
        self.queue.submit([encoder.finish()]);
    }

    /// Waits until everything submitted is done.
    pub(crate) fn wait(&self) {
        self.device
            .poll(wgpu::PollType::wait_indefinitely())
            .expect("the device works");
    }

    /// A way home for a whole buffer.
    pub(crate) fn copy_of(&self, buffer: usize) -> Copy {
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: self.buffers[buffer].size(),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        Copy { buffer, staging }
    }

    /// Waits for a submitted copy and reads it.
    pub(crate) fn read(&self, copy: &Copy) -> Vec<u32> {
        let slice = copy.staging.slice(..);
        slice.map_async(wgpu::MapMode::Read, |mapped| {
            mapped.expect("a staging buffer can be mapped");
        });
        self.wait();
        let view = slice.get_mapped_range().expect("the buffer is mapped");
        let words = bytemuck::cast_slice(&view).to_vec();
        drop(view);
        copy.staging.unmap();
        words
    }
}

/// A buffer's way home.
pub(crate) struct Copy {
    buffer: usize,
    staging: wgpu::Buffer,
}

impl Subject for OnWgpu {
    fn run(&mut self) {
        self.submit(1, None);
        self.wait();
    }

    fn checksum(&mut self) -> f64 {
        let of = |buffer| {
            let copy = self.copy_of(buffer);
            self.submit(0, Some(&copy));
            (self.checksum)(&self.read(&copy))
        };
        self.results.clone().map(of).sum()
    }
}

/// Whether there is anything to run on.
pub(crate) fn has_adapter() -> bool {
    !adapters().is_empty()
}

/// The adapters that the environment shows.
fn adapters() -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.flags = wgpu::InstanceFlags::empty();
    pollster::block_on(wgpu::Instance::new(descriptor).enumerate_adapters(wgpu::Backends::PRIMARY))
}

/// The first adapter's device, with all its limits.
fn open() -> Result<(wgpu::Device, wgpu::Queue), String> {
    let adapter = adapters().into_iter().next().ok_or("there is no adapter")?;
    let descriptor = wgpu::DeviceDescriptor {
        required_limits: adapter.limits(),
        ..wgpu::DeviceDescriptor::default()
    };
    pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| error.to_string())
}

fn filled(device: &wgpu::Device, words: &[u32], usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.create_buffer_init(&BufferInitDescriptor {
        label: None,
        contents: bytemuck::cast_slice(words),
        usage,
    })
}

/// The bind group of a dispatch, with a uniform buffer of its own.
fn bind(
    device: &wgpu::Device,
    pipeline: &wgpu::ComputePipeline,
    buffers: &[wgpu::Buffer],
    dispatch: &Dispatch,
) -> wgpu::BindGroup {
    let mut uniform = dispatch.uniform.clone();
    uniform.resize(uniform.len().next_multiple_of(4), 0);
    let uniform = filled(device, &uniform, wgpu::BufferUsages::UNIFORM);
    let storage = buffers.iter().map(|buffer| match &dispatch.window {
        None => buffer.as_entire_binding(),
        Some(window) => wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer,
            offset: window.start as u64 * WORD,
            size: wgpu::BufferSize::new(window.len() as u64 * WORD),
        }),
    });
    let resources = std::iter::once(uniform.as_entire_binding()).chain(storage);
    let entries: Vec<_> = (0..)
        .zip(resources)
        .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource })
        .collect();
    let layout = &pipeline.get_bind_group_layout(0);
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout,
        entries: &entries,
    })
}
