//! May many threads use one runtime at once, from anywhere? Own and shared arrays, parts of one array, async code, the caller's pool
//! and the caller's GPU.

// All numbers here are exact in f32, whatever computes them.
#![allow(clippy::float_cmp)]

mod devices;

use std::sync::Arc;

use impel::{Array, DeviceId, Launch, Policy, Runtime};
use impel_kernels::saxpy::saxpy as axpy;
use impel_kernels::saxpy::wgsl as saxpy;

const LEN: usize = 10_007;
const ROUNDS: usize = 20;

/// Adds half of `x` to `y`.
fn half_added<'a>(x: &'a Array<f32>, y: &'a mut Array<f32>) -> Launch<'a> {
    let n = y.len() as u32;
    let params = saxpy::Params { alpha: 0.5, n };
    saxpy::saxpy { params, x, y }.over(n)
}

/// Several threads that launch on their own arrays and read a shared one.
fn crowd(rt: &Runtime, policy: impl Fn(usize) -> Policy + Sync) {
    let shared = rt.array_from_vec(vec![2.0_f32; LEN]).unwrap();
    let (shared, policy) = (&shared, &policy);
    std::thread::scope(|scope| {
        for thread in 0..6 {
            scope.spawn(move || {
                let mut own = rt.array_from_vec(vec![thread as f32; LEN]).unwrap();
                for round in 0..ROUNDS {
                    let launch = half_added(shared, &mut own);
                    rt.launch(launch.with_policy(policy(thread + round)))
                        .unwrap();
                    if round % 7 == thread {
                        let so_far = (thread + round + 1) as f32;
                        assert_eq!(own.read_range(5..6).unwrap()[0], so_far);
                    }
                    assert_eq!(shared.read_range(thread..=thread).unwrap()[0], 2.0);
                }
                let result = (thread + ROUNDS) as f32;
                assert!(own.read().unwrap().iter().all(|&y| y == result));
            });
        }
    });
}

#[test]
fn threads_launch_on_their_own_arrays_and_read_a_shared_one() {
    crowd(&devices::cpu_only(), |_| Policy::Auto);
}

#[test]
fn threads_share_the_gpus_too() {
    devices::with_gpus("threads_share_the_gpus_too", 1, |rt, gpus| {
        crowd(&rt, |turn| match turn % 4 {
            0 => Policy::CpuOnly,
            1 => Policy::Auto,
            2 => Policy::GpuOnly(gpus[turn % gpus.len()]),
            _ => Policy::Split(vec![(DeviceId::CPU, 0.5), (gpus[turn % gpus.len()], 0.5)]),
        });
    });
}

#[test]
fn disjoint_parts_of_an_array_are_arguments_at_once() {
    let rt = devices::cpu_only();
    let x = rt
        .array_from_vec((0..LEN).map(|i| i as f32).collect())
        .unwrap();
    let mut y = rt.zeros::<f32>(LEN).unwrap();
    let middle = 4_321;
    let (first, second) = y.split_at_mut(middle).unwrap();
    let launch = |alpha: f32, x, y: impel::ViewMut<'_, f32>| {
        let n = y.len() as u32;
        let params = saxpy::Params { alpha, n };
        rt.launch(saxpy::saxpy { params, x, y }.over(n)).unwrap();
    };
    launch(1.0, x.view(..middle).unwrap(), first);
    launch(2.0, x.view(middle..).unwrap(), second);
    for (i, &y) in y.read().unwrap().iter().enumerate() {
        let factor = if i < middle { 1.0 } else { 2.0 };
        assert_eq!(y, factor * i as f32);
    }
}

#[test]
fn parts_of_one_array_live_on_different_devices() {
    let name = "parts_of_one_array_live_on_different_devices";
    devices::on_each_gpu(name, |rt, gpu| {
        let x = rt.array_from_vec(vec![2.0_f32; LEN]).unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; LEN]).unwrap();
        // A multiple of every alignment that GPUs ask for.
        let middle = 4096;
        for _ in 0..3 {
            let (first, second) = y.split_at_mut(middle).unwrap();
            for (x, y, policy) in [
                (x.view(..middle).unwrap(), first, Policy::CpuOnly),
                (x.view(middle..).unwrap(), second, Policy::GpuOnly(gpu)),
            ] {
                let n = y.len() as u32;
                let params = saxpy::Params { alpha: 0.5, n };
                let launch = saxpy::saxpy { params, x, y }.over(n);
                rt.launch(launch.with_policy(policy)).unwrap();
            }
        }
        assert!(y.read().unwrap().iter().all(|&y| y == 4.0));
    });
}

