//! When did what happen where? A trace as bars on lanes: one lane a device, one a direction of copies, one for launches.

use std::collections::BTreeMap;

use super::event::{Event, LaunchNo, PartKind, PartNo, Text};
use super::recorder::Trace;
use crate::lanes::Tile;
use crate::machine::{DeviceId, MemoryId};
use crate::region::WORD_BYTES;

/// A measured time so many times as long as expected, or as short, is marked.
const SURPRISE_TIMES: f64 = 2.0;

/// Where a bar lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Launches, from the start of carrying them out to their end.
    Launches,
    /// Parts on a device.
    Device(DeviceId),
    /// Copies from a memory to another.
    Link(MemoryId, MemoryId),
}

/// Something that took time.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// Where it lies.
    pub lane: Lane,
    /// When it began, in ns.
    pub start_ns: u64,
    /// How long it took, in ns.
    pub ns: u64,
    /// A word or two: the kernel, or what was copied.
    pub label: Text,
    /// Number of the event that began or was it.
    pub event: usize,
    /// The launch that it belongs to.
    pub launch: Option<LaunchNo>,
    /// What is known beside.
    pub detail: Detail,
}

/// What is known of a bar.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// A launch.
    Launch {
        /// Workgroups along x, y, z.
        grid: [u32; 3],
        /// How long it waited in the queue, in ns.
        waited_ns: u64,
        /// Why it was split, or was not; empty without a plan.
        verdict: Text,
        /// Why it failed, if it did.
        error: Option<Text>,
    },
    /// A part of a launch.
    Part {
        /// Which workgroups.
        tile: Tile,
        /// How it came about.
        kind: PartKind,
        /// How long it should have taken, in ns.
        predicted_ns: f64,
        /// Whether the time is a measured one; otherwise only handing it over was timed.
        measured: bool,
        /// Why it failed, if it did.
        error: Option<Text>,
    },
    /// Copies that were made together.
    Copy {
        /// How many.
        copies: u64,
        /// Bytes of all of them.
        bytes: u64,
        /// Of which array, and what for.
        what: String,
    },
}

/// Something that took no time worth telling.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Where.
    pub lane: Lane,
    /// When, in ns.
    pub at_ns: u64,
    /// What.
    pub label: String,
}

/// A trace as bars on lanes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// What took time, in the order of the events.
    pub bars: Vec<Bar>,
    /// What took none.
    pub marks: Vec<Mark>,
}

impl Trace {
    /// The run as bars on lanes. A part that nobody waited for is drawn where its device can have been at it: from when it was handed
    /// over, or when the part before it had ended, for as long as the device's clock says.
    pub fn timeline(&self) -> Timeline {
        let mut drawing = Drawing::new(self);
        for (number, (at_ns, event)) in self.events.iter().enumerate() {
            drawing.take(number, *at_ns, event);
        }
        drawing.line
    }
}

impl Timeline {
    /// The lanes that have anything on them, in order.
    pub fn lanes(&self) -> Vec<Lane> {
        let bars = self.bars.iter().map(|bar| bar.lane);
        let lanes: std::collections::BTreeSet<Lane> = bars
            .chain(self.marks.iter().map(|mark| mark.lane))
            .collect();
        lanes.into_iter().collect()
    }

    /// When the last bar ends, in ns.
    pub fn end_ns(&self) -> u64 {
        let ends = self.bars.iter().map(|bar| bar.start_ns + bar.ns);
        ends.max().unwrap_or(0)
    }

    /// When the first bar begins, in ns.
    pub fn start_ns(&self) -> u64 {
        self.bars.iter().map(|bar| bar.start_ns).min().unwrap_or(0)
    }

    /// Time with anything on a lane, in ns.
    pub fn busy_ns(&self, lane: Lane) -> u64 {
        let mut spans: Vec<(u64, u64)> = self
            .bars
            .iter()
            .filter(|bar| bar.lane == lane)
            .map(|bar| (bar.start_ns, bar.start_ns + bar.ns))
            .collect();
        spans.sort_unstable();
        let (mut busy, mut until) = (0, 0);
        for (start, end) in spans {
            busy += end.saturating_sub(start.max(until));
            until = until.max(end);
        }
        busy
    }
}

