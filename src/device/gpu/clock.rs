//! How long did a dispatch take on the device? Timestamps around its pass.

use std::sync::{Arc, Mutex, OnceLock};

use super::health::{Health, lock};
use super::record::DISPATCHES_MAX;
use crate::device::error::DeviceError;

/// Bytes of a timestamp.
const STAMP_BYTES: u64 = 8;

/// Bytes of the timestamps of a full batch.
const STAMPS_BYTES: u64 = DISPATCHES_MAX as u64 * 2 * STAMP_BYTES;

/// The time of one dispatch, once it is known.
#[derive(Clone, Debug)]
pub(super) struct Elapsed(Arc<OnceLock<u64>>);

impl Elapsed {
    pub(super) fn get(&self) -> Option<u64> {
        self.0.get().copied()
    }
}

/// The stopwatches of a device that are free.
#[derive(Debug)]
pub(super) struct Clocks {
    free: Mutex<Vec<Stopwatch>>,
    tick_ns: f64,
}

/// Takes the times of one batch's dispatches.
#[derive(Debug)]
pub(super) struct Stopwatch {
    stamps: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    mapped: wgpu::Buffer,
    times: Vec<Elapsed>,
}

impl Clocks {
    pub(super) fn new(queue: &wgpu::Queue) -> Arc<Self> {
        Arc::new(Self {
            free: Mutex::new(Vec::new()),
            tick_ns: f64::from(queue.get_timestamp_period()),
        })
    }

    pub(super) fn take(
        &self,
        device: &wgpu::Device,
        health: &Health,
    ) -> Result<Stopwatch, DeviceError> {
        if let Some(stopwatch) = lock(&self.free).pop() {
            return Ok(stopwatch);
        }
        let buffer = |usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("impel timestamps"),
                size: STAMPS_BYTES,
                usage,
                mapped_at_creation: false,
            })
        };
        health.guarded(device, "a set of timestamps", || Stopwatch {
            stamps: device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("impel timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: DISPATCHES_MAX * 2,
            }),
            resolved: buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
            mapped: buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            times: Vec::new(),
        })
    }
}

impl Stopwatch {
    /// Prepares for one more dispatch.
    pub(super) fn start(&mut self) -> Elapsed {
        debug_assert!(
            self.times.len() < DISPATCHES_MAX as usize,
            "a batch is submitted when it is full"
        );
        let elapsed = Elapsed(Arc::default());
        self.times.push(elapsed.clone());
        elapsed
    }

    /// Where the pass of the latest dispatch leaves its timestamps.
    pub(super) fn writes(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        let end = self.times.len() as u32 * 2 - 1;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.stamps,
            beginning_of_pass_write_index: Some(end - 1),
            end_of_pass_write_index: Some(end),
        }
    }

    /// Ends the batch: when it is done the times are set, and the stopwatch is free again.
    pub(super) fn stop(self, encoder: &mut wgpu::CommandEncoder, clocks: &Arc<Clocks>) {
        let count = self.times.len() as u32 * 2;
        let bytes = u64::from(count) * STAMP_BYTES;
        encoder.resolve_query_set(&self.stamps, 0..count, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.mapped, 0, bytes);
        let mapped = self.mapped.clone();
        let clocks = Arc::clone(clocks);
        encoder.map_buffer_on_submit(&mapped, wgpu::MapMode::Read, 0..bytes, move |outcome| {
            if outcome.is_ok() {
                lock(&clocks.free).push(self.read(bytes, clocks.tick_ns));
            }
        });
    }

    fn read(mut self, bytes: u64, tick_ns: f64) -> Self {
        let times = std::mem::take(&mut self.times);
        if let Ok(view) = self.mapped.get_mapped_range(0..bytes) {
            let stamps: Vec<u64> = bytemuck::pod_collect_to_vec(&view);
            for (time, pair) in times.iter().zip(stamps.chunks_exact(2)) {
                if let Some(ticks) = pair[1].checked_sub(pair[0]) {
                    // Nobody else sets it.
                    let _ = time.0.set((ticks as f64 * tick_ns) as u64);
                }
            }
        }
        self.mapped.unmap();
        self
    }
}
