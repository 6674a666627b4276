//! Is the device well? Records its loss and its errors, so that none of them becomes a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use crate::device::error::DeviceError;

/// The device's name and what has become of it, shared with the callbacks that wgpu holds.
#[derive(Debug)]
pub(super) struct Health {
    pub(super) device: String,
    lost: Mutex<Option<String>>,
    stray: Mutex<Option<String>>,
    /// Held by the thread that polls, or submits.
    turn: Mutex<()>,
    /// Threads that want to submit.
    submitting: AtomicUsize,
    /// Counts the polls that ended.
    polls: Mutex<u64>,
    polled: Condvar,
}

/// How long a thread waits for the polling of another before it looks again.
const MOMENT: Duration = Duration::from_millis(1);

/// Locks, whoever panicked before: the states behind these locks are valid between any two statements.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Health {
    pub(super) fn new(device: String) -> Arc<Self> {
        Arc::new(Self {
            device,
            lost: Mutex::new(None),
            stray: Mutex::new(None),
            turn: Mutex::new(()),
            submitting: AtomicUsize::new(0),
            polls: Mutex::new(0),
            polled: Condvar::new(),
        })
    }

    /// Makes wgpu report here what it would otherwise panic with.
    pub(super) fn listen(self: &Arc<Self>, device: &wgpu::Device) {
        let health = Arc::clone(self);
        device.on_uncaptured_error(Arc::new(move |error| {
            lock(&health.stray).get_or_insert_with(|| error.to_string());
        }));
        let health = Arc::clone(self);
        device.set_device_lost_callback(move |reason, message| {
            health.lose(if message.is_empty() {
                format!("{reason:?}")
            } else {
                message
            });
        });
    }

    /// Notes that the device is lost. The first reason stays.
    pub(super) fn lose(&self, reason: String) {
        lock(&self.lost).get_or_insert(reason);
    }

    /// Why the device is lost, if it is.
    pub(super) fn lost(&self) -> Option<String> {
        lock(&self.lost).clone()
    }

    /// Fails if the device is lost.
    pub(super) fn check(&self) -> Result<(), DeviceError> {
        match &*lock(&self.lost) {
            None => Ok(()),
            Some(reason) => Err(DeviceError::Lost {
                device: self.device.clone(),
                reason: reason.clone(),
            }),
        }
    }

    /// The error for a request that wgpu refused with `detail`: the loss of the device, if that is why.
    pub(super) fn refused(&self, what: &str, detail: &impl ToString) -> DeviceError {
        self.check()
            .err()
            .unwrap_or_else(|| self.invalid(what, detail.to_string()))
    }

    /// The error for a request that is wrong in itself, whatever the device's state.
    pub(super) fn invalid(
        &self,
        what: impl Into<String>,
        detail: impl Into<String>,
    ) -> DeviceError {
        DeviceError::Validation {
            device: self.device.clone(),
            what: what.into(),
            detail: detail.into(),
        }
    }

    /// Runs `act` with all errors of `device` captured. A lost device is reported as lost, whatever else it says.
    ///
    /// # Errors
    ///
    /// The first error that `act` provoked. Running out of memory is reported with zero sizes, which the caller knows better.
    pub(super) fn guarded<T>(
        &self,
        device: &wgpu::Device,
        what: &str,
        act: impl FnOnce() -> T,
    ) -> Result<T, DeviceError> {
        self.check()?;
        let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
        let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let outcome = act();
        // On native back ends the result of a scope is there as soon as it is popped.
        let validation = pollster::block_on(validation.pop());
        let memory = pollster::block_on(memory.pop());
        let internal = pollster::block_on(internal.pop());
        self.check()?;
        if memory.is_some() {
            return Err(DeviceError::OutOfMemory {
                device: self.device.clone(),
                wanted_bytes: 0,
                used_bytes: 0,
                budget_bytes: u64::MAX,
            });
        }
        match validation
            .or(internal)
            .map(|error| error.to_string())
            .or_else(|| lock(&self.stray).take())
        {
            Some(detail) => Err(self.invalid(what, detail)),
            None => Ok(outcome),
        }
    }

    /// Lets wgpu make progress, waiting at most as long as `how` says. While another thread does so, its progress is awaited
    /// instead, for a moment.
    pub(super) fn poll(
        &self,
        device: &wgpu::Device,
        how: wgpu::PollType,
    ) -> Result<(), DeviceError> {
        // wgpu's waits with a time-out are not made for two threads at once.
        let turn = self.turn.try_lock();
        if matches!(turn, Err(TryLockError::WouldBlock)) {
            if how.is_wait() {
                // Whether it was woken or not, the caller looks again.
                let _ = self.polled.wait_timeout(lock(&self.polls), MOMENT);
            }
        } else if how.is_wait() && self.submitting.load(Ordering::SeqCst) > 0 {
            drop(turn);
            self.poll_alone(device, wgpu::PollType::Poll);
            std::thread::yield_now();
        } else {
            self.poll_alone(device, how);
            *lock(&self.polls) += 1;
            self.polled.notify_all();
        }
        self.check()
    }

    /// Submits while nobody waits inside wgpu. A submission that another ends in the moment in which a wait times out would make
    /// wgpu panic, and what it was about to call back would never be called.
    pub(super) fn submitting<T>(&self, submit: impl FnOnce() -> T) -> T {
        self.submitting.fetch_add(1, Ordering::SeqCst);
        let turn = lock(&self.turn);
        let outcome = submit();
        drop(turn);
        self.submitting.fetch_sub(1, Ordering::SeqCst);
        outcome
    }

    /// wgpu panics when it finds the device gone while it waits, and, rarely, when a submission of another thread, such as a lent
    /// device's owner, ends while a wait times out. The first becomes the loss of the device here; the second, which a look without
    /// waiting tells apart, does not.
    fn poll_alone(&self, device: &wgpu::Device, how: wgpu::PollType) {
        let looked = |how| catch_unwind(AssertUnwindSafe(|| device.poll(how)));
        match looked(how).or_else(|_| looked(wgpu::PollType::Poll)) {
            Ok(Ok(_) | Err(wgpu::PollError::Timeout)) => {}
            Ok(Err(wgpu::PollError::WrongSubmissionIndex(..))) => {
                self.lose("it refused a submission".to_owned());
            }
            Err(_) => self.lose("it vanished during a wait".to_owned()),
        }
    }
}
