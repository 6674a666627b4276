//! How does a program run on a machine in virtual time? What is ready starts as soon as an executor is free, beside what is under way: the
//! production planner plans, the production balance shares out, the production transfer scheduler says what moves, and
//! `impel::simulate` lets time pass.

use std::collections::BTreeMap;

use impel::Policy;
use impel::cost::Source;
use impel::lanes::Tile;
use impel::machine::MemoryId;
use impel::plan::balance::{self, Balance};
use impel::plan::{Argument, Objective, Part, Plan, Situation, SplitVerdict, Splitting};
use impel::region::{Footprint, Residency, Span, SpanSet, Touch};
use impel::simulate::{self, Busy, How, Launched, Outcome};
use impel::trace::{ArrayNo, Event, PartKind, Planned, Trace};
use impel::transfer::{self, Company, MemoryLinks, Merging, Reason};

use super::on::On;
use super::program::{Launch, Program, Step};
use super::tell::Teller;
use crate::Failure;

/// Launches that are carried out at a time, besides those that wait in the queue of a GPU.
const EXECUTORS: usize = 2;
/// Launches that the program is ahead, at most.
const AHEAD_MAX: usize = 64;

/// How a program ran.
pub(crate) struct Run {
    /// The events, in virtual time.
    pub(crate) trace: Trace,
    /// Time that each launch added, in ns, in the order of the program.
    pub(crate) launches_ns: Vec<f64>,
    /// The last plan of each kernel.
    pub(crate) plans: BTreeMap<String, (u64, Plan)>,
    /// Bytes moved by memories and reason.
    pub(crate) moved: BTreeMap<(MemoryId, MemoryId, Reason), u64>,
    /// What each device drew, as far as that is known: its name, and joules.
    pub(crate) drawn: Vec<(String, f64)>,
    /// When the last launch or copy ended, in ns.
    pub(crate) end_ns: f64,
}

/// Runs a program.
pub(crate) fn run(program: &Program, on: &On<'_>, objective: Objective) -> Result<Run, Failure> {
    let mut world = World::new(program, on, objective);
    for step in &program.steps {
        match step {
            Step::Launch(launch) => world.ask(launch)?,
            Step::Read(array, span) => world.read(*array, *span)?,
            Step::Write(array, span) => world.write(*array, *span)?,
        }
    }
    while world.start_next()? {}
    Ok(world.finish())
}

/// A launch that the program has asked for.
struct Asked<'a> {
    launch: &'a Launch,
    at_ns: f64,
    /// Launches that come before it, since they use what it writes or write what it uses.
    after: Vec<usize>,
    /// When it started and ended, once that is known.
    time_ns: Option<(f64, f64)>,
}

/// A use of an array by a launch.
struct Access {
    by: usize,
    span: Span,
    write: bool,
}

/// A run under way.
struct World<'a> {
    on: &'a On<'a>,
    objective: Objective,
    links: Vec<MemoryLinks>,
    residencies: BTreeMap<ArrayNo, Residency>,
    /// When the words that are on their way to a memory will be there.
    arrivals: BTreeMap<(ArrayNo, MemoryId), f64>,
    asked: Vec<Asked<'a>>,
    /// Those of them that have not started.
    waiting: Vec<usize>,
    accesses: BTreeMap<ArrayNo, Vec<Access>>,
    /// Until when each device is kept, by number.
    busy: Vec<Busy>,
    /// Until when each executor is.
    executors: [f64; EXECUTORS],
    /// When the last launch started: they do so one after the other.
    started_ns: f64,
    /// The program's own time.
    host_ns: f64,
    plans: BTreeMap<String, (u64, Plan)>,
    worked_ns: Vec<f64>,
    teller: Teller,
}

impl<'a> World<'a> {
    fn new(program: &Program, on: &'a On<'a>, objective: Objective) -> Self {
        let devices = on.devices();
        let count = devices.len();
        let mut teller = Teller::new(devices);
        let mut residencies = BTreeMap::new();
        for (array, words) in &program.arrays {
            let (array, words) = (*array, *words);
            residencies.insert(array, Residency::new(words, MemoryId::HOST));
            teller.tell(0.0, Event::ArrayMade { array, words });
        }
        Self {
            on,
            objective,
            links: on.links(count),
            residencies,
            arrivals: BTreeMap::new(),
            asked: Vec::new(),
            waiting: Vec::new(),
            accesses: BTreeMap::new(),
            busy: vec![Busy::default(); count],
            executors: [0.0; EXECUTORS],
            started_ns: 0.0,
            host_ns: 0.0,
            plans: BTreeMap::new(),
            worked_ns: vec![0.0; count],
            teller,
        }
    }

