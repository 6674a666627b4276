//! Which machines, kernels and residencies are tried? All drawn from a seed.

use std::f64::consts::E;
use std::fmt;

use impel::DeviceId;
use impel::cost::{Link, Source};
use impel::lanes::Tile;
use impel::machine::MemoryId;
use impel::plan::{Argument, Candidate, Objective, Plan, Situation, Splitting};
use impel::region::{Footprint, Residency, Span, SpanSet, Touch};
use impel::simulate::{Copying, Device, Duplex, Launched, Load, Machine};

/// Seeded random numbers (`SplitMix64`; Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut hash = self.0;
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^ (hash >> 31)
    }

    /// Evenly from `lo..hi`.
    fn within(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From `lo..hi`, every order of magnitude as likely as the next.
    fn magnitude(&mut self, lo: f64, hi: f64) -> f64 {
        E.powf(self.within(lo.ln(), hi.ln()))
    }

    fn below(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    fn chance(&mut self, of: f64) -> bool {
        self.within(0.0, 1.0) < of
    }
}

/// How a kernel touches its input; its output is its own rows, or a small array into which it adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    Rows,
    Halo(u64),
    /// Every part reads all of an array.
    Table(u64),
    Combine,
}

/// A machine and a launch on it.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) kernel: Kernel,
    pub(crate) row_words: u64,
    pub(crate) multiple: u32,
    pub(crate) machine: Machine,
    pub(crate) load: Load,
    pub(crate) residencies: [Residency; 2],
    /// Whether the host awaits the results.
    pub(crate) awaited: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let devices = &self.machine.devices;
        let on_bus = devices.iter().filter(|own| own.bus.is_some()).count();
        let holders = self.residencies.each_ref().map(|own| own.holders().count());
        write!(
            f,
            "{:?}, {} units of {} words, {} GPUs ({} on the CPU's bus), arrays in {} and {} memories",
            self.kernel,
            self.load.units,
            self.row_words,
            devices.len() - 1,
            on_bus - 1,
            holders[0],
            holders[1],
        )
    }
}

/// Words of an array into which all parts add.
const BINS: u64 = 256;

impl Case {
    pub(crate) fn new(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let gpus = [1, 1, 1, 2, 2, 3, 4, 8][random.below(8) as usize];
        let gpus = if random.chance(0.05) { 0 } else { gpus };
        let mut devices = vec![cpu(random)];
        let bus = devices[0].bytes_per_ns * random.within(1.0, 1.5);
        // Often all GPUs of a machine are alike.
        let alike = random.chance(0.5).then(|| discrete(random));
        for _ in 0..gpus {
            devices.push(match &alike {
                Some(alike) => alike.clone(),
                None if random.chance(0.3) => integrated(random, bus),
                None => discrete(random),
            });
        }
        for device in &mut devices {
            device.slowness = random.within(0.9, 1.1);
        }
        let machine = Machine {
            devices,
            buses: vec![bus],
        };
        let kernel = match random.below(5) {
            0 | 1 => Kernel::Rows,
            2 => Kernel::Halo(1 + random.below(3)),
            3 => Kernel::Table(random.magnitude(64.0, 65_536.0) as u64),
            _ => Kernel::Combine,
        };
        let units = random.magnitude(32.0, 100_000.0) as u64;
        let row_words = random.magnitude(64.0, 65_536.0) as u64;
        let bytes_per_unit = row_words as f64 * 8.0;
        let load = Load {
            density: density(random),
            noise: 0.1,
            seed,
            ..Load::even(
                units,
                bytes_per_unit * random.magnitude(0.1, 3000.0),
                bytes_per_unit,
            )
        };
        let multiple = [1, 1, 1, 4][random.below(4) as usize];
        let inputs = match kernel {
            Kernel::Table(words) => words,
            _ => units * row_words,
        };
        let outputs = if kernel == Kernel::Combine {
            BINS
        } else {
            units * row_words
        };
        let memories = machine.devices.len() as u64;
        let residencies = [
            residency(random, inputs, memories),
            residency(random, outputs, memories),
        ];
        Self {
            seed,
            kernel,
            row_words,
            multiple,
            machine,
            load,
            residencies,
            awaited: random.chance(0.2),
        }
    }

    /// The same launch in a world that is as simple as the planner's: no caches, no shared bus, no noise, even cost, copies
    /// serial with work.
    pub(crate) fn simple(&self) -> Self {
        let mut simple = self.clone();
        for device in &mut simple.machine.devices {
            device.bus = None;
            device.cache_gain = 1.0;
            device.slowness = 1.0;
            device.queued_launch_ns = device.launch_ns;
            device.copying = Copying::Serial;
            device.duplex = Duplex::Half;
        }
        simple.load.density = vec![1.0];
        simple.load.noise = 0.0;
        simple
    }

