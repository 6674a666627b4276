//! How does one launch go on an imagined machine? Chunk by chunk, in virtual time.

use std::collections::VecDeque;

use super::machine::{Load, Machine};
use crate::cost::Source;
use crate::lanes::Tile;
use crate::machine::{DeviceId, MemoryId};
use crate::plan::balance::{Balance, Took, Turn};
use crate::plan::{Part, Plan, Situation, SplitVerdict, Units};
use crate::region::{Footprint, Residency, Touch, WORD_BYTES};
use crate::timing::{Copying, Device, Effort, Links, Way};
use crate::transfer::{self, Company, Copy, MemoryLinks, Merging, Reason};

/// Chunks that a GPU may have under way: one runs, the next waits for it.
const QUEUED_MAX: usize = 2;
/// Bound on the events of a launch.
const EVENTS_MAX: usize = 1_000_000;

/// A launch on a machine: what the planner was told of it, and what is true.
#[derive(Clone, Copy)]
pub struct Launched<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// What each unit costs.
    pub load: &'a Load,
    /// Grid, residencies and cut of the launch.
    pub situation: &'a Situation<'a>,
    /// The axis of the cut.
    pub axis: usize,
    /// What a tile touches.
    pub footprint: &'a dyn Fn(Tile) -> Footprint,
}

/// Who decides while it runs.
#[derive(Debug)]
pub enum How<'a> {
    /// Nobody: every part of the plan is one chunk.
    Obey(&'a Plan),
    /// Dynamic balance.
    Balance(Balance),
}

/// A chunk that is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Who did it.
    pub device: DeviceId,
    /// What was done.
    pub units: Units,
    /// When the device turned to it.
    pub begin_ns: f64,
    /// When it was complete.
    pub end_ns: f64,
    /// When its words were there and the device free for it, …
    pub work_begin_ns: f64,
    /// … and how long it worked from then on, launch included.
    pub worked_ns: f64,
}

/// A copy that was made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sent {
    /// Which words went where, and what for.
    pub copy: Copy,
    /// When its link was free for it.
    pub begin_ns: f64,
    /// When the words had arrived.
    pub end_ns: f64,
}

/// Until when a device is kept by other launches, in ns from the start of this one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Busy {
    /// Its work.
    pub work_ns: f64,
    /// Its link, on the way to it.
    pub up_ns: f64,
    /// Its link, on the way home.
    pub down_ns: f64,
}

/// How a launch went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// When the last chunk, and what follows it, was complete.
    pub end_ns: f64,
    /// The chunks, in the order in which they were complete.
    pub steps: Vec<Step>,
    /// Where the words are afterwards, by argument.
    pub residencies: Vec<Residency>,
    /// Bytes copied.
    pub bytes_moved: u64,
    /// The copies, in the order in which they were listed, but for those of what devices combined.
    pub copies: Vec<Sent>,
    /// Until when this launch keeps each device.
    pub busy: Vec<Busy>,
}

/// Carries out a launch.
///
/// # Panics
/// If words that are needed are in no memory, or if the launch does not end.
pub fn run(launched: &Launched<'_>, how: How<'_>) -> Outcome {
    run_beside(launched, how, &[])
}

/// As [`run`], on devices that other launches keep busy, by device number; those that are not named are free.
///
/// # Panics
/// As [`run`].
pub fn run_beside(launched: &Launched<'_>, how: How<'_>, busy: &[Busy]) -> Outcome {
    let mut engine = Engine::new(launched, how);
    for ((bench, device), busy) in engine
        .benches
        .iter_mut()
        .zip(&launched.machine.devices)
        .zip(busy)
    {
        bench.keep(device, *busy);
    }
    for _ in 0..EVENTS_MAX {
        engine.hand_out();
        engine.start();
        let Some(event_ns) = engine.next_event() else {
            return engine.finish();
        };
        engine.advance(event_ns);
    }
    panic!("a launch does not end");
}

/// A chunk on its way.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    units: Units,
    taken_ns: f64,
    /// When its words are there; `None` until they set out.
    words_ns: Option<f64>,
    /// When its work began, and how long that took, launch included; 0 until that is done.
    work_begin_ns: f64,
    worked_ns: f64,
}

/// A chunk at work.
#[derive(Clone, Copy, Debug)]
struct Running {
    chunk: Chunk,
    begun_ns: f64,
    /// When its launch is over.
    launched_ns: f64,
    /// Work left, in ns at undisturbed speed.
    left_ns: f64,
    effort: Effort,
}

/// A device and what it is at.
#[derive(Debug, Default)]
struct Bench {
    queue: VecDeque<Chunk>,
    running: Option<Running>,
    /// Chunks whose results travel, with the time at which they arrive.
    leaving: VecDeque<(Chunk, f64)>,
    links: Links,
    /// Until when other launches keep it.
    kept_ns: f64,
    /// When the last chunk was complete.
    last_ns: f64,
    /// When the last work was.
    work_end_ns: f64,
}

