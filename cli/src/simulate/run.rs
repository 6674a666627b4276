//! How does a program run on a machine in virtual time? Launch by launch: the production planner plans, the production transfer
//! scheduler says what moves, and `impel::simulate` lets time pass.

use std::collections::BTreeMap;

use impel::Policy;
use impel::cost::{Link, Prediction, Source, Work};
use impel::lanes::Tile;
use impel::machine::{DeviceId, MemoryId};
use impel::plan::{
    Argument, Candidate, Objective, Part, Plan, Reason, Situation, SplitVerdict, Splitting, Units,
};
use impel::region::{Footprint, Residency, SpanSet, WORD_BYTES};
use impel::simulate::{self, Duplex, How, Launched, Load};
use impel::trace::{ArrayNo, Event, LaunchNo, PartKind, PartNo, Planned, Trace, TraceDevice};
use impel::transfer::{self, Company, Copies, MemoryLinks, Merging};

use super::machine::Machine;
use super::own::Own;
use super::program::{Launch, Program, Step};
use crate::Failure;

/// On what a program runs.
pub(crate) enum On<'a> {
    /// An imagined machine; the planner decides anew.
    Machine(&'a Machine),
    /// The machine that it was recorded on, as the trace shows it; the plans are the recorded ones.
    Own(&'a Own, Vec<TraceDevice>),
}

/// How a program ran.
pub(crate) struct Run {
    /// The events, in virtual time.
    pub(crate) trace: Trace,
    /// Time of each launch, in ns, in order.
    pub(crate) launches_ns: Vec<f64>,
    /// The last plan of each kernel.
    pub(crate) plans: BTreeMap<String, (u64, Plan)>,
    /// Bytes moved by memories and reason.
    pub(crate) moved: BTreeMap<(MemoryId, MemoryId, transfer::Reason), u64>,
    /// When the last launch or copy ended, in ns.
    pub(crate) end_ns: f64,
}

/// Runs a program.
pub(crate) fn run(program: &Program, on: &On<'_>) -> Result<Run, Failure> {
    let residency =
        |(array, words): (&ArrayNo, &u64)| (*array, Residency::new(*words, MemoryId::HOST));
    let mut world = World {
        on,
        residencies: program.arrays.iter().map(residency).collect(),
        now_ns: 0.0,
        parts: 0,
        run: Run {
            trace: Trace {
                devices: on.devices(),
                ..Trace::default()
            },
            launches_ns: Vec::new(),
            plans: BTreeMap::new(),
            moved: BTreeMap::new(),
            end_ns: 0.0,
        },
    };
    for (array, words) in &program.arrays {
        let (array, words) = (*array, *words);
        world.tell(0.0, Event::ArrayMade { array, words });
    }
    for step in &program.steps {
        match step {
            Step::Launch(launch) => world.launch(launch)?,
            Step::Read(array, span) => world.read(*array, &SpanSet::from(*span)),
            Step::Write(array, span) => {
                if let Some(residency) = world.residencies.get_mut(array) {
                    let touch = impel::region::Touch::writing(*span);
                    transfer::commit(residency, &touch, MemoryId::HOST, Company::Alone);
                }
                let (array, span) = (*array, *span);
                world.tell(world.now_ns, Event::HostWrote { array, span });
            }
        }
    }
    world.run.end_ns = world.now_ns;
    world.run.trace.events.sort_by_key(|(at_ns, _)| *at_ns);
    Ok(world.run)
}

impl On<'_> {
    fn devices(&self) -> Vec<TraceDevice> {
        match self {
            On::Machine(machine) => (0..)
                .zip(&machine.devices)
                .map(|(id, device)| TraceDevice {
                    id: DeviceId(id),
                    name: device.name.clone(),
                })
                .collect(),
            On::Own(_, devices) => devices.clone(),
        }
    }

    /// Fixed and growing time of a launch on a device, in ns; none if it cannot be said.
    fn time(&self, launch: &Launch, device: DeviceId) -> Option<(f64, f64)> {
        match self {
            On::Machine(machine) => {
                let limits = &machine.devices[usize::from(device.0)].limits;
                Some((limits.launch_ns, limits.work_ns(launch.work)))
            }
            On::Own(own, _) => own.predict(launch, device),
        }
    }

    fn links(&self, count: usize) -> Vec<MemoryLinks> {
        let of = |number: usize| match self {
            On::Machine(machine) => MemoryLinks {
                up: machine.devices[number].limits.up,
                down: machine.devices[number].limits.down,
            },
            On::Own(own, _) => {
                let memory = MemoryId(number as u8);
                let link = |from, to| own.link(from, to).unwrap_or(Link::NONE);
                MemoryLinks {
                    up: link(MemoryId::HOST, memory),
                    down: link(memory, MemoryId::HOST),
                }
            }
        };
        (0..count).map(of).collect()
    }

    /// The machine as it is for one launch.
    fn world(
        &self,
        launch: &Launch,
        units: u64,
        links: &[MemoryLinks],
    ) -> (simulate::Machine, Load) {
        // An operation of the load is a millionth of a unit's arithmetic, whatever it really is.
        const OPS: f64 = 1e6;
        let mut load = Load::even(units, OPS, 0.0);
        let mut buses = vec![f64::INFINITY];
        if let On::Machine(machine) = self {
            load.bytes_per_unit = launch.work.bytes / units as f64;
            buses[0] = machine.devices[0].limits.bandwidth_bytes_per_s / 1e9;
        }
        let device = |(number, links): (usize, &MemoryLinks)| {
            let id = DeviceId(number as u8);
            let (launch_ns, work_ns) = self.time(launch, id).unwrap_or((0.0, 1e18));
            let mut device = simulate::Device::cpu(units as f64 * OPS / work_ns.max(1.0), 1e9);
            (device.launch_ns, device.queued_launch_ns) = (launch_ns, launch_ns);
            (device.link_up, device.link_down) = (links.up, links.down);
            device.bus = (number == 0).then_some(0);
            device.duplex = Duplex::Half;
            if let On::Machine(machine) = self {
                let own = &machine.devices[number];
                let arithmetic = Work {
                    bytes: 0.0,
                    ..launch.work
                };
                let arithmetic_ns = own.limits.work_ns(arithmetic).max(1e-3);
                device.ops_per_ns = units as f64 * OPS / arithmetic_ns;
                device.bytes_per_ns = own.limits.bandwidth_bytes_per_s / 1e9;
                (device.cache_bytes, device.cache_gain) = (own.cache_bytes, own.cache_gain);
                device.bus = (number == 0 || own.shares_memory).then_some(0);
                (device.duplex, device.copying) = (own.duplex, own.copying);
            }
            device
        };
        let devices = links.iter().enumerate().map(device).collect();
        (simulate::Machine { devices, buses }, load)
    }
}

