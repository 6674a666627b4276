//! How much device memory is taken? Buffers of arrays, counted against a budget before the driver is asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::Gpu;
use super::bind::BindGroups;
use super::health::Health;
use crate::device::error::DeviceError;

/// Bytes in a word.
pub(super) const WORD: u64 = 4;

/// Usages of the buffers that hold arrays.
const USAGE: wgpu::BufferUsages = wgpu::BufferUsages::STORAGE
    .union(wgpu::BufferUsages::COPY_SRC)
    .union(wgpu::BufferUsages::COPY_DST);

/// Device memory for an array or a part of one, zero at first. Dropping it returns its bytes to the budget; the driver frees them
/// when work that was already recorded has ended.
#[derive(Debug)]
pub(crate) struct Buffer {
    pub(super) raw: wgpu::Buffer,
    pub(super) id: u64,
    words: u64,
    ledger: Arc<Ledger>,
    groups: Weak<BindGroups>,
}

impl Buffer {
    /// Its length in 32-bit words.
    pub(crate) fn words(&self) -> u64 {
        self.words
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(groups) = self.groups.upgrade() {
            groups.forget(self.id);
        }
        self.ledger
            .used_bytes
            .fetch_sub(self.words * WORD, Ordering::Relaxed);
    }
}

/// What is allocated, and how much may be.
#[derive(Debug)]
pub(super) struct Ledger {
    used_bytes: AtomicU64,
    budget_bytes: AtomicU64,
    next_id: AtomicU64,
}

impl Ledger {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            used_bytes: AtomicU64::new(0),
            budget_bytes: AtomicU64::new(u64::MAX),
            next_id: AtomicU64::new(0),
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

    /// Takes `bytes` from the budget, or says how much is in use.
    fn reserve(&self, bytes: u64) -> Result<(), u64> {
        let budget = self.budget_bytes();
        self.used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= budget)
            })
            .map(|_| ())
    }

    /// Makes a buffer of `words` words.
    ///
    /// # Errors
    ///
    /// Out of memory, beyond the device's limit for one buffer, or the device is lost.
    pub(super) fn allocate(
        self: &Arc<Self>,
        device: &wgpu::Device,
        health: &Health,
        groups: &Arc<BindGroups>,
        words: u64,
    ) -> Result<Buffer, DeviceError> {
        health.check()?;
        let limit = device.limits().max_buffer_size / WORD;
        if words > limit {
            return Err(DeviceError::Limit {
                device: health.device.clone(),
                what: "the length of a buffer in 32-bit words",
                wanted: words,
                limit,
            });
        }
        let bytes = words.max(1) * WORD;
        let full = |used_bytes| DeviceError::OutOfMemory {
            device: health.device.clone(),
            wanted_bytes: bytes,
            used_bytes,
            budget_bytes: self.budget_bytes(),
        };
        self.reserve(bytes).map_err(full)?;
        let made = health.guarded(device, "a buffer", || {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes,
                usage: USAGE,
                mapped_at_creation: false,
            })
        });
        match made {
            Ok(raw) => Ok(Buffer {
                raw,
                id: self.next_id.fetch_add(1, Ordering::Relaxed),
                words: words.max(1),
                ledger: Arc::clone(self),
                groups: Arc::downgrade(groups),
            }),
            Err(error) => {
                let used = self.used_bytes.fetch_sub(bytes, Ordering::Relaxed) - bytes;
                Err(if matches!(error, DeviceError::OutOfMemory { .. }) {
                    full(used)
                } else {
                    error
                })
            }
        }
    }
}

impl Gpu {
    /// Makes a buffer for transfers: outside the budget, which counts arrays.
    ///
    /// # Errors
    ///
    /// Out of memory, or the device is lost.
    pub(super) fn transfer_buffer(
        &self,
        bytes: u64,
        usage: wgpu::BufferUsages,
        mapped: bool,
    ) -> Result<wgpu::Buffer, DeviceError> {
        let made = self
            .health
            .guarded(&self.device, "a buffer for transfers", || {
                self.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("impel transfer"),
                    size: bytes,
                    usage,
                    mapped_at_creation: mapped,
                })
            });
        made.map_err(|error| match error {
            DeviceError::OutOfMemory {
                device,
                budget_bytes,
                ..
            } => DeviceError::OutOfMemory {
                device,
                wanted_bytes: bytes,
                used_bytes: self.used_bytes(),
                budget_bytes,
            },
            error => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_holds_to_the_byte() {
        let ledger = Ledger::new();
        ledger.set_budget(100);
        assert_eq!(ledger.reserve(60), Ok(()));
        assert_eq!(ledger.reserve(41), Err(60));
        assert_eq!(ledger.reserve(40), Ok(()));
        assert_eq!(ledger.reserve(u64::MAX), Err(100), "no overflow");
        assert_eq!(ledger.used_bytes(), 100);
    }
}
