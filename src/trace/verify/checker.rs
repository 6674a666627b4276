//! What follows from each event of a recorded run, and does it fit what came before?

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use super::contents::{Contents, Unused};
use crate::lanes::Tile;
use crate::machine::{DeviceId, MemoryId};
use crate::region::{Span, SpanSet};
use crate::trace::event::{ArrayNo, Event, LaunchNo, PartNo, Range, Use};
use crate::transfer::Reason;

/// What is known at some point of a trace.
#[derive(Debug, Default)]
pub(super) struct Checker {
    /// Number of the present event.
    pub(super) event: usize,
    arrays: BTreeMap<ArrayNo, Contents>,
    launches: BTreeMap<LaunchNo, Launch>,
    parts: BTreeMap<PartNo, Part>,
    retired: BTreeSet<DeviceId>,
    pub(super) violations: Vec<Violation>,
}

/// An unfinished launch.
#[derive(Debug)]
struct Launch {
    queued: usize,
    grid: [u32; 3],
    accesses: Vec<Range>,
    started: bool,
    done: Vec<Tile>,
    /// Parts that have started and not failed.
    parts: BTreeSet<PartNo>,
    /// Where parts have started.
    memories: BTreeSet<MemoryId>,
    /// Where words were brought ahead.
    prefetched: BTreeSet<MemoryId>,
}

#[derive(Debug)]
struct Part {
    launch: LaunchNo,
    device: DeviceId,
    tile: Tile,
    uses: Vec<Use>,
    running: bool,
}