    /// The program asks for a launch.
    fn ask(&mut self, launch: &'a Launch) -> Result<(), Failure> {
        if launch.waited {
            while self.start_next()? {}
            let ends = self.asked.iter().filter_map(|asked| asked.time_ns);
            self.host_ns = ends.fold(self.host_ns, |last, (_, end_ns)| last.max(end_ns));
        }
        self.host_ns += launch.thought_ns as f64;
        while self.waiting.len() >= AHEAD_MAX {
            self.start_next()?;
        }
        let by = self.asked.len();
        let mut after = Vec::new();
        for reach in &launch.reaches {
            for (span, write) in [(reach.reads.all, false), (reach.writes.all, true)] {
                after.extend(self.conflicts(reach.array, span, write));
                let own = self.accesses.entry(reach.array).or_default();
                // Who comes after this comes after what it overwrites, too.
                own.retain(|other| !write || other.by == by || !span.covers(other.span));
                if !span.is_empty() {
                    own.push(Access { by, span, write });
                }
            }
        }
        after.retain(|other| *other != by);
        self.teller.queued(self.host_ns, launch);
        self.asked.push(Asked {
            launch,
            at_ns: self.host_ns,
            after,
            time_ns: None,
        });
        self.waiting.push(by);
        Ok(())
    }

    /// Launches that must be over before these words are read or written.
    fn conflicts(&self, array: ArrayNo, span: Span, write: bool) -> Vec<usize> {
        let all = self.accesses.get(&array).into_iter().flatten();
        let conflicts =
            |other: &&Access| (other.write || write) && !other.span.intersection(span).is_empty();
        all.filter(conflicts).map(|other| other.by).collect()
    }

    /// Lets the program wait until it may read or write these words.
    fn wait_for(&mut self, array: ArrayNo, span: Span, write: bool) -> Result<(), Failure> {
        for before in self.conflicts(array, span, write) {
            while self.asked[before].time_ns.is_none() && self.start_next()? {}
            if let Some((_, end_ns)) = self.asked[before].time_ns {
                self.host_ns = self.host_ns.max(end_ns);
            }
        }
        Ok(())
    }

    /// The program reads words: they come home.
    fn read(&mut self, array: ArrayNo, span: Span) -> Result<(), Failure> {
        self.wait_for(array, span, false)?;
        let Some(residency) = self.residencies.get_mut(&array) else {
            return Ok(());
        };
        let copies = transfer::home(residency, &SpanSet::from(span), &self.links, Merging::Off);
        let Ok(copies) = copies else {
            return Ok(());
        };
        let home = self.arrivals.get(&(array, MemoryId::HOST)).copied();
        let mut last_ns = self.host_ns.max(home.unwrap_or(0.0));
        for copy in &copies.list {
            copy.commit(residency);
            let number = usize::from(copy.from.0);
            let busy = &mut self.busy[number];
            let ns = self.links[number].down.copy_ns(copy.bytes() as f64);
            let end_ns = self.host_ns.max(busy.down_ns) + ns;
            busy.down_ns = end_ns;
            last_ns = last_ns.max(end_ns);
            self.teller.copied(None, array, copy, (end_ns, ns));
        }
        self.host_ns = last_ns;
        self.arrived(array, MemoryId::HOST, last_ns);
        self.teller
            .tell(self.host_ns, Event::HostRead { array, span });
        Ok(())
    }

    /// The program overwrites words.
    fn write(&mut self, array: ArrayNo, span: Span) -> Result<(), Failure> {
        self.wait_for(array, span, true)?;
        if let Some(residency) = self.residencies.get_mut(&array) {
            let touch = Touch::writing(span);
            transfer::commit(residency, &touch, MemoryId::HOST, Company::Alone);
        }
        self.teller
            .tell(self.host_ns, Event::HostWrote { array, span });
        Ok(())
    }

    fn arrived(&mut self, array: ArrayNo, memory: MemoryId, at_ns: f64) {
        let known = self.arrivals.entry((array, memory)).or_default();
        *known = known.max(at_ns);
    }

