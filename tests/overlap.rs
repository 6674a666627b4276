//! How long does a launch take whose words go to a GPU, are worked on and come home? In virtual time, little longer than the longest of the
//! three, where the links and the device can do all of it at once.

// All numbers here are exact in f32, whatever computes them.
#![allow(clippy::float_cmp)]

mod devices;

use impel::machine::MemoryId;
use impel::sim::{Fault, FaultKind, Gpu, Machine, Moment, Phase};
use impel::trace::Ending;
use impel::{Array, ArrayError, DeviceId, Durability, Launch, Policy, Runtime};
use impel_kernels::black_scholes::wgsl as options;
use impel_kernels::saxpy::wgsl as saxpy;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const GPU: DeviceId = DeviceId(1);
/// Elements of an array.
const N: usize = 100_000;
/// Bytes of an array.
const BYTES: f64 = 4.0 * N as f64;

/// How long the three stages of a launch should take, in latencies of the links.
#[derive(Clone, Copy, Debug)]
struct Stages {
    up: f64,
    work: f64,
    down: f64,
    /// Fixed cost of a kernel's start.
    launch: f64,
}

const LATENCY_NS: f64 = 1e4;

impl Stages {
    /// A GPU on which a launch that sends, touches and fetches so many bytes takes these times.
    fn gpu(self, sent: f64, touched: f64, fetched: f64) -> Gpu {
        let mut gpu = Gpu::card();
        let rate = |bytes: f64, latencies: f64| bytes / (latencies * LATENCY_NS * 1e-9);
        gpu.overlap = true;
        let limits = &mut gpu.limits;
        (limits.up.latency_ns, limits.down.latency_ns) = (LATENCY_NS, LATENCY_NS);
        limits.up.bytes_per_s = rate(sent, self.up);
        limits.down.bytes_per_s = rate(fetched, self.down);
        limits.bandwidth_bytes_per_s = rate(touched, self.work);
        limits.near_bytes_per_s = limits.bandwidth_bytes_per_s;
        limits.ops_per_s = 1e15;
        limits.special_ops_per_s = 1e15;
        limits.launch_ns = self.launch * LATENCY_NS;
        gpu
    }

    fn longest_ns(self) -> f64 {
        let latencies = (self.up + 1.0)
            .max(self.work + self.launch)
            .max(self.down + 1.0);
        latencies * LATENCY_NS
    }
}

fn runtime(gpu: Gpu) -> Runtime {
    let builder = devices::builder().trace(true);
    builder
        .simulated(Machine::desktop().with(gpu))
        .build()
        .unwrap()
}

fn now_ns(rt: &Runtime) -> f64 {
    rt.simulated_time()
        .expect("an imagined machine")
        .as_secs_f64()
        * 1e9
}

fn axpy<'a>(x: &'a Array<f32>, y: &'a mut Array<f32>) -> Launch<'a> {
    let n = y.len() as u32;
    let params = saxpy::Params { alpha: 0.5, n };
    let launch = saxpy::saxpy { params, x, y }.over(n);
    launch.with_policy(Policy::GpuOnly(GPU))
}

/// Virtual time of one launch from and to main memory, two arrays there and one back.
fn axpy_ns(rt: &Runtime, home: bool) -> f64 {
    let x = rt.array_from_vec(vec![2.0_f32; N]).unwrap();
    let start: Vec<f32> = (0..N).map(|i| (i % 1000) as f32).collect();
    let mut y = rt.array_from_vec(start).unwrap();
    let begun = now_ns(rt);
    let launch = axpy(&x, &mut y);
    let launch = if home {
        launch.with_results_home()
    } else {
        launch
    };
    rt.launch(launch).unwrap().wait().unwrap();
    let y = y.read().unwrap();
    let took = now_ns(rt) - begun;
    for (i, value) in y.iter().enumerate() {
        assert_eq!(*value, (i % 1000) as f32 + 1.0, "element {i}");
    }
    let moved = |from, to| rt.report().moved(from, to).words;
    assert_eq!(moved(MemoryId::HOST, GPU.memory()), 2 * N as u64);
    assert_eq!(moved(GPU.memory(), MemoryId::HOST), N as u64);
    rt.trace()
        .verify(Ending::Open)
        .expect("every word moved for a reason");
    took
}