impl Checker {
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::ArrayMade { array, words } => self.make(*array, *words),
            Event::LaunchQueued {
                launch,
                grid,
                accesses,
                ..
            } => self.queue(*launch, *grid, accesses),
            Event::LaunchStarted { launch } => self.start(*launch),
            Event::Copied {
                launch,
                array,
                span,
                from,
                to,
                gap_words,
                reason,
                ..
            } => {
                self.copy(*launch, *array, *span, (*from, *to), *gap_words);
                if *reason == Reason::Mirror {
                    // It is of use when the device is lost.
                    let event = self.event;
                    self.excuse(|unused| unused.event == event);
                }
            }
            Event::PartStarted {
                launch,
                part,
                device,
                tile,
                uses,
                ..
            } => {
                let running = Part {
                    launch: *launch,
                    device: *device,
                    tile: *tile,
                    uses: uses.clone(),
                    running: true,
                };
                self.start_part(*part, running);
            }
            Event::PartDone { part, .. } => self.end_part(*part),
            Event::PartFailed { part, .. } => self.fail_part(*part),
            Event::Combined { array, span, .. } => {
                self.read(*array, &SpanSet::from(*span), MemoryId::HOST);
            }
            Event::LaunchFinished { launch, error } => self.finish(*launch, error.is_some()),
            Event::HostRead { array, span } => {
                self.wait(None, *array, *span, false);
                self.read(*array, &SpanSet::from(*span), MemoryId::HOST);
            }
            Event::HostWrote { array, span } => {
                self.wait(None, *array, *span, true);
                self.write(*array, &SpanSet::from(*span), MemoryId::HOST);
            }
            Event::Evicted {
                array,
                spans,
                memory,
            } => self.evict(*array, spans, *memory),
            Event::Lost { array, memory, .. } => self.lose(*array, *memory),
            Event::DeviceRetired { device, .. } => self.retire(*device),
            Event::DeviceResumed { device } => self.resume(*device),
            Event::DeviceFailed { device, .. } => {
                // What was on its way to the device, and what came home for a use that the failure interrupted.
                let to = [device.memory(), MemoryId::HOST];
                self.excuse(|unused| to.contains(&unused.to));
            }
            Event::Undone { launch } => self.undo(*launch),
            Event::Rebuilt { array, spans } => self.rebuild(*array, spans),
            Event::Prefetched { launch, memory, .. } => {
                if let Some(launch) = self.launches.get_mut(launch) {
                    launch.prefetched.insert(*memory);
                }
            }
            Event::LaunchDescribed { .. }
            | Event::PlanMade { .. }
            | Event::PartMeasured { .. }
            | Event::Learned { .. }
            | Event::Checkpoint { .. } => {}
        }
    }

    fn complain(&mut self, what: impl Into<String>) {
        self.violations.push(Violation::Disorder {
            event: self.event,
            what: what.into(),
        });
    }

    fn contents(&mut self, array: ArrayNo) -> Option<&mut Contents> {
        if !self.arrays.contains_key(&array) {
            self.complain(format!("uses {array}, which was never made"));
        }
        self.arrays.get_mut(&array)
    }

    fn make(&mut self, array: ArrayNo, words: u64) {
        let all = Span::new(0, words);
        let mut contents = Contents::default();
        contents.last.set(all, Some(self.event));
        let host = contents.held.entry(MemoryId::HOST).or_default();
        host.set(all, Some(self.event));
        if self.arrays.insert(array, contents).is_some() {
            self.complain(format!("makes {array} once more"));
        }
    }

    fn queue(&mut self, number: LaunchNo, grid: [u32; 3], accesses: &[Range]) {
        let launch = Launch {
            queued: self.event,
            grid,
            accesses: accesses.to_vec(),
            started: false,
            done: Vec::new(),
            parts: BTreeSet::new(),
            memories: BTreeSet::new(),
            prefetched: BTreeSet::new(),
        };
        if self.launches.insert(number, launch).is_some() {
            self.complain(format!("queues {number} once more"));
        }
    }

    fn start(&mut self, number: LaunchNo) {
        let Some(launch) = self.launches.get_mut(&number) else {
            return self.complain(format!("starts {number}, which is not in the queue"));
        };
        if std::mem::replace(&mut launch.started, true) {
            self.complain(format!("starts {number} once more"));
            return;
        }
        for access in launch.accesses.clone() {
            self.wait(Some(number), access.array, access.span, access.write);
        }
    }

    /// Nothing earlier that conflicts may be unfinished. What the program itself does comes after all that it queued.
    fn wait(&mut self, own: Option<LaunchNo>, array: ArrayNo, span: Span, write: bool) {
        let conflicts = |other: &&Range| {
            other.array == array
                && (other.write || write)
                && !other.span.intersection(span).is_empty()
        };
        let earlier = self
            .launches
            .range(..own.unwrap_or(LaunchNo(u64::MAX)))
            .find(|(_, launch)| launch.accesses.iter().any(|other| conflicts(&other)));
        if let Some((&before, _)) = earlier {
            self.violations.push(Violation::TooEarly {
                event: self.event,
                array,
                before,
            });
        }
    }

    /// `spans` are used in `memory`: the last version must be there.
    fn read(&mut self, array: ArrayNo, spans: &SpanSet, memory: MemoryId) {
        let event = self.event;
        let Some(contents) = self.contents(array) else {
            return;
        };
        contents.claim(spans, memory);
        let stale = spans
            .iter()
            .find_map(|span| contents.stale(span, memory))
            .map(|(span, held, last)| Violation::Stale {
                event,
                array,
                span,
                memory,
                held,
                last,
            });
        self.violations.extend(stale);
    }

    /// `spans` have a new version, which is in `memory` and nowhere else.
    fn write(&mut self, array: ArrayNo, spans: &SpanSet, memory: MemoryId) {
        let event = self.event;
        let Some(contents) = self.contents(array) else {
            return;
        };
        for span in spans.iter() {
            contents.last.set(span, Some(event));
            contents.undefined.remove(span);
            let held = contents.held.entry(memory).or_default();
            held.set(span, Some(event));
        }
        for unused in &mut contents.unused {
            let overwritten = unused.words.intersection(spans);
            unused.wasted += overwritten.words();
            unused.words = unused.words.difference(&overwritten);
        }
        let wasted: Vec<Violation> = contents
            .unused
            .extract_if(.., |unused| unused.words.is_empty())
            .filter_map(|unused| unused.violation(array))
            .collect();
        self.violations.extend(wasted);
    }

    fn copy(
        &mut self,
        launch: Option<LaunchNo>,
        array: ArrayNo,
        span: Span,
        (from, to): (MemoryId, MemoryId),
        gap_words: u64,
    ) {
        let event = self.event;
        let Some(contents) = self.contents(array) else {
            return;
        };
        let already = contents.words_with_last(span, to);
        // What a failed launch should have written may travel, as long as nobody uses it.
        let undefined = contents.undefined.words_in(span);
        let stale = (span.words() - undefined).saturating_sub(contents.words_with_last(span, from));
        if stale > gap_words {
            let (span, held, last) = contents.stale(span, from).expect("some words are stale");
            self.violations.push(Violation::Stale {
                event,
                array,
                span,
                memory: from,
                held,
                last,
            });
            return;
        }
        // Words that only pass through main memory have found their use.
        contents.claim(&SpanSet::from(span), from);
        let carried = contents.held.entry(from).or_default().pieces(span);
        let held = contents.held.entry(to).or_default();
        for (piece, version) in carried {
            held.set(piece, version);
        }
        contents.unused.push(Unused {
            event,
            launch,
            to,
            words: SpanSet::from(span),
            wasted: 0,
            gap_words,
        });
        if already > gap_words {
            self.violations.push(Violation::Needless {
                event,
                array,
                memory: to,
                words: already - gap_words,
            });
        }
    }

    fn start_part(&mut self, number: PartNo, part: Part) {
        let launch = part.launch;
        if !self
            .launches
            .get(&launch)
            .is_some_and(|launch| launch.started)
        {
            return self.complain(format!(
                "starts {number} of {launch}, which is not under way"
            ));
        }
        for own in &part.uses {
            self.read(own.array, &own.needs, own.memory);
        }
        let others = &self.launches[&launch].parts;
        let interference = others.iter().find_map(|other| {
            let array = interfere(&part.uses, &self.parts[other].uses)?;
            Some((*other, array))
        });
        if let Some((other, array)) = interference {
            self.violations.push(Violation::Interference {
                event: self.event,
                part: number,
                other,
                array,
            });
        }
        if let Some(launch) = self.launches.get_mut(&launch) {
            launch.parts.insert(number);
            launch.memories.insert(part.device.memory());
        }
        if self.parts.insert(number, part).is_some() {
            self.complain(format!("starts {number} once more"));
        }
    }

    /// The part that has been running until now.
    fn take_running(&mut self, number: PartNo) -> Option<(LaunchNo, DeviceId, Tile, Vec<Use>)> {
        let running = self.parts.get_mut(&number).filter(|part| part.running);
        if let Some(part) = running {
            part.running = false;
            return Some((part.launch, part.device, part.tile, part.uses.clone()));
        }
        self.complain(format!("ends {number}, which does not run"));
        None
    }

    fn end_part(&mut self, number: PartNo) {
        let Some((launch, _, tile, uses)) = self.take_running(number) else {
            return;
        };
        for own in &uses {
            self.write(own.array, &own.writes, own.memory);
        }
        match self.launches.get_mut(&launch) {
            Some(launch) => launch.done.push(tile),
            None => self.complain(format!("ends {number} after {launch} has finished")),
        }
    }

    /// What moved for a part that failed is nobody's fault.
    fn fail_part(&mut self, number: PartNo) {
        let Some((launch, device, ..)) = self.take_running(number) else {
            return;
        };
        if let Some(launch) = self.launches.get_mut(&launch) {
            launch.parts.remove(&number);
        }
        self.excuse(|unused| unused.to == device.memory());
    }

    /// All of a launch is to be done once more. What moved for it is nobody's fault.
    fn undo(&mut self, number: LaunchNo) {
        let Some(launch) = self.launches.get_mut(&number) else {
            return self.complain(format!("undoes {number}, which is not under way"));
        };
        launch.done.clear();
        for part in std::mem::take(&mut launch.parts) {
            self.parts.remove(&part);
        }
        self.excuse(|unused| unused.launch == Some(number));
    }

    fn finish(&mut self, number: LaunchNo, failed: bool) {
        let Some(launch) = self.launches.remove(&number) else {
            return self.complain(format!("finishes {number}, which is not under way"));
        };
        for part in &launch.parts {
            self.parts.remove(part);
        }
        for &memory in &launch.prefetched {
            // A launch may be planned differently from what was expected of it.
            if launch.memories.iter().any(|other| *other != memory) {
                self.excuse(|unused| unused.launch == Some(number) && unused.to == memory);
            }
        }
        if failed {
            self.excuse(|unused| unused.launch == Some(number));
            for access in launch.accesses.iter().filter(|access| access.write) {
                // What it should have written is nowhere.
                let event = self.event;
                if let Some(contents) = self.contents(access.array) {
                    contents.last.set(access.span, Some(event));
                    contents.undefined.insert(access.span);
                }
            }
        } else if let Some(what) = misfit(&launch) {
            self.violations.push(Violation::Tiling {
                event: self.event,
                launch: number,
                what,
            });
        }
    }

    fn evict(&mut self, array: ArrayNo, spans: &SpanSet, memory: MemoryId) {
        let event = self.event;
        let Some(contents) = self.contents(array) else {
            return;
        };
        // What was written back for it has found its use.
        contents.claim(spans, MemoryId::HOST);
        let mut given_up = contents.held.remove(&memory).unwrap_or_default();
        let mut last_copies = spans.iter().flat_map(|span| {
            let present = contents.last.pieces(span);
            let own = |(piece, last): (Span, Option<usize>)| {
                let held = given_up.pieces(piece).into_iter();
                held.filter(move |(_, held)| *held == last)
                    .map(|(piece, _)| piece)
                    .collect::<Vec<_>>()
            };
            present.into_iter().flat_map(own).collect::<Vec<_>>()
        });
        let only = last_copies.find(|piece| {
            let mut others = contents.held.keys();
            !others.any(|other| contents.words_with_last(*piece, *other) == piece.words())
        });
        drop(last_copies);
        for span in spans.iter() {
            given_up.set(span, None);
        }
        contents.held.insert(memory, given_up);
        if let Some(span) = only {
            self.violations.push(Violation::EvictedLast {
                event,
                array,
                span,
                memory,
            });
        }
    }

    fn lose(&mut self, array: ArrayNo, memory: MemoryId) {
        let Some(contents) = self.contents(array) else {
            return;
        };
        contents.unused.retain(|unused| unused.to != memory);
        if let Some(held) = contents.held.get_mut(&memory) {
            held.clear();
        }
    }

    /// What its memory holds stays of use, unless it is said to be lost; what was on its way there may be in vain.
    fn retire(&mut self, device: DeviceId) {
        self.excuse(|unused| unused.to == device.memory());
        if device == DeviceId::CPU || !self.retired.insert(device) {
            self.complain(format!("retires {device}, which cannot be retired now"));
        }
    }

    fn resume(&mut self, device: DeviceId) {
        if !self.retired.remove(&device) {
            self.complain(format!("resumes {device}, which was not retired"));
        }
    }

    fn rebuild(&mut self, array: ArrayNo, spans: &SpanSet) {
        let Some(contents) = self.contents(array) else {
            return;
        };
        for span in spans.iter() {
            let last = contents.last.pieces(span);
            let held = contents.held.entry(MemoryId::HOST).or_default();
            for (piece, version) in last {
                held.set(piece, version);
            }
        }
    }

    fn excuse(&mut self, mut which: impl FnMut(&Unused) -> bool) {
        for contents in self.arrays.values_mut() {
            contents.unused.retain(|unused| !which(unused));
        }
    }

    /// The run is over: everything has ended, and what was copied has been used.
    pub(super) fn end(&mut self) {
        for (number, launch) in &self.launches {
            self.violations.push(Violation::Unfinished {
                event: launch.queued,
                launch: *number,
            });
        }
        for (array, contents) in &self.arrays {
            let left = contents.unused.iter();
            self.violations
                .extend(left.filter_map(|unused| unused.violation(*array)));
        }
    }
}

