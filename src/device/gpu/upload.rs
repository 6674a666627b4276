//! How do words get to the device? Through mapped chunks whose copies are recorded in order with the dispatches.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::Gpu;
use super::health::lock;
use super::memory::{Buffer, WORD};
use super::record::Recorder;
use crate::device::error::DeviceError;
use crate::region::Span;

/// Bytes of one chunk: large enough that a submission is small beside its copy.
const CHUNK_BYTES: u64 = 4 << 20;

/// Chunks of a device, beyond which an upload waits for one to come back.
const CHUNKS_MAX: usize = 8;

/// Views of mapped memory begin at multiples of this.
const VIEW_ALIGNMENT_BYTES: u64 = wgpu::MAP_ALIGNMENT;

/// The chunks of a device that are mapped and free.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    free: Mutex<Vec<wgpu::Buffer>>,
    made: AtomicUsize,
}

impl Chunks {
    /// Bytes of all chunks, free or not.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.made.load(Ordering::Relaxed) as u64 * CHUNK_BYTES
    }

    /// Has a submitted chunk come back when the device has read it.
    pub(super) fn recycle(self: &Arc<Self>, chunk: &wgpu::Buffer) {
        let chunks = Arc::clone(self);
        let again = chunk.clone();
        chunk.map_async(wgpu::MapMode::Write, .., move |outcome| match outcome {
            Ok(()) => lock(&chunks.free).push(again),
            Err(_) => {
                chunks.made.fetch_sub(1, Ordering::Relaxed);
            }
        });
    }
}

/// The chunks of the batch that is being recorded.
#[derive(Debug, Default)]
pub(super) struct Upstream {
    /// The one being filled, and its bytes that are taken.
    current: Option<(wgpu::Buffer, u64)>,
    full: Vec<wgpu::Buffer>,
}

impl Upstream {
    /// Hands over all chunks with recorded copies.
    pub(super) fn take_spent(&mut self) -> Vec<wgpu::Buffer> {
        self.full
            .extend(self.current.take().map(|(chunk, _)| chunk));
        std::mem::take(&mut self.full)
    }
}

impl Gpu {
    /// Records a copy of `words` to the words of `buffer` from `at_word` on: after everything recorded before, before everything
    /// recorded after. The words are read before this returns.
    ///
    /// # Errors
    ///
    /// The range lies outside the buffer, memory is short, the device is lost, or it does not give back a chunk in time.
    pub(crate) fn upload(
        &self,
        buffer: &Buffer,
        at_word: u64,
        words: &[u32],
    ) -> Result<(), DeviceError> {
        self.check_span(
            buffer,
            Span {
                lo: at_word,
                hi: at_word.saturating_add(words.len() as u64),
            },
        )?;
        let mut recorder = lock(&self.recorder);
        let mut to = at_word * WORD;
        let mut rest: &[u8] = bytemuck::cast_slice(words);
        while !rest.is_empty() {
            let (chunk, from) = self.room(&mut recorder)?;
            let bytes = (CHUNK_BYTES - from).min(rest.len() as u64);
            let (now, later) = rest.split_at(bytes as usize);
            write_mapped(&chunk, from, now)
                .map_err(|error| self.health.refused("an upload", &error))?;
            recorder.encoder(&self.device).copy_buffer_to_buffer(
                &chunk,
                from,
                &buffer.raw,
                to,
                bytes,
            );
            recorder.upstream.current =
                Some((chunk, (from + bytes).next_multiple_of(VIEW_ALIGNMENT_BYTES)));
            to += bytes;
            rest = later;
        }
        Ok(())
    }

    /// A chunk with room, and where its room begins.
    fn room(
        &self,
        recorder: &mut MutexGuard<'_, Recorder>,
    ) -> Result<(wgpu::Buffer, u64), DeviceError> {
        match recorder.upstream.current.take() {
            Some((chunk, used)) if used < CHUNK_BYTES => Ok((chunk, used)),
            Some((chunk, _)) => {
                recorder.upstream.full.push(chunk);
                // A full chunk goes at once, so that its copy overlaps with the filling of the next.
                self.flush_locked(recorder)?;
                self.fresh_chunk(recorder)
            }
            None => self.fresh_chunk(recorder),
        }
    }

    fn fresh_chunk(
        &self,
        recorder: &mut MutexGuard<'_, Recorder>,
    ) -> Result<(wgpu::Buffer, u64), DeviceError> {
        let free = || lock(&self.chunks.free).pop();
        if let Some(chunk) = free() {
            return Ok((chunk, 0));
        }
        if self.chunks.made.load(Ordering::Relaxed) < CHUNKS_MAX {
            let usage = wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC;
            let chunk = self.transfer_buffer(CHUNK_BYTES, usage, true)?;
            self.chunks.made.fetch_add(1, Ordering::Relaxed);
            return Ok((chunk, 0));
        }
        let last = self.flush_locked(recorder)?;
        self.wait_until(&last.0, self.patience(), "an upload", || {
            free().map(|chunk| Ok((chunk, 0)))
        })
    }
}

fn write_mapped(chunk: &wgpu::Buffer, from: u64, bytes: &[u8]) -> Result<(), wgpu::MapRangeError> {
    chunk
        .get_mapped_range_mut(from..from + bytes.len() as u64)?
        .copy_from_slice(bytes);
    Ok(())
}
