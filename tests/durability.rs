//! With `Durability::Replay`, does a program compute what it would have computed had no GPU been lost, wherever it loses one?

mod devices;

use impel::sim::{Fault, FaultKind, Gpu, Machine, Moment, Phase};
use impel::{
    Array, ArrayError, DeviceId, Durability, Launch, LaunchError, Policy, Runtime, RuntimeBuilder,
};

impel::shader!(mod kernels, wgsl = r#"
    struct Params { first: u32, count: u32, salt: u32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read> x: array<u32>;
    @group(0) @binding(2) var<storage, read_write> y: array<u32>;
    @group(0) @binding(3) var<storage, read_write> bins: array<atomic<u32>, 16>;

    @compute @workgroup_size(16)
    fn update(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x < params.count) {
            let i = params.first + id.x;
            y[i] = 5u * y[i] + x[i] + params.salt;
        }
    }

    @compute @workgroup_size(16)
    fn smooth_out(@builtin(global_invocation_id) id: vec3<u32>) {
        let i = id.x;
        if (i > 0u && i + 1u < params.count) {
            y[i] = x[i - 1u] + 3u * x[i] + x[i + 1u] + params.salt;
        }
    }

    @compute @workgroup_size(16)
    fn count(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x < params.count) {
            atomicAdd(&bins[x[id.x] & 15u], params.salt);
        }
    }
"#);

const WORDS: usize = 400;
const BINS: usize = 16;

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// One below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }

    fn range(&mut self) -> (usize, usize) {
        let first = self.below(WORDS);
        (first, 1 + self.below(WORDS - first))
    }
}

/// What the arrays should hold, computed by hand.
#[derive(Clone)]
struct Expected {
    arrays: Vec<Vec<u32>>,
    bins: Vec<u32>,
}

/// A program's arrays, and what they should hold.
struct Program<'a> {
    rt: &'a Runtime,
    gpus: &'a [DeviceId],
    arrays: Vec<Array<u32>>,
    bins: Array<u32>,
    expected: Expected,
    numbers: Numbers,
    /// Whether to wait for each launch, so that the next one is planned when it is known which GPUs are left.
    waits: bool,
}

/// Launches under a policy; one that names a GPU which is known to be lost is replaced.
fn go(rt: &Runtime, launch: Launch<'_>, policy: Policy, waits: bool) {
    let launch = launch.with_policy(policy);
    let launch = match rt.explain(&launch) {
        Err(LaunchError::Policy { .. }) => launch.with_policy(Policy::Auto),
        Ok(_) => launch,
        Err(error) => panic!("{error}"),
    };
    let pending = rt.launch(launch).unwrap();
    if waits {
        pending.wait().unwrap();
    }
}

impl<'a> Program<'a> {
    fn new(rt: &'a Runtime, gpus: &'a [DeviceId], seed: u64) -> Self {
        let mut numbers = Numbers::new(seed);
        let mut start = || (0..WORDS).map(|_| numbers.below(1 << 30) as u32).collect();
        let expected = Expected {
            arrays: vec![start(), start(), start()],
            bins: vec![0; BINS],
        };
        let adopt = |words: &Vec<u32>| rt.array_from_vec(words.clone()).unwrap();
        Self {
            rt,
            gpus,
            arrays: expected.arrays.iter().map(adopt).collect(),
            bins: adopt(&expected.bins),
            expected,
            numbers,
            waits: false,
        }
    }

    /// A random policy under which a lost GPU's part falls to the CPU.
    fn policy(&mut self) -> Policy {
        let gpu = |numbers: &mut Numbers, gpus: &[DeviceId]| gpus[numbers.below(gpus.len())];
        match self.numbers.below(8) {
            0 => Policy::Auto,
            1 => Policy::CpuOnly,
            2 => {
                let gpu = gpu(&mut self.numbers, self.gpus);
                Policy::Split(vec![(DeviceId::CPU, 1.0), (gpu, 2.0)])
            }
            3 => Policy::Split(self.gpus.iter().map(|&gpu| (gpu, 1.0)).collect()),
            _ => Policy::Split(vec![(gpu(&mut self.numbers, self.gpus), 1.0)]),
        }
    }

    fn step(&mut self) {
        match self.numbers.below(12) {
            0..6 => self.update(),
            6..9 => self.smooth_out(),
            9 => self.count(),
            10 => self.host_writes(),
            _ => self.host_reads(),
        }
    }

    /// Two different arrays.
    fn pair(&mut self) -> (usize, usize) {
        let from = self.numbers.below(self.arrays.len());
        (from, (from + 1 + self.numbers.below(2)) % self.arrays.len())
    }

