//! How does an imagined GPU carry out a part? With real memory and real results, on a virtual clock.
//!
//! A kernel runs at once, on the thread that hands it over, through its CPU entry, on the GPU's own copy of the words. What a driver
//! would do later is only marked with the moment at which it will have happened: waiting moves the clock there.

mod faults;
mod machine;
mod memory;
mod run;
mod streams;
mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

pub use faults::{Fault, FaultKind, Moment, Phase};
pub use machine::{Gpu, Machine};
pub(crate) use memory::SimBuffer;
pub(crate) use world::World;

use super::DeviceError;
use super::accelerator::Buffer;
use super::cpu::{Lending, Loan};
use crate::cost::DeviceLimits;
use crate::lanes::Level;
use crate::machine::{self as hardware, DeviceId, Overlap};
use crate::region::Span;
use faults::{Schedule, Strike};
use memory::Ledger;
use streams::Range;

/// An imagined GPU.
#[derive(Debug)]
pub(crate) struct SimGpu {
    id: DeviceId,
    about: hardware::Gpu,
    limits: DeviceLimits,
    level: Level,
    world: Arc<World>,
    ledger: Arc<Ledger>,
    lost: Mutex<Option<String>>,
    /// Held by whoever hands something over: one thing happens after the other.
    queue: Mutex<()>,
    faults: Schedule,
    /// How long blocking calls wait for the device, in ns of the virtual clock.
    patience_ns: AtomicU64,
}

/// A claim on work of an imagined GPU.
#[derive(Clone, Debug)]
pub(crate) struct SimTicket {
    ops: Range,
}

/// Words on their way from an imagined GPU.
#[derive(Debug)]
pub(crate) struct SimDownload {
    spans: Vec<Span>,
    ops: Range,
    strike: Strike,
}

/// A dispatch of an imagined GPU.
#[derive(Debug)]
pub(crate) struct SimDispatch {
    pub(super) ticket: SimTicket,
    /// Says how long it took once it has ended, if that was asked for.
    took: Option<Arc<OnceLock<f64>>>,
}

impl SimDispatch {
    pub(super) fn elapsed_ns(&self) -> Option<u64> {
        let ns = self.took.as_ref()?.get()?;
        Some(*ns as u64)
    }
}

impl SimGpu {
    pub(super) fn new(id: DeviceId, machine: &Machine, level: Level, world: &Arc<World>) -> Self {
        let gpu = &machine.gpus[usize::from(id.0) - 1];
        Self {
            id,
            about: gpu.describe(),
            limits: gpu.limits,
            level,
            world: Arc::clone(world),
            ledger: Ledger::new(gpu.memory_bytes),
            lost: Mutex::default(),
            queue: Mutex::default(),
            faults: Schedule::of(id, &machine.faults),
            patience_ns: AtomicU64::new(u64::MAX),
        }
    }

    pub(super) fn about(&self) -> &hardware::Gpu {
        &self.about
    }

    pub(super) fn set_memory_budget(&self, bytes: u64) {
        self.ledger.set_budget(bytes);
    }

    pub(super) fn overlap(&self) -> Overlap {
        if self.world.overlaps(self.id) {
            Overlap::FullDuplex
        } else {
            Overlap::None
        }
    }

    pub(super) fn memory_budget(&self) -> u64 {
        self.ledger.budget_bytes()
    }