/// A timeline being drawn.
#[derive(Default)]
struct Drawing {
    line: Timeline,
    /// Bars of launches that have not ended.
    launches: BTreeMap<LaunchNo, Queued>,
    /// Bars of parts.
    parts: BTreeMap<PartNo, usize>,
    /// When each device had ended its last part.
    free_ns: BTreeMap<DeviceId, u64>,
    /// The times that devices' clocks gave later.
    measured: BTreeMap<PartNo, u64>,
}

struct Queued {
    at_ns: u64,
    kernel: Text,
    grid: [u32; 3],
    verdict: Text,
    bar: Option<usize>,
}

impl Drawing {
    fn new(trace: &Trace) -> Self {
        let events = trace.events.iter();
        let measured = events.filter_map(|(_, event)| match event {
            Event::PartMeasured { part, ns } | Event::PartDone { part, ns: Some(ns) } => {
                Some((*part, *ns))
            }
            _ => None,
        });
        Self {
            measured: measured.collect(),
            ..Self::default()
        }
    }

    fn take(&mut self, number: usize, at_ns: u64, event: &Event) {
        match event {
            Event::LaunchQueued {
                launch,
                kernel,
                grid,
                ..
            } => {
                let queued = Queued {
                    at_ns,
                    kernel: kernel.clone(),
                    grid: *grid,
                    verdict: Text::default(),
                    bar: None,
                };
                self.launches.insert(*launch, queued);
            }
            Event::LaunchStarted { launch } => self.start_launch(number, at_ns, *launch),
            Event::PlanMade {
                launch, verdict, ..
            } => {
                if let Some(queued) = self.launches.get_mut(launch) {
                    queued.verdict.clone_from(verdict);
                }
            }
            Event::LaunchFinished { launch, error } => {
                self.end_launch(at_ns, *launch, error.as_ref());
            }
            Event::PartStarted { .. } => self.start_part(number, at_ns, event),
            Event::PartDone { part, .. } => self.end_part(at_ns, *part, None),
            Event::PartFailed { part, cause } => self.end_part(at_ns, *part, Some(cause)),
            Event::Copied { .. } => self.copy(number, at_ns, event),
            Event::Combined {
                part,
                array,
                span,
                from,
                ns,
            } => {
                let launch = self
                    .parts
                    .get(part)
                    .and_then(|bar| self.line.bars[*bar].launch);
                self.line.bars.push(Bar {
                    lane: Lane::Link(*from, MemoryId::HOST),
                    start_ns: at_ns.saturating_sub(*ns),
                    ns: *ns,
                    label: "combine".into(),
                    event: number,
                    launch,
                    detail: Detail::Copy {
                        copies: 1,
                        bytes: span.words() * WORD_BYTES,
                        what: format!("{array}, a private copy to be combined"),
                    },
                });
            }
            other => self.mark(at_ns, other),
        }
    }

    fn start_launch(&mut self, number: usize, at_ns: u64, launch: LaunchNo) {
        let Some(queued) = self.launches.get_mut(&launch) else {
            return;
        };
        queued.bar = Some(self.line.bars.len());
        self.line.bars.push(Bar {
            lane: Lane::Launches,
            start_ns: at_ns,
            ns: 0,
            label: queued.kernel.clone(),
            event: number,
            launch: Some(launch),
            detail: Detail::Launch {
                grid: queued.grid,
                waited_ns: at_ns.saturating_sub(queued.at_ns),
                verdict: Text::default(),
                error: None,
            },
        });
    }

    fn end_launch(&mut self, at_ns: u64, launch: LaunchNo, failure: Option<&Text>) {
        let Some(queued) = self.launches.remove(&launch) else {
            return;
        };
        let Some(bar) = queued.bar else { return };
        let bar = &mut self.line.bars[bar];
        bar.ns = at_ns.saturating_sub(bar.start_ns);
        if let Detail::Launch { verdict, error, .. } = &mut bar.detail {
            *verdict = queued.verdict;
            *error = failure.cloned();
        }
    }

