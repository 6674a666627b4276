//! Do launches that devices share as they go end right and in time, whatever was predicted and whatever fails?

// All numbers here are exact in f32, or computed by the same instructions on every device.
#![allow(clippy::float_cmp)]

#[path = "../devices/mod.rs"]
mod devices;
mod together;

use impel::sim::{Fault, FaultKind, Gpu, Machine, Moment, Phase};
use impel::{Array, DeviceId, Policy, Runtime};
use impel_kernels::histogram::histogram;
use impel_kernels::jacobi::{Grid, jacobi};
use impel_kernels::mandelbrot::{View, mandelbrot};
use impel_kernels::saxpy::wgsl as saxpy;

const N: usize = 400_000;

/// A machine so slow that small launches are long: a CPU, and GPUs of twice its speed.
fn slow_machine(gpus: usize) -> Machine {
    let mut machine = Machine::desktop();
    machine.cpu.bandwidth_bytes_per_s = 1e9;
    machine.cpu.ops_per_s = 1e9;
    machine.cpu.special_ops_per_s = 1e8;
    for _ in 0..gpus {
        let mut gpu = Gpu::card();
        gpu.limits.bandwidth_bytes_per_s = 2e9;
        gpu.limits.ops_per_s = 2e9;
        gpu.limits.special_ops_per_s = 2e8;
        machine = machine.with(gpu);
    }
    machine
}

/// The GPU is so many times slower than predicted, in whatever it computes.
fn slow(gpu: u8, times: f64) -> impl Iterator<Item = Fault> {
    (1..=300).map(move |nth| Fault {
        gpu: DeviceId(gpu),
        phase: Phase::Compute,
        nth,
        moment: Moment::During,
        kind: FaultKind::Slow(times),
    })
}

fn runtime(machine: Machine) -> Runtime {
    let builder = Runtime::builder().threads(2).without_cache();
    builder
        .simulated(machine)
        .build()
        .expect("nothing is needed for it")
}

fn axpy<'a>(x: &'a Array<f32>, y: &'a mut Array<f32>) -> impel::Launch<'a> {
    let n = y.len() as u32;
    let params = saxpy::Params { alpha: 0.5, n };
    saxpy::saxpy { params, x, y }.over(n)
}

/// Imagined time of one `y += x / 2` under a policy, in ms, the result checked.
fn axpy_ms(rt: &Runtime, policy: Option<Policy>) -> f64 {
    let x = rt
        .array_from_vec((0..N).map(|i| (i % 1024) as f32).collect())
        .unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; N]).unwrap();
    let now = || {
        rt.simulated_time()
            .expect("an imagined machine")
            .as_secs_f64()
            * 1e3
    };
    let before = now();
    let mut launch = axpy(&x, &mut y);
    if let Some(policy) = policy {
        launch = launch.with_policy(policy);
    }
    rt.launch(launch).unwrap().wait().unwrap();
    let took = now() - before;
    let y = y.read().unwrap();
    for (i, y) in y.iter().enumerate() {
        assert_eq!(*y, 1.0 + (i % 1024) as f32 / 2.0, "element {i}");
    }
    took
}

fn parts(rt: &Runtime, kernel: &str, device: u8) -> u64 {
    rt.report().runs(kernel, DeviceId(device)).parts
}

#[test]
fn a_device_that_is_slower_than_predicted_gets_less() {
    let alone = |device| {
        let rt = runtime(slow_machine(1).with_faults(slow(1, 6.0)));
        axpy_ms(&rt, Some(Policy::Split(vec![(DeviceId(device), 1.0)])))
    };
    let best = 1.0 / (1.0 / alone(0) + 1.0 / alone(1));
    let rt = runtime(slow_machine(1).with_faults(slow(1, 6.0)));
    let balanced = axpy_ms(&rt, None);
    assert!(parts(&rt, "saxpy", 0) > 1 && parts(&rt, "saxpy", 1) > 1);
    assert!(
        balanced < 1.15 * best,
        "{balanced} ms, and {best} ms is the best"
    );
}

#[test]
fn a_device_that_is_faster_than_predicted_gets_more() {
    let rt = runtime(slow_machine(2).with_faults(slow(1, 0.25).chain(slow(2, 3.0))));
    let as_planned = Policy::Split(vec![
        (DeviceId::CPU, 0.2),
        (DeviceId(1), 0.4),
        (DeviceId(2), 0.4),
    ]);
    let planned = axpy_ms(&rt, Some(as_planned));
    let rt = runtime(slow_machine(2).with_faults(slow(1, 0.25).chain(slow(2, 3.0))));
    let balanced = axpy_ms(&rt, None);
    assert!(
        balanced < 0.6 * planned,
        "{balanced} ms instead of {planned} ms"
    );
}

#[test]
fn what_a_device_did_before_it_failed_is_done_once_again_and_not_twice() {
    for phase in [Phase::Upload, Phase::Submit, Phase::Compute] {
        for nth in 1..=4 {
            let fault = Fault {
                gpu: DeviceId(1),
                phase,
                nth,
                moment: Moment::During,
                kind: FaultKind::Lost,
            };
            let rt = runtime(slow_machine(2).with_faults([fault]));
            axpy_ms(&rt, None);
            assert_eq!(rt.report().failures().len(), 1, "{fault}");
            assert!(parts(&rt, "saxpy", 0) > 0 && parts(&rt, "saxpy", 2) > 0);
        }
    }
}