    /// The candidates with their true costs.
    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        let devices = 0..self.machine.devices.len();
        devices
            .map(|device| self.machine.candidate(device, &self.load))
            .collect()
    }

    /// The candidates with costs that are wrong by up to four times either way, and known to be guesses from limits.
    pub(crate) fn mistaken(&self) -> Vec<Candidate> {
        let random = &mut Random::new(!self.seed);
        let mut candidates = self.candidates();
        for candidate in &mut candidates {
            let whole = &mut candidate.whole;
            whole.work_ns *= random.magnitude(0.25, 4.0);
            whole.fixed_ns *= random.magnitude(0.25, 4.0);
            whole.ns = whole.fixed_ns + whole.work_ns;
            whole.spread = 0.5;
            whole.source = Source::Prior;
        }
        candidates
    }

    /// Whether no device has to fetch words from another one's memory: then the time of each says how much it can contribute.
    pub(crate) fn is_at_home(&self) -> bool {
        let home =
            |residency: &Residency| residency.valid(MemoryId(0)).words() == residency.words();
        home(&self.residencies[0]) && (self.kernel != Kernel::Combine || home(&self.residencies[1]))
    }

    /// Calls `with` with the launch as the planner sees it.
    pub(crate) fn situation<R>(
        &self,
        candidates: &[Candidate],
        previous: Option<&Plan>,
        with: impl FnOnce(&Launched<'_>) -> R,
    ) -> R {
        let next = self.awaited.then_some(MemoryId::HOST);
        let arguments = [
            Argument {
                residency: &self.residencies[0],
                next: None,
            },
            Argument {
                residency: &self.residencies[1],
                next,
            },
        ];
        let situation = Situation {
            grid: [1, self.load.units as u32, 1],
            splitting: Splitting::Along {
                axis: 1,
                multiple: self.multiple,
            },
            candidates,
            arguments: &arguments,
            previous,
            horizon: 1.0,
            objective: Objective::Time,
        };
        with(&Launched {
            machine: &self.machine,
            load: &self.load,
            situation: &situation,
            axis: 1,
            footprint: &|tile| self.footprint(tile),
        })
    }

    pub(crate) fn footprint(&self, tile: Tile) -> Footprint {
        let (lo, hi) = (u64::from(tile.lo[1]), u64::from(tile.hi[1]));
        let row = self.row_words;
        let own = Span::new(lo * row, hi * row);
        let reads = match self.kernel {
            Kernel::Rows | Kernel::Combine => own,
            Kernel::Halo(h) => Span::new(
                lo.saturating_sub(h) * row,
                (hi + h).min(self.load.units) * row,
            ),
            Kernel::Table(words) => Span::new(0, words),
        };
        let output = match self.kernel {
            Kernel::Combine => Touch {
                combine: true,
                exact: false,
                ..Touch::updating(Span::new(0, BINS))
            },
            _ => Touch::writing(own),
        };
        Footprint {
            arguments: vec![Touch::reading(reads), output],
        }
    }
}

fn cpu(random: &mut Random) -> Device {
    let bytes_per_ns = random.magnitude(15.0, 200.0);
    Device {
        launch_ns: random.magnitude(1e3, 1e4),
        cache_bytes: random.magnitude(1e6, 2.6e8),
        cache_gain: random.within(1.0, 4.0),
        ..Device::cpu(random.magnitude(30.0, 2000.0), bytes_per_ns)
    }
}

fn discrete(random: &mut Random) -> Device {
    let link = |random: &mut Random| Link {
        latency_ns: random.magnitude(3e3, 3e4),
        bytes_per_s: random.magnitude(2e9, 5e10),
    };
    let launch_ns = random.magnitude(8e3, 6e4);
    Device {
        launch_ns,
        queued_launch_ns: launch_ns * random.within(0.1, 1.0),
        cache_bytes: random.magnitude(1e6, 1e8),
        cache_gain: random.within(1.0, 3.0),
        link_up: link(random),
        link_down: link(random),
        duplex: if random.chance(0.5) {
            Duplex::Full
        } else {
            Duplex::Half
        },
        copying: if random.chance(0.5) {
            Copying::Overlapped
        } else {
            Copying::Serial
        },
        ..Device::gpu(
            random.magnitude(300.0, 50_000.0),
            random.magnitude(100.0, 3000.0),
        )
    }
}

fn integrated(random: &mut Random, bus: f64) -> Device {
    Device {
        bytes_per_ns: bus * random.within(0.6, 1.0),
        ops_per_ns: random.magnitude(200.0, 3000.0),
        bus: Some(0),
        ..discrete(random)
    }
}

/// Even in half of the cases, else pieces of very different cost.
fn density(random: &mut Random) -> Vec<f64> {
    if random.chance(0.6) {
        return vec![1.0];
    }
    let pieces = 4 + random.below(60);
    let contrast = random.magnitude(1.2, 10.0);
    let density: Vec<f64> = (0..pieces)
        .map(|_| random.magnitude(1.0 / contrast, contrast))
        .collect();
    let mean = density.iter().sum::<f64>() / pieces as f64;
    density.iter().map(|piece| piece / mean).collect()
}

/// All at home, or all on one device, or every device with a part, or copies here and there.
fn residency(random: &mut Random, words: u64, memories: u64) -> Residency {
    let mut residency = Residency::new(words, MemoryId(0));
    let memory = |number: u64| MemoryId(number as u8);
    match random.below(6) {
        0 | 1 => {}
        2 => (1..memories)
            .for_each(|own| residency.read_into(memory(own), &SpanSet::from(Span::new(0, words)))),
        3 => residency.write(memory(random.below(memories)), &residency.all()),
        4 => {
            for own in 0..memories {
                let span = Span::new(words * own / memories, words * (own + 1) / memories);
                residency.write(memory(own), &SpanSet::from(span));
            }
        }
        _ => {
            let all = residency.all();
            let from = memory(random.below(memories));
            residency = Residency::new(words, from);
            residency.write(MemoryId(0), &all);
            let (a, b) = (random.below(words), random.below(words));
            let span = SpanSet::from(Span::new(a.min(b), a.max(b)));
            residency.write(memory(random.below(memories)), &span);
        }
    }
    residency
}

/// The device's number.
pub(crate) fn number(device: DeviceId) -> usize {
    usize::from(device.0)
}