fn any_stages() -> impl Strategy<Value = Stages> {
    let lengths = [1.0_f64, 10.0, 100.0, 300.0, 1000.0];
    let length = || proptest::sample::select(lengths.to_vec());
    let jitter = || 0.7..1.4_f64;
    let stage = move || (length(), jitter()).prop_map(|(length, jitter)| length * jitter);
    let all = (stage(), stage(), stage(), 0.001..0.1_f64);
    let stages = all.prop_map(|(up, work, down, launch)| Stages {
        up,
        work,
        down,
        launch,
    });
    stages.prop_filter("long beside the latency", |stages| {
        stages.longest_ns() >= 100.0 * LATENCY_NS
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if devices::long() { 1000 } else { 60 },
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x000e_71a9),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_one_shot_launch_takes_little_longer_than_the_longest_of_upload_work_and_download(
        stages in any_stages(),
    ) {
        let rt = runtime(stages.gpu(2.0 * BYTES, 3.0 * BYTES, BYTES));
        let took = axpy_ns(&rt, true);
        let longest = stages.longest_ns();
        prop_assert!(took <= 1.1 * longest, "{} of {longest} ns: {stages:?}", took / longest);
        prop_assert!(took >= 0.999 * longest);
    }
}
/// Nothing says beforehand that the results are wanted at home, but a thread waits for them. Whether it does so before the launch is
/// planned is up to the system's scheduler, so that this is tried until it does.
#[test]
fn what_a_thread_waits_for_comes_home_while_the_launch_is_at_work() {
    let stages = Stages {
        up: 80.0,
        work: 120.0,
        down: 120.0,
        launch: 0.05,
    };
    let mut attempts = (0..100).map(|_| {
        let rt = runtime(stages.gpu(2.0 * BYTES, 3.0 * BYTES, BYTES));
        let x = rt.array_from_vec(vec![2.0_f32; N]).unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; N]).unwrap();
        rt.launch(axpy(&x, &mut y)).unwrap();
        assert_eq!(*y.read().unwrap(), vec![2.0; N]);
        assert_eq!(rt.report().moved_bytes(), 12 * N as u64);
        now_ns(&rt)
    });
    assert!(attempts.any(|took| took <= 1.1 * stages.longest_ns()));
}

/// Two results of five arrays.
#[test]
fn several_results_share_the_way_home() {
    let stages = Stages {
        up: 100.0,
        work: 150.0,
        down: 180.0,
        launch: 0.05,
    };
    let rt = runtime(stages.gpu(3.0 * BYTES, 5.0 * BYTES, 2.0 * BYTES));
    let filled = |value: f32| rt.array_from_vec(vec![value; N]).unwrap();
    let (spot, strike, years) = (filled(100.0), filled(90.0), filled(1.0));
    let (mut call, mut put) = (filled(0.0), filled(0.0));
    let params = options::Params {
        n: N as u32,
        rate: 0.02,
        volatility: 0.3,
    };
    let launch = options::black_scholes {
        params,
        spot: &spot,
        strike: &strike,
        years: &years,
        call: &mut call,
        put: &mut put,
    };
    let launch = launch.over(N).with_policy(Policy::GpuOnly(GPU));
    let begun = now_ns(&rt);
    rt.launch(launch.with_results_home())
        .unwrap()
        .wait()
        .unwrap();
    let (calls, puts) = (call.read().unwrap(), put.read().unwrap());
    let took = now_ns(&rt) - begun;
    assert!(took <= 1.1 * stages.longest_ns(), "{took} ns");
    // Call and put of one price differ by the price of the stock less that of the strike.
    let parity = 100.0 - 90.0 * (-0.02_f32).exp();
    for (call, put) in calls.iter().zip(puts.iter()) {
        assert!((call - put - parity).abs() < 1e-3, "{call} {put}");
    }
    assert_eq!(rt.report().moved_bytes(), 4 * 5 * N as u64);
}

