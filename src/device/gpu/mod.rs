//! How does a GPU carry out a part? An opened device: memory, uploads, dispatches, downloads, and every failure as a value.
//!
//! Work is recorded and submitted in batches; a [`Ticket`] tells when it is done. Everything recorded runs in the order in which
//! it was recorded, on one queue.

mod bind;
mod choose;
mod clock;
mod discover;
mod download;
mod fill;
mod health;
mod measure;
mod memory;
mod probe;
mod program;
mod record;
#[cfg(test)]
mod tests;
mod upload;
mod wait;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) use bind::Argument;
pub(crate) use discover::{Candidate, Discovery, discover};
pub(crate) use download::Download;
pub(crate) use memory::Buffer;
pub(crate) use record::Dispatch;
pub(crate) use wait::Ticket;

use bind::BindGroups;
use clock::Clocks;
use download::Staging;
use health::Health;
use memory::{Ledger, WORD};
use program::Programs;
use record::{PAGE_WORDS, Recorder};
use upload::Chunks;

pub(crate) use crate::device::{DeviceError, Timing};
use crate::machine;
use crate::region::Span;

/// How long blocking calls wait for the device unless told otherwise.
const PATIENCE: Duration = Duration::from_mins(1);

/// An opened GPU.
#[derive(Debug)]
pub(crate) struct Gpu {
    about: machine::Gpu,
    device: wgpu::Device,
    queue: wgpu::Queue,
    health: Arc<Health>,
    ledger: Arc<Ledger>,
    groups: Arc<BindGroups>,
    programs: Programs,
    /// Uniform data of the batch that is submitted next.
    page: wgpu::Buffer,
    uniform_alignment_words: usize,
    chunks: Arc<Chunks>,
    staging: Staging,
    clocks: Arc<Clocks>,
    recorder: Mutex<Recorder>,
    /// How long blocking calls wait for the device, in ns.
    patience_ns: AtomicU64,
    loop_rounds_max: Option<u32>,
}

impl Gpu {
    /// Opens a device.
    ///
    /// # Errors
    ///
    /// The driver refuses, or has no memory for the little that every device needs.
    pub(crate) fn open(candidate: &Candidate) -> Result<Self, DeviceError> {
        let (device, queue) = candidate.request()?;
        let health = Health::new(candidate.about.name.clone());
        health.listen(&device);
        Self::assemble(candidate.about.clone(), device, queue, health)?.probed()
    }

    /// Uses a device that the caller opened, with the limits and features that it was opened with. Its error handlers stay the
    /// caller's.
    ///
    /// # Errors
    ///
    /// The device is lost already, or has no memory for the little that every device needs.
    pub(crate) fn adopt(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self, DeviceError> {
        let about = discover::describe(&device.adapter_info(), &device.limits(), device.features());
        let health = Health::new(about.name.clone());
        Self::assemble(about, device, queue, health)?.probed()
    }

    /// Real devices run loops to their end.
    fn probed(mut self) -> Result<Self, DeviceError> {
        if self.about.kind == machine::Kind::Software {
            self.loop_rounds_max = self.probe_loops()?;
        }
        Ok(self)
    }

    fn assemble(
        about: machine::Gpu,
        device: wgpu::Device,
        queue: wgpu::Queue,
        health: Arc<Health>,
    ) -> Result<Self, DeviceError> {
        let page = health.guarded(&device, "the page of uniform data", || {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("impel uniforms"),
                size: PAGE_WORDS as u64 * WORD,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        })?;
        Ok(Self {
            uniform_alignment_words: (device.limits().min_uniform_buffer_offset_alignment as usize
                / 4)
            .max(4),
            clocks: Clocks::new(&queue),
            about,
            device,
            queue,
            health,
            ledger: Ledger::new(),
            groups: Arc::default(),
            programs: Programs::default(),
            page,
            chunks: Arc::default(),
            staging: Staging::default(),
            recorder: Mutex::new(Recorder::new()),
            patience_ns: AtomicU64::new(PATIENCE.as_nanos() as u64),
            loop_rounds_max: None,
        })
    }

    /// What it is, with the limits and features that it was opened with.
    pub(crate) fn about(&self) -> &machine::Gpu {
        &self.about
    }

    /// The rounds, summed over all loops of an invocation, after which this device silently stops them: a kernel that goes round
    /// more often gives wrong results here. Only some software devices have such a cap.
    pub(crate) fn loop_rounds_max(&self) -> Option<u32> {
        self.loop_rounds_max
    }

    /// Sets the most bytes that [`Gpu::allocate`] may have in use; buffers that exist stay.
    pub(crate) fn set_memory_budget(&self, bytes: u64) {
        self.ledger.set_budget(bytes);
    }

    /// The most bytes that [`Gpu::allocate`] may have in use.
    pub(crate) fn memory_budget(&self) -> u64 {
        self.ledger.budget_bytes()
    }

    /// Bytes of buffers in use.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.ledger.used_bytes()
    }

    /// Makes a buffer of `words` words (of one, if none), all zero.
    ///
    /// # Errors
    ///
    /// Out of memory or budget, longer than the device's buffers can be, or the device is lost.
    pub(crate) fn allocate(&self, words: u64) -> Result<Buffer, DeviceError> {
        self.ledger
            .allocate(&self.device, &self.health, &self.groups, words)
    }

    /// Why the device is lost, if it is known to be.
    pub(crate) fn is_lost(&self) -> Option<String> {
        self.health.lost()
    }

    /// How long blocking calls wait for the device.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_nanos(self.patience_ns.load(Ordering::Relaxed))
    }

    /// Sets how long blocking calls wait for the device.
    pub(crate) fn set_patience(&self, patience: Duration) {
        let ns = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        self.patience_ns.store(ns, Ordering::Relaxed);
    }

    /// Uses the device no more, without closing it: everything after this fails with [`DeviceError::Lost`].
    pub(crate) fn give_up(&self, reason: String) {
        self.health.lose(reason);
    }

    /// Gives the device up: everything after this fails with [`DeviceError::Lost`], and what was recorded is not done.
    pub(crate) fn destroy(&self) {
        self.health.lose("it was destroyed".to_owned());
        self.device.destroy();
        // Only the loss itself can be reported here, and it is known.
        let _ = self.health.poll(&self.device, wgpu::PollType::Poll);
    }

    fn check_span(&self, buffer: &Buffer, span: Span) -> Result<(), DeviceError> {
        self.health.check()?;
        if span.lo <= span.hi && span.hi <= buffer.words() {
            return Ok(());
        }
        let detail = format!(
            "the words {}..{} of a buffer of {}",
            span.lo,
            span.hi,
            buffer.words()
        );
        Err(self.health.invalid("a copy", detail))
    }
}
