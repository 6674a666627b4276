//! How do words come home? Through mapped staging buffers, blocking or not.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use super::Gpu;
use super::health::lock;
use super::memory::{Buffer, WORD};
use super::wait::Ticket;
use crate::device::error::DeviceError;
use crate::region::Span;

/// Bytes of the smallest staging buffer.
const STAGING_BYTES_MIN: u64 = 64 << 10;

/// Bytes of staging buffers that are kept for reuse.
const KEPT_BYTES_MAX: u64 = 64 << 20;

/// Words that a blocking download copies at a time: two pieces are under way at once, one copied by the device, one by the host.
const PIECE_WORDS: u64 = 1 << 20;

/// Staging buffers that are free.
#[derive(Debug, Default)]
pub(super) struct Staging {
    free: Mutex<Vec<wgpu::Buffer>>,
}

impl Staging {
    /// Bytes of all free buffers.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        lock(&self.free).iter().map(wgpu::Buffer::size).sum()
    }

    /// The smallest free buffer that is large enough, if there is one.
    fn take(&self, bytes: u64) -> Option<wgpu::Buffer> {
        let mut free = lock(&self.free);
        let fits = free
            .iter()
            .enumerate()
            .filter(|(_, buffer)| buffer.size() >= bytes);
        let best = fits.min_by_key(|(_, buffer)| buffer.size())?.0;
        Some(free.swap_remove(best))
    }

    fn give(&self, buffer: wgpu::Buffer) {
        let mut free = lock(&self.free);
        if free.iter().map(wgpu::Buffer::size).sum::<u64>() + buffer.size() <= KEPT_BYTES_MAX {
            free.push(buffer);
        }
    }
}

/// A download under way.
#[derive(Debug)]
pub(crate) struct Download {
    ticket: Ticket,
    staging: wgpu::Buffer,
    spans: Vec<Span>,
    mapped: Arc<OnceLock<bool>>,
}

impl Gpu {
    /// Submits everything recorded and a copy of the words of `spans` after it.
    ///
    /// # Errors
    ///
    /// A span lies outside the buffer, memory is short, or the device is lost.
    pub(crate) fn begin_download(
        &self,
        buffer: &Buffer,
        spans: &[Span],
    ) -> Result<Download, DeviceError> {
        for span in spans {
            self.check_span(buffer, *span)?;
        }
        let bytes = spans.iter().map(|span| span.words()).sum::<u64>() * WORD;
        let staging = self.staging_of(bytes.max(WORD))?;
        let mapped = Arc::new(OnceLock::new());
        let mut recorder = lock(&self.recorder);
        let encoder = recorder.encoder(&self.device);
        let mut at = 0;
        for span in spans.iter().filter(|span| !span.is_empty()) {
            encoder.copy_buffer_to_buffer(
                &buffer.raw,
                span.lo * WORD,
                &staging,
                at,
                span.words() * WORD,
            );
            at += span.words() * WORD;
        }
        let flag = Arc::clone(&mapped);
        encoder.map_buffer_on_submit(
            &staging,
            wgpu::MapMode::Read,
            0..bytes.max(WORD),
            move |outcome| {
                // A second answer cannot come.
                let _ = flag.set(outcome.is_ok());
            },
        );
        let ticket = self.flush_locked(&mut recorder)?;
        Ok(Download {
            ticket,
            staging,
            spans: spans.to_vec(),
            mapped,
        })
    }

    /// Waits for a download, and hands its words over span by span, in the order in which they were asked for.
    ///
    /// # Errors
    ///
    /// The work before it or the copy failed, the device is lost, or `patience` is at an end.
    pub(crate) fn finish_download(
        &self,
        download: Download,
        patience: Duration,
        into: &mut dyn FnMut(Span, &[u32]),
    ) -> Result<(), DeviceError> {
        let Download {
            ticket,
            staging,
            spans,
            mapped,
        } = download;
        let is_mapped = self.wait_until(&ticket.0, patience, "a download", || {
            mapped.get().copied().map(Ok)
        })?;
        if !is_mapped {
            self.health
                .lose("it refused to map a finished copy".to_owned());
            self.health.check()?;
        }
        let mut at = 0;
        for span in spans {
            let bytes = span.words() * WORD;
            if bytes > 0 {
                hand_over(&staging, at, bytes, |words| into(span, words))
                    .map_err(|error| self.health.refused("a download", &error))?;
            }
            at += bytes;
        }
        staging.unmap();
        self.staging.give(staging);
        Ok(())
    }

    /// Waits until everything recorded is done, and hands over the words of `spans`, in order; long spans come in pieces.
    ///
    /// # Errors
    ///
    /// As [`Gpu::begin_download`] and [`Gpu::finish_download`].
    pub(crate) fn download(
        &self,
        buffer: &Buffer,
        spans: &[Span],
        into: &mut dyn FnMut(Span, &[u32]),
    ) -> Result<(), DeviceError> {
        let mut before: Option<Download> = None;
        for piece in pieces(spans, PIECE_WORDS) {
            let next = self.begin_download(buffer, &piece)?;
            if let Some(before) = before.replace(next) {
                self.finish_download(before, self.patience(), into)?;
            }
        }
        before.map_or(Ok(()), |last| {
            self.finish_download(last, self.patience(), into)
        })
    }

    fn staging_of(&self, bytes: u64) -> Result<wgpu::Buffer, DeviceError> {
        if let Some(staging) = self.staging.take(bytes) {
            return Ok(staging);
        }
        let size = bytes
            .max(STAGING_BYTES_MIN)
            .next_multiple_of(STAGING_BYTES_MIN);
        self.transfer_buffer(
            size,
            wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            false,
        )
    }
}

fn hand_over(
    staging: &wgpu::Buffer,
    at: u64,
    bytes: u64,
    into: impl FnOnce(&[u32]),
) -> Result<(), wgpu::MapRangeError> {
    // Views begin at multiples of eight bytes, spans at multiples of four.
    let lo = at / wgpu::MAP_ALIGNMENT * wgpu::MAP_ALIGNMENT;
    let view = staging.get_mapped_range(lo..at + bytes)?;
    into(bytemuck::cast_slice(&view[(at - lo) as usize..]));
    Ok(())
}

/// The spans, cut and gathered into groups of at most `words` words each.
fn pieces(spans: &[Span], words: u64) -> Vec<Vec<Span>> {
    let mut groups = Vec::new();
    let mut group = Vec::new();
    let mut room = words;
    for span in spans {
        let mut lo = span.lo;
        while lo < span.hi {
            let hi = span.hi.min(lo + room);
            group.push(Span { lo, hi });
            room -= hi - lo;
            lo = hi;
            if room == 0 {
                groups.push(std::mem::take(&mut group));
                room = words;
            }
        }
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_spans_in_order_and_are_full() {
        let spans = [
            Span { lo: 0, hi: 3 },
            Span { lo: 10, hi: 10 },
            Span { lo: 20, hi: 30 },
        ];
        let cut = pieces(&spans, 4);
        let words: Vec<u64> = cut
            .iter()
            .flatten()
            .flat_map(|span| span.lo..span.hi)
            .collect();
        assert_eq!(words, (0..3).chain(20..30).collect::<Vec<_>>());
        let sizes: Vec<u64> = cut
            .iter()
            .map(|piece| piece.iter().map(|span| span.words()).sum())
            .collect();
        assert_eq!(sizes, [4, 4, 4, 1]);
    }
}