#[test]
fn shares_of_several_devices_come_home_beside_their_work_and_each_word_once() {
    let stages = Stages {
        up: 200.0,
        work: 150.0,
        down: 180.0,
        launch: 0.05,
    };
    let gpu = stages.gpu(2.0 * BYTES, 3.0 * BYTES, BYTES);
    let machine = Machine::desktop().with(gpu.clone()).with(gpu);
    let builder = devices::builder().trace(true).simulated(machine);
    let rt = builder.build().unwrap();
    let x = rt.array_from_vec(vec![2.0_f32; N]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; N]).unwrap();
    let shares = [(DeviceId::CPU, 0.2), (GPU, 0.4), (DeviceId(2), 0.4)];
    let launch = axpy(&x, &mut y).with_policy(Policy::Split(shares.to_vec()));
    rt.launch(launch.with_results_home()).unwrap();
    assert_eq!(*y.read().unwrap(), vec![2.0; N]);
    for gpu in [GPU, DeviceId(2)] {
        let moved = |from, to| rt.report().moved(from, to).words;
        let sent = moved(MemoryId::HOST, gpu.memory());
        assert!(sent > N as u64 / 2);
        assert_eq!(moved(gpu.memory(), MemoryId::HOST), sent / 2);
    }
    rt.trace()
        .verify(Ending::Open)
        .expect("every word moved for a reason");
}

#[test]
fn windows_come_home_while_the_next_are_at_work() {
    let stages = Stages {
        up: 200.0,
        work: 150.0,
        down: 180.0,
        launch: 0.05,
    };
    let gpu = stages.gpu(2.0 * BYTES, 3.0 * BYTES, BYTES);
    let in_time = |home| axpy_ns(&runtime(gpu.clone().with_memory(N as u64 / 4)), home);
    let (overlapped, written_back) = (in_time(true), in_time(false));
    assert!(
        overlapped < 1.2 * stages.longest_ns(),
        "{overlapped} ns, and {written_back} ns if results go home when there is no room"
    );
}

#[test]
fn without_overlap_results_come_home_when_they_are_read() {
    let stages = Stages {
        up: 200.0,
        work: 150.0,
        down: 180.0,
        launch: 0.05,
    };
    let mut gpu = stages.gpu(2.0 * BYTES, 3.0 * BYTES, BYTES);
    gpu.overlap = false;
    let took = axpy_ns(&runtime(gpu), true);
    let serial = (stages.up + stages.work + stages.down) * LATENCY_NS;
    assert!((serial..1.02 * serial).contains(&took), "{took} ns");
}

#[test]
fn a_gpu_that_fails_while_results_come_home_costs_what_it_held_and_says_so() {
    let stages = Stages {
        up: 200.0,
        work: 150.0,
        down: 180.0,
        launch: 0.05,
    };
    for (nth, moment) in [(1, Moment::Before), (3, Moment::During), (7, Moment::After)] {
        let gpu = stages.gpu(2.0 * BYTES, 3.0 * BYTES, BYTES);
        let fault = Fault {
            gpu: GPU,
            phase: Phase::Download,
            nth,
            moment,
            kind: FaultKind::Lost,
        };
        let machine = Machine::desktop().with(gpu).with_faults([fault]);
        for replay in [false, true] {
            let durability = if replay {
                Durability::replay()
            } else {
                Durability::Off
            };
            let builder = devices::builder().durability(durability);
            let rt = builder.simulated(machine.clone()).build().unwrap();
            let x = rt.array_from_vec(vec![2.0_f32; N]).unwrap();
            let mut y = rt.array_from_vec(vec![1.0_f32; N]).unwrap();
            let launch = axpy(&x, &mut y).with_policy(Policy::Split(vec![(GPU, 1.0)]));
            rt.launch(launch.with_results_home())
                .unwrap()
                .wait()
                .unwrap();
            match y.read() {
                Ok(y) => assert_eq!(*y, vec![2.0; N], "{fault}"),
                Err(error) => {
                    let named = matches!(&error, ArrayError::Lost { .. });
                    assert!(named && !replay, "{fault}: {error}");
                }
            }
        }
    }
}
