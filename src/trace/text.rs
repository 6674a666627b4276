//! How is a trace kept as text? One event a line: its time, its name and its fields, with spaces between.

use std::fmt::Write as _;
use std::str::{FromStr, SplitAsciiWhitespace};

use thiserror::Error;

use super::event::{ArrayNo, Event, LaunchNo, PartKind, PartNo, Planned, Range, Text, Use};
use super::reach::{Reach, Slide};
use super::recorder::{Trace, TraceDevice};
use crate::cost::Work;
use crate::lanes::Tile;
use crate::machine::{DeviceId, MemoryId};
use crate::region::{Span, SpanSet};
use crate::transfer::Reason;

/// First line of every trace. The number changes with the format.
const HEADER: &str = "impel trace 1";

/// Why a text is no trace.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TraceError {
    /// It does not begin as a trace does.
    #[error("a trace of this version begins with `{HEADER}`, this begins with `{found}`")]
    Header {
        /// The first line.
        found: String,
    },
    /// A line cannot be read.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl Trace {
    /// The trace as text, a line an event; [`parse`](str::parse) reads it back.
    pub fn to_text(&self) -> String {
        let mut out = format!("{HEADER}\n");
        for device in &self.devices {
            out.push_str("device");
            device.id.put(&mut out);
            device.name.put(&mut out);
            out.push('\n');
        }
        if self.dropped > 0 {
            out.push_str("dropped");
            self.dropped.put(&mut out);
            out.push('\n');
        }
        for (at_ns, event) in &self.events {
            // Writing to a string does not fail.
            let _ = write!(out, "{at_ns}");
            put_event(event, &mut out);
            out.push('\n');
        }
        out
    }
}

impl FromStr for Trace {
    type Err = TraceError;

    fn from_str(text: &str) -> Result<Self, TraceError> {
        let mut lines = (1..).zip(text.lines());
        match lines.next() {
            Some((_, HEADER)) => {}
            first => {
                let found = first.map_or("", |(_, line)| line);
                return Err(TraceError::Header {
                    found: found.chars().take(40).collect(),
                });
            }
        }
        let mut trace = Self::default();
        for (number, line) in lines {
            take_line(&mut trace, line).map_err(|what| TraceError::Line { line: number, what })?;
        }
        Ok(trace)
    }
}

/// Adds what a line says to a trace.
fn take_line(trace: &mut Trace, line: &str) -> Result<(), String> {
    let mut words = line.split_ascii_whitespace();
    let Some(first) = words.next() else {
        return Ok(());
    };
    match first {
        "device" => trace.devices.push(TraceDevice {
            id: Field::take(&mut words)?,
            name: Field::take(&mut words)?,
        }),
        "dropped" => trace.dropped = Field::take(&mut words)?,
        time => {
            let at_ns = time
                .parse()
                .map_err(|_| format!("`{time}` is neither a time nor the name of a line"))?;
            let event = take_event(&mut words)?;
            trace.events.push((at_ns, event));
        }
    }
    match words.next() {
        None => Ok(()),
        Some(word) => Err(format!("`{word}` follows where the line should end")),
    }
}

type Words<'a> = SplitAsciiWhitespace<'a>;

/// What can stand in a line.
trait Field: Sized {
    /// Adds a space and the field.
    fn put(&self, out: &mut String);

    /// Reads the next field.
    fn take(words: &mut Words<'_>) -> Result<Self, String>;
}

fn word<'a>(words: &mut Words<'a>) -> Result<&'a str, String> {
    words
        .next()
        .ok_or_else(|| "the line ends too early".to_owned())
}

/// Fields that are one number.
macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Field for $number {
            fn put(&self, out: &mut String) {
                // As above.
                let _ = write!(out, " {self}");
            }

            fn take(words: &mut Words<'_>) -> Result<Self, String> {
                let word = word(words)?;
                word.parse().map_err(|_| format!("`{word}` is no {}", stringify!($number)))
            }
        }
    )*};
}

numbers!(u8, u32, u64, i64, usize, f64, bool);