struct Engine<'a, 'h> {
    launched: &'a Launched<'a>,
    how: How<'h>,
    company: Company,
    links: Vec<MemoryLinks>,
    benches: Vec<Bench>,
    residencies: Vec<Residency>,
    now_ns: f64,
    steps: Vec<Step>,
    bytes_moved: u64,
    copies: Vec<Sent>,
}

impl<'a, 'h> Engine<'a, 'h> {
    fn new(launched: &'a Launched<'a>, how: How<'h>) -> Self {
        let devices = &launched.machine.devices;
        let company = match &how {
            How::Obey(plan) => Company::of(plan.parts.len()),
            How::Balance(_) => Company::Shared,
        };
        let link = |device: &Device| MemoryLinks {
            up: device.link_up,
            down: device.link_down,
        };
        let arguments = launched.situation.arguments;
        let mut engine = Self {
            launched,
            company,
            links: devices.iter().map(link).collect(),
            benches: devices.iter().map(|_| Bench::default()).collect(),
            residencies: arguments
                .iter()
                .map(|argument| argument.residency.clone())
                .collect(),
            now_ns: 0.0,
            steps: Vec::new(),
            bytes_moved: 0,
            copies: Vec::new(),
            how,
        };
        if let How::Obey(plan) = &engine.how {
            for part in &plan.parts {
                let units = match plan.axis {
                    Some(axis) => Units {
                        lo: u64::from(part.tile.lo[axis]),
                        hi: u64::from(part.tile.hi[axis]),
                    },
                    None => Units {
                        lo: 0,
                        hi: launched.load.units,
                    },
                };
                let chunk = Chunk {
                    units,
                    taken_ns: 0.0,
                    words_ns: None,
                    work_begin_ns: 0.0,
                    worked_ns: 0.0,
                };
                engine.benches[usize::from(part.device.0)]
                    .queue
                    .push_back(chunk);
            }
        }
        engine
    }

    /// Gives every device that can take more what the balance has for it.
    fn hand_out(&mut self) {
        let How::Balance(balance) = &mut self.how else {
            return;
        };
        for (device, bench) in self.benches.iter_mut().enumerate() {
            let device = DeviceId(device as u8);
            let most = if device == DeviceId::CPU {
                1
            } else {
                QUEUED_MAX
            };
            while bench.under_way() < most {
                let Turn::Take(chunk) = balance.next(device, self.now_ns) else {
                    break;
                };
                let chunk = Chunk {
                    units: chunk.units,
                    taken_ns: self.now_ns,
                    words_ns: None,
                    work_begin_ns: 0.0,
                    worked_ns: 0.0,
                };
                bench.queue.push_back(chunk);
            }
        }
    }

    /// Starts whatever can start now: copies, and work whose words are there.
    fn start(&mut self) {
        for device in 0..self.benches.len() {
            let own = &self.launched.machine.devices[device];
            let serial = own.copying == Copying::Serial;
            for at in 0..self.benches[device].queue.len() {
                let bench = &self.benches[device];
                let busy = bench.running.is_some() || !bench.leaving.is_empty() || at > 0;
                if bench.queue[at].words_ns.is_none() && !(serial && busy) {
                    let units = bench.queue[at].units;
                    let words_ns = self.bring(device, units);
                    self.benches[device].queue[at].words_ns = Some(words_ns);
                }
            }
            let bench = &mut self.benches[device];
            let ready = |chunk: &Chunk| {
                chunk
                    .words_ns
                    .is_some_and(|words_ns| words_ns <= self.now_ns)
            };
            let kept = bench.running.is_some() || bench.kept_ns > self.now_ns;
            if kept || !bench.queue.front().is_some_and(ready) {
                continue;
            }
            let chunk = bench.queue.pop_front().expect("the first of the queue");
            let queued = chunk.taken_ns < bench.work_end_ns;
            let launch_ns = if queued {
                own.queued_launch_ns
            } else {
                own.launch_ns
            };
            let load = self.launched.load;
            let effort = self.launched.machine.effort(device, load, chunk.units);
            bench.running = Some(Running {
                chunk,
                begun_ns: self.now_ns,
                launched_ns: self.now_ns + launch_ns,
                left_ns: effort.ns * load.noise_of(device, chunk.units),
                effort,
            });
        }
    }

