//! How does a runtime speak to `tracing`? Launches, parts, transfers and checkpoints as spans, all else as events: told from the very
//! events that a trace is made of.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::dispatcher::{self, Dispatch};
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::span::Id;
use tracing::subscriber::NoSubscriber;
use tracing::{Level, Span, debug, debug_span, enabled, info, trace, warn};

use super::event::{ArrayNo, Event, LaunchNo, PartNo, Planned, Text};
use super::recorder::Doing;
use crate::region::WORD_BYTES;

/// The target of all spans and events, for filters.
const TARGET: &str = "impel";

/// The spans that are open.
pub(super) struct Spans {
    /// Who listened where the runtime was built; the threads of impel's own tell them, too.
    listener: Option<Dispatch>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    launches: BTreeMap<LaunchNo, Launch>,
    parts: BTreeMap<PartNo, Part>,
}

struct Launch {
    span: Span,
    kernel: Text,
    /// Whether the thread that carries it out has entered the span.
    entered: bool,
}

struct Part {
    launch: LaunchNo,
    span: Span,
}

impl Spans {
    /// No spans; the subscriber of this thread is told of those to come, or the one of the program if this thread has none.
    pub(super) fn new() -> Self {
        let listener = dispatcher::get_default(Clone::clone);
        Self {
            listener: (!listener.is::<NoSubscriber>()).then_some(listener),
            open: Mutex::default(),
        }
    }

    /// Whether anybody listens to what happens.
    pub(super) fn are_wanted(&self) -> bool {
        LevelFilter::current() >= LevelFilter::DEBUG
            && self.tell_listener(|| enabled!(target: TARGET, Level::DEBUG))
    }

    /// Whether anybody listens at least to what goes wrong.
    pub(super) fn are_warnings_wanted(&self) -> bool {
        LevelFilter::current() >= LevelFilter::WARN
            && self.tell_listener(|| enabled!(target: TARGET, Level::WARN))
    }

    /// A span for something that begins now and ends when the span is dropped.
    pub(super) fn begin(&self, doing: &Doing) -> Span {
        self.tell_listener(|| match doing {
            Doing::Transfer {
                launch,
                array: ArrayNo(array),
                from,
                to,
                words,
            } => {
                let parent = launch.and_then(|launch| self.of_launch(launch));
                let parent = parent.or_else(|| Span::current().id());
                let bytes = words * WORD_BYTES;
                debug_span!(target: TARGET, parent: parent, "transfer", array, bytes, %from, %to)
            }
            Doing::Checkpoint { step } => debug_span!(target: TARGET, "checkpoint", step),
        })
    }

    /// Tells what happened.
    pub(super) fn tell(&self, event: &Event) {
        self.tell_listener(|| self.tell_of(event));
    }

    fn tell_of(&self, event: &Event) {
        match event {
            Event::LaunchQueued {
                launch,
                kernel,
                grid,
                ..
            } => self.queue(*launch, kernel, *grid),
            Event::LaunchStarted { launch } => self.start(*launch),
            Event::LaunchFinished { launch, error } => self.finish(*launch, error.as_ref()),
            Event::PartStarted { .. } => self.start_part(event),
            Event::PartDone { part, ns } => self.end_part(*part, *ns, None),
            Event::PartFailed { part, cause } => self.end_part(*part, None, Some(cause)),
            Event::PlanMade {
                launch,
                parts,
                verdict,
            } => self.plan(*launch, parts, verdict),
            Event::LaunchDescribed { launch, work, .. } => {
                trace!(
                    target: TARGET, parent: self.of_launch(*launch),
                    bytes = work.bytes, ops = work.ops, special_ops = work.special_ops, "described"
                );
            }
            other => tell_plainly(other),
        }
    }

    fn queue(&self, launch: LaunchNo, kernel: &Text, grid: [u32; 3]) {
        let LaunchNo(number) = launch;
        let span = debug_span!(
            target: TARGET, "launch", launch = number, kernel = kernel.as_ref(), ?grid, error = Empty
        );
        let queued = Launch {
            span,
            kernel: kernel.clone(),
            entered: false,
        };
        self.open().launches.insert(launch, queued);
    }

    /// This thread is within the span of the launch until it calls [`finish`](Self::finish) itself.
    fn start(&self, launch: LaunchNo) {
        let span = self.open().launches.get_mut(&launch).map(|launch| {
            launch.entered = true;
            launch.span.clone()
        });
        if let Some(span) = span {
            span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
        }
    }

    fn finish(&self, launch: LaunchNo, error: Option<&Text>) {
        let (ended, parts) = {
            let mut open = self.open();
            let parts = open
                .parts
                .extract_if(.., |_, part| part.launch == launch)
                .collect::<Vec<_>>();
            (open.launches.remove(&launch), parts)
        };
        drop(parts);
        let Some(ended) = ended else { return };
        if let Some(error) = error {
            ended.span.record("error", error.as_ref());
        }
        if ended.entered {
            let span = &ended.span;
            span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
        }
    }