    fn update(&mut self) {
        let (from, to) = self.pair();
        let ((first, count), salt) = (self.numbers.range(), self.numbers.below(1000));
        let policy = self.policy();
        let params = kernels::Params {
            first: first as u32,
            count: count as u32,
            salt: salt as u32,
        };
        let mut y = self.arrays.remove(to);
        let x = &self.arrays[from - usize::from(from > to)];
        let launch = kernels::update {
            params,
            x,
            y: &mut y,
        }
        .over(count);
        go(self.rt, launch, policy, self.waits);
        self.arrays.insert(to, y);
        for i in first..first + count {
            let (x, y) = (self.expected.arrays[from][i], self.expected.arrays[to][i]);
            self.expected.arrays[to][i] =
                y.wrapping_mul(5).wrapping_add(x).wrapping_add(salt as u32);
        }
    }

    fn smooth_out(&mut self) {
        let (from, to) = self.pair();
        let salt = self.numbers.below(1000) as u32;
        let policy = self.policy();
        let params = kernels::Params {
            first: 0,
            count: WORDS as u32,
            salt,
        };
        let mut y = self.arrays.remove(to);
        let x = &self.arrays[from - usize::from(from > to)];
        let launch = kernels::smooth_out {
            params,
            x,
            y: &mut y,
        }
        .over(WORDS);
        go(self.rt, launch, policy, self.waits);
        self.arrays.insert(to, y);
        let x = self.expected.arrays[from].clone();
        for i in 1..WORDS - 1 {
            self.expected.arrays[to][i] = x[i - 1]
                .wrapping_add(x[i].wrapping_mul(3))
                .wrapping_add(x[i + 1])
                .wrapping_add(salt);
        }
    }

    fn count(&mut self) {
        let (from, salt) = (self.numbers.below(3), self.numbers.below(1000) as u32);
        let policy = self.policy();
        let params = kernels::Params {
            first: 0,
            count: WORDS as u32,
            salt,
        };
        let x = &self.arrays[from];
        let bins = &mut self.bins;
        let launch = kernels::count { params, x, bins }.over(WORDS);
        go(self.rt, launch, policy, self.waits);
        for &x in &self.expected.arrays[from] {
            let bin = &mut self.expected.bins[x as usize % BINS];
            *bin = bin.wrapping_add(salt);
        }
    }

    fn host_writes(&mut self) {
        let (at, (first, count)) = (self.numbers.below(3), self.numbers.range());
        let value = self.numbers.below(1000) as u32;
        if self.numbers.below(2) == 0 {
            let words = vec![value; count];
            self.arrays[at].copy_from_slice(first, &words).unwrap();
            self.expected.arrays[at][first..first + count].fill(value);
        } else {
            let mut words = self.arrays[at].write_range(first..first + count).unwrap();
            let expected = &mut self.expected.arrays[at][first..first + count];
            assert_eq!(*words, *expected);
            for (word, expected) in words.iter_mut().zip(expected) {
                *word = word.wrapping_add(value);
                *expected = expected.wrapping_add(value);
            }
        }
    }

    fn host_reads(&mut self) {
        let (at, (first, count)) = (self.numbers.below(3), self.numbers.range());
        let words = self.arrays[at].read_range(first..first + count).unwrap();
        assert_eq!(*words, self.expected.arrays[at][first..first + count]);
    }

    /// Waits until every launch is carried out, though not until the GPUs are done.
    fn carry_out_all(&mut self) {
        let params = kernels::Params {
            first: 0,
            count: 0,
            salt: 0,
        };
        for x in &self.arrays {
            let bins = &mut self.bins;
            let launch = kernels::count { params, x, bins }.over(1);
            drop(
                self.rt
                    .explain(&launch.with_policy(Policy::CpuOnly))
                    .unwrap(),
            );
        }
    }

    fn check_all(&self) {
        for (array, expected) in self.arrays.iter().zip(&self.expected.arrays) {
            assert_eq!(*array.read().unwrap(), **expected);
        }
        assert_eq!(*self.bins.read().unwrap(), *self.expected.bins);
    }
}

/// Runs a random program that loses GPUs at random moments, and returns how many launches were repeated for it.
fn loses_gpus(rt: &Runtime, gpus: &[DeviceId], seed: u64, waits: bool) -> u64 {
    let mut program = Program::new(rt, gpus, seed);
    program.waits = waits;
    let steps = 10 + program.numbers.below(60);
    let moments = gpus
        .iter()
        .map(|&gpu| (gpu, program.numbers.below(2 * steps)));
    let moments: Vec<(DeviceId, usize)> = moments.collect();
    for step in 0..steps {
        for (gpu, _) in moments.iter().filter(|(_, moment)| *moment == step) {
            // What waits for its turn with a policy that names the GPU would be refused.
            program.carry_out_all();
            rt.lose_gpu(*gpu);
        }
        program.step();
    }
    program.check_all();
    rt.report().replayed()
}

