//! Who is at what, and since when? The parts that devices are at right now, beside what was predicted for them.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::recorder::Now;
use crate::machine::DeviceId;

/// A part counts as overdue once it has taken this many times as long as predicted…
const OVERDUE_TIMES: f64 = 10.0;
/// …and this long at least, in ns: shorter ones are over before anybody can look.
const OVERDUE_NS: f64 = 1e8;

/// A part that a device is at.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// The device.
    pub device: DeviceId,
    /// The entry point.
    pub kernel: &'static str,
    /// Workgroups of the part.
    pub workgroups: u64,
    /// Since when it has been at it, or has had it in its queue, in ns.
    pub for_ns: u64,
    /// How long that should take, in ns.
    pub predicted_ns: f64,
}

impl Running {
    /// How many times its prediction the part has taken so far.
    pub fn times(&self) -> f64 {
        self.for_ns as f64 / self.predicted_ns.max(1.0)
    }

    /// Whether it takes many times as long as predicted.
    pub fn is_overdue(&self) -> bool {
        self.times() >= OVERDUE_TIMES && self.for_ns as f64 >= OVERDUE_NS
    }
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            device,
            kernel,
            workgroups,
            ..
        } = self;
        let seconds = self.for_ns as f64 / 1e9;
        let predicted = self.predicted_ns / 1e9;
        write!(
            f,
            "{device} has been in {kernel}, {workgroups} workgroups, for {seconds:.3} s; predicted {predicted:.6} s"
        )?;
        if self.is_overdue() {
            write!(f, " ({:.0} times as long)", self.times())?;
        }
        Ok(())
    }
}

/// The parts that devices are at.
pub(crate) struct Watch {
    now: Now,
    entered: Mutex<Vec<Entry>>,
}

#[derive(Debug)]
struct Entry {
    since_ns: u64,
    device: DeviceId,
    kernel: &'static str,
    workgroups: u64,
    predicted_ns: f64,
    number: u64,
}

/// A part is under way as long as this lives.
#[derive(Debug)]
pub(crate) struct Entered {
    watch: Arc<Watch>,
    number: u64,
}

impl Watch {
    /// Nobody is at anything.
    pub(crate) fn new(now: Now) -> Arc<Self> {
        Arc::new(Self {
            now,
            entered: Mutex::default(),
        })
    }

    /// A device begins a part.
    pub(crate) fn enter(
        self: &Arc<Self>,
        device: DeviceId,
        (kernel, workgroups): (&'static str, u64),
        predicted_ns: f64,
    ) -> Entered {
        let since_ns = (self.now)();
        let mut entered = self.entered();
        let number = entered.last().map_or(0, |last| last.number + 1);
        entered.push(Entry {
            since_ns,
            device,
            kernel,
            workgroups,
            predicted_ns,
            number,
        });
        Entered {
            watch: Arc::clone(self),
            number,
        }
    }

    /// The parts under way, the oldest first.
    pub(crate) fn running(&self) -> Vec<Running> {
        let now_ns = (self.now)();
        let running = |entry: &Entry| Running {
            device: entry.device,
            kernel: entry.kernel,
            workgroups: entry.workgroups,
            for_ns: now_ns.saturating_sub(entry.since_ns),
            predicted_ns: entry.predicted_ns,
        };
        self.entered().iter().map(running).collect()
    }

    fn entered(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.running()).finish()
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let number = self.number;
        self.watch.entered().retain(|entry| entry.number != number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn a_part_is_watched_while_it_runs_and_overdue_after_many_times_its_prediction() {
        let time = Arc::new(AtomicU64::new(1000));
        let clock = Arc::clone(&time);
        let watch = Watch::new(Arc::new(move || clock.load(Ordering::Relaxed)));
        let first = watch.enter(DeviceId(1), ("nbody", 128), 1e6);
        let second = watch.enter(DeviceId::CPU, ("saxpy", 7), 1e12);
        time.store(3_200_001_000, Ordering::Relaxed);
        let running = watch.running();
        assert_eq!(
            running[0].to_string(),
            "GPU 1 has been in nbody, 128 workgroups, for 3.200 s; predicted 0.001000 s (3200 times as long)"
        );
        assert_eq!(
            running.iter().map(Running::is_overdue).collect::<Vec<_>>(),
            [true, false]
        );
        drop(first);
        assert_eq!(watch.running().len(), 1);
        drop(second);
        assert!(watch.running().is_empty());
    }
}
