//! Which buffers does a dispatch see? Bind groups, kept for launches that are repeated.

use std::collections::HashMap;
use std::sync::Mutex;

use super::health::{Health, lock};
use super::memory::{Buffer, WORD};
use super::program::{Program, Sharing, uniform_words};
use crate::device::error::DeviceError;
use crate::kernel::{Binding, Space};
use crate::region::Span;

/// Bind groups kept; beyond this all are dropped and made anew as needed.
const GROUPS_MAX: usize = 1024;

/// One argument of a dispatch, in the order of the kernel's bindings.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument<'a> {
    /// The words of a uniform buffer. Missing ones at the end are zero.
    Uniform(&'a [u32]),
    /// A part of a buffer behind a storage binding.
    Storage {
        /// The memory.
        buffer: &'a Buffer,
        /// The words of the buffer that are bound; `lo` is a multiple of
        /// [`storage_alignment_words`](crate::machine::GpuLimits::storage_alignment_words).
        bound: Span,
    },
}

/// Whether a buffer is both read and written by a dispatch of a kernel with these bindings.
pub(super) fn sharing(bindings: &[Binding], arguments: &[Argument<'_>]) -> Sharing {
    let buffer_of = |argument: &Argument<'_>| match argument {
        Argument::Uniform(_) => None,
        Argument::Storage { buffer, .. } => Some(buffer.id),
    };
    let of = |space: Space| {
        let all = arguments.iter().zip(bindings);
        all.filter(move |(_, binding)| binding.space == space)
            .filter_map(move |(argument, _)| buffer_of(argument))
    };
    if of(Space::StorageRead).any(|read| of(Space::StorageReadWrite).any(|written| written == read))
    {
        Sharing::ReadAndWritten
    } else {
        Sharing::None
    }
}

/// The bind groups made so far, by program and bound ranges.
#[derive(Debug, Default)]
pub(super) struct BindGroups {
    known: Mutex<HashMap<Box<[u64]>, wgpu::BindGroup>>,
}

impl BindGroups {
    /// The bind group of `program` for `arguments`; uniform bindings point at the start of `page` and get their place by offset.
    /// `key` is scratch space.
    ///
    /// # Errors
    ///
    /// The arguments do not fit the program, or the device is lost.
    pub(super) fn get(
        &self,
        device: &wgpu::Device,
        health: &Health,
        page: &wgpu::Buffer,
        program: &Program,
        arguments: &[Argument<'_>],
        key: &mut Vec<u64>,
    ) -> Result<wgpu::BindGroup, DeviceError> {
        key.clear();
        key.push(program.id);
        for argument in arguments {
            if let Argument::Storage { buffer, bound } = argument {
                key.extend([buffer.id, bound.lo, bound.hi]);
            }
        }
        if let Some(group) = lock(&self.known).get(key.as_slice()) {
            return Ok(group.clone());
        }
        check_fit(health, &device.limits(), program, arguments)?;
        let group = make(device, health, page, program, arguments)?;
        let mut known = lock(&self.known);
        if known.len() >= GROUPS_MAX {
            known.clear();
        }
        known.insert(key.as_slice().into(), group.clone());
        Ok(group)
    }

    /// Drops all groups that hold on to a buffer.
    pub(super) fn forget(&self, buffer: u64) {
        lock(&self.known)
            .retain(|key, _| !key[1..].chunks_exact(3).any(|bound| bound[0] == buffer));
    }
}

fn make(
    device: &wgpu::Device,
    health: &Health,
    page: &wgpu::Buffer,
    program: &Program,
    arguments: &[Argument<'_>],
) -> Result<wgpu::BindGroup, DeviceError> {
    let on_page = |words: u32| wgpu::BufferBinding {
        buffer: page,
        offset: 0,
        size: wgpu::BufferSize::new(u64::from(uniform_words(words)) * WORD),
    };
    let source = &program.source;
    let bound = arguments
        .iter()
        .zip(source.bindings)
        .map(|(argument, binding)| match argument {
            Argument::Uniform(_) => on_page(binding.fixed_words),
            Argument::Storage { buffer, bound } => wgpu::BufferBinding {
                buffer: &buffer.raw,
                offset: bound.lo * WORD,
                size: wgpu::BufferSize::new((bound.hi - bound.lo) * WORD),
            },
        });
    let entries: Vec<_> = bound
        .chain([on_page(source.launch_words)])
        .zip(0..)
        .map(|(buffer, binding)| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::Buffer(buffer),
        })
        .collect();
    health.guarded(device, "a bind group", || {
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(source.name),
            layout: &program.layout,
            entries: &entries,
        })
    })
}

/// Refuses what wgpu would find out only when the whole batch is finished.
fn check_fit(
    health: &Health,
    limits: &wgpu::Limits,
    program: &Program,
    arguments: &[Argument<'_>],
) -> Result<(), DeviceError> {
    let source = &program.source;
    let refuse = |detail: String| {
        Err(health.invalid(format!("a dispatch of kernel `{}`", source.name), detail))
    };
    if arguments.len() != source.bindings.len() {
        return refuse(format!(
            "{} arguments for {} bindings",
            arguments.len(),
            source.bindings.len()
        ));
    }
    for (argument, binding) in arguments.iter().zip(source.bindings) {
        match (argument, binding.space) {
            (Argument::Uniform(words), Space::Uniform)
                if words.len() > uniform_words(binding.fixed_words) as usize =>
            {
                return refuse(format!(
                    "`{}` has {} words, not {}",
                    binding.name,
                    words.len(),
                    binding.fixed_words
                ));
            }
            (Argument::Uniform(_), Space::Uniform) => {}
            (Argument::Storage { buffer, bound }, Space::StorageRead | Space::StorageReadWrite) => {
                let least = u64::from(binding.fixed_words + binding.stride_words);
                let length = bound.hi.saturating_sub(bound.lo);
                if length < least || bound.hi > buffer.words() {
                    return refuse(format!(
                        "`{}` is bound to the words {}..{} of a buffer of {}, and needs {least} at least",
                        binding.name,
                        bound.lo,
                        bound.hi,
                        buffer.words()
                    ));
                }
                if !(bound.lo * WORD)
                    .is_multiple_of(u64::from(limits.min_storage_buffer_offset_alignment))
                {
                    return refuse(format!(
                        "`{}` is bound at word {}, which is not aligned",
                        binding.name, bound.lo
                    ));
                }
                if length * WORD > limits.max_storage_buffer_binding_size {
                    return Err(DeviceError::Limit {
                        device: health.device.clone(),
                        what: "the length of a bound array in 32-bit words",
                        wanted: length,
                        limit: limits.max_storage_buffer_binding_size / WORD,
                    });
                }
            }
            _ => return refuse(format!("`{}` is bound as the wrong kind", binding.name)),
        }
    }
    Ok(())
}