    pub(super) fn is_lost(&self) -> Option<String> {
        self.lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn destroy(&self) {
        self.lose("it was destroyed");
    }

    fn lose(&self, reason: &str) {
        self.lost
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert_with(|| reason.to_owned());
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), DeviceError> {
        match self.is_lost() {
            None => Ok(()),
            Some(reason) => Err(DeviceError::Lost {
                device: self.about.name.clone(),
                reason,
            }),
        }
    }

    fn check_span(&self, buffer: &SimBuffer, span: Span) -> Result<(), DeviceError> {
        self.check()?;
        if span.lo <= span.hi && span.hi <= buffer.words() {
            return Ok(());
        }
        let words = buffer.words();
        Err(self.invalid("a copy", format!("the words {span} of a buffer of {words}")))
    }

    fn invalid(&self, what: impl Into<String>, detail: impl Into<String>) -> DeviceError {
        DeviceError::Validation {
            device: self.about.name.clone(),
            what: what.into(),
            detail: detail.into(),
        }
    }

    pub(super) fn allocate(&self, words: u64) -> Result<SimBuffer, DeviceError> {
        self.check()?;
        let limit = self.about.limits.buffer_words_max();
        if words > limit {
            return Err(self.beyond("the length of a buffer in 32-bit words", words, limit));
        }
        let strike = self.begin(Phase::Allocate, words * 4, "an allocation")?;
        let buffer = self.ledger.allocate(&self.about.name, words)?;
        self.end(strike, "an allocation")?;
        Ok(buffer)
    }

    /// An operation begins: it fails at once, or something happens to it later.
    fn begin(&self, phase: Phase, bytes: u64, what: &'static str) -> Result<Strike, DeviceError> {
        let Some(fault) = self.faults.next(phase) else {
            return Ok(Strike::NONE);
        };
        match (fault.kind, fault.moment) {
            (FaultKind::Lost, Moment::Before) => {
                self.lose(&fault.to_string());
                self.check()?;
            }
            (FaultKind::OutOfMemory, _) => return Err(self.ledger.full(&self.about.name, bytes)),
            (FaultKind::Invalid, _) => return Err(self.invalid(what, fault.to_string())),
            _ => {}
        }
        Ok(Strike(Some(fault)))
    }

    /// An operation that returns when it has ended does so: what happened to it meanwhile.
    fn end(&self, strike: Strike, what: &'static str) -> Result<(), DeviceError> {
        match strike.0 {
            Some(fault) if fault.kind == FaultKind::Lost => {
                self.lose(&fault.to_string());
                if fault.moment == Moment::During {
                    return self.check();
                }
                Ok(())
            }
            Some(fault) if fault.kind == FaultKind::Hang => {
                let (never, _) = self.world.hang(self.id);
                self.wait_for(never, what)
            }
            _ => Ok(()),
        }
    }

    fn beyond(&self, what: &'static str, wanted: u64, limit: u64) -> DeviceError {
        DeviceError::Limit {
            device: self.about.name.clone(),
            what,
            wanted,
            limit,
        }
    }

    pub(super) fn fill(
        &self,
        buffer: &SimBuffer,
        span: Span,
        value: u32,
    ) -> Result<(), DeviceError> {
        let _turn = self.turn();
        self.check_span(buffer, span)?;
        self.lend(buffer, span, Lending::Exclusive)?
            .words_mut()
            .fill(value);
        Ok(())
    }

    pub(super) fn upload(
        &self,
        buffer: &SimBuffer,
        at_word: u64,
        words: &[u32],
    ) -> Result<(), DeviceError> {
        let _turn = self.turn();
        let count = words.len() as u64;
        let span = Span {
            lo: at_word,
            hi: at_word.saturating_add(count),
        };
        self.check_span(buffer, span)?;
        let strike = self.begin(Phase::Upload, count * 4, "an upload")?;
        let done = strike.done_of(words.len());
        self.lend(buffer, span, Lending::Exclusive)?.words_mut()[..done]
            .copy_from_slice(&words[..done]);
        self.world.send(self.id, count * 4, strike.slower());
        self.end(strike, "an upload")
    }

    pub(super) fn download(
        &self,
        buffer: &SimBuffer,
        spans: &[Span],
        into: &mut dyn FnMut(Span, &[u32]),
    ) -> Result<(), DeviceError> {
        let download = self.begin_download(buffer, spans)?;
        self.finish_download(buffer, download, into)
    }

    /// As [`Accelerator::begin_download`](crate::device::Accelerator::begin_download).
    pub(super) fn begin_download(
        &self,
        buffer: &SimBuffer,
        spans: &[Span],
    ) -> Result<SimDownload, DeviceError> {
        let _turn = self.turn();
        for span in spans {
            self.check_span(buffer, *span)?;
        }
        let words: u64 = spans.iter().map(|span| span.words()).sum();
        let strike = self.begin(Phase::Download, words * 4, "a download")?;
        let after = buffer.after(spans);
        let ops = self.world.fetch(self.id, words * 4, after, strike.slower());
        Ok(SimDownload {
            spans: spans.to_vec(),
            ops,
            strike,
        })
    }

    /// As [`Accelerator::finish_download`](crate::device::Accelerator::finish_download).
    pub(super) fn finish_download(
        &self,
        buffer: &SimBuffer,
        download: SimDownload,
        into: &mut dyn FnMut(Span, &[u32]),
    ) -> Result<(), DeviceError> {
        let _turn = self.turn();
        let SimDownload { spans, ops, strike } = download;
        self.wait_for(ops, "a download")?;
        for span in spans.iter().filter(|span| !span.is_empty()) {
            let loan = self.lend(buffer, *span, Lending::Shared)?;
            let done = strike.done_of(loan.len());
            let arrived = Span::new(span.lo, span.lo + done as u64);
            into(arrived, &loan.words()[..done]);
        }
        self.end(strike, "a download")
    }

    fn lend(&self, buffer: &SimBuffer, span: Span, lending: Lending) -> Result<Loan, DeviceError> {
        let busy = |held: Span| self.invalid("a buffer", format!("the words {held} are in use"));
        buffer.memory.lend(span, lending).map_err(busy)
    }

    /// The memory behind an argument.
    #[cfg_attr(
        not(feature = "gpu"),
        allow(
            clippy::unnecessary_wraps,
            clippy::unused_self,
            reason = "as with GPUs"
        )
    )]
    fn own<'a>(&self, buffer: &'a Buffer) -> Result<&'a SimBuffer, DeviceError> {
        match buffer {
            Buffer::Simulated(buffer) => Ok(buffer),
            #[cfg(feature = "gpu")]
            Buffer::Driven(_) => {
                Err(self.invalid("a request", "it names memory of another device"))
            }
        }
    }

    pub(super) fn flush(&self) -> Result<SimTicket, DeviceError> {
        self.check()?;
        Ok(SimTicket {
            ops: self.world.everything(self.id),
        })
    }

    pub(super) fn is_done(&self, ticket: &SimTicket) -> bool {
        self.is_lost().is_some() || self.world.is_done(self.id, ticket.ops)
    }

    pub(super) fn wait(&self, ticket: &SimTicket) -> Result<(), DeviceError> {
        self.wait_for(ticket.ops, "a launch")
    }

    fn wait_for(&self, ops: Range, what: &'static str) -> Result<(), DeviceError> {
        self.check()?;
        let patience_ns = self.patience_ns.load(Ordering::Relaxed);
        if self.world.wait(self.id, ops, patience_ns as f64) {
            return Ok(());
        }
        Err(DeviceError::TimedOut {
            device: self.about.name.clone(),
            what,
            after: Duration::from_nanos(patience_ns),
        })
    }

    pub(super) fn set_patience(&self, patience: Duration) {
        let ns = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        self.patience_ns.store(ns, Ordering::Relaxed);
    }

    pub(super) fn give_up(&self, reason: &str) {
        self.lose(reason);
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.ledger.used_bytes()
    }

    pub(super) fn measure(&self) -> Result<DeviceLimits, DeviceError> {
        self.check()?;
        Ok(self.limits)
    }
}
