//! What did a recorded program do? Its arrays, its launches with what they touch, and what the program itself read and wrote.

use std::collections::BTreeMap;

use impel::cost::Work;
use impel::lanes::Tile;
use impel::machine::DeviceId;
use impel::trace::{ArrayNo, Event, LaunchNo, PartNo, Planned, Reach, Trace};

use crate::Failure;

/// A recorded program.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// Lengths in words.
    pub(crate) arrays: BTreeMap<ArrayNo, u64>,
    pub(crate) steps: Vec<Step>,
}

/// What a program does next.
#[derive(Debug)]
pub(crate) enum Step {
    Launch(Box<Launch>),
    Read(ArrayNo, impel::region::Span),
    Write(ArrayNo, impel::region::Span),
}

/// A recorded launch.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    pub(crate) number: LaunchNo,
    pub(crate) kernel: String,
    pub(crate) grid: [u32; 3],
    pub(crate) work: Work,
    pub(crate) axis: Option<usize>,
    pub(crate) reaches: Vec<Reach>,
    /// The parts as they were planned.
    pub(crate) planned: Vec<Planned>,
    /// The parts whose time was measured: device, fraction of the launch, ns.
    pub(crate) measured: Vec<(DeviceId, f64, u64)>,
    /// How long the program did something else before it asked for the launch, in ns.
    pub(crate) thought_ns: u64,
    /// From the start to the end of carrying it out, in ns.
    pub(crate) took_ns: u64,
}

impl Launch {
    /// The fraction of the launch that a tile is.
    pub(crate) fn share(&self, tile: Tile) -> f64 {
        let along = |axis: usize| {
            f64::from(tile.hi[axis] - tile.lo[axis]) / f64::from(self.grid[axis].max(1))
        };
        (0..3).map(along).product()
    }
}

impl Program {
    /// The program of a trace.
    pub(crate) fn of(trace: &Trace) -> Result<Self, Failure> {
        let mut reader = Reader::default();
        for (at_ns, event) in &trace.events {
            reader.take(*at_ns, event);
        }
        let program = reader.program;
        if program.launches().next().is_none() {
            return Err(Failure::of("the trace has no launch that was carried out"));
        }
        Ok(program)
    }

    pub(crate) fn launches(&self) -> impl Iterator<Item = &Launch> {
        self.steps.iter().filter_map(|step| match step {
            Step::Launch(launch) => Some(&**launch),
            Step::Read(..) | Step::Write(..) => None,
        })
    }
}

#[derive(Default)]
struct Reader {
    program: Program,
    open: BTreeMap<LaunchNo, Open>,
    parts: BTreeMap<PartNo, (LaunchNo, DeviceId, f64)>,
    /// Where each launch is among the steps.
    places: BTreeMap<LaunchNo, usize>,
    /// When the last launch ended.
    idle_since_ns: Option<u64>,
}

/// A launch that has not ended.
struct Open {
    launch: Launch,
    queued_ns: u64,
    started_ns: u64,
}

impl Reader {
    fn take(&mut self, at_ns: u64, event: &Event) {
        match event {
            Event::ArrayMade { array, words } => {
                self.program.arrays.insert(*array, *words);
            }
            Event::LaunchQueued {
                launch,
                kernel,
                grid,
                ..
            } => {
                let launch = Launch {
                    number: *launch,
                    kernel: kernel.to_string(),
                    grid: *grid,
                    work: Work::default(),
                    axis: None,
                    reaches: Vec::new(),
                    planned: Vec::new(),
                    measured: Vec::new(),
                    thought_ns: 0,
                    took_ns: 0,
                };
                let open = Open {
                    launch,
                    queued_ns: at_ns,
                    started_ns: at_ns,
                };
                self.open.insert(open.launch.number, open);
            }
            Event::LaunchStarted { launch } => {
                if let Some(open) = self.open.get_mut(launch) {
                    open.started_ns = at_ns;
                }
            }
            Event::LaunchDescribed {
                launch,
                work,
                axis,
                reaches,
            } => {
                if let Some(Open { launch, .. }) = self.open.get_mut(launch) {
                    (launch.work, launch.axis) = (*work, *axis);
                    launch.reaches.clone_from(reaches);
                }
            }
            Event::PlanMade { launch, parts, .. } => {
                if let Some(open) = self.open.get_mut(launch) {
                    open.launch.planned.clone_from(parts);
                }
            }
            Event::LaunchFinished {
                launch,
                error: None,
            } => self.finish(at_ns, *launch),
            Event::HostRead { array, span } => self.program.steps.push(Step::Read(*array, *span)),
            Event::HostWrote { array, span } => self.program.steps.push(Step::Write(*array, *span)),
            other => self.take_part(other),
        }
    }

    fn take_part(&mut self, event: &Event) {
        match event {
            Event::PartStarted {
                launch,
                part,
                device,
                tile,
                ..
            } => {
                let Some(Open { launch: own, .. }) = self.open.get(launch) else {
                    return;
                };
                let share = own.share(*tile);
                self.parts.insert(*part, (*launch, *device, share));
            }
            Event::PartDone { part, ns: Some(ns) } | Event::PartMeasured { part, ns } => {
                let Some((number, device, share)) = self.parts.get(part).copied() else {
                    return;
                };
                let known = self.places.get(&number).copied();
                let launch = match known.map(|at| &mut self.program.steps[at]) {
                    Some(Step::Launch(launch)) => Some(&mut **launch),
                    _ => self.open.get_mut(&number).map(|open| &mut open.launch),
                };
                if let Some(launch) = launch {
                    launch.measured.push((device, share, *ns));
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, at_ns: u64, number: LaunchNo) {
        let Some(mut open) = self.open.remove(&number) else {
            return;
        };
        let since_ns = self.idle_since_ns.unwrap_or(open.queued_ns);
        open.launch.thought_ns = open.queued_ns.saturating_sub(since_ns);
        open.launch.took_ns = at_ns.saturating_sub(open.started_ns.max(since_ns));
        self.idle_since_ns = Some(at_ns);
        if !open.launch.reaches.is_empty() || open.launch.work.ops > 0.0 {
            self.places.insert(number, self.program.steps.len());
            self.program.steps.push(Step::Launch(Box::new(open.launch)));
        }
    }
}