/// Fields that are other fields, one after the other.
macro_rules! records {
    ($($record:ident { $($field:tt),* })*) => {$(
        impl Field for $record {
            fn put(&self, out: &mut String) {
                $(self.$field.put(out);)*
            }

            fn take(words: &mut Words<'_>) -> Result<Self, String> {
                Ok(Self { $($field: Field::take(words)?),* })
            }
        }
    )*};
}

records! {
    LaunchNo { 0 }
    ArrayNo { 0 }
    PartNo { 0 }
    DeviceId { 0 }
    MemoryId { 0 }
    Tile { lo, hi }
    Range { array, span, write }
    Work { bytes, fresh_bytes, ops, special_ops }
    Slide { all, step, lo, hi }
    Reach { array, reads, writes, exact, combine }
    Use { array, memory, needs, writes, combine }
    Planned { device, tile, predicted_ns, transfer_ns, bytes_in }
}

impl Field for [u32; 3] {
    fn put(&self, out: &mut String) {
        for extent in self {
            extent.put(out);
        }
    }

    fn take(words: &mut Words<'_>) -> Result<Self, String> {
        Ok([
            Field::take(words)?,
            Field::take(words)?,
            Field::take(words)?,
        ])
    }
}

impl Field for Span {
    fn put(&self, out: &mut String) {
        // As above.
        let _ = write!(out, " {self}");
    }

    fn take(words: &mut Words<'_>) -> Result<Self, String> {
        let word = word(words)?;
        let ends = word
            .split_once("..")
            .and_then(|(lo, hi)| Some((lo.parse().ok()?, hi.parse().ok()?)));
        match ends {
            Some((lo, hi)) if lo <= hi => Ok(Span { lo, hi }),
            _ => Err(format!("`{word}` is no range of words")),
        }
    }
}

impl Field for SpanSet {
    fn put(&self, out: &mut String) {
        self.spans().len().put(out);
        for span in self.iter() {
            span.put(out);
        }
    }

    fn take(words: &mut Words<'_>) -> Result<Self, String> {
        let spans: Vec<Span> = Field::take(words)?;
        Ok(spans.into_iter().collect())
    }
}

impl<T: Field> Field for Vec<T> {
    fn put(&self, out: &mut String) {
        self.len().put(out);
        for item in self {
            item.put(out);
        }
    }

    fn take(words: &mut Words<'_>) -> Result<Self, String> {
        let len: usize = Field::take(words)?;
        // Not reserved: a damaged length must not take all memory.
        (0..len).map(|_| Field::take(words)).collect()
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, out: &mut String) {
        match self {
            None => out.push_str(" -"),
            Some(value) => {
                out.push_str(" +");
                value.put(out);
            }
        }
    }

    fn take(words: &mut Words<'_>) -> Result<Self, String> {
        match word(words)? {
            "-" => Ok(None),
            "+" => Ok(Some(Field::take(words)?)),
            other => Err(format!("`{other}` is neither `-` nor `+`")),
        }
    }
}

impl Field for String {
    fn put(&self, out: &mut String) {
        out.push_str(" '");
        for byte in self.chars() {
            match byte {
                '%' => out.push_str("%25"),
                other if other.is_ascii_whitespace() => {
                    // As above.
                    let _ = write!(out, "%{:02x}", other as u32);
                }
                other => out.push(other),
            }
        }
    }

    fn take(words: &mut Words<'_>) -> Result<Self, String> {
        let word = word(words)?;
        let unreadable = || format!("`{word}` is no text");
        let mut rest = word.strip_prefix('\'').ok_or_else(unreadable)?;
        let mut text = String::new();
        while let Some((plain, escaped)) = rest.split_once('%') {
            text.push_str(plain);
            let digits = escaped.get(..2).ok_or_else(unreadable)?;
            let code = u8::from_str_radix(digits, 16).map_err(|_| unreadable())?;
            text.push(char::from(code));
            rest = &escaped[2..];
        }
        text.push_str(rest);
        Ok(text)
    }
}

impl Field for Text {
    fn put(&self, out: &mut String) {
        self.as_ref().to_owned().put(out);
    }

    fn take(words: &mut Words<'_>) -> Result<Self, String> {
        String::take(words).map(Text::from)
    }
}

