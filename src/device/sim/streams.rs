//! In which order does an imagined machine do what it was given, and how far has it come? Each device has a stream of kernels and copies,
//! and time passes from event to event, since whoever works on the same memory bus slows the others down.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use super::Machine;
use crate::cost::{DeviceLimits, Work};
use crate::machine::DeviceId;
use crate::timing::{self, Copying, Device, Effort, Links, Running, Way};

/// A moment on the virtual clock, in ns since the machine was started; infinite for what never comes.
pub(super) type Instant = f64;

/// What is left of a kernel may be smaller than the clock's resolution, in ns.
const ENDED_NS: f64 = 1e-3;

/// A device looks at so many operations that have not ended; those behind them wait.
const AHEAD_MAX: usize = 64;

/// Operations of one device, by their numbers: from the first up to, and without, the second.
pub(super) type Range = (u64, u64);

/// The streams of all devices, the CPU's first, and the time.
#[derive(Debug)]
pub(super) struct Streams {
    now: Instant,
    lines: Vec<Line>,
    /// Bytes per ns of each memory bus.
    buses: Vec<f64>,
    noise: f64,
    seed: u64,
}

/// What one device was given.
#[derive(Debug)]
struct Line {
    device: Device,
    limits: DeviceLimits,
    links: Links,
    /// Number of the first of `ops`; all before it have ended.
    first: u64,
    ops: VecDeque<Op>,
    /// How long it has worked.
    busy_ns: f64,
}

#[derive(Debug)]
struct Op {
    kind: Kind,
    state: State,
}

#[derive(Debug)]
enum Kind {
    Kernel {
        launch_ns: f64,
        effort: Effort,
        /// Set to how long it took, in ns.
        took: Arc<OnceLock<f64>>,
    },
    Copy {
        way: Way,
        /// Kernels with smaller numbers have to end before; all words that were sent before are there anyway.
        after: u64,
        ns: f64,
        latency_ns: f64,
    },
}

#[derive(Clone, Copy, Debug)]
enum State {
    Waiting,
    Working {
        begun: Instant,
        /// When its launch is over.
        launched: Instant,
        /// Work left, in ns at undisturbed speed.
        left_ns: f64,
    },
    /// On its way, until then.
    Travelling(Instant),
    Ended,
}

