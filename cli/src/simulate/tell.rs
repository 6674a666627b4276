//! What does the trace of a run in virtual time say? The events of a launch, as the executor would have recorded them.

use std::collections::BTreeMap;

use impel::lanes::Tile;
use impel::machine::MemoryId;
use impel::plan::{Part, Plan};
use impel::region::{Footprint, WORD_BYTES};
use impel::simulate::{Outcome, Sent, Step};
use impel::trace::{
    ArrayNo, Event, LaunchNo, PartKind, PartNo, Planned, Range, Trace, TraceDevice, Use,
};
use impel::transfer::{Company, Copy, Reason};

use super::program::Launch;

/// A trace that is being written.
pub(super) struct Teller {
    trace: Trace,
    parts: u64,
    /// Bytes moved by memories and reason.
    moved: BTreeMap<(MemoryId, MemoryId, Reason), u64>,
}

impl Teller {
    pub(super) fn new(devices: Vec<TraceDevice>) -> Self {
        let trace = Trace {
            devices,
            ..Trace::default()
        };
        Self {
            trace,
            parts: 0,
            moved: BTreeMap::new(),
        }
    }

    /// The events in the order of their times, and the bytes that moved.
    pub(super) fn finish(mut self) -> (Trace, BTreeMap<(MemoryId, MemoryId, Reason), u64>) {
        self.trace.events.sort_by_key(|(at_ns, _)| *at_ns);
        (self.trace, self.moved)
    }

    pub(super) fn tell(&mut self, at_ns: f64, event: Event) {
        self.trace.events.push((at_ns as u64, event));
    }

    pub(super) fn copied(
        &mut self,
        launch: Option<LaunchNo>,
        array: ArrayNo,
        copy: &Copy,
        (end_ns, ns): (f64, f64),
    ) {
        let way = (copy.from, copy.to, copy.reason);
        *self.moved.entry(way).or_default() += copy.span.words() * WORD_BYTES;
        let event = Event::Copied {
            launch,
            array,
            span: copy.span,
            from: copy.from,
            to: copy.to,
            reason: copy.reason,
            gap_words: 0,
            ns: ns as u64,
        };
        self.tell(end_ns, event);
    }

    /// The program asks for a launch.
    pub(super) fn queued(&mut self, at_ns: f64, launch: &Launch) {
        let whole = launch.reaches.iter().map(|reach| Range {
            array: reach.array,
            span: reach.reads.all.hull(reach.writes.all),
            write: !reach.writes.all.is_empty(),
        });
        let queued = Event::LaunchQueued {
            launch: launch.number,
            kernel: launch.kernel.clone().into(),
            grid: launch.grid,
            accesses: whole.collect(),
        };
        self.tell(at_ns, queued);
    }

    /// A launch starts and is planned.
    pub(super) fn planned(&mut self, at_ns: f64, launch: &Launch, plan: &Plan) {
        let number = launch.number;
        self.tell(at_ns, Event::LaunchStarted { launch: number });
        let described = Event::LaunchDescribed {
            launch: number,
            work: launch.work,
            axis: launch.axis,
            reaches: launch.reaches.clone(),
        };
        self.tell(at_ns, described);
        let planned = |part: &Part| Planned {
            device: part.device,
            tile: part.tile,
            predicted_ns: part.predicted_ns,
            transfer_ns: part.transfer_ns,
            bytes_in: part.bytes_in,
        };
        let made = Event::PlanMade {
            launch: number,
            parts: plan.parts.iter().map(planned).collect(),
            verdict: plan.split.to_string().into(),
        };
        self.tell(at_ns, made);
    }

    /// The copies and parts of a launch that began at `start_ns`.
    pub(super) fn carried_out(
        &mut self,
        start_ns: f64,
        launch: &Launch,
        (outcome, how): (&Outcome, (Company, PartKind)),
        tile: impl Fn(&Step) -> Tile,
        footprint: impl Fn(Tile) -> Footprint,
    ) {
        for Sent {
            copy,
            begin_ns,
            end_ns,
        } in &outcome.copies
        {
            let array = launch.reaches[copy.argument].array;
            let times = (start_ns + end_ns, end_ns - begin_ns);
            self.copied(Some(launch.number), array, copy, times);
        }
        for step in &outcome.steps {
            let tile = tile(step);
            let begin_ns = start_ns + step.work_begin_ns;
            self.part(
                launch,
                (step, tile, begin_ns, start_ns + step.end_ns),
                how,
                &footprint(tile),
            );
        }
    }

    fn part(
        &mut self,
        launch: &Launch,
        (step, tile, begin_ns, end_ns): (&Step, Tile, f64, f64),
        (company, kind): (Company, PartKind),
        footprint: &Footprint,
    ) {
        let number = PartNo(self.parts);
        self.parts += 1;
        let uses = launch.reaches.iter().zip(&footprint.arguments);
        let uses = uses.map(|(reach, touch)| {
            let apart = touch.combine && company == Company::Shared;
            let (memory, needs) = if apart {
                (MemoryId::HOST, touch.writes.clone())
            } else {
                (step.device.memory(), touch.needs())
            };
            Use {
                array: reach.array,
                memory,
                needs,
                writes: touch.writes.clone(),
                combine: touch.combine,
            }
        });
        let started = Event::PartStarted {
            launch: launch.number,
            part: number,
            kind,
            device: step.device,
            tile,
            uses: uses.collect(),
            predicted_ns: step.worked_ns,
        };
        self.tell(begin_ns, started);
        let ns = Some(step.worked_ns as u64);
        self.tell(end_ns, Event::PartDone { part: number, ns });
    }
}