fn mirror_at(seed: u64) -> f64 {
    [f64::INFINITY, 20.0, 1e-4, 0.0][seed as usize % 4]
}

fn with_replay(builder: RuntimeBuilder, mirror_at: f64) -> Runtime {
    let builder = builder.durability(Durability::Replay { mirror_at });
    builder.build().expect("nothing is needed for it")
}

fn imagined(gpus: usize, faults: Vec<Fault>) -> RuntimeBuilder {
    let machine = (0..gpus).fold(Machine::desktop(), |machine, _| machine.with(Gpu::card()));
    devices::builder().simulated(machine.with_faults(faults))
}

#[test]
fn random_programs_that_lose_imagined_gpus_compute_what_they_should() {
    let programs = if devices::long() { 5000 } else { 300 };
    let mut replayed = 0;
    for seed in 0..programs {
        let count = 1 + seed as usize % 3;
        let rt = with_replay(imagined(count, Vec::new()), mirror_at(seed / 3));
        let gpus: Vec<DeviceId> = (1..=count as u8).map(DeviceId).collect();
        replayed += loses_gpus(&rt, &gpus, seed, seed % 2 == 0);
    }
    println!("{programs} programs, {replayed} launches repeated");
    assert!(
        replayed > programs,
        "only {replayed} launches were repeated"
    );
}

#[test]
fn random_programs_on_imagined_gpus_with_random_faults_compute_what_they_should() {
    let programs = if devices::long() { 3000 } else { 200 };
    for seed in 0..programs {
        let faults = (0..2).map(|number| {
            let mut numbers = Numbers::new(seed * 2 + number);
            Fault {
                gpu: DeviceId(1 + number as u8),
                phase: Phase::ALL[numbers.below(Phase::ALL.len())],
                nth: 1 + numbers.below(20) as u32,
                moment: Moment::ALL[numbers.below(3)],
                kind: FaultKind::Lost,
            }
        });
        let rt = with_replay(imagined(2, faults.collect()), mirror_at(seed));
        loses_gpus(&rt, &[DeviceId(1), DeviceId(2)], seed, true);
    }
}

#[test]
fn random_programs_that_lose_the_gpus_of_this_machine_compute_what_they_should() {
    let name = "random_programs_that_lose_the_gpus_of_this_machine_compute_what_they_should";
    let programs = if devices::long() { 100 } else { 6 };
    devices::with_gpus(name, 1, |_, gpus| {
        let mut replayed = 0;
        for seed in 0..programs {
            let rt = with_replay(devices::builder(), mirror_at(seed));
            replayed += loses_gpus(&rt, gpus, seed, seed % 2 == 0);
        }
        assert!(replayed > 0, "nothing was repeated");
    });
}

/// Updates `y` twice, first on GPU 1 and then under `policy`, where GPUs fail as `faults` say, and returns how many launches were repeated.
fn updates_twice(second_card: Gpu, policy: Policy, faults: Vec<Fault>) -> u64 {
    const WORDS: u32 = 1 << 14;
    let machine = Machine::desktop().with(Gpu::card()).with(second_card);
    let builder = devices::builder().simulated(machine.with_faults(faults));
    let rt = with_replay(builder, f64::INFINITY);
    let x = rt.array_from_vec((0..WORDS).collect()).unwrap();
    let mut y = rt.array_from_vec(vec![3_u32; WORDS as usize]).unwrap();
    for policy in [Policy::Split(vec![(DeviceId(1), 1.0)]), policy] {
        let params = kernels::Params {
            first: 0,
            count: WORDS,
            salt: 7,
        };
        let (x, y) = (&x, &mut y);
        let launch = kernels::update { params, x, y }.over(WORDS);
        rt.launch(launch.with_policy(policy)).unwrap();
        rt.sync();
    }
    let expected: Vec<u32> = (0..WORDS).map(|x| 5 * (5 * 3 + x + 7) + x + 7).collect();
    assert!(*y.read().unwrap() == *expected);
    assert!(!rt.report().failures().is_empty(), "something went wrong");
    rt.report().replayed()
}

