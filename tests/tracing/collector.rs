//! Who listens? A subscriber that keeps every span and event it is told of, with where they were told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, ThreadId};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

/// Fields by name, as text.
pub(crate) type Fields = BTreeMap<&'static str, String>;

/// A span that was told of.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) name: &'static str,
    /// Its number among all.
    pub(crate) parent: Option<usize>,
    pub(crate) fields: Fields,
    /// How often it was entered.
    pub(crate) entered: usize,
    pub(crate) closed: bool,
    handles: usize,
}

/// An event that was told of.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) message: String,
    pub(crate) level: Level,
    pub(crate) parent: Option<usize>,
    pub(crate) fields: Fields,
}

/// Keeps what it is told.
#[derive(Clone)]
pub(crate) struct Collector {
    level: Level,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    spans: Vec<Span>,
    events: Vec<Said>,
    /// The spans that each thread is in.
    within: BTreeMap<u64, Vec<usize>>,
    threads: Vec<ThreadId>,
    wrong_exits: usize,
}

impl Collector {
    /// One that wants to hear of everything up to this level.
    pub(crate) fn up_to(level: Level) -> Self {
        Self {
            level,
            kept: Arc::default(),
        }
    }

    /// All spans, in the order in which they began.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.kept().spans.clone()
    }

    /// All events, in order.
    pub(crate) fn events(&self) -> Vec<Said> {
        self.kept().events.clone()
    }

    /// How often a thread left a span that was not the last that it had entered, or never left one.
    pub(crate) fn wrong_exits(&self) -> usize {
        let kept = self.kept();
        kept.wrong_exits + kept.within.values().map(Vec::len).sum::<usize>()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nobody panics with it")
    }
}

impl Kept {
    /// The spans that this thread is in.
    fn own(&mut self) -> &mut Vec<usize> {
        let id = thread::current().id();
        let known = self.threads.iter().position(|known| *known == id);
        let number = known.unwrap_or_else(|| {
            self.threads.push(id);
            self.threads.len() - 1
        });
        self.within.entry(number as u64).or_default()
    }

    fn parent(&mut self, given: Option<&Id>, contextual: bool) -> Option<usize> {
        match given {
            Some(id) => Some(number(id)),
            None if contextual => self.own().last().copied(),
            None => None,
        }
    }
}

fn number(id: &Id) -> usize {
    id.into_u64() as usize - 1
}

/// Takes fields down.
struct Taking<'a>(&'a mut Fields);

impl Visit for Taking<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name(), value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level && ["impel", "program"].contains(&metadata.target())
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(self.level.into())
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::new();
        attributes.record(&mut Taking(&mut fields));
        let mut kept = self.kept();
        let parent = kept.parent(attributes.parent(), attributes.is_contextual());
        kept.spans.push(Span {
            name: attributes.metadata().name(),
            parent,
            fields,
            entered: 0,
            closed: false,
            handles: 1,
        });
        Id::from_u64(kept.spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        values.record(&mut Taking(&mut self.kept().spans[number(id)].fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields::new();
        event.record(&mut Taking(&mut fields));
        let mut kept = self.kept();
        let parent = kept.parent(event.parent(), event.is_contextual());
        kept.events.push(Said {
            message: fields.remove("message").unwrap_or_default(),
            level: *event.metadata().level(),
            parent,
            fields,
        });
    }

    fn enter(&self, id: &Id) {
        let mut kept = self.kept();
        kept.spans[number(id)].entered += 1;
        kept.own().push(number(id));
    }

    fn exit(&self, id: &Id) {
        let mut kept = self.kept();
        let own = kept.own();
        if own.last() == Some(&number(id)) {
            own.pop();
        } else {
            kept.wrong_exits += 1;
        }
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.kept().spans[number(id)].handles += 1;
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut kept = self.kept();
        let span = &mut kept.spans[number(&id)];
        span.handles -= 1;
        span.closed = span.handles == 0;
        span.closed
    }
}