    /// Sends the words that `units` need to `device`, and says when they will be there.
    fn bring(&mut self, device: usize, units: Units) -> f64 {
        let mut footprint = self.footprint(units);
        let private =
            |touch: &&mut Touch| touch.combine && self.company == Company::Shared && device > 0;
        // A private copy starts from nothing.
        footprint
            .arguments
            .iter_mut()
            .filter(private)
            .for_each(|touch| *touch = Touch::default());
        let plan = self.plan_of(device, units);
        let residencies: Vec<&Residency> = self.residencies.iter().collect();
        let copies = transfer::copies(&plan, &[footprint], &residencies, &self.links, Merging::Off);
        let copies = copies.expect("no memory is lost");
        let (mut home_ns, mut ready_ns) = (self.now_ns, self.now_ns);
        for copy in &copies.list {
            copy.commit(&mut self.residencies[copy.argument]);
            self.bytes_moved += copy.bytes();
            let down = copy.to == MemoryId::HOST;
            let (number, way) = if down {
                (usize::from(copy.from.0), Way::Down)
            } else {
                (usize::from(copy.to.0), Way::Up)
            };
            let own = &self.launched.machine.devices[number];
            let begin_ns = self.benches[number].links.free_ns(own, way, home_ns);
            let end_ns = self.send(number, way, home_ns, copy.bytes());
            self.copies.push(Sent {
                copy: *copy,
                begin_ns,
                end_ns,
            });
            if down {
                // One after another, as the executor makes them.
                home_ns = end_ns;
            } else {
                ready_ns = ready_ns.max(end_ns);
            }
        }
        ready_ns.max(home_ns)
    }

    /// Takes the link of `device` for a copy from `from_ns` on, and says when it is done.
    fn send(&mut self, device: usize, way: Way, from_ns: f64, bytes: u64) -> f64 {
        let own = &self.launched.machine.devices[device];
        self.benches[device].links.send(own, way, from_ns, bytes)
    }

    /// The undisturbed speeds of what runs now, by device.
    fn speeds(&self) -> Vec<f64> {
        let at_work = |(device, bench): (usize, &Bench)| {
            let running = bench
                .running
                .filter(|running| running.launched_ns <= self.now_ns)?;
            Some((device, running.effort))
        };
        let running: Vec<(usize, Effort)> = self
            .benches
            .iter()
            .enumerate()
            .filter_map(at_work)
            .collect();
        let mut speeds = vec![0.0; self.benches.len()];
        for ((device, _), speed) in running.iter().zip(self.launched.machine.speeds(&running)) {
            speeds[*device] = speed;
        }
        speeds
    }

    /// When something happens next; `None` if nothing is under way.
    fn next_event(&self) -> Option<f64> {
        let speeds = self.speeds();
        let of = |(bench, speed): (&Bench, f64)| {
            let running = bench.running.map(|running| {
                if running.launched_ns > self.now_ns {
                    running.launched_ns
                } else {
                    self.now_ns + running.left_ns / speed
                }
            });
            let words = bench
                .queue
                .front()
                .and_then(|chunk| chunk.words_ns)
                .filter(|ns| *ns > self.now_ns);
            let leaving = bench.leaving.front().map(|(_, ns)| *ns);
            let kept =
                Some(bench.kept_ns).filter(|ns| *ns > self.now_ns && !bench.queue.is_empty());
            [running, words, leaving, kept]
                .into_iter()
                .flatten()
                .reduce(f64::min)
        };
        self.benches
            .iter()
            .zip(speeds)
            .filter_map(of)
            .reduce(f64::min)
    }

    /// Lets time pass until `event_ns`, and notes what is complete then.
    fn advance(&mut self, event_ns: f64) {
        let speeds = self.speeds();
        let passed_ns = event_ns - self.now_ns;
        self.now_ns = event_ns;
        for (device, speed) in speeds.into_iter().enumerate() {
            if let Some(running) = &mut self.benches[device].running {
                running.left_ns -= passed_ns * speed;
                // What is left of a chunk may be smaller than the clock's resolution.
                if speed > 0.0 && running.left_ns <= 1e-3 {
                    let chunk = Chunk {
                        work_begin_ns: running.begun_ns,
                        worked_ns: event_ns - running.begun_ns,
                        ..running.chunk
                    };
                    self.benches[device].running = None;
                    self.benches[device].work_end_ns = self.now_ns;
                    let home_ns = self.send_results(device, chunk.units);
                    self.benches[device].leaving.push_back((chunk, home_ns));
                }
            }
            while let Some((chunk, home_ns)) = self.benches[device].leaving.front().copied() {
                if home_ns > self.now_ns {
                    break;
                }
                self.benches[device].leaving.pop_front();
                self.complete(device, chunk);
            }
        }
    }

