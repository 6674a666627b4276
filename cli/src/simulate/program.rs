//! What did a recorded program do? Its arrays, its launches with what they touch, and what the program itself read and wrote.

use std::collections::BTreeMap;

use impel::cost::Work;
use impel::lanes::Tile;
use impel::machine::DeviceId;
use impel::trace::{ArrayNo, Event, LaunchNo, PartKind, PartNo, Planned, Reach, Trace};

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
    /// The parts whose time was measured: device, fraction of the launch, and ns that it takes where nothing runs beside it.
    pub(crate) measured: Vec<(DeviceId, f64, f64)>,
    /// Whether the devices shared it out as it went.
    pub(crate) balanced: bool,
    /// Whether the program had waited for everything before it asked for the launch.
    pub(crate) waited: bool,
    /// How long the program did something else before, in ns.
    pub(crate) thought_ns: u64,
    /// From its start, or from the end of the launch before if that came later, to its own end, in ns.
    pub(crate) took_ns: u64,
    /// Whether it was carried out.
    done: bool,
    /// Who did a chunk of it, if anybody did.
    chunk_on: Option<DeviceId>,
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
        let mut program = reader.program;
        program.steps.retain(|step| match step {
            Step::Launch(launch) => {
                launch.done && (!launch.reaches.is_empty() || launch.work.ops > 0.0)
            }
            Step::Read(..) | Step::Write(..) => true,
        });
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
    /// Launches that have not ended, and when they started.
    open: BTreeMap<LaunchNo, u64>,
    parts: BTreeMap<PartNo, (LaunchNo, DeviceId, f64)>,
    /// Where each launch is among the steps.
    places: BTreeMap<LaunchNo, usize>,
    /// When the last launch ended.
    idle_since_ns: Option<u64>,
    /// When the program last asked for something.
    asked_ns: Option<u64>,
    cores: Cores,
}

/// What the CPU is at. Launches that run there side by side share its cores, and each takes longer than it would alone.
#[derive(Default)]
struct Cores {
    /// Parts under way: when they started, and how long they would have taken so far if they were alone, in ns.
    parts: BTreeMap<PartNo, (u64, f64)>,
    since_ns: u64,
}

impl Cores {
    fn pass(&mut self, at_ns: u64) {
        let passed_ns = at_ns.saturating_sub(self.since_ns) as f64 / self.parts.len().max(1) as f64;
        for (_, alone_ns) in self.parts.values_mut() {
            *alone_ns += passed_ns;
        }
        self.since_ns = at_ns;
    }

    fn start(&mut self, at_ns: u64, part: PartNo) {
        self.pass(at_ns);
        self.parts.insert(part, (at_ns, 0.0));
    }

    /// A part is over: which fraction of its time it would have taken alone.
    fn end(&mut self, at_ns: u64, part: PartNo) -> f64 {
        self.pass(at_ns);
        let Some((started_ns, alone_ns)) = self.parts.remove(&part) else {
            return 1.0;
        };
        alone_ns / at_ns.saturating_sub(started_ns).max(1) as f64
    }
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
            } => self.queue(at_ns, *launch, kernel, *grid),
            Event::LaunchStarted { launch } => {
                if let Some(started_ns) = self.open.get_mut(launch) {
                    *started_ns = at_ns;
                }
            }
            Event::LaunchDescribed {
                launch,
                work,
                axis,
                reaches,
            } => {
                if let Some(launch) = self.launch(*launch) {
                    (launch.work, launch.axis) = (*work, *axis);
                    launch.reaches.clone_from(reaches);
                }
            }
            Event::PlanMade { launch, parts, .. } => {
                if let Some(launch) = self.launch(*launch) {
                    launch.planned.clone_from(parts);
                }
            }
            Event::LaunchFinished {
                launch,
                error: None,
            } => self.finish(at_ns, *launch),
            Event::HostRead { array, span } => {
                self.program.steps.push(Step::Read(*array, *span));
                self.asked_ns = Some(at_ns);
            }
            Event::HostWrote { array, span } => {
                self.program.steps.push(Step::Write(*array, *span));
                self.asked_ns = Some(at_ns);
            }
            other => self.take_part(at_ns, other),
        }
    }

    fn launch(&mut self, number: LaunchNo) -> Option<&mut Launch> {
        let place = *self.places.get(&number)?;
        match &mut self.program.steps[place] {
            Step::Launch(launch) => Some(&mut **launch),
            Step::Read(..) | Step::Write(..) => None,
        }
    }

    /// The program asks for a launch. If everything had ended by then since it last asked for something, it counts as having waited for
    /// that.
    fn queue(&mut self, at_ns: u64, number: LaunchNo, kernel: &str, grid: [u32; 3]) {
        let asked_ns = self.asked_ns.unwrap_or(at_ns);
        let ended_ns = self.idle_since_ns.filter(|_| self.open.is_empty());
        let waited_for = ended_ns.filter(|ended_ns| *ended_ns > asked_ns);
        let launch = Launch {
            number,
            kernel: kernel.to_owned(),
            grid,
            work: Work::default(),
            axis: None,
            reaches: Vec::new(),
            planned: Vec::new(),
            measured: Vec::new(),
            balanced: false,
            waited: waited_for.is_some(),
            thought_ns: at_ns - waited_for.unwrap_or(asked_ns),
            took_ns: 0,
            done: false,
            chunk_on: None,
        };
        self.asked_ns = Some(at_ns);
        self.open.insert(number, at_ns);
        self.places.insert(number, self.program.steps.len());
        self.program.steps.push(Step::Launch(Box::new(launch)));
    }

    fn take_part(&mut self, at_ns: u64, event: &Event) {
        match event {
            Event::PartStarted {
                launch,
                part,
                device,
                tile,
                kind,
                ..
            } => {
                let Some(own) = self.launch(*launch) else {
                    return;
                };
                if *kind == PartKind::Chunk {
                    // Several chunks of one device are pieces that run through its memory.
                    own.balanced |= own.chunk_on.is_some_and(|other| other != *device);
                    own.chunk_on = Some(*device);
                }
                let share = own.share(*tile);
                if *device == DeviceId::CPU {
                    self.cores.start(at_ns, *part);
                }
                self.parts.insert(*part, (*launch, *device, share));
            }
            Event::PartDone { part, ns: Some(ns) } | Event::PartMeasured { part, ns } => {
                let Some((number, device, share)) = self.parts.get(part).copied() else {
                    return;
                };
                let alone = self.cores.end(at_ns, *part);
                if let Some(launch) = self.launch(number) {
                    launch.measured.push((device, share, *ns as f64 * alone));
                }
            }
            Event::PartFailed { part, .. } => {
                self.cores.end(at_ns, *part);
            }
            _ => {}
        }
    }

    fn finish(&mut self, at_ns: u64, number: LaunchNo) {
        let Some(started_ns) = self.open.remove(&number) else {
            return;
        };
        let since_ns = self.idle_since_ns.unwrap_or(started_ns);
        if let Some(launch) = self.launch(number) {
            launch.took_ns = at_ns.saturating_sub(started_ns.max(since_ns));
            launch.done = true;
        }
        self.idle_since_ns = Some(at_ns);
    }
}