    fn start_part(&self, event: &Event) {
        let Event::PartStarted {
            launch,
            part,
            kind,
            device,
            tile,
            predicted_ns,
            ..
        } = event
        else {
            return;
        };
        let known = self.open().launches.get(launch).map(|known| {
            let kernel = known.kernel.clone();
            (known.span.id(), kernel)
        });
        let (parent, kernel) = known.unwrap_or_default();
        let PartNo(number) = part;
        let span = debug_span!(
            target: TARGET, parent: parent, "part", part = number, kernel = kernel.as_ref(), %device, %tile, %kind, predicted_ns,
            measured_ns = Empty, error = Empty
        );
        let launch = *launch;
        self.open().parts.insert(*part, Part { launch, span });
    }

    fn end_part(&self, part: PartNo, ns: Option<u64>, error: Option<&Text>) {
        let Some(Part { span, .. }) = self.open().parts.remove(&part) else {
            return;
        };
        if let Some(ns) = ns {
            span.record("measured_ns", ns);
        }
        if let Some(error) = error {
            span.record("error", error.as_ref());
        }
    }

    /// Who is to do what.
    fn plan(&self, launch: LaunchNo, parts: &[Planned], verdict: &Text) {
        let parent = self.of_launch(launch);
        debug!(
            target: TARGET, parent: parent.clone(),
            parts = parts.len(), verdict = verdict.as_ref(), "planned"
        );
        for Planned {
            device,
            tile,
            predicted_ns,
            transfer_ns,
            bytes_in,
        } in parts
        {
            debug!(
                target: TARGET, parent: parent.clone(),
                %device, %tile, bytes = bytes_in, transfer_ns, predicted_ns, "planned part"
            );
        }
    }

    /// The span of a launch.
    fn of_launch(&self, launch: LaunchNo) -> Option<Id> {
        self.open().launches.get(&launch)?.span.id()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_listener<T>(&self, tell: impl FnOnce() -> T) -> T {
        match &self.listener {
            Some(listener) => dispatcher::with_default(listener, tell),
            None => tell(),
        }
    }
}

/// Tells what opens and closes no span: decisions and failures, and in more detail what became of arrays.
fn tell_plainly(event: &Event) {
    match event {
        Event::DeviceFailed { device, cause } => {
            warn!(target: TARGET, %device, cause = cause.as_ref(), "device failed");
        }
        Event::DeviceRetired { device, cause } => {
            warn!(target: TARGET, %device, cause = cause.as_ref(), "device retired");
        }
        Event::DeviceResumed { device } => info!(target: TARGET, %device, "device resumed"),
        Event::Lost {
            array: ArrayNo(array),
            memory,
            spans,
        } => {
            let bytes = spans.words() * WORD_BYTES;
            warn!(target: TARGET, array, %memory, words = %spans, bytes, "lost");
        }
        Event::Undone {
            launch: LaunchNo(launch),
        } => warn!(target: TARGET, launch, "undone"),
        Event::Rebuilt {
            array: ArrayNo(array),
            spans,
        } => {
            let bytes = spans.words() * WORD_BYTES;
            info!(target: TARGET, array, words = %spans, bytes, "rebuilt");
        }
        Event::Learned {
            kernel,
            device,
            predicted_ns,
            ns,
        } => {
            let kernel = kernel.as_ref();
            debug!(target: TARGET, kernel, %device, predicted_ns, measured_ns = ns, "learned");
        }
        Event::Prefetched {
            launch: LaunchNo(launch),
            memory,
            words,
        } => {
            let bytes = words * WORD_BYTES;
            debug!(target: TARGET, launch, %memory, bytes, "prefetched");
        }
        Event::Evicted {
            array: ArrayNo(array),
            spans,
            memory,
        } => {
            let bytes = spans.words() * WORD_BYTES;
            debug!(target: TARGET, array, %memory, words = %spans, bytes, "evicted");
        }
        Event::Checkpoint { step, bytes, ns } => {
            debug!(target: TARGET, step, bytes, measured_ns = ns, "checkpoint written");
        }
        other => tell_in_detail(other),
    }
}

/// Tells what moved and what the program did with its arrays.
fn tell_in_detail(event: &Event) {
    match event {
        Event::ArrayMade {
            array: ArrayNo(array),
            words,
        } => trace!(target: TARGET, array, bytes = words * WORD_BYTES, "array made"),
        Event::Copied {
            array: ArrayNo(array),
            span,
            from,
            to,
            reason,
            gap_words,
            ns,
            ..
        } => {
            let (bytes, gap_bytes) = (span.words() * WORD_BYTES, gap_words * WORD_BYTES);
            trace!(
                target: TARGET, array, words = %span, %from, %to, %reason, bytes, gap_bytes, measured_ns = ns, "copied"
            );
        }
        Event::Combined {
            part: PartNo(part),
            array: ArrayNo(array),
            span,
            from,
            ns,
        } => {
            let bytes = span.words() * WORD_BYTES;
            trace!(target: TARGET, part, array, %from, bytes, measured_ns = ns, "combined");
        }
        Event::PartMeasured {
            part: PartNo(part),
            ns,
        } => trace!(target: TARGET, part, measured_ns = ns, "part measured"),
        Event::HostRead {
            array: ArrayNo(array),
            span,
        } => trace!(target: TARGET, array, words = %span, "host read"),
        Event::HostWrote {
            array: ArrayNo(array),
            span,
        } => trace!(target: TARGET, array, words = %span, "host wrote"),
        _ => {}
    }
}