impl Streams {
    pub(super) fn new(machine: &Machine) -> Self {
        let gpus = machine.gpus.iter().map(|gpu| {
            let mut device = Device::of_limits(&gpu.limits);
            device.bus = gpu.shares_memory.then_some(0);
            if gpu.overlap {
                device.copying = Copying::Overlapped;
            }
            Line::new(device, gpu.limits)
        });
        let mut cpu = Device::of_limits(&machine.cpu);
        cpu.bus = Some(0);
        let cpu = Line::new(cpu, machine.cpu);
        Self {
            now: 0.0,
            buses: vec![cpu.device.bytes_per_ns],
            lines: [cpu].into_iter().chain(gpus).collect(),
            noise: machine.noise,
            seed: machine.seed,
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.now
    }

    /// A device is given some work, `slower` times as long as usual: its number, and where it will say how long it took.
    pub(super) fn kernel(
        &mut self,
        device: DeviceId,
        work: Work,
        slower: f64,
    ) -> (u64, Arc<OnceLock<f64>>) {
        let (noise, seed) = (self.noise, self.seed);
        let line = self.line_mut(device);
        let values = [u64::from(device.0), line.latest(), 0];
        let slower = slower * timing::noise(seed, values, noise);
        let effort = line.device.effort_of(work, &line.limits);
        let effort = Effort {
            ns: effort.ns * slower,
            arithmetic_ns: effort.arithmetic_ns * slower,
            demand: effort.demand / slower,
        };
        let launch_ns = line.device.launch_ns * slower;
        line.add_kernel(launch_ns, effort)
    }

    /// A device is given something that it never ends.
    pub(super) fn endless(&mut self, device: DeviceId) -> (u64, Arc<OnceLock<f64>>) {
        let effort = Effort {
            ns: f64::INFINITY,
            arithmetic_ns: f64::INFINITY,
            demand: 0.0,
        };
        self.line_mut(device).add_kernel(0.0, effort)
    }

    /// A device is given words to copy, `slower` times as long as usual, when all kernels with numbers below `after` have ended: the
    /// number of that.
    pub(super) fn copy(
        &mut self,
        (device, way): (DeviceId, Way),
        bytes: u64,
        after: u64,
        slower: f64,
    ) -> u64 {
        let line = self.line_mut(device);
        let kind = Kind::Copy {
            way,
            after,
            ns: line.device.copy_ns(way, bytes) * slower,
            latency_ns: line.device.latency_ns(way, bytes) * slower,
        };
        line.add(kind)
    }

    /// The number that the next operation of a device will have.
    pub(super) fn latest(&self, device: DeviceId) -> u64 {
        self.line(device).latest()
    }

    pub(super) fn is_done(&self, device: DeviceId, ops: Range) -> bool {
        let line = self.line(device);
        let (from, to) = (ops.0.max(line.first), ops.1.min(line.latest()));
        let place = |number: u64| (number - line.first) as usize;
        from >= to
            || line
                .ops
                .range(place(from)..place(to))
                .all(|op| matches!(op.state, State::Ended))
    }

    /// Lets time pass until a device has done these operations, or until `latest`. Whether they are done.
    pub(super) fn wait(&mut self, device: DeviceId, ops: Range, latest: Instant) -> bool {
        while !self.is_done(device, ops) {
            if !self.step(latest) {
                return false;
            }
        }
        true
    }

    /// How long a device has worked until now.
    pub(super) fn busy_ns(&self, device: DeviceId) -> f64 {
        self.line(device).busy_ns
    }

    pub(super) fn overlaps(&self, device: DeviceId) -> bool {
        self.line(device).device.copying == Copying::Overlapped
    }

    fn line(&self, device: DeviceId) -> &Line {
        &self.lines[usize::from(device.0)]
    }

    fn line_mut(&mut self, device: DeviceId) -> &mut Line {
        &mut self.lines[usize::from(device.0)]
    }

    /// Goes on to the next event, but not beyond `latest`. Whether there was one.
    fn step(&mut self, latest: Instant) -> bool {
        let now = self.now;
        self.lines.iter_mut().for_each(|line| line.start(now));
        let speeds = self.speeds();
        let events = self.lines.iter().zip(&speeds);
        let next = events.filter_map(|(line, speed)| line.next_event(now, *speed));
        let next = next.fold(f64::INFINITY, f64::min);
        let until = next.min(latest);
        if until.is_finite() {
            self.now = until.max(now);
            for (line, speed) in self.lines.iter_mut().zip(speeds) {
                line.pass(now, self.now, speed);
            }
        }
        next <= latest && next.is_finite()
    }

    /// How fast the kernel of each device goes, relative to being undisturbed.
    fn speeds(&self) -> Vec<f64> {
        let running: Vec<Option<Running<'_>>> = self
            .lines
            .iter()
            .map(|line| line.running(self.now))
            .collect();
        let at_work: Vec<Running<'_>> = running.iter().flatten().copied().collect();
        let mut speeds = timing::speeds(&self.buses, &at_work).into_iter();
        let speed = |running: &Option<_>| running.and_then(|_: Running<'_>| speeds.next());
        running
            .iter()
            .map(speed)
            .map(|speed| speed.unwrap_or(1.0))
            .collect()
    }
}

impl Line {
    fn new(device: Device, limits: DeviceLimits) -> Self {
        Self {
            device,
            limits,
            links: Links::default(),
            first: 0,
            ops: VecDeque::new(),
            busy_ns: 0.0,
        }
    }

    fn latest(&self) -> u64 {
        self.first + self.ops.len() as u64
    }

    fn add(&mut self, kind: Kind) -> u64 {
        let state = State::Waiting;
        self.ops.push_back(Op { kind, state });
        self.latest() - 1
    }

    fn add_kernel(&mut self, launch_ns: f64, effort: Effort) -> (u64, Arc<OnceLock<f64>>) {
        let took = Arc::new(OnceLock::new());
        let kernel = Kind::Kernel {
            launch_ns,
            effort,
            took: Arc::clone(&took),
        };
        (self.add(kernel), took)
    }

    /// Starts what can start now. Where nothing overlaps, that is the first; elsewhere a kernel waits for the kernels and for the words
    /// that were sent before it, and words that come home for the kernels that make them.
    fn start(&mut self, now: Instant) {
        let serial = self.device.copying == Copying::Serial;
        let (mut kernel_ahead, mut words_ahead, mut any_ahead) = (None, false, false);
        let mut copy_waits = [false; 2];
        for (number, op) in (self.first..).zip(self.ops.iter_mut().take(AHEAD_MAX)) {
            if matches!(op.state, State::Ended) {
                continue;
            }
            let waits = matches!(op.state, State::Waiting);
            match &op.kind {
                Kind::Kernel {
                    launch_ns, effort, ..
                } => {
                    if waits && !(kernel_ahead.is_some() || words_ahead || serial && any_ahead) {
                        op.state = State::Working {
                            begun: now,
                            launched: now + launch_ns,
                            left_ns: effort.ns,
                        };
                    }
                    kernel_ahead = kernel_ahead.or(Some(number));
                    // What never ends keeps everything.
                    if effort.ns.is_infinite() {
                        return;
                    }
                }
                Kind::Copy {
                    way,
                    after,
                    ns,
                    latency_ns,
                } => {
                    let free = self.links.free_ns(&self.device, *way, now) <= now;
                    let behind = copy_waits[*way as usize]
                        || kernel_ahead.is_some_and(|kernel| kernel < *after)
                        || serial && any_ahead;
                    if waits && free && !behind {
                        op.state = State::Travelling(now + ns);
                        // Copies that follow one another hide each other's latency.
                        let hidden_ns = if serial { 0.0 } else { *latency_ns };
                        self.links.take(*way, now + ns - hidden_ns);
                    }
                    copy_waits[*way as usize] |= matches!(op.state, State::Waiting);
                    words_ahead |= *way == Way::Up;
                }
            }
            any_ahead = true;
        }
    }

    /// The kernel that runs, if its launch is over.
    fn running(&self, now: Instant) -> Option<Running<'_>> {
        let mut ahead = self.ops.iter().take(AHEAD_MAX);
        ahead.find_map(|op| match (&op.kind, op.state) {
            (Kind::Kernel { effort, .. }, State::Working { launched, .. }) if launched <= now => {
                Some(Running {
                    device: &self.device,
                    effort: *effort,
                })
            }
            _ => None,
        })
    }

    fn next_event(&self, now: Instant, speed: f64) -> Option<Instant> {
        let of = |op: &Op| match op.state {
            State::Working { launched, .. } if launched > now => Some(launched),
            State::Working { left_ns, .. } => Some(now + left_ns / speed),
            State::Travelling(end) => Some(end),
            State::Waiting | State::Ended => None,
        };
        let links = [Way::Up, Way::Down].map(|way| self.links.free_ns(&self.device, way, now));
        let links = links.into_iter().filter(|free| *free > now);
        let ahead = self.ops.iter().take(AHEAD_MAX);
        let events = ahead.filter_map(of).chain(links);
        events.reduce(f64::min)
    }

    /// Time passes, with the kernel at this speed; what is done then has ended.
    fn pass(&mut self, before: Instant, now: Instant, speed: f64) {
        for op in self.ops.iter_mut().take(AHEAD_MAX) {
            match &mut op.state {
                State::Working {
                    begun,
                    launched,
                    left_ns,
                } => {
                    self.busy_ns += now - before;
                    if *launched <= before {
                        *left_ns -= (now - before) * speed;
                    }
                    if *left_ns <= ENDED_NS {
                        if let Kind::Kernel { took, .. } = &op.kind {
                            // Nobody else sets it.
                            let _ = took.set(now - *begun);
                        }
                        op.state = State::Ended;
                    }
                }
                State::Travelling(end) if *end <= now => op.state = State::Ended,
                _ => {}
            }
        }
        while matches!(self.ops.front(), Some(op) if matches!(op.state, State::Ended)) {
            self.ops.pop_front();
            self.first += 1;
        }
    }
}

#[cfg(test)]
// The times here are sums of whole numbers.
#[allow(clippy::float_cmp)]
mod tests {
    use super::super::Gpu;
    use super::*;