fn lost(gpu: u8, phase: Phase, nth: u32) -> Fault {
    Fault {
        gpu: DeviceId(gpu),
        phase,
        nth,
        moment: Moment::Before,
        kind: FaultKind::Lost,
    }
}

#[test]
fn words_lost_between_the_pieces_of_a_launch_are_made_again_and_it_is_done_anew() {
    // Too small for the arrays: the words of each piece come from GPU 1, one after another.
    let small = || Gpu::card().with_memory(1 << 15);
    for nth in 1..=4 {
        let faults = vec![lost(1, Phase::Download, nth)];
        let alone = Policy::Split(vec![(DeviceId(2), 1.0)]);
        assert_eq!(updates_twice(small(), alone, faults), 1, "download {nth}");
    }
    // The pieces' own results are lost as well when the small one fails on their way home.
    for nth in 1..=3 {
        let faults = vec![lost(1, Phase::Download, 3), lost(2, Phase::Download, nth)];
        let both = [(DeviceId::CPU, 1.0), (DeviceId(2), 4.0)];
        updates_twice(small(), Policy::Split(both.to_vec()), faults);
    }
}

#[test]
fn results_lost_while_a_launch_is_repaired_are_not_taken_for_what_they_were_before_it() {
    // GPU 2 has no room for its part, and the CPU, which does it, fetches words from GPU 1, which has done its own.
    for nth in 1..=2 {
        let no_room = Fault {
            kind: FaultKind::OutOfMemory,
            ..lost(2, Phase::Allocate, nth)
        };
        let faults = vec![no_room, lost(1, Phase::Download, 1)];
        let both = Policy::Split(vec![(DeviceId(1), 1.0), (DeviceId(2), 1.0)]);
        assert_eq!(updates_twice(Gpu::card(), both, faults), 1);
    }
}

#[test]
fn without_it_what_is_lost_is_named() {
    let rt = imagined(1, Vec::new()).build().unwrap();
    let x = rt.array_from_vec(vec![1_u32; WORDS]).unwrap();
    let mut y = rt.array_from_vec(vec![1_u32; WORDS]).unwrap();
    let params = kernels::Params {
        first: 100,
        count: 50,
        salt: 0,
    };
    let launch = kernels::update {
        params,
        x: &x,
        y: &mut y,
    };
    let launch = launch.over(50).with_policy(Policy::GpuOnly(DeviceId(1)));
    rt.launch(launch).unwrap();
    rt.sync();
    rt.lose_gpu(DeviceId(1));
    assert_eq!(*y.read_range(0..100).unwrap(), [1; 100]);
    match y.read() {
        Err(ArrayError::Lost { words, .. }) => assert_eq!(words, "{100..150}"),
        other => panic!("{other:?}"),
    }
}

/// A chain of launches on an imagined GPU, each of which takes the CPU about as long as it takes to copy the result home.
fn chain(rt: &Runtime, launches: u32) -> Array<u32> {
    let x = rt.array_from_vec(vec![1_u32; 1 << 20]).unwrap();
    let mut y = rt.array_from_vec(vec![0_u32; 1 << 20]).unwrap();
    for _ in 0..launches {
        let params = kernels::Params {
            first: 0,
            count: 1 << 20,
            salt: 0,
        };
        let (x, y) = (&x, &mut y);
        let launch = kernels::update { params, x, y }.over(1 << 20);
        let on_gpu = Policy::Split(vec![(DeviceId(1), 1.0)]);
        rt.launch(launch.with_policy(on_gpu)).unwrap();
    }
    y
}

#[test]
fn results_are_copied_home_so_rarely_that_it_costs_little_and_so_often_that_little_is_repeated() {
    let moved = |mirror_at, launches| {
        let rt = with_replay(imagined(1, Vec::new()), mirror_at);
        let y = chain(&rt, launches);
        rt.sync();
        let home = rt
            .report()
            .moved(DeviceId(1).memory(), DeviceId::CPU.memory());
        rt.lose_gpu(DeviceId(1));
        let first = y.read_range(0..1).unwrap()[0];
        let expected = (0..launches).fold(0_u32, |y, _| y.wrapping_mul(5).wrapping_add(1));
        assert_eq!(first, expected);
        (home.words >> 20, rt.report().replayed())
    };
    let (copies, replayed) = moved(f64::INFINITY, 20);
    assert_eq!((copies, replayed), (0, 20), "all of it is repeated");
    let (copies, replayed) = moved(0.0, 20);
    assert_eq!(replayed, 0, "nothing is repeated");
    assert_eq!(copies, 20);
    let (copies, replayed) = moved(20.0, 200);
    println!("mirror_at 20: {copies} copies home, {replayed} of 200 launches repeated");
    assert!((1..=10).contains(&copies), "{copies} copies");
    assert!(replayed <= 150, "{replayed} launches repeated");
}

