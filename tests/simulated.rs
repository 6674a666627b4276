//! Does a program run on an imagined machine as it does on a real one, and does time pass there as the description says?

// All numbers here are exact in f32, whatever computes them.
#![allow(clippy::float_cmp)]

use impel::machine::MemoryId;
use impel::sim::{Gpu, Machine};
use impel::trace::{Ending, Event};
use impel::{Array, DeviceId, Policy, Runtime};
use impel_kernels::black_scholes::wgsl as options;
use impel_kernels::histogram::wgsl as bins_of;
use impel_kernels::saxpy::wgsl as saxpy;

fn axpy<'a>(x: &'a Array<f32>, y: &'a mut Array<f32>) -> impel::Launch<'a> {
    let n = y.len() as u32;
    let params = saxpy::Params { alpha: 0.5, n };
    saxpy::saxpy { params, x, y }.over(n)
}

fn two_cards() -> Runtime {
    let machine = Machine::desktop().with(Gpu::card()).with(Gpu::card());
    Runtime::builder()
        .threads(2)
        .simulated(machine)
        .build()
        .expect("nothing is needed for it")
}

#[test]
fn every_imagined_device_computes_its_part() {
    let rt = two_cards();
    assert_eq!(rt.machine().gpus.len(), 2);
    let n = 100_000;
    let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
    let devices = [DeviceId::CPU, DeviceId(1), DeviceId(2)];
    let shares = devices.map(|device| (device, 1.0 / 3.0)).to_vec();
    for round in 1..=3 {
        let launch = axpy(&x, &mut y).with_policy(Policy::Split(shares.clone()));
        rt.launch(launch).unwrap().wait().unwrap();
        assert_eq!(*y.read_range(0..1).unwrap(), [1.0 + round as f32]);
    }
    assert_eq!(*y.read().unwrap(), vec![4.0; n]);
    for device in devices {
        assert_eq!(rt.report().runs("saxpy", device).parts, 3, "{device}");
    }
}

#[test]
fn what_is_combined_is_right_whoever_computes_it() {
    let rt = two_cards();
    let n = 100_000;
    let data: Vec<u32> = (0..n).map(|i: u32| i.wrapping_mul(2_654_435_761)).collect();
    let mut expected = vec![0_u32; 256];
    for value in &data {
        expected[(value >> 3 & 255) as usize] += 1;
    }
    let data = rt.array_from_vec(data).unwrap();
    for policy in [
        Policy::GpuOnly(DeviceId(2)),
        Policy::Split(vec![(DeviceId::CPU, 0.5), (DeviceId(1), 0.5)]),
    ] {
        let mut bins = rt.zeros::<u32>(256).unwrap();
        let launch = bins_of::histogram {
            params: bins_of::Params { n, shift: 3 },
            data: &data,
            bins: &mut bins,
        };
        let launch = launch.workgroups(n.div_ceil(32_768)).with_policy(policy);
        rt.launch(launch).unwrap().wait().unwrap();
        assert_eq!(*bins.read().unwrap(), expected);
    }
}

#[test]
fn a_copy_takes_as_long_as_its_link_says() {
    let rt = two_cards();
    let n = 3_000_000;
    let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
    let launch = axpy(&x, &mut y).with_policy(Policy::GpuOnly(DeviceId(1)));
    let now = || {
        rt.simulated_time()
            .expect("an imagined machine")
            .as_secs_f64()
    };
    let before = now();
    rt.launch(launch).unwrap().wait().unwrap();
    let took = now() - before;
    // Two arrays of 12 MB over 12 GB/s, and a kernel that is short beside them.
    assert!((0.002..0.0025).contains(&took), "{took} s");
}

/// A GPU whose upload, 100 times as long as its link's latency, takes as long as its work on what arrives; and the same without overlap.
#[test]
fn copies_and_work_go_on_side_by_side_where_the_links_can() {
    let n = 1_250_000_usize;
    let took = |overlap: bool| {
        let mut gpu = Gpu::card();
        gpu.overlap = overlap;
        gpu.limits.up.latency_ns = 1e4;
        gpu.limits.up.bytes_per_s = 1e10;
        gpu.limits.bandwidth_bytes_per_s = 1.5e10;
        gpu.limits.launch_ns = 1e3;
        let machine = Machine::desktop().with(gpu);
        let builder = Runtime::builder().threads(2).trace(true);
        let rt = builder.simulated(machine).build().unwrap();
        let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
        let launch = axpy(&x, &mut y).with_policy(Policy::GpuOnly(DeviceId(1)));
        let now = || rt.simulated_time().unwrap().as_secs_f64();
        let before = now();
        rt.launch(launch).unwrap().wait().unwrap();
        let took = now() - before;
        assert_eq!(*y.read().unwrap(), vec![2.0; n]);
        took
    };
    let longest = 1e-5 + 8.0 * n as f64 / 1e10;
    let (serial, overlapped) = (took(false), took(true));
    assert!(serial > 1.9 * longest, "{serial} s");
    assert!(
        overlapped < 1.1 * longest,
        "{overlapped} s, and the upload takes {longest} s"
    );
}