/// Fields that are one of a few names.
macro_rules! names {
    ($($kind:ident),*) => {$(
        impl Field for $kind {
            fn put(&self, out: &mut String) {
                self.to_string().put(out);
            }

            fn take(words: &mut Words<'_>) -> Result<Self, String> {
                let name = String::take(words)?;
                let known = Self::ALL.into_iter().find(|kind| kind.to_string() == name);
                known.ok_or_else(|| format!("`{name}` is no {}", stringify!($kind)))
            }
        }
    )*};
}

names!(Reason, PartKind);

/// The events with their names in the text and their fields, in order.
macro_rules! events {
    ($($name:literal $event:ident { $($field:ident),* })*) => {
        fn put_event(event: &Event, out: &mut String) {
            match event {
                $(Event::$event { $($field),* } => {
                    out.push_str(concat!(" ", $name));
                    $($field.put(out);)*
                })*
            }
        }

        fn take_event(words: &mut Words<'_>) -> Result<Event, String> {
            match word(words)? {
                $($name => Ok(Event::$event { $($field: Field::take(words)?),* }),)*
                other => Err(format!("`{other}` is no event")),
            }
        }
    };
}

events! {
    "array" ArrayMade { array, words }
    "queued" LaunchQueued { launch, kernel, grid, accesses }
    "started" LaunchStarted { launch }
    "described" LaunchDescribed { launch, work, axis, reaches }
    "plan" PlanMade { launch, parts, verdict }
    "copied" Copied { launch, array, span, from, to, reason, gap_words, ns }
    "part" PartStarted { launch, part, kind, device, tile, uses, predicted_ns }
    "done" PartDone { part, ns }
    "measured" PartMeasured { part, ns }
    "failed" PartFailed { part, cause }
    "combined" Combined { part, array, span, from, ns }
    "finished" LaunchFinished { launch, error }
    "read" HostRead { array, span }
    "wrote" HostWrote { array, span }
    "prefetched" Prefetched { launch, memory, words }
    "evicted" Evicted { array, spans, memory }
    "lost" Lost { array, memory, spans }
    "undone" Undone { launch }
    "rebuilt" Rebuilt { array, spans }
    "failure" DeviceFailed { device, cause }
    "retired" DeviceRetired { device, cause }
    "resumed" DeviceResumed { device }
    "learned" Learned { kernel, device, predicted_ns, ns }
    "checkpoint" Checkpoint { step, bytes, ns }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(lo: u32, hi: u32) -> Tile {
        Tile {
            lo: [lo, 0, 0],
            hi: [hi, 1, 1],
        }
    }

    /// One event of each kind with fields of its own, and others with the fields' other values.
    fn one_of_each() -> Vec<Event> {
        let (launch, array, part) = (LaunchNo(3), ArrayNo(4), PartNo(5));
        let (device, memory) = (DeviceId(1), MemoryId(1));
        let span = Span::new(8, 1 << 40);
        let spans: SpanSet = [Span::new(0, 4), Span::new(8, 9)].into_iter().collect();
        let kernel = Text::from("saxpy");
        let cause = Text::from("lost: 100 %\nof \t it ünterwegs");
        let tile = tile(0, 7);
        let use_of = |combine| Use {
            array,
            memory,
            needs: spans.clone(),
            writes: SpanSet::EMPTY,
            combine,
        };
        let work = Work {
            bytes: 1e9,
            fresh_bytes: 4.0,
            ops: 0.5,
            special_ops: 0.0,
        };
        let slide = Slide {
            all: Span::new(0, 8),
            step: -3,
            lo: -1,
            hi: i64::MAX,
        };
        let reach = Reach {
            array,
            reads: slide,
            writes: Slide::fixed(Span::new(3, 4)),
            exact: true,
            combine: false,
        };
        let planned = Planned {
            device,
            tile,
            predicted_ns: 1.25e6,
            transfer_ns: 0.1,
            bytes_in: 40,
        };
        #[rustfmt::skip]
        let events = vec![
            Event::ArrayMade { array, words: 77 },
            Event::LaunchQueued {
                launch, kernel: kernel.clone(), grid: [7, 1, 1], accesses: vec![Range { array, span, write: true }],
            },
            Event::LaunchStarted { launch },
            Event::LaunchDescribed { launch, work, axis: Some(1), reaches: vec![reach] },
            Event::PlanMade { launch, parts: vec![planned, planned], verdict: Text::from("") },
            Event::Copied {
                launch: Some(launch), array, span, from: MemoryId::HOST, to: memory, reason: Reason::Halo, gap_words: 2, ns: 9,
            },
            Event::Copied {
                launch: None, array, span, from: memory, to: MemoryId::HOST, reason: Reason::HostRead, gap_words: 0, ns: 9,
            },
            Event::PartStarted {
                launch, part, kind: PartKind::Chunk, device, tile, uses: vec![use_of(true), use_of(false)],
                predicted_ns: f64::INFINITY,
            },
            Event::PartDone { part, ns: Some(u64::MAX) },
            Event::PartDone { part, ns: None },
            Event::PartMeasured { part, ns: 1 },
            Event::PartFailed { part, cause: cause.clone() },
            Event::Combined { part, array, span, from: memory, ns: 2 },
            Event::LaunchFinished { launch, error: Some(cause.clone()) },
            Event::LaunchFinished { launch, error: None },
            Event::HostRead { array, span },
            Event::HostWrote { array, span },
            Event::Prefetched { launch, memory, words: 6 },
            Event::Evicted { array, spans: spans.clone(), memory },
            Event::Lost { array, memory, spans: spans.clone() },
            Event::Undone { launch },
            Event::Rebuilt { array, spans },
            Event::DeviceFailed { device, cause: cause.clone() },
            Event::DeviceRetired { device, cause },
            Event::DeviceResumed { device },
            Event::Learned { kernel, device, predicted_ns: 1.0 / 3.0, ns: 2 },
            Event::Checkpoint { step: 1, bytes: 2, ns: 3 },
        ];
        events
    }

    #[test]
    fn every_event_comes_back_from_its_text() {
        let trace = Trace {
            devices: vec![TraceDevice {
                id: DeviceId::CPU,
                name: "A CPU @ 100 %".to_owned(),
            }],
            events: (0..).zip(one_of_each()).collect(),
            dropped: 4,
        };
        let text = trace.to_text();
        assert_eq!(text.lines().count(), 3 + trace.events.len(), "{text}");
        assert_eq!(text.parse(), Ok(trace));
    }

    #[test]
    fn what_is_no_trace_is_refused_with_the_line() {
        let error = |text: &str| text.parse::<Trace>().unwrap_err().to_string();
        assert_eq!(
            error("{\"traceEvents\": []}"),
            "a trace of this version begins with `impel trace 1`, this begins with `{\"traceEvents\": []}`"
        );
        assert_eq!(
            error("impel trace 1\n10 started 1\n20 begun 1"),
            "line 3: `begun` is no event"
        );
        assert_eq!(
            error("impel trace 1\n10 started"),
            "line 2: the line ends too early"
        );
        assert_eq!(
            error("impel trace 1\n10 read 1 9..4"),
            "line 2: `9..4` is no range of words"
        );
        assert_eq!(
            error("impel trace 1\n10 started 1 2"),
            "line 2: `2` follows where the line should end"
        );
    }

    #[test]
    fn a_text_that_is_cut_or_damaged_anywhere_is_refused_or_read_but_never_a_panic() {
        let trace = Trace {
            events: (0..).zip(one_of_each()).collect(),
            ..Trace::default()
        };
        let text = trace.to_text();
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let cut: Result<Trace, TraceError> = text[..end].parse();
            assert!(cut.is_err() || cut.is_ok_and(|cut| cut.events.len() <= trace.events.len()));
        }
        for at in (0..text.len()).filter(|at| text.as_bytes()[*at].is_ascii()) {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = b'7';
            let damaged = String::from_utf8(damaged).expect("ASCII for ASCII");
            assert!(
                damaged
                    .parse::<Trace>()
                    .map_or(true, |read| read.devices.is_empty())
            );
        }
    }
}
