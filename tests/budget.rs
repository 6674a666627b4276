//! Do programs finish right whose arrays are larger than a GPU's memory? In windows, with eviction, on imagined and emulated GPUs.

// All numbers here are exact in f32, whatever computes them.
#![allow(clippy::float_cmp)]

mod devices;

use std::time::Instant;

use impel::machine::MemoryId;
use impel::sim::{Gpu, Machine};
use impel::trace::Event;
use impel::{Array, DeviceId, Launch, LaunchError, Policy, Runtime};
use impel_kernels::histogram::wgsl as bins_of;
use impel_kernels::jacobi::wgsl as jacobi;
use impel_kernels::saxpy::wgsl as saxpy;
use impel_kernels::sum;

const GPU: DeviceId = DeviceId(1);

/// A machine with one or more imagined GPUs of so many bytes each.
fn imagined(gpus: usize, bytes: u64) -> Runtime {
    let mut machine = Machine::desktop();
    for _ in 0..gpus {
        machine = machine.with(Gpu::card().with_memory(bytes));
    }
    let builder = Runtime::builder().threads(2).trace(true);
    builder.simulated(machine).build().unwrap()
}

/// Runs a test on an imagined GPU of so many bytes and on every emulated one.
fn with_budget(name: &str, bytes: u64, run: impl Fn(&Runtime, DeviceId)) {
    run(&imagined(1, bytes), GPU);
    let found = devices::gpus(&devices::runtime());
    for gpu in &found {
        let builder = devices::builder().gpu_memory(bytes).trace(true);
        run(&builder.build().unwrap(), *gpu);
    }
    println!("{name}: an imagined GPU and {} others", found.len());
}

fn axpy<'a>(x: &'a Array<f32>, y: &'a mut Array<f32>) -> Launch<'a> {
    let n = y.len() as u32;
    let params = saxpy::Params { alpha: 0.5, n };
    saxpy::saxpy { params, x, y }.over(n)
}

/// Number of the events that `is` picks.
fn count(rt: &Runtime, is: impl Fn(&Event) -> bool) -> usize {
    rt.trace()
        .events
        .iter()
        .filter(|entry| is(&entry.1))
        .count()
}

/// Element-wise launches on two arrays of so many elements: `0.5 x + y` with x = 2, so each adds 1.
fn grows_by_one_each_time(rt: &Runtime, gpu: DeviceId, n: usize, times: usize) {
    let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
    let start: Vec<f32> = (0..n).map(|i| (i % 1000) as f32).collect();
    let mut y = rt.array_from_vec(start).unwrap();
    for _ in 0..times {
        let launch = axpy(&x, &mut y).with_policy(Policy::GpuOnly(gpu));
        rt.launch(launch).unwrap().wait().unwrap();
    }
    let grown = y.read().unwrap();
    for (i, value) in grown.iter().enumerate() {
        assert_eq!(*value, (i % 1000) as f32 + times as f32, "element {i}");
    }
}

#[test]
fn arrays_sixteen_times_the_memory_run_through_it_in_windows() {
    let name = "arrays_sixteen_times_the_memory_run_through_it_in_windows";
    let (budget, n) = if devices::long() {
        (64 << 20, 1 << 28)
    } else {
        (1 << 20, 1 << 22)
    };
    with_budget(name, budget, |rt, gpu| {
        let start = Instant::now();
        grows_by_one_each_time(rt, gpu, n, 2);
        let (report, words) = (rt.report(), n as u64);
        assert!(report.runs("saxpy", gpu).parts > 64);
        assert!(count(rt, |event| matches!(event, Event::Evicted { .. })) > 64);
        let sent = report.moved(MemoryId::HOST, gpu.memory()).words;
        let fetched = report.moved(gpu.memory(), MemoryId::HOST).words;
        // Each launch needs both arrays, of which at most as much as fits is still there; its result goes home once.
        assert!((4 * words - budget / 4..=4 * words).contains(&sent));
        assert_eq!(fetched, 2 * words);
        println!(
            "{name}: {gpu}, {} MiB sent, {} MiB fetched, {:.1} s",
            sent >> 18,
            fetched >> 18,
            start.elapsed().as_secs_f64()
        );
    });
}

#[test]
fn arrays_that_fit_one_by_one_take_turns() {
    with_budget(
        "arrays_that_fit_one_by_one_take_turns",
        1 << 20,
        |rt, gpu| {
            let n = 100_000;
            let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
            let mut ys: Vec<Array<f32>> = (0..5)
                .map(|i| rt.array_from_vec(vec![i as f32; n]).unwrap())
                .collect();
            for _ in 0..3 {
                for y in &mut ys {
                    let launch = axpy(&x, y).with_policy(Policy::GpuOnly(gpu));
                    rt.launch(launch).unwrap();
                }
            }
            for (i, y) in ys.iter().enumerate() {
                assert_eq!(*y.read().unwrap(), vec![i as f32 + 3.0; n]);
            }
            // All launches had their arrays whole, and the one that all read never left.
            assert_eq!(rt.report().runs("saxpy", gpu).parts, 15);
            let sent = rt.report().moved(MemoryId::HOST, gpu.memory()).words;
            assert!(
                sent >= 6 * n as u64 && sent <= 16 * n as u64,
                "{sent} words"
            );
        },
    );
}