/// A run under way.
struct World<'a> {
    on: &'a On<'a>,
    residencies: BTreeMap<ArrayNo, Residency>,
    now_ns: f64,
    parts: u64,
    run: Run,
}

impl World<'_> {
    fn tell(&mut self, at_ns: f64, event: Event) {
        self.run.trace.events.push((at_ns as u64, event));
    }

    /// The program reads words: they come home.
    fn read(&mut self, array: ArrayNo, spans: &SpanSet) {
        let links = self.on.links(self.run.trace.devices.len());
        let Some(residency) = self.residencies.get_mut(&array) else {
            return;
        };
        let Ok(copies) = transfer::home(residency, spans, &links, Merging::Off) else {
            return;
        };
        for copy in &copies.list {
            copy.commit(residency);
        }
        let done_ns = self.copied(None, &[array], &copies, &links);
        self.now_ns = done_ns[0];
        self.run.end_ns = self.now_ns;
        let span = spans.hull();
        self.tell(self.now_ns, Event::HostRead { array, span });
    }

    /// Notes copies that follow each other on their links from now on; when the last into each memory
    /// is done.
    fn copied(
        &mut self,
        launch: Option<LaunchNo>,
        arrays: &[ArrayNo],
        copies: &Copies,
        links: &[MemoryLinks],
    ) -> Vec<f64> {
        let mut free_ns = vec![self.now_ns; links.len()];
        let mut home_ns = self.now_ns;
        let mut came_down: Vec<(&transfer::Copy, f64)> = Vec::new();
        for copy in &copies.list {
            let away = usize::from(copy.from.0.max(copy.to.0));
            let down = copy.to == MemoryId::HOST;
            let link = if down {
                links[away].down
            } else {
                links[away].up
            };
            let ns = link.copy_ns(copy.bytes() as f64);
            let passed = |(other, _): &&(&transfer::Copy, f64)| {
                other.argument == copy.argument && !other.span.intersection(copy.span).is_empty()
            };
            // What goes up may have come down before.
            let passing = came_down.iter().filter(passed).filter(|_| !down);
            let start_ns = passing.fold(free_ns[away], |start_ns, (_, ns)| start_ns.max(*ns));
            free_ns[away] = start_ns + ns;
            if down {
                home_ns = home_ns.max(free_ns[away]);
                came_down.push((copy, free_ns[away]));
            }
            *self
                .run
                .moved
                .entry((copy.from, copy.to, copy.reason))
                .or_default() += copy.span.words() * WORD_BYTES;
            let event = Event::Copied {
                launch,
                array: arrays[copy.argument],
                span: copy.span,
                from: copy.from,
                to: copy.to,
                reason: copy.reason,
                gap_words: 0,
                ns: ns as u64,
            };
            self.tell(free_ns[away], event);
        }
        free_ns[0] = home_ns;
        free_ns
    }

    fn launch(&mut self, launch: &Launch) -> Result<(), Failure> {
        self.now_ns += launch.thought_ns as f64;
        let axis = launch.axis.unwrap_or(0);
        let extent = launch.grid[axis];
        let arrays: Vec<ArrayNo> = launch.reaches.iter().map(|reach| reach.array).collect();
        let footprint = |tile: Tile| Footprint {
            arguments: launch
                .reaches
                .iter()
                .map(|reach| reach.touch(tile.lo[axis], tile.hi[axis]))
                .collect(),
        };
        let links = self.on.links(self.run.trace.devices.len());
        let present: Vec<Residency> = arrays
            .iter()
            .map(|array| {
                self.residencies
                    .get(array)
                    .cloned()
                    .unwrap_or_else(|| Residency::new(0, MemoryId::HOST))
            })
            .collect();
        let arguments: Vec<Argument<'_>> = present
            .iter()
            .map(|residency| Argument {
                residency,
                next: None,
            })
            .collect();
        let candidates = self.candidates(launch, &links);
        let (repeats, previous) = match self.run.plans.get(&launch.kernel) {
            Some((count, plan)) if plan.grid == launch.grid => (*count, Some(plan.clone())),
            _ => (0, None),
        };
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
            objective: Objective::Time,
        };
        let plan = self.plan(launch, &situation, &footprint)?;
        let (machine, load) = self.on.world(launch, u64::from(extent), &links);
        let launched = Launched {
            machine: &machine,
            load: &load,
            situation: &situation,
            axis,
            footprint: &footprint,
        };
        let outcome = simulate::run(&launched, How::Obey(&plan));
        let footprints: Vec<Footprint> =
            plan.parts.iter().map(|part| footprint(part.tile)).collect();
        let before: Vec<&Residency> = present.iter().collect();
        let copies = transfer::copies(&plan, &footprints, &before, &links, Merging::Off);
        let copies = copies.map_err(Failure::of)?;
        self.tell_launch(launch, &plan, &footprints, &arrays);
        let there_ns = self.copied(Some(launch.number), &arrays, &copies, &links);
        let ended_ns =
            self.tell_parts(launch, &plan, (&footprints, &arrays), (&outcome, &there_ns));
        for (array, residency) in arrays.iter().zip(outcome.residencies) {
            self.residencies.insert(*array, residency);
        }
        let overhead_ns = match self.on {
            On::Own(own, _) if repeats == 0 => own.first_ns,
            On::Own(own, _) => own.overhead_ns,
            On::Machine(_) => 0.0,
        };
        let took_ns = outcome.end_ns.max(ended_ns - self.now_ns) + overhead_ns;
        self.now_ns += took_ns;
        let number = launch.number;
        self.tell(
            self.now_ns,
            Event::LaunchFinished {
                launch: number,
                error: None,
            },
        );
        self.run.launches_ns.push(took_ns);
        self.run
            .plans
            .insert(launch.kernel.clone(), (repeats + 1, plan));
        Ok(())
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

    fn candidates(&self, launch: &Launch, links: &[MemoryLinks]) -> Vec<Candidate> {
        let needed: u64 = launch
            .reaches
            .iter()
            .map(|reach| reach.reads.all.hull(reach.writes.all).words() * WORD_BYTES)
            .sum();
        let candidate = |(number, links): (usize, &MemoryLinks)| {
            let device = DeviceId(number as u8);
            let time = self.on.time(launch, device);
            let room = match self.on {
                On::Machine(machine) => machine.devices[number].memory_bytes,
                On::Own(..) => f64::INFINITY,
            };
            let (fixed_ns, work_ns) = time.unwrap_or((0.0, 0.0));
            let unusable = if time.is_none() {
                Some(Reason::Unsupported("it never ran this kernel".to_owned()))
            } else if needed as f64 > room {
                Some(Reason::Unsupported(format!(
                    "its memory holds {room:.1e} bytes of {needed}"
                )))
            } else {
                None
            };
            Candidate {
                device,
                unusable,
                ready_ns: 0.0,
                whole: Prediction {
                    ns: fixed_ns + work_ns,
                    fixed_ns,
                    work_ns,
                    spread: 0.1,
                    confidence: 0.9,
                    idle_launches: 0,
                    source: Source::Prior,
                },
                up: links.up,
                down: links.down,
                dispatch_ns_max: f64::INFINITY,
                power: None,
            }
        };
        links.iter().enumerate().map(candidate).collect()
    }

    fn tell_launch(
        &mut self,
        launch: &Launch,
        plan: &Plan,
        footprints: &[Footprint],
        arrays: &[ArrayNo],
    ) {
        let accesses = arrays.iter().enumerate().map(|(at, array)| {
            let touches = footprints.iter().map(|footprint| &footprint.arguments[at]);
            let hull = touches
                .clone()
                .fold(impel::region::Span::default(), |hull, touch| {
                    hull.hull(touch.hull())
                });
            impel::trace::Range {
                array: *array,
                span: hull,
                write: touches.clone().any(|touch| !touch.writes.is_empty()),
            }
        });
        let (number, now_ns) = (launch.number, self.now_ns);
        let queued = Event::LaunchQueued {
            launch: number,
            kernel: launch.kernel.clone().into(),
            grid: launch.grid,
            accesses: accesses.collect(),
        };
        self.tell(now_ns, queued);
        self.tell(now_ns, Event::LaunchStarted { launch: number });
        let described = Event::LaunchDescribed {
            launch: number,
            work: launch.work,
            axis: launch.axis,
            reaches: launch.reaches.clone(),
        };
        self.tell(now_ns, described);
        let made = Event::PlanMade {
            launch: number,
            parts: plan.parts.iter().map(Planned::from).collect(),
            verdict: plan.split.to_string().into(),
        };
        self.tell(now_ns, made);
    }

    /// Notes the parts; when the last of them ends.
    fn tell_parts(
        &mut self,
        launch: &Launch,
        plan: &Plan,
        (footprints, arrays): (&[Footprint], &[ArrayNo]),
        (outcome, there_ns): (&simulate::Outcome, &[f64]),
    ) -> f64 {
        let mut last_ns = self.now_ns;
        let company = Company::of(plan.parts.len());
        for (part, footprint) in plan.parts.iter().zip(footprints) {
            let axis = plan.axis.unwrap_or(0);
            let units = Units {
                lo: u64::from(part.tile.lo[axis]),
                hi: u64::from(part.tile.hi[axis]),
            };
            let mut steps = outcome
                .steps
                .iter()
                .filter(|step| step.device == part.device);
            let Some(step) = steps.find(|step| plan.axis.is_none() || step.units == units) else {
                continue;
            };
            let number = PartNo(self.parts);
            self.parts += 1;
            let uses = arrays
                .iter()
                .zip(&footprint.arguments)
                .map(|(array, touch)| {
                    let apart = touch.combine && company == Company::Shared;
                    impel::trace::Use {
                        array: *array,
                        memory: if apart {
                            MemoryId::HOST
                        } else {
                            part.device.memory()
                        },
                        needs: if apart {
                            touch.writes.clone()
                        } else {
                            touch.needs()
                        },
                        writes: touch.writes.clone(),
                        combine: touch.combine,
                    }
                });
            // Copies come first; the work ends the part.
            let end_ns = self.now_ns + step.end_ns;
            let there_ns = there_ns[usize::from(part.device.0)];
            let begin_ns = (self.now_ns + step.begin_ns).max(there_ns);
            let end_ns = end_ns.max(begin_ns);
            let work_ns = end_ns - begin_ns;
            last_ns = end_ns.max(last_ns);
            let started = Event::PartStarted {
                launch: launch.number,
                part: number,
                kind: PartKind::Planned,
                device: part.device,
                tile: part.tile,
                uses: uses.collect(),
                predicted_ns: part.predicted_ns,
            };
            self.tell(begin_ns, started);
            let ns = Some(work_ns as u64);
            self.tell(end_ns, Event::PartDone { part: number, ns });
        }
        last_ns
    }
}
