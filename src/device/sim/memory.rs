//! How much memory of an imagined GPU is taken? Its buffers, in this machine's main memory, counted against what it has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::device::DeviceError;
use crate::device::cpu::HostMemory;

/// Memory of an imagined GPU. Dropping it returns its bytes to the budget.
#[derive(Debug)]
pub(crate) struct SimBuffer {
    pub(super) memory: Arc<HostMemory>,
    ledger: Arc<Ledger>,
}

impl SimBuffer {
    pub(super) fn words(&self) -> u64 {
        self.memory.words()
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
        DeviceError::OutOfMemory {
            device: device.to_owned(),
            wanted_bytes: bytes,
            used_bytes: self.used_bytes.load(Ordering::Relaxed),
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
        reserved.map_err(|_| self.full(device, bytes))?;
        let Some(memory) = HostMemory::zeroed(words.max(1)) else {
            self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(self.full(device, bytes));
        };
        Ok(SimBuffer {
            memory: Arc::new(memory),
            ledger: Arc::clone(self),
        })
    }
}