    /// Starts the launch that is ready first. Whether there was one.
    fn start_next(&mut self) -> Result<bool, Failure> {
        let ready_ns = |at: &usize| {
            let asked = &self.asked[*at];
            let ends = asked.after.iter().map(|other| self.asked[*other].time_ns);
            ends.map(|time| time.map(|(_, end_ns)| end_ns))
                .try_fold(asked.at_ns, |ready, end| Some(end?.max(ready)))
        };
        let ready = self.waiting.iter().enumerate();
        let ready = ready.filter_map(|(place, at)| Some((ready_ns(at)?, place)));
        // Of those that are ready at the same time, the one that was asked for first.
        let first = ready.min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((ready_ns, place)) = first else {
            return Ok(false);
        };
        let at = self.waiting.remove(place);
        let executor = self.executor();
        let mut start_ns = ready_ns.max(self.started_ns).max(self.executors[executor]);
        for reach in &self.asked[at].launch.reaches {
            let home = self.arrivals.get(&(reach.array, MemoryId::HOST));
            start_ns = start_ns.max(home.copied().unwrap_or(0.0));
        }
        self.started_ns = start_ns;
        let (end_ns, waits) = self.carry_out(self.asked[at].launch, start_ns)?;
        self.asked[at].time_ns = Some((start_ns, end_ns));
        // What one GPU does alone waits in its queue, and nobody for it.
        self.executors[executor] = if waits { end_ns } else { start_ns };
        Ok(true)
    }

    /// The executor that is free first.
    fn executor(&self) -> usize {
        let mut numbers = (0..EXECUTORS).collect::<Vec<_>>();
        numbers.sort_by(|a, b| self.executors[*a].total_cmp(&self.executors[*b]));
        numbers[0]
    }

    /// Carries a launch out from `start_ns` on: when it ends, and whether an executor waits for that.
    fn carry_out(&mut self, launch: &Launch, start_ns: f64) -> Result<(f64, bool), Failure> {
        let axis = launch.axis.unwrap_or(0);
        let footprint = |tile: Tile| footprint(launch, axis, tile);
        let (repeats, previous) = match self.plans.get(&launch.kernel) {
            Some((count, plan)) if plan.grid == launch.grid => (*count, Some(plan.clone())),
            _ => (0, None),
        };
        let present: Vec<Residency> = launch
            .reaches
            .iter()
            .map(|reach| {
                let known = self.residencies.get(&reach.array).cloned();
                known.unwrap_or_else(|| Residency::new(0, MemoryId::HOST))
            })
            .collect();
        let arguments: Vec<Argument<'_>> = present
            .iter()
            .map(|residency| Argument {
                residency,
                next: None,
            })
            .collect();
        let candidates = self.on.candidates(launch, &self.links);
        let situation = Situation {
            grid: launch.grid,
            splitting: match launch.axis {
                Some(axis) => Splitting::Along { axis, multiple: 1 },
                None => Splitting::Refused("the recorded launch was not to be cut"),
            },
            candidates: &candidates,
            arguments: &arguments,
            previous: previous.as_ref(),
            // As in a loop: what was repeated so often will be repeated as often again.
            horizon: (repeats as f64).clamp(1.0, 1000.0),
            objective: self.objective,
        };
        let plan = self.plan(launch, &situation, &footprint)?;
        let outcome = self.carry_out_plan(launch, start_ns, &plan, &situation);
        let end_ns = start_ns + outcome.end_ns + self.on.overhead_ns(&launch.kernel, repeats == 0);
        self.note(launch, start_ns, outcome);
        let finished = Event::LaunchFinished {
            launch: launch.number,
            error: None,
        };
        self.teller.tell(end_ns, finished);
        let waits = plan.parts.len() != 1 || plan.parts[0].device.memory() == MemoryId::HOST;
        self.plans
            .insert(launch.kernel.clone(), (repeats + 1, plan));
        Ok((end_ns, waits))
    }

    /// Carries a plan out, or shares it out as it goes, as the executor would.
    fn carry_out_plan(
        &mut self,
        launch: &Launch,
        start_ns: f64,
        plan: &Plan,
        situation: &Situation<'_>,
    ) -> Outcome {
        let axis = launch.axis.unwrap_or(0);
        let footprint = |tile: Tile| footprint(launch, axis, tile);
        let shared_out = match self.on {
            On::Own(..) => launch.balanced,
            On::Machine(_) => balance::is_worthwhile(plan),
        };
        let balance = shared_out
            .then(|| Balance::of(situation, plan, &mut |tile| footprint(tile)))
            .flatten();
        let (company, kind) = if balance.is_some() {
            (Company::Shared, PartKind::Chunk)
        } else {
            (Company::of(plan.parts.len()), PartKind::Planned)
        };
        let extent = u64::from(launch.grid[axis]);
        let (machine, load) = self.on.world(launch, extent, &self.links);
        let launched = Launched {
            machine: &machine,
            load: &load,
            situation,
            axis,
            footprint: &footprint,
        };
        let how = balance.map_or(How::Obey(plan), How::Balance);
        let busy = self.busy_from(launch, start_ns);
        let outcome = simulate::run_beside(&launched, how, &busy);
        let tile = |step: &simulate::Step| {
            let mut tile = Tile {
                lo: [0; 3],
                hi: launch.grid,
            };
            if company == Company::Shared {
                (tile.lo[axis], tile.hi[axis]) = (step.units.lo as u32, step.units.hi as u32);
            }
            tile
        };
        self.teller.planned(start_ns, launch, plan);
        let how = (&outcome, (company, kind));
        self.teller
            .carried_out(start_ns, launch, how, tile, footprint);
        outcome
    }