    const GPU: DeviceId = DeviceId(1);

    /// A GPU on which a kernel takes 1 ms and 20 µs, and a copy of 12 MB 1 ms and 10 µs.
    fn streams(overlap: bool) -> Streams {
        let mut gpu = Gpu::card();
        gpu.overlap = overlap;
        Streams::new(&Machine::desktop().with(gpu))
    }

    fn kernel(streams: &mut Streams) -> u64 {
        let work = Work {
            ops: 1e10,
            ..Work::default()
        };
        streams.kernel(GPU, work, 1.0).0
    }

    /// When everything has ended, in µs.
    fn end_us(mut streams: Streams) -> f64 {
        let all = (0, streams.latest(GPU));
        assert!(streams.wait(GPU, all, f64::INFINITY));
        (streams.now() / 1e3).round()
    }

    #[test]
    fn a_device_does_one_thing_at_a_time_or_everything_that_waits_for_nothing() {
        for (overlap, expected_us) in [(false, 3.0 * 1010.0 + 2.0 * 1020.0), (true, 3050.0)] {
            let mut streams = streams(overlap);
            streams.copy((GPU, Way::Up), 12_000_000, 0, 1.0);
            let first = kernel(&mut streams);
            streams.copy((GPU, Way::Up), 12_000_000, 0, 1.0);
            streams.copy((GPU, Way::Down), 12_000_000, first + 1, 1.0);
            kernel(&mut streams);
            assert_eq!(end_us(streams), expected_us, "{overlap}");
        }
    }

    #[test]
    fn patience_ends_where_an_operation_does_not() {
        let mut streams = streams(true);
        let before = kernel(&mut streams);
        let (never, _) = streams.endless(GPU);
        assert!(streams.wait(GPU, (before, before + 1), 5e6));
        assert!(!streams.wait(GPU, (never, never + 1), 5e6));
        assert_eq!(streams.now(), 5e6);
        assert_eq!(streams.busy_ns(GPU), 5e6);
    }

    #[test]
    fn a_long_queue_is_done_in_order_to_its_end() {
        let mut streams = streams(true);
        let last = (0..2000).map(|_| kernel(&mut streams)).last();
        assert_eq!(last, Some(1999));
        assert_eq!(end_us(streams), 2000.0 * 1020.0);
    }
}
