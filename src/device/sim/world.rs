//! What time is it on an imagined machine? One clock for the host, and for each device the moments at which its queue and its links
//! are free again. Nothing here waits: time passes when somebody asks for what is not done yet.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Machine;
use super::durations::Durations;
use crate::cost::{Power, Work};
use crate::machine::DeviceId;

/// A moment on the virtual clock, in ns since the machine was started; infinite for what never ends.
pub(super) type Instant = f64;

/// A direction between main memory and a device's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Up,
    Down,
}

/// The virtual clock of a machine and all its devices.
#[derive(Debug)]
pub(crate) struct World {
    durations: Durations,
    overlap: Vec<bool>,
    /// The CPU's first.
    power: Vec<Option<Power>>,
    clock: Mutex<Clock>,
}

#[derive(Debug)]
struct Clock {
    now: Instant,
    devices: Vec<Timeline>,
    /// When each device works, the CPU first.
    shifts: Vec<Shifts>,
}

/// When a device works: the time that it has worked, and the stretches that are not over.
#[derive(Clone, Debug, Default)]
struct Shifts {
    done_ns: f64,
    ahead: VecDeque<(Instant, Instant)>,
}

impl Shifts {
    fn add(&mut self, now: Instant, from: Instant, to: Instant) {
        while let Some((from, to)) = self.ahead.front().filter(|(_, to)| *to <= now) {
            self.done_ns += to - from;
            self.ahead.pop_front();
        }
        self.ahead.push_back((from, to));
    }

    /// Time that the device has worked until `now`.
    fn busy_ns(&self, now: Instant) -> f64 {
        let ahead = self.ahead.iter();
        let begun = ahead.map(|(from, to)| (to.min(now) - from).max(0.0));
        self.done_ns + begun.sum::<f64>()
    }
}

/// When a device is free again.
#[derive(Clone, Copy, Debug, Default)]
struct Timeline {
    /// Everything handed over so far has ended.
    all: Instant,
    kernels: Instant,
    /// The link takes the next copy.
    up: Instant,
    down: Instant,
    /// All words sent so far are there.
    arrived: Instant,
}

impl World {
    pub(crate) fn new(machine: &Machine) -> Arc<Self> {
        Arc::new(Self {
            durations: Durations::of(machine),
            overlap: machine.gpus.iter().map(|gpu| gpu.overlap).collect(),
            power: [machine.cpu_power]
                .into_iter()
                .chain(machine.gpus.iter().map(|gpu| gpu.power))
                .collect(),
            clock: Mutex::new(Clock {
                now: 0.0,
                shifts: vec![Shifts::default(); machine.gpus.len() + 1],
                devices: vec![Timeline::default(); machine.gpus.len()],
            }),
        })
    }

    /// The host's time, in ns.
    pub(crate) fn now(&self) -> Instant {
        self.clock().now
    }

    /// The CPU works; how long that took, in ns.
    pub(crate) fn work_on_cpu(&self, work: Work) -> f64 {
        let ns = self.durations.compute_ns(DeviceId::CPU, work);
        let mut clock = self.clock();
        let start = clock.now;
        clock.now += ns;
        clock.work(DeviceId::CPU, start, start + ns);
        ns
    }

    /// The host waits until `moment`, or for as long as it has patience: whether the moment came.
    pub(super) fn wait(&self, moment: Instant, patience_ns: f64) -> bool {
        let mut clock = self.clock();
        let until = clock.now + patience_ns;
        clock.now = clock.now.max(moment.min(until));
        moment <= until
    }

    /// A device does some work, `slower` times as long as usual, when it has done what came before: how long it takes, and when it
    /// ends.
    pub(super) fn compute(&self, device: DeviceId, work: Work, slower: f64) -> (f64, Instant) {
        let ns = self.durations.compute_ns(device, work) * slower;
        let mut clock = self.clock();
        let start = clock.now;
        let line = clock.line(device);
        // A kernel waits for the words that were sent before it.
        let start = start.max(line.kernels).max(line.arrived);
        let start = if self.overlaps(device) {
            start
        } else {
            start.max(line.all)
        };
        let end = start + ns;
        line.kernels = end;
        line.all = line.all.max(end);
        clock.work(device, start, end);
        (ns, end)
    }

    /// Words go over a device's link, `slower` times as long as usual, when it has done what they wait for: when they have arrived. Where
    /// things overlap, copies that follow one another hide each other's latency.
    pub(super) fn copy(
        &self,
        device: DeviceId,
        direction: Direction,
        bytes: u64,
        slower: f64,
    ) -> Instant {
        let ns = self.durations.copy_ns(device, direction, bytes) * slower;
        let latency_ns = self.durations.latency_ns(device, direction, bytes) * slower;
        let overlaps = self.overlaps(device);
        let mut clock = self.clock();
        let now = clock.now;
        let line = clock.line(device);
        let start = match (overlaps, direction) {
            (false, _) => now.max(line.all),
            (true, Direction::Up) => now.max(line.up),
            // What comes home is what kernels wrote.
            (true, Direction::Down) => now.max(line.down).max(line.kernels),
        };
        let end = start + ns;
        let free = if overlaps { end - latency_ns } else { end };
        match direction {
            Direction::Up => (line.up, line.arrived) = (free, end),
            Direction::Down => line.down = free,
        }
        line.all = line.all.max(end);
        end
    }

    /// A device never ends what it does.
    pub(super) fn hang(&self, device: DeviceId) {
        let mut clock = self.clock();
        let now = clock.now;
        let line = clock.line(device);
        let start = line.all.max(now);
        line.kernels = Instant::INFINITY;
        line.all = Instant::INFINITY;
        clock.work(device, start, Instant::INFINITY);
    }

    /// What a device draws, if the machine says so.
    pub(crate) fn power(&self, device: DeviceId) -> Option<Power> {
        self.power.get(usize::from(device.0)).copied().flatten()
    }

    /// Joules that a device has drawn until now, if the machine says what it draws.
    pub(crate) fn joules(&self, device: DeviceId) -> Option<f64> {
        let power = self.power(device)?;
        let clock = self.clock();
        let busy_ns = clock.shifts[usize::from(device.0)].busy_ns(clock.now);
        Some(power.joules(busy_ns, clock.now))
    }

    /// When a device will have done everything.
    pub(super) fn idle_at(&self, device: DeviceId) -> Instant {
        self.clock().line(device).all
    }

    pub(super) fn overlaps(&self, device: DeviceId) -> bool {
        self.overlap[usize::from(device.0) - 1]
    }

    fn clock(&self) -> MutexGuard<'_, Clock> {
        self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock {
    /// Notes when a device works.
    fn work(&mut self, device: DeviceId, from: Instant, to: Instant) {
        let now = self.now;
        self.shifts[usize::from(device.0)].add(now, from, to);
    }

    fn line(&mut self, device: DeviceId) -> &mut Timeline {
        &mut self.devices[usize::from(device.0) - 1]
    }
}