/// The first array of which one part writes what the other uses.
fn interfere(one: &[Use], other: &[Use]) -> Option<ArrayNo> {
    let meet = |a: &Use, b: &Use| {
        a.array == b.array
            && !(a.combine && b.combine)
            && (a.writes.meets(&b.writes) || a.writes.meets(&b.needs) || a.needs.meets(&b.writes))
    };
    let met = |a: &&Use| other.iter().any(|b| meet(a, b));
    one.iter().find(met).map(|own| own.array)
}

/// How the finished parts of a launch fail to tile it, if they do.
fn misfit(launch: &Launch) -> Option<String> {
    let volume = |tile: &Tile| -> u64 {
        let along = (0..3).map(|axis| u64::from(tile.hi[axis].saturating_sub(tile.lo[axis])));
        along.product()
    };
    let meet =
        |a: &Tile, b: &Tile| (0..3).all(|axis| a.lo[axis] < b.hi[axis] && b.lo[axis] < a.hi[axis]);
    for (at, tile) in launch.done.iter().enumerate() {
        if (0..3).any(|axis| tile.hi[axis] > launch.grid[axis]) {
            return Some(format!("reach out of its grid: {tile}"));
        }
        if let Some(other) = launch.done[..at].iter().find(|other| meet(tile, other)) {
            return Some(format!("did some workgroups twice: {tile} and {other}"));
        }
    }
    let covered: u64 = launch.done.iter().map(volume).sum();
    let total: u64 = launch
        .grid
        .iter()
        .map(|extent| u64::from(*extent))
        .product();
    (covered != total).then(|| format!("did {covered} of {total} workgroups"))
}