#[test]
fn a_gpu_that_fails_while_several_arrays_come_from_it_is_survived() {
    for nth in 1..=3 {
        let fault = Fault {
            gpu: DeviceId(1),
            phase: Phase::Download,
            nth,
            moment: Moment::Before,
            kind: FaultKind::Invalid,
        };
        let rt = runtime(slow_machine(2).with_faults([fault]));
        let x = rt.array_from_vec(vec![2.0_f32; N]).unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; N]).unwrap();
        let on_gpu = Policy::GpuOnly(DeviceId(1));
        rt.launch(axpy(&x, &mut y).with_policy(on_gpu))
            .unwrap()
            .wait()
            .unwrap();
        let shared = rt.launch(axpy(&x, &mut y)).unwrap().wait();
        // `y` was on the failed GPU alone: right, or an error that says so.
        match (shared, y.read()) {
            (Ok(()), Ok(y)) => assert_eq!(*y, vec![3.0; N]),
            (_, Err(error)) => assert!(error.to_string().contains("simulated card"), "{error}"),
            (Err(error), Ok(_)) => panic!("{error}, and the result can be read"),
        }
    }
}

#[test]
fn settled_launches_take_few_chunks() {
    let rt = runtime(slow_machine(1));
    let x = rt.array_from_vec(vec![2.0_f32; N]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; N]).unwrap();
    for _ in 0..12 {
        rt.launch(axpy(&x, &mut y)).unwrap().wait().unwrap();
    }
    let before = [0, 1].map(|device| parts(&rt, "saxpy", device));
    for _ in 0..4 {
        rt.launch(axpy(&x, &mut y)).unwrap().wait().unwrap();
    }
    for (device, before) in (0..).zip(before) {
        let chunks = parts(&rt, "saxpy", device) - before;
        assert!(
            (4..=24).contains(&chunks),
            "{chunks} chunks in four launches"
        );
    }
    assert_eq!(*y.read().unwrap(), vec![17.0; N]);
}

/// Results of kernels that can be split, run as the planner likes: twice, so that words are wherever the first run left them.
fn results(rt: &Runtime, scale: usize) -> Vec<Vec<u32>> {
    let n = 40_000 * scale;
    let data: Vec<u32> = (0..n as u32)
        .map(|i| i.wrapping_mul(2_654_435_761))
        .collect();
    let data = rt.array_from_vec(data).unwrap();
    let mut bins = rt.zeros::<u32>(256).unwrap();
    histogram(rt, 3, &data, &mut bins).unwrap();
    histogram(rt, 11, &data, &mut bins).unwrap();

    let (width, height) = (64, 16 * scale);
    let grid = Grid {
        width,
        height,
        relaxation: 0.5,
    };
    let start: Vec<f32> = (0..width * height).map(|i| (i % 97) as f32).collect();
    let mut a = rt.array_from_vec(start).unwrap();
    let mut b = rt.zeros::<f32>(width * height).unwrap();
    for _ in 0..3 {
        jacobi(rt, grid, &a, &mut b).unwrap();
        jacobi(rt, grid, &b, &mut a).unwrap();
    }

    let view = View {
        width: 64,
        height: 4 * scale,
        re: (-2.0, 0.5),
        im: (-1.25, 1.25),
        max_iterations: 64,
    };
    let mut counts = rt.zeros::<u32>(view.width * view.height).unwrap();
    mandelbrot(rt, &view, &mut counts).unwrap();
    let bits = |array: &Array<f32>| array.read().unwrap().iter().map(|x| x.to_bits()).collect();
    let own = |array: &Array<u32>| array.read().unwrap().to_vec();
    vec![own(&bins), bits(&a), own(&counts)]
}

#[test]
fn imagined_devices_that_share_launches_compute_what_the_cpu_computes() {
    let expected = results(&devices::cpu_only(), 16);
    for gpus in [1, 3, 8] {
        let faults = (1..=gpus as u8).flat_map(|gpu| slow(gpu, 0.25 + f64::from(gpu % 4)));
        let rt = runtime(slow_machine(gpus).with_faults(faults));
        assert!(results(&rt, 16) == expected, "{gpus} GPUs\n{}", rt.report());
        let chunks: u64 = (0..=gpus as u8)
            .map(|device| parts(&rt, "histogram", device))
            .sum();
        assert!(chunks > 2 * gpus as u64 + 2, "{}", rt.report());
    }
}

#[test]
fn software_gpus_that_share_launches_compute_what_the_cpu_computes() {
    devices::with_gpus("sharing of launches", 1, |rt, _| {
        let data: Vec<u32> = (0..3_000_000_u32)
            .map(|i| i.wrapping_mul(2_654_435_761))
            .collect();
        let mut expected = vec![0_u32; 256];
        for value in &data {
            expected[(value >> 3 & 255) as usize] += 1;
            expected[(value >> 11 & 255) as usize] += 1;
        }
        let data = rt.array_from_vec(data).unwrap();
        let mut bins = rt.zeros::<u32>(256).unwrap();
        histogram(&rt, 3, &data, &mut bins).unwrap();
        histogram(&rt, 11, &data, &mut bins).unwrap();
        assert_eq!(*bins.read().unwrap(), expected);

        let n = 6_000_000;
        let x = rt
            .array_from_vec((0..n).map(|i| (i % 1024) as f32).collect())
            .unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
        for _ in 0..4 {
            rt.launch(axpy(&x, &mut y)).unwrap().wait().unwrap();
        }
        for (i, y) in y.read().unwrap().iter().enumerate() {
            assert_eq!(*y, 1.0 + (i % 1024) as f32 * 2.0, "element {i}");
        }
    });
}