    /// Notes what a chunk wrote, and sends home what is awaited there.
    fn send_results(&mut self, device: usize, units: Units) -> f64 {
        let footprint = self.footprint(units);
        let memory = MemoryId(device as u8);
        let mut home_ns = self.now_ns;
        for (index, touch) in footprint.arguments.iter().enumerate() {
            transfer::commit(&mut self.residencies[index], touch, memory, self.company);
            let awaited = self.launched.situation.arguments[index].next == Some(MemoryId::HOST);
            if awaited && memory != MemoryId::HOST && !touch.combine && !touch.writes.is_empty() {
                let bytes = touch.writes.words() * WORD_BYTES;
                self.bytes_moved += bytes;
                home_ns = self.send(device, Way::Down, home_ns, bytes);
                for span in touch.writes.iter() {
                    let (from, to, reason) = (memory, MemoryId::HOST, Reason::HostRead);
                    let copy = Copy {
                        argument: index,
                        span,
                        from,
                        to,
                        reason,
                        gap_words: 0,
                    };
                    copy.commit(&mut self.residencies[index]);
                }
            }
        }
        home_ns
    }

    fn complete(&mut self, device: usize, chunk: Chunk) {
        let bench = &mut self.benches[device];
        let begin_ns = chunk.taken_ns.max(bench.last_ns);
        bench.last_ns = self.now_ns;
        let device = DeviceId(device as u8);
        self.steps.push(Step {
            device,
            units: chunk.units,
            begin_ns,
            end_ns: self.now_ns,
            work_begin_ns: chunk.work_begin_ns,
            worked_ns: chunk.worked_ns,
        });
        if let How::Balance(balance) = &mut self.how {
            let took = Took {
                copies_ns: self.now_ns - begin_ns - chunk.worked_ns,
                work_ns: chunk.worked_ns,
            };
            balance.finished(device, took, self.now_ns);
        }
    }

    /// Nothing is under way any more: what was combined goes home.
    fn finish(mut self) -> Outcome {
        if let How::Balance(balance) = &self.how {
            assert!(
                balance.left().is_empty(),
                "nothing fails here, so nothing is left"
            );
        }
        let mut end_ns = self.now_ns;
        let whole = self.footprint(Units {
            lo: 0,
            hi: self.launched.load.units,
        });
        let combined = |touch: &&Touch| touch.combine && self.company == Company::Shared;
        let words: u64 = whole
            .arguments
            .iter()
            .filter(combined)
            .map(|touch| touch.writes.words())
            .sum();
        for device in 1..self.benches.len() {
            if words > 0 && self.benches[device].last_ns > 0.0 {
                let from_ns = self.benches[device].last_ns;
                self.bytes_moved += words * WORD_BYTES;
                end_ns = end_ns.max(self.send(device, Way::Down, from_ns, words * WORD_BYTES));
            }
        }
        let devices = self.benches.iter().zip(&self.launched.machine.devices);
        Outcome {
            end_ns,
            copies: self.copies,
            busy: devices.map(|(bench, device)| bench.busy(device)).collect(),
            steps: self.steps,
            residencies: self.residencies,
            bytes_moved: self.bytes_moved,
        }
    }

    fn footprint(&self, units: Units) -> Footprint {
        (self.launched.footprint)(self.tile(units))
    }

    fn tile(&self, units: Units) -> Tile {
        let mut tile = Tile {
            lo: [0; 3],
            hi: self.launched.situation.grid,
        };
        tile.lo[self.launched.axis] = units.lo as u32;
        tile.hi[self.launched.axis] = units.hi as u32;
        tile
    }

    /// The plan in which `device` does `units` and nothing else happens.
    fn plan_of(&self, device: usize, units: Units) -> Plan {
        let part = Part {
            device: DeviceId(device as u8),
            tile: self.tile(units),
            predicted_ns: 0.0,
            transfer_ns: 0.0,
            bytes_in: 0,
            bytes_out: 0,
            source: Source::Prior,
        };
        Plan {
            grid: self.launched.situation.grid,
            axis: Some(self.launched.axis),
            parts: vec![part],
            rejected: Vec::new(),
            split: SplitVerdict::Policy,
        }
    }
}

impl Bench {
    /// Keeps the device busy with something else.
    fn keep(&mut self, device: &Device, busy: Busy) {
        let mut busy = busy;
        if device.copying == Copying::Serial {
            let all_ns = busy.work_ns.max(busy.up_ns).max(busy.down_ns);
            (busy.work_ns, busy.up_ns, busy.down_ns) = (all_ns, all_ns, all_ns);
        }
        (self.kept_ns, self.work_end_ns) = (busy.work_ns, busy.work_ns);
        self.links.take(Way::Up, busy.up_ns);
        self.links.take(Way::Down, busy.down_ns);
    }

    fn busy(&self, device: &Device) -> Busy {
        Busy {
            work_ns: self.work_end_ns,
            up_ns: self.links.free_ns(device, Way::Up, 0.0),
            down_ns: self.links.free_ns(device, Way::Down, 0.0),
        }
    }

    fn under_way(&self) -> usize {
        self.queue.len() + usize::from(self.running.is_some()) + self.leaving.len()
    }
}