/// A launch on the CPU, and behind it one on a GPU that reads its result and another array: that one travels meanwhile.
#[test]
fn what_a_queued_launch_reads_travels_while_the_one_before_it_works() {
    let n = 4_000_000_usize;
    let rt = Runtime::builder()
        .threads(2)
        .trace(true)
        .simulated(Machine::desktop().with(Gpu::card()))
        .build()
        .unwrap();
    let gpu = DeviceId(1);
    let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
    let far = rt.array_from_vec(vec![4.0_f32; n]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
    let step = |x: &Array<f32>, y: &mut Array<f32>, policy| {
        rt.launch(axpy(x, y).with_policy(policy)).unwrap();
    };
    for _ in 0..20 {
        step(&x, &mut y, Policy::CpuOnly);
    }
    step(&far, &mut y, Policy::GpuOnly(gpu));
    assert_eq!(*y.read().unwrap(), vec![23.0; n]);
    let trace = rt.trace();
    let at = |is: &dyn Fn(&Event) -> bool| trace.events.iter().position(|(_, event)| is(event));
    let sent = at(&|event| matches!(event, Event::Prefetched { words, .. } if *words == n as u64));
    let last = trace.events.iter().rposition(
        |(_, event)| matches!(event, Event::PartStarted { device, .. } if *device == DeviceId::CPU),
    );
    assert!(sent.expect("it was sent ahead") < last.expect("the CPU worked"));
    assert_eq!(
        rt.report().moved(MemoryId::HOST, gpu.memory()).words,
        2 * n as u64
    );
    trace
        .verify(Ending::Open)
        .expect("every word moved for a reason");
}

/// A launch whose device is the planner's choice, behind launches of a CPU that takes too long to begin.
#[test]
fn a_queued_launch_that_nearly_certainly_runs_on_a_gpu_is_sent_what_it_reads() {
    let n = 200_000_usize;
    let mut machine = Machine::desktop().with(Gpu::card());
    machine.cpu.launch_ns = 1e8;
    let builder = Runtime::builder().threads(2).trace(true);
    let rt = builder.simulated(machine).build().unwrap();
    let gpu = DeviceId(1);
    let filled = |value: f32| rt.array_from_vec(vec![value; n]).unwrap();
    let (near, far, mut y) = (filled(2.0), filled(4.0), filled(0.0));
    rt.launch(axpy(&near, &mut y)).unwrap().wait().unwrap();
    assert_eq!(rt.report().runs("saxpy", gpu).parts, 1);
    let (spot, strike, years) = (filled(100.0), filled(100.0), filled(1.0));
    let mut put = filled(0.0);
    for _ in 0..20 {
        let params = options::Params {
            n: n as u32,
            rate: 0.0,
            volatility: 0.3,
        };
        let launch = options::black_scholes {
            params,
            spot: &spot,
            strike: &strike,
            years: &years,
            call: &mut y,
            put: &mut put,
        };
        let launch = launch.over(n).with_policy(Policy::CpuOnly);
        rt.launch(launch).unwrap();
    }
    rt.launch(axpy(&far, &mut y)).unwrap();
    // Without interest, the call is worth as much as the put.
    let (y, put) = (y.read().unwrap(), put.read().unwrap());
    let close = |(y, put): (&f32, &f32)| (y - put - 2.0).abs() < 1e-3;
    assert!(y.iter().zip(put.iter()).all(close));
    let trace = rt.trace();
    let sent =
        |event: &Event| matches!(event, Event::Prefetched { words, .. } if *words == n as u64);
    assert!(trace.events.iter().any(|(_, event)| sent(event)));
    assert_eq!(
        rt.report().moved(MemoryId::HOST, gpu.memory()).words,
        4 * n as u64
    );
    trace
        .verify(Ending::Open)
        .expect("every word moved for a reason");
}

#[test]
fn a_lost_gpu_is_replaced_by_the_others() {
    let rt = two_cards();
    let n = 10_000;
    let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
    rt.lose_gpu(DeviceId(1));
    let launch = axpy(&x, &mut y);
    let plan = rt.explain(&launch).unwrap().to_string();
    assert!(
        plan.contains("retired after it failed: it was destroyed"),
        "{plan}"
    );
    rt.launch(launch).unwrap().wait().unwrap();
    assert_eq!(rt.report().runs("saxpy", DeviceId(1)).parts, 0);
    assert_eq!(*y.read().unwrap(), vec![2.0; n]);
}

/// Time of a launch whose words are in place, half of it on the CPU and half on a GPU that is nearly as fast.
fn halves(change: impl FnOnce(Machine) -> Machine) -> f64 {
    let mut gpu = Gpu::card();
    gpu.limits.bandwidth_bytes_per_s = 4e10;
    let machine = change(Machine::desktop().with(gpu));
    let rt = Runtime::builder().threads(2).simulated(machine).build();
    let rt = rt.unwrap();
    let n = 3_000_000;
    let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
    let shares = vec![(DeviceId::CPU, 0.5), (DeviceId(1), 0.5)];
    let mut step = || {
        let launch = axpy(&x, &mut y).with_policy(Policy::Split(shares.clone()));
        rt.launch(launch).unwrap().wait().unwrap();
        rt.simulated_time().unwrap().as_secs_f64()
    };
    let before = step();
    step() - before
}

#[test]
fn devices_on_one_memory_bus_slow_each_other_down() {
    let apart = halves(|machine| machine);
    let together = halves(|mut machine| {
        machine.gpus[0].shares_memory = true;
        machine
    });
    // 36 MB over 50 GB/s in all, which they have to themselves otherwise.
    assert!((4.5e-4..4.8e-4).contains(&apart), "{apart} s");
    assert!((7.2e-4..7.5e-4).contains(&together), "{together} s");
}

#[test]
fn noise_changes_times_a_little_and_is_the_same_in_every_run() {
    let quiet = halves(|machine| machine);
    let noisy = |seed| halves(|machine| machine.with_noise(0.2, seed));
    let times: Vec<f64> = (1..=4).map(noisy).collect();
    assert_eq!(times, (1..=4).map(noisy).collect::<Vec<f64>>());
    for time in times {
        let factor = time / quiet;
        assert!((0.8..1.2).contains(&factor) && factor != 1.0, "{factor}");
    }
}