#[test]
fn a_recorded_step_goes_on_when_its_gpu_is_lost_between_replays() {
    for mirror_at in [f64::INFINITY, 20.0, 0.0] {
        let rt = with_replay(imagined(1, Vec::new()), mirror_at);
        let mut x = rt.array_from_vec(vec![1_u32; WORDS]).unwrap();
        let mut y = rt.array_from_vec(vec![0_u32; WORDS]).unwrap();
        let params = kernels::Params {
            first: 0,
            count: WORDS as u32,
            salt: 1,
        };
        let on_gpu = Policy::Split(vec![(DeviceId(1), 1.0)]);
        let mut step = rt
            .graph(|g| {
                let x = g.array("x", &mut x)?;
                let mut y = g.array("y", &mut y)?;
                let launch = kernels::update {
                    params,
                    x: &x,
                    y: &mut y,
                };
                g.launch(launch.over(WORDS).with_policy(on_gpu))?;
                Ok(())
            })
            .unwrap();
        step.replay(50).wait().unwrap();
        drop(step);
        rt.sync();
        rt.lose_gpu(DeviceId(1));
        let params = kernels::Params { salt: 0, ..params };
        let launch = kernels::update {
            params,
            x: &x,
            y: &mut y,
        };
        rt.launch(launch.over(WORDS)).unwrap();
        let after_50 = (0..50).fold(0_u32, |y, _| y.wrapping_mul(5).wrapping_add(2));
        let expected = after_50.wrapping_mul(5).wrapping_add(1);
        assert_eq!(*y.read().unwrap(), [expected; WORDS]);
        let repeated = rt.report().replayed();
        assert_eq!(repeated, if mirror_at == 0.0 { 0 } else { 50 });
    }
}

#[test]
fn threads_with_arrays_of_their_own_all_get_theirs_back() {
    let rt = with_replay(imagined(2, Vec::new()), f64::INFINITY);
    let rounds = if devices::long() { 50 } else { 5 };
    // A launch whose policy names a GPU that is lost before it starts would be refused.
    let between_steps = std::sync::RwLock::new(());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (rt, between_steps) = (&rt, &between_steps);
            scope.spawn(move || {
                for round in 0..rounds {
                    let gpus = [DeviceId(1), DeviceId(2)];
                    let mut program = Program::new(rt, &gpus, 100 + thread * 1000 + round);
                    program.waits = true;
                    for _ in 0..20 {
                        let _step = between_steps.read().unwrap();
                        program.step();
                    }
                    program.check_all();
                }
            });
        }
        // One after the other is lost while they work; programs begin and end before and after it.
        for gpu in [DeviceId(1), DeviceId(2)] {
            std::thread::sleep(std::time::Duration::from_millis(30));
            let _nobody_steps = between_steps.write().unwrap();
            rt.lose_gpu(gpu);
        }
    });
}

#[test]
fn arrays_that_the_program_has_dropped_make_room_for_others() {
    let words = 1 << 16;
    let arrays_that_fit = 10;
    let card = Gpu::card().with_memory(arrays_that_fit * words as u64 * 4);
    let machine = Machine::desktop().with(card);
    let rt = with_replay(devices::builder().simulated(machine), f64::INFINITY);
    for _ in 0..1000 {
        drop(chain_of_one(&rt, words));
    }
    rt.sync();
    assert_eq!(rt.report().failures().len(), 0, "{}", rt.report());
}

/// A launch into an array of its own.
fn chain_of_one(rt: &Runtime, words: usize) -> Array<u32> {
    let x = rt.zeros::<u32>(words).unwrap();
    let mut y = rt.zeros::<u32>(words).unwrap();
    let params = kernels::Params {
        first: 0,
        count: 16,
        salt: 0,
    };
    let launch = kernels::update {
        params,
        x: &x,
        y: &mut y,
    };
    let on_gpu = Policy::Split(vec![(DeviceId(1), 1.0)]);
    rt.launch(launch.over(16).with_policy(on_gpu)).unwrap();
    y
}

#[test]
fn arrays_outlive_the_runtime_that_logged_their_launches() {
    let rt = with_replay(imagined(1, Vec::new()), f64::INFINITY);
    let y = chain(&rt, 3);
    drop(rt);
    assert_eq!(y.read_range(0..1).unwrap()[0], 31);
    assert_eq!(y.into_vec().unwrap().len(), 1 << 20);
}
