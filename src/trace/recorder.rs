//! How are events taken down? In order, with the time, up to a bound; for next to nothing while nobody asked for them.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::event::{ArrayNo, Event, LaunchNo, PartNo};
#[cfg(feature = "tracing")]
use super::spans::Spans;
use crate::machine::{DeviceId, MemoryId};

/// Most events of a trace, unless the runtime was built with another bound: a few hundred bytes each.
pub(crate) const EVENTS_MAX: usize = 1 << 18;

/// A source of times in ns: the clock of the real devices, or the virtual one of simulated devices.
pub(crate) type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Takes events down while it is on.
pub(crate) struct Recorder {
    on: AtomicBool,
    parts: AtomicU64,
    now: Now,
    events_max: usize,
    taken: Mutex<Taken>,
    #[cfg(feature = "tracing")]
    spans: Spans,
}

/// Something that takes its time.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "tracing"),
    allow(
        dead_code,
        reason = "without `tracing`, how long it took is all that is asked for"
    )
)]
pub(crate) enum Doing {
    /// Words of an array move from a memory to another, for a launch or for the host.
    Transfer {
        launch: Option<LaunchNo>,
        array: ArrayNo,
        from: MemoryId,
        to: MemoryId,
        words: u64,
    },
    /// Arrays are written to a checkpoint of a step.
    Checkpoint { step: u64 },
}

/// Something that takes its time, until this is dropped.
pub(crate) struct Timed {
    start_ns: u64,
    #[cfg(feature = "tracing")]
    span: Option<tracing::Span>,
}

/// This thread is at something that takes its time, until this is dropped.
pub(crate) struct Within<'a> {
    #[cfg(feature = "tracing")]
    _span: Option<tracing::span::Entered<'a>>,
    _timed: &'a Timed,
}

impl Timed {
    /// What this thread does from now on belongs to it.
    pub(crate) fn enter(&self) -> Within<'_> {
        Within {
            #[cfg(feature = "tracing")]
            _span: self.span.as_ref().map(tracing::Span::enter),
            _timed: self,
        }
    }
}

#[derive(Default)]
struct Taken {
    events: Vec<(u64, Event)>,
    dropped: u64,
}

/// What a runtime did, event by event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The devices, the CPU first.
    pub devices: Vec<TraceDevice>,
    /// Every event with its time, in ns since the runtime was built.
    pub events: Vec<(u64, Event)>,
    /// Events that came after the bound on the length of a trace was reached, and are missing.
    pub dropped: u64,
}

/// A device as a trace knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceDevice {
    /// Its number.
    pub id: DeviceId,
    /// Its name.
    pub name: String,
}

impl Recorder {
    /// A recorder that is off, with a source of times and a bound on the number of events.
    pub(crate) fn new(now: Now, events_max: usize) -> Self {
        Self {
            on: AtomicBool::new(false),
            parts: AtomicU64::new(0),
            now,
            events_max,
            taken: Mutex::default(),
            #[cfg(feature = "tracing")]
            spans: Spans::new(),
        }
    }

    /// Starts or stops taking events. A trace can be verified only if it was on from the start.
    pub(crate) fn turn(&self, on: bool) {
        self.on.store(on, Ordering::Relaxed);
    }

    /// Whether events are wanted: for the trace, or by whoever listens through `tracing`.
    pub(crate) fn is_on(&self) -> bool {
        #[cfg(feature = "tracing")]
        if self.spans.are_wanted() {
            return true;
        }
        self.on.load(Ordering::Relaxed)
    }

    /// Time of the recorder's clock, in ns.
    pub(crate) fn now_ns(&self) -> u64 {
        (self.now)()
    }

    /// A number for a part, unique within the trace.
    pub(crate) fn next_part(&self) -> PartNo {
        PartNo(self.parts.fetch_add(1, Ordering::Relaxed))
    }

    /// Something begins that takes its time.
    #[cfg_attr(
        not(feature = "tracing"),
        allow(unused_variables, reason = "without `tracing`, nobody asks what it is")
    )]
    pub(crate) fn begin(&self, doing: impl FnOnce() -> Doing) -> Timed {
        Timed {
            start_ns: self.now_ns(),
            #[cfg(feature = "tracing")]
            span: (self.spans.are_wanted()).then(|| self.spans.begin(&doing())),
        }
    }

    /// How long it has taken so far, in ns.
    pub(crate) fn ns_of(&self, timed: &Timed) -> u64 {
        self.now_ns() - timed.start_ns
    }

    /// Takes an event down; `event` is called only if events are wanted.
    pub(crate) fn record(&self, event: impl FnOnce() -> Event) {
        if self.is_on() {
            self.take(event());
        }
    }

    /// As [`record`](Self::record), for what is told even to those who only want to hear what goes wrong.
    pub(crate) fn warn(&self, event: impl FnOnce() -> Event) {
        #[cfg(feature = "tracing")]
        if self.spans.are_warnings_wanted() {
            return self.take(event());
        }
        self.record(event);
    }

    fn take(&self, event: Event) {
        #[cfg(feature = "tracing")]
        self.spans.tell(&event);
        if self.on.load(Ordering::Relaxed) {
            let mut taken = self.taken();
            if taken.events.len() < self.events_max {
                // The clock is read behind the lock, so that times ascend.
                let at_ns = self.now_ns();
                taken.events.push((at_ns, event));
            } else {
                taken.dropped += 1;
            }
        }
    }

    /// What was taken down so far: events, and how many came too late.
    pub(crate) fn events(&self) -> (Vec<(u64, Event)>, u64) {
        let taken = self.taken();
        (taken.events.clone(), taken.dropped)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("on", &self.is_on())
            .finish_non_exhaustive()
    }
}

impl Trace {
    /// Name of a device.
    pub fn name(&self, device: DeviceId) -> &str {
        let mut devices = self.devices.iter();
        devices
            .find(|known| known.id == device)
            .map_or("a device", |known| known.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::LaunchNo;

    fn recorder(events_max: usize) -> Recorder {
        let time = AtomicU64::new(0);
        Recorder::new(
            Arc::new(move || time.fetch_add(10, Ordering::Relaxed)),
            events_max,
        )
    }

    #[test]
    fn nothing_is_taken_or_even_made_while_it_is_off() {
        let recorder = recorder(8);
        recorder.record(|| unreachable!("events are not wanted"));
        assert_eq!(recorder.events(), (Vec::new(), 0));
    }

    #[test]
    fn a_full_recorder_counts_what_it_leaves_out() {
        let recorder = recorder(2);
        recorder.turn(true);
        for launch in 0..5 {
            recorder.record(|| Event::LaunchStarted {
                launch: LaunchNo(launch),
            });
        }
        let (events, dropped) = recorder.events();
        assert_eq!(dropped, 3);
        let times: Vec<u64> = events.iter().map(|(at_ns, _)| *at_ns).collect();
        assert_eq!(times, [0, 10]);
    }
}
