//! Does a launch that is repeated do what a new one would? What is remembered of launches, against arithmetic by hand, while
//! parameters, ranges, grids, devices and contents change under it.

// All numbers here are small integers, which are exact in f32.
#![allow(clippy::float_cmp)]

mod devices;

use impel::{Array, DeviceId, Policy, Runtime};
use impel_kernels::saxpy::wgsl as saxpy;

impel::shader!(mod scaled, wgsl = r#"
    struct Params { first: u32, count: u32 }
    struct More { factor: f32, add: f32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<uniform> more: More;
    @group(0) @binding(2) var<storage, read> x: array<f32>;
    @group(0) @binding(3) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(64)
    fn scale_some(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x < params.count) {
            let i = params.first + id.x;
            y[i] = more.factor * x[i] + more.add;
        }
    }
"#);

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    /// One below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

const WORDS: usize = 512;

/// Every placement of a launch that two GPUs, or none, allow.
fn policies(gpus: &[DeviceId]) -> Vec<Policy> {
    let mut all = vec![Policy::Auto, Policy::CpuOnly];
    for &gpu in gpus {
        all.push(Policy::GpuOnly(gpu));
        all.push(Policy::Split(vec![(DeviceId::CPU, 1.0), (gpu, 2.0)]));
    }
    all
}

/// Launches and host writes in random order on two arrays, of which few are new: each result is checked from time to time.
fn some_hundred_repeats(rt: &Runtime, gpus: &[DeviceId], seed: u64) {
    let mut numbers = Numbers(seed);
    let mut arrays = [(); 2].map(|()| rt.zeros::<f32>(WORDS).unwrap());
    let mut expected = [vec![0.0_f32; WORDS], vec![0.0_f32; WORDS]];
    let policies = policies(gpus);
    for step in 0..300 {
        let to = numbers.below(2);
        let [a, b] = &mut arrays;
        let (x, y) = if to == 0 { (&*b, a) } else { (&*a, b) };
        let first = [0, 64, 100][numbers.below(3)];
        let count = [1, 128, 300][numbers.below(3)];
        let [factor, add] = [(); 2].map(|()| numbers.below(2) as f32);
        if numbers.below(8) == 0 {
            y.copy_from_slice(first, &vec![add; count]).unwrap();
            expected[to][first..first + count].fill(add);
            continue;
        }
        let launch = scaled::scale_some {
            params: scaled::Params {
                first: first as u32,
                count: count as u32,
            },
            more: scaled::More { factor, add },
            x,
            y,
        }
        .over(count)
        .with_policy(policies[numbers.below(policies.len())].clone());
        rt.launch(launch).unwrap();
        let [left, right] = &mut expected;
        let (from, into) = if to == 0 {
            (right, left)
        } else {
            (left, right)
        };
        let range = first..first + count;
        for (y, x) in into[range.clone()].iter_mut().zip(&from[range]) {
            *y = factor * x + add;
        }
        if numbers.below(10) == 0 {
            assert_eq!(*arrays[to].read().unwrap(), expected[to], "step {step}");
        }
    }
    for (array, expected) in arrays.iter().zip(&expected) {
        assert_eq!(*array.read().unwrap(), **expected);
    }
}

#[test]
fn repeats_on_the_cpu_are_like_new_launches() {
    some_hundred_repeats(&devices::cpu_only(), &[], 0x5eed);
}

#[test]
fn repeats_on_all_devices_are_like_new_launches() {
    let name = "repeats_on_all_devices_are_like_new_launches";
    devices::with_gpus(name, 1, |rt, gpus| {
        for seed in [1, 2, 3] {
            some_hundred_repeats(&rt, gpus, seed);
        }
    });
}

fn axpy(rt: &Runtime, alpha: f32, x: &Array<f32>, y: &mut Array<f32>) {
    let n = x.len() as u32;
    let launch = saxpy::saxpy {
        params: saxpy::Params { alpha, n },
        x,
        y,
    };
    rt.launch(launch.over(n)).expect("the launch is right");
}

#[test]
fn a_launch_that_settled_on_a_gpu_notices_what_the_host_writes() {
    let name = "a_launch_that_settled_on_a_gpu_notices_what_the_host_writes";
    devices::on_each_gpu(name, |rt, gpu| {
        let x = rt.array_from_vec(vec![1.0_f32; 100]).unwrap();
        let mut y = rt.zeros::<f32>(100).unwrap();
        let params = saxpy::Params { alpha: 1.0, n: 100 };
        for first in [0.0_f32, 1000.0, 2000.0] {
            y.copy_from_slice(0, &[first; 100]).unwrap();
            for _ in 0..40 {
                let y = &mut y;
                let launch = saxpy::saxpy { params, x: &x, y }.over(100_u32);
                rt.launch(launch.with_policy(Policy::GpuOnly(gpu))).unwrap();
                rt.sync();
            }
            assert_eq!(*y.read().unwrap(), [first + 40.0; 100]);
        }
        assert_eq!(rt.report().runs("saxpy", gpu).parts, 120);
    });
}

#[test]
fn a_repeat_on_other_arrays_of_the_same_size_uses_those() {
    let rt = devices::cpu_only();
    let x = rt.array_from_vec(vec![1.0_f32; 100]).unwrap();
    let mut all: Vec<Array<f32>> = (0..100).map(|_| rt.zeros(100).unwrap()).collect();
    for (y, times) in all.iter_mut().zip(0..) {
        (0..times).for_each(|_| axpy(&rt, 2.0, &x, y));
    }
    for (y, times) in all.iter().zip(0_u8..) {
        assert_eq!(*y.read().unwrap(), [2.0 * f32::from(times); 100]);
    }
}

#[test]
fn more_launches_than_are_remembered_are_all_done() {
    let rt = devices::cpu_only();
    let x = rt.array_from_vec(vec![1.0_f32; 10]).unwrap();
    let mut y = rt.zeros(10).unwrap();
    for _ in 0..3 {
        (1_u8..=100).for_each(|alpha| axpy(&rt, f32::from(alpha), &x, &mut y));
    }
    assert_eq!(*y.read().unwrap(), [3.0 * 5050.0; 10]);
}

#[test]
fn a_repeat_whose_parameters_became_wrong_is_refused() {
    let rt = devices::cpu_only();
    let x = rt.zeros::<f32>(100).unwrap();
    let mut y = rt.zeros::<f32>(100).unwrap();
    for n in [100, 101, 100, 101] {
        let launch = saxpy::saxpy {
            params: saxpy::Params { alpha: 1.0, n },
            x: &x,
            y: &mut y,
        };
        assert_eq!(rt.launch(launch.over(n)).is_ok(), n == 100);
    }
}