#[test]
fn async_readers_wait_for_launches_without_a_thread() {
    let rt = devices::cpu_only();
    let x = rt.array_from_vec(vec![2.0_f32; LEN]).unwrap();
    let mut arrays: Vec<Array<f32>> = (0..4).map(|_| rt.zeros(LEN).unwrap()).collect();
    pollster::block_on(async {
        for _ in 0..ROUNDS {
            for y in &mut arrays {
                axpy(&rt, 0.5, &x, y).unwrap();
            }
        }
        for y in &arrays {
            let y = y.read_async().await.unwrap();
            assert!(y.iter().all(|&y| y == ROUNDS as f32));
        }
    });
}

#[test]
fn async_readers_get_what_gpus_wrote() {
    let name = "async_readers_get_what_gpus_wrote";
    devices::on_each_gpu(name, |rt, gpu| {
        let x = rt.array_from_vec(vec![2.0_f32; LEN]).unwrap();
        let mut y = rt.zeros::<f32>(LEN).unwrap();
        for _ in 0..3 {
            let launch = half_added(&x, &mut y);
            rt.launch(launch.with_policy(Policy::GpuOnly(gpu))).unwrap();
        }
        let y = pollster::block_on(y.read_async()).unwrap();
        assert!(y.iter().all(|&y| y == 3.0));
    });
}

#[test]
fn the_callers_pool_does_the_work_and_may_launch_from_inside() {
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = Arc::new(pool.unwrap());
        let rt = devices::builder()
            .gpus(false)
            .pool(Arc::clone(&pool))
            .build();
        let rt = rt.unwrap();
        assert_eq!(rt.machine().cpu.threads, threads);
        crowd(&rt, |_| Policy::Auto);
        // From inside the pool, whose every worker waits for a launch.
        let sums: Vec<f32> = pool.install(|| {
            use rayon::prelude::*;
            (0..8)
                .into_par_iter()
                .map(|job| {
                    let x = rt.array_from_vec(vec![1.0_f32; 200_000]).unwrap();
                    let mut y = rt.zeros::<f32>(200_000).unwrap();
                    axpy(&rt, job as f32, &x, &mut y).unwrap();
                    y.read().unwrap().iter().sum()
                })
                .collect()
        });
        for (job, sum) in sums.into_iter().enumerate() {
            assert_eq!(sum, job as f32 * 200_000.0);
        }
    }
}

#[test]
fn arrays_outlive_their_runtime_and_launches_are_finished() {
    let rt = devices::cpu_only();
    let x = rt.array_from_vec(vec![2.0_f32; LEN]).unwrap();
    let mut y = rt.zeros::<f32>(LEN).unwrap();
    for _ in 0..ROUNDS {
        axpy(&rt, 0.5, &x, &mut y).unwrap();
    }
    drop(x);
    drop(rt);
    assert_eq!(y.into_vec().unwrap(), vec![ROUNDS as f32; LEN]);
}

/// A device of the first adapter, opened by hand.
fn open() -> Option<(wgpu::Device, wgpu::Queue)> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let adapter = adapters.into_iter().next()?;
    let descriptor = wgpu::DeviceDescriptor {
        required_limits: adapter.limits(),
        ..wgpu::DeviceDescriptor::default()
    };
    pollster::block_on(adapter.request_device(&descriptor)).ok()
}

#[test]
fn a_lent_gpu_serves_both_its_owner_and_the_runtime() {
    let name = "a_lent_gpu_serves_both_its_owner_and_the_runtime";
    devices::on_each_gpu(name, |_, gpu| {
        // One adapter is enough: they differ in nothing that lending touches.
        if gpu != DeviceId(1) {
            return;
        }
        let (device, queue) = open().expect("the adapter opens");
        let builder = devices::builder().gpus(false);
        let rt = builder
            .lend_gpu(device.clone(), queue.clone())
            .build()
            .unwrap();
        let lent = devices::gpus(&rt)[0];
        let x = rt.array_from_vec(vec![2.0_f32; LEN]).unwrap();
        let mut y = rt.zeros::<f32>(LEN).unwrap();
        for _ in 0..3 {
            let launch = half_added(&x, &mut y);
            rt.launch(launch.with_policy(Policy::GpuOnly(lent)))
                .unwrap();
            let buffer = device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: 64,
                usage: wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            queue.write_buffer(&buffer, 0, &[1; 64]);
            queue.submit([]);
        }
        assert!(y.read().unwrap().iter().all(|&y| y == 3.0));
        drop(rt);
        // The owner's device lives on.
        device
            .poll(wgpu::PollType::wait_indefinitely())
            .expect("it still works");
    });
}