    fn start_part(&mut self, number: usize, at_ns: u64, event: &Event) {
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
        let free_ns = self.free_ns.entry(*device).or_default();
        let start_ns = at_ns.max(*free_ns);
        let measured = self.measured.get(part).copied();
        if let Some(ns) = measured {
            *free_ns = start_ns + ns;
        }
        let kernel = self
            .launches
            .get(launch)
            .map(|queued| queued.kernel.clone());
        self.parts.insert(*part, self.line.bars.len());
        self.line.bars.push(Bar {
            lane: Lane::Device(*device),
            start_ns,
            ns: measured.unwrap_or(0),
            label: kernel.unwrap_or_default(),
            event: number,
            launch: Some(*launch),
            detail: Detail::Part {
                tile: *tile,
                kind: *kind,
                predicted_ns: *predicted_ns,
                measured: measured.is_some(),
                error: None,
            },
        });
    }

    fn end_part(&mut self, at_ns: u64, part: PartNo, failure: Option<&Text>) {
        let Some(bar) = self.parts.get(&part) else {
            return;
        };
        let bar = &mut self.line.bars[*bar];
        if !self.measured.contains_key(&part) {
            bar.ns = at_ns.saturating_sub(bar.start_ns);
        }
        if let Detail::Part { error, .. } = &mut bar.detail {
            *error = failure.cloned();
        }
    }

    /// A copy, in one bar with those before it that were made together with it.
    fn copy(&mut self, number: usize, at_ns: u64, event: &Event) {
        let Event::Copied {
            launch,
            array,
            span,
            from,
            to,
            reason,
            ns,
            ..
        } = event
        else {
            return;
        };
        let lane = Lane::Link(*from, *to);
        let what = format!("{array}, {reason}");
        if let Some(Bar {
            lane: before,
            launch: of,
            ns: took,
            detail:
                Detail::Copy {
                    copies,
                    bytes,
                    what: same,
                },
            ..
        }) = self.line.bars.last_mut()
            && (*before, *of, *took) == (lane, *launch, *ns)
            && same.starts_with(&format!("{array}, "))
        {
            let reason = reason.to_string();
            if !same.split(", ").any(|known| known == reason) {
                *same = format!("{same}, {reason}");
            }
            *copies += 1;
            *bytes += span.words() * WORD_BYTES;
            return;
        }
        self.line.bars.push(Bar {
            lane,
            start_ns: at_ns.saturating_sub(*ns),
            ns: *ns,
            label: reason.to_string().into(),
            event: number,
            launch: *launch,
            detail: Detail::Copy {
                copies: 1,
                bytes: span.words() * WORD_BYTES,
                what,
            },
        });
    }

    fn mark(&mut self, at_ns: u64, event: &Event) {
        let (lane, label) = match event {
            Event::HostRead { array, span } => (
                Lane::Launches,
                format!("the program reads {array}, words {span}"),
            ),
            Event::HostWrote { array, span } => (
                Lane::Launches,
                format!("the program writes {array}, words {span}"),
            ),
            Event::DeviceFailed { device, cause } => {
                (Lane::Device(*device), format!("{device} fails: {cause}"))
            }
            Event::DeviceRetired { device, cause } => (
                Lane::Device(*device),
                format!("{device} is retired: {cause}"),
            ),
            Event::DeviceResumed { device } => {
                (Lane::Device(*device), format!("{device} is used again"))
            }
            Event::Learned {
                kernel,
                device,
                predicted_ns,
                ns,
            } if is_surprise(*predicted_ns, *ns) => (
                Lane::Device(*device),
                format!(
                    "{kernel} took {:.3} ms, and {:.3} ms were expected",
                    *ns as f64 / 1e6,
                    predicted_ns / 1e6
                ),
            ),
            Event::Evicted {
                array,
                spans,
                memory,
            } => (
                Lane::Device(DeviceId(memory.0)),
                format!("{memory} gives up {array}, words {spans}"),
            ),
            Event::Lost {
                array,
                memory,
                spans,
            } => (
                Lane::Device(DeviceId(memory.0)),
                format!("{memory} is gone, and words {spans} of {array} with it"),
            ),
            Event::Checkpoint { step, bytes, .. } => (
                Lane::Launches,
                format!("checkpoint of step {step}, {bytes} bytes"),
            ),
            _ => return,
        };
        self.line.marks.push(Mark { lane, at_ns, label });
    }
}

/// Whether a part took so many times as long as expected, or as much less, that somebody may want to know.
fn is_surprise(predicted_ns: f64, ns: u64) -> bool {
    let times = ns as f64 / predicted_ns.max(1.0);
    !(1.0 / SURPRISE_TIMES..=SURPRISE_TIMES).contains(&times)
}