    /// Until when the devices are kept, counted from `start_ns`: by other launches, and until words have come that are on their way.
    fn busy_from(&self, launch: &Launch, start_ns: f64) -> Vec<Busy> {
        let later = |at_ns: f64| (at_ns - start_ns).max(0.0);
        let from = |(number, busy): (usize, &Busy)| {
            let memory = MemoryId(number as u8);
            let coming = launch
                .reaches
                .iter()
                .filter_map(|reach| self.arrivals.get(&(reach.array, memory)));
            let coming_ns = coming.copied().fold(0.0, f64::max);
            Busy {
                work_ns: later(busy.work_ns.max(coming_ns)),
                up_ns: later(busy.up_ns),
                down_ns: later(busy.down_ns),
            }
        };
        self.busy.iter().enumerate().map(from).collect()
    }

    /// Notes what a launch has changed.
    fn note(&mut self, launch: &Launch, start_ns: f64, outcome: Outcome) {
        for sent in &outcome.copies {
            let array = launch.reaches[sent.copy.argument].array;
            self.arrived(array, sent.copy.to, start_ns + sent.end_ns);
        }
        for step in &outcome.steps {
            self.worked_ns[usize::from(step.device.0)] += step.worked_ns;
        }
        for (busy, own) in self.busy.iter_mut().zip(&outcome.busy) {
            busy.work_ns = busy.work_ns.max(start_ns + own.work_ns);
            busy.up_ns = busy.up_ns.max(start_ns + own.up_ns);
            busy.down_ns = busy.down_ns.max(start_ns + own.down_ns);
        }
        for (reach, residency) in launch.reaches.iter().zip(outcome.residencies) {
            self.residencies.insert(reach.array, residency);
        }
    }

    /// The production planner's plan on an imagined machine, the recorded one on the machine itself.
    fn plan(
        &self,
        launch: &Launch,
        situation: &Situation<'_>,
        footprint: &dyn Fn(Tile) -> Footprint,
    ) -> Result<Plan, Failure> {
        if let (On::Own(..), false) = (self.on, launch.planned.is_empty()) {
            let part = |planned: &Planned| Part {
                device: planned.device,
                tile: planned.tile,
                predicted_ns: planned.predicted_ns,
                transfer_ns: planned.transfer_ns,
                bytes_in: planned.bytes_in,
                bytes_out: 0,
                source: Source::Prior,
            };
            let cut = launch.planned.len() > 1;
            return Ok(Plan {
                grid: launch.grid,
                axis: launch.axis.filter(|_| cut),
                parts: launch.planned.iter().map(part).collect(),
                rejected: Vec::new(),
                split: SplitVerdict::Policy,
            });
        }
        impel::plan::choose(situation, &Policy::Auto, footprint).map_err(Failure::of)
    }

    fn finish(self) -> Run {
        let times: Vec<(f64, f64)> = self.asked.iter().filter_map(|own| own.time_ns).collect();
        let mut by_end: Vec<usize> = (0..times.len()).collect();
        by_end.sort_by(|a, b| times[*a].1.total_cmp(&times[*b].1));
        let mut launches_ns = vec![0.0; times.len()];
        let mut last_ns = 0.0_f64;
        for at in by_end {
            let (start_ns, end_ns) = times[at];
            launches_ns[at] = (end_ns - start_ns.max(last_ns)).max(0.0);
            last_ns = end_ns;
        }
        let end_ns = last_ns.max(self.host_ns);
        let drawn = |(number, worked_ns): (usize, &f64)| {
            let device = self.on.described(number)?;
            let joules = device.power?.joules(*worked_ns, end_ns);
            Some((device.name.clone(), joules))
        };
        let drawn = self.worked_ns.iter().enumerate().filter_map(drawn);
        let drawn = drawn.collect();
        let (trace, moved) = self.teller.finish();
        Run {
            trace,
            launches_ns,
            plans: self.plans,
            moved,
            drawn,
            end_ns,
        }
    }
}

/// What a tile of a launch touches.
fn footprint(launch: &Launch, axis: usize, tile: Tile) -> Footprint {
    let touches = launch
        .reaches
        .iter()
        .map(|reach| reach.touch(tile.lo[axis], tile.hi[axis]));
    Footprint {
        arguments: touches.collect(),
    }
}