#[test]
fn a_stencil_larger_than_the_memory_runs_in_windows_with_their_borders() {
    let name = "a_stencil_larger_than_the_memory_runs_in_windows_with_their_borders";
    let (width, height) = (301_usize, 777_usize);
    let sweep = |rt: &Runtime, policy: &Policy| -> Vec<f32> {
        let start: Vec<f32> = (0..width * height).map(|i| (i % 16) as f32).collect();
        let mut now = rt.array_from_vec(start).unwrap();
        let mut next = rt.zeros::<f32>(width * height).unwrap();
        let params = jacobi::Params {
            width: width as u32,
            height: height as u32,
            relaxation: 1.0,
        };
        for _ in 0..3 {
            let launch = jacobi::jacobi {
                params,
                src: &now,
                dst: &mut next,
            };
            let launch = launch.over([width, height]).with_policy(policy.clone());
            rt.launch(launch).unwrap().wait().unwrap();
            std::mem::swap(&mut now, &mut next);
        }
        now.into_vec().unwrap()
    };
    let expected = sweep(&devices::cpu_only(), &Policy::CpuOnly);
    with_budget(name, 200_000, |rt, gpu| {
        let shared = vec![(DeviceId::CPU, 0.3), (gpu, 0.7)];
        for policy in [Policy::GpuOnly(gpu), Policy::Split(shared)] {
            assert_eq!(sweep(rt, &policy), expected, "{policy:?}");
        }
        assert!(rt.report().runs("jacobi", gpu).parts > 20);
    });
}

#[test]
fn what_is_combined_over_windows_is_right_alone_and_shared() {
    let name = "what_is_combined_over_windows_is_right_alone_and_shared";
    let n = 1_000_000_u32;
    let data: Vec<u32> = (0..n).map(|i| i.wrapping_mul(2_654_435_761)).collect();
    let mut expected = vec![0_u32; 256];
    for value in &data {
        expected[(value >> 3 & 255) as usize] += 1;
    }
    with_budget(name, 1 << 20, |rt, gpu| {
        let data = rt.array_from_vec(data.clone()).unwrap();
        let shared = vec![(DeviceId::CPU, 0.5), (gpu, 0.5)];
        for policy in [Policy::GpuOnly(gpu), Policy::Split(shared)] {
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
    });
}

#[test]
fn two_imagined_gpus_stream_their_shares_beside_the_cpu() {
    let rt = imagined(2, 1 << 20);
    let n = 3_000_000;
    let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
    let devices = [DeviceId::CPU, GPU, DeviceId(2)];
    let shares = devices.map(|device| (device, 1.0 / 3.0)).to_vec();
    for _ in 0..2 {
        let launch = axpy(&x, &mut y).with_policy(Policy::Split(shares.clone()));
        rt.launch(launch).unwrap().wait().unwrap();
    }
    assert_eq!(*y.read().unwrap(), vec![3.0; n]);
    for gpu in [GPU, DeviceId(2)] {
        assert!(rt.report().runs("saxpy", gpu).parts > 16, "{gpu}");
    }
}

#[test]
fn a_launch_that_cannot_be_cut_goes_to_the_cpu_and_says_why() {
    let rt = imagined(1, 1 << 20);
    let n = 1_000_000;
    let data = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
    assert_eq!(sum::sum(&rt, &data).unwrap(), n as f32);
    let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
    let x = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
    let launch = axpy(&x, &mut y);
    let plan = rt.explain(&launch).unwrap();
    assert!(!plan.to_string().contains("at once"), "{plan}");
    drop(launch);

    let tiny = imagined(1, 256);
    let x = tiny.array_from_vec(vec![1.0_f32; n]).unwrap();
    let mut y = tiny.array_from_vec(vec![1.0_f32; n]).unwrap();
    let plan = tiny.explain(&axpy(&x, &mut y)).unwrap();
    let said = plan.to_string();
    assert!(said.contains("even a piece of it is too large"), "{said}");
    assert!(
        said.contains("512 B at once, and the budget of its memory is 256 B"),
        "{said}"
    );
    tiny.launch(axpy(&x, &mut y)).unwrap();
    assert_eq!(*y.read().unwrap(), vec![1.5; n]);
    let refused = tiny.launch(axpy(&x, &mut y).with_policy(Policy::GpuOnly(GPU)));
    let error = refused.unwrap().wait().unwrap_err();
    assert!(matches!(*error, LaunchError::Device { .. }), "{error}");
}

#[test]
fn threads_share_a_small_memory_without_waiting_for_each_other_for_ever() {
    let rt = imagined(1, 1 << 20);
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let rt = &rt;
            scope.spawn(move || {
                for round in 0..6 {
                    grows_by_one_each_time(rt, GPU, 50_000 + 100_000 * (thread % 2), 1 + round % 2);
                }
            });
        }
    });
    assert_eq!(rt.report().failures().len(), 0);
}
