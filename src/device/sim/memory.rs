//! How much memory of an imagined GPU is taken? Its buffers, in this machine's main memory, counted against what it has.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::device::DeviceError;
use crate::device::cpu::HostMemory;
use crate::region::Span;

/// Memory of an imagined GPU. Dropping it returns its bytes to the budget.
#[derive(Debug)]
pub(crate) struct SimBuffer {
    pub(super) memory: Arc<HostMemory>,
    ledger: Arc<Ledger>,
    /// Which words kernels write, by their numbers.
    written: Mutex<Vec<(Span, u64)>>,
}

impl SimBuffer {
    pub(super) fn words(&self) -> u64 {
        self.memory.words()
    }

    /// The kernel with this number writes words; those that are done need not be remembered.
    pub(super) fn written_by(&self, span: Span, kernel: u64, is_done: impl Fn(u64) -> bool) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.retain(|(_, earlier)| !is_done(*earlier));
        written.push((span, kernel));
    }

    /// Kernels with smaller numbers have to be done before words of `spans` are what they should be.
    pub(super) fn after(&self, spans: &[Span]) -> u64 {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let concerns = |own: &Span| spans.iter().any(|span| !span.intersection(*own).is_empty());
        let kernels = written.iter().filter(|(span, _)| concerns(span));
        kernels.map(|(_, kernel)| kernel + 1).max().unwrap_or(0)
    }
}

impl Drop for SimBuffer {
    fn drop(&mut self) {
        self.ledger
            .used_bytes
            .fetch_sub(self.words() * 4, Ordering::Relaxed);
    }
}

/// What is allocated, and how much may be.
#[derive(Debug)]
pub(super) struct Ledger {
    used_bytes: AtomicU64,
    budget_bytes: AtomicU64,
}

impl Ledger {
    pub(super) fn new(budget_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            used_bytes: AtomicU64::new(0),
            budget_bytes: AtomicU64::new(budget_bytes),
        })
    }

    pub(super) fn set_budget(&self, bytes: u64) {
        self.budget_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn budget_bytes(&self) -> u64 {
        self.budget_bytes.load(Ordering::Relaxed)
    }

    /// The error of having no room for `bytes` more.
    pub(super) fn full(&self, device: &str, bytes: u64) -> DeviceError {
        self.full_with(device, bytes, self.used_bytes())
    }

    /// The same, where so much was in use.
    fn full_with(&self, device: &str, bytes: u64, used_bytes: u64) -> DeviceError {
        DeviceError::OutOfMemory {
            device: device.to_owned(),
            wanted_bytes: bytes,
            used_bytes,
            budget_bytes: self.budget_bytes.load(Ordering::Relaxed),
        }
    }

    /// Makes a buffer of `words` words (of one, if none), all zero.
    pub(super) fn allocate(
        self: &Arc<Self>,
        device: &str,
        words: u64,
    ) -> Result<SimBuffer, DeviceError> {
        let bytes = words.max(1) * 4;
        let budget_bytes = self.budget_bytes.load(Ordering::Relaxed);
        let reserved =
            self.used_bytes
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used_bytes| {
                    used_bytes
                        .checked_add(bytes)
                        .filter(|sum| *sum <= budget_bytes)
                });
        reserved.map_err(|used_bytes| self.full_with(device, bytes, used_bytes))?;
        let Some(memory) = HostMemory::zeroed(words.max(1)) else {
            self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(self.full(device, bytes));
        };
        Ok(SimBuffer {
            memory: Arc::new(memory),
            ledger: Arc::clone(self),
            written: Mutex::default(),
        })
    }
}
