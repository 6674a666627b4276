//! Which bytes move? Counted by the runtime's own report: what is missing, halo rows of a stencil, slices that are read, and no more.

// All numbers here are exact in f32, whatever computes them.
#![allow(clippy::float_cmp)]

mod devices;

use impel::machine::MemoryId;
use impel::sim::{Gpu, Machine};
use impel::{Array, DeviceId, Policy, Runtime};
use impel_kernels::histogram::histogram;
use impel_kernels::jacobi::wgsl as jacobi;
use impel_kernels::saxpy::wgsl as saxpy;
use impel_kernels::{black_scholes, jacobi as stencil};

/// Words moved from one memory to another since the last look.
struct Moves<'a> {
    rt: &'a Runtime,
    before: impel::trace::Report,
}

impl<'a> Moves<'a> {
    fn from_here(rt: &'a Runtime) -> Self {
        rt.sync();
        Self {
            rt,
            before: rt.report(),
        }
    }

    /// Words moved in this direction since the last call of [`Moves::restart`].
    fn words(&self, from: DeviceId, to: DeviceId) -> u64 {
        let (from, to): (MemoryId, MemoryId) = (from.memory(), to.memory());
        self.rt.report().moved(from, to).words - self.before.moved(from, to).words
    }

    /// Words moved into a GPU, and out of it.
    fn of(&self, gpu: DeviceId) -> [u64; 2] {
        self.rt.sync();
        [
            self.words(DeviceId::CPU, gpu),
            self.words(gpu, DeviceId::CPU),
        ]
    }

    /// All words moved, in all directions.
    fn all(&self) -> u64 {
        self.rt.sync();
        (self.rt.report().moved_bytes() - self.before.moved_bytes()) / 4
    }

    fn restart(&mut self) {
        self.rt.sync();
        self.before = self.rt.report();
    }
}

fn axpy(rt: &Runtime, x: &Array<f32>, y: &mut Array<f32>, policy: Policy) {
    let n = x.len() as u32;
    let params = saxpy::Params { alpha: 0.5, n };
    let launch = saxpy::saxpy { params, x, y }.over(n);
    rt.launch(launch.with_policy(policy))
        .expect("the launch is right");
}

#[test]
fn a_chain_of_launches_on_one_gpu_moves_nothing_between_them() {
    let name = "a_chain_of_launches_on_one_gpu_moves_nothing_between_them";
    devices::on_each_gpu(name, |rt, gpu| {
        let n = 1009;
        let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
        let mut moves = Moves::from_here(rt);
        axpy(rt, &x, &mut y, Policy::GpuOnly(gpu));
        assert_eq!(moves.of(gpu), [2 * n as u64, 0], "the arguments, once");
        moves.restart();
        for _ in 0..10 {
            axpy(rt, &x, &mut y, Policy::GpuOnly(gpu));
        }
        assert_eq!(moves.all(), 0);
        assert_eq!(*y.read_range(5..6).unwrap(), [12.0]);
        assert_eq!(moves.of(gpu), [0, 1]);
    });
}

#[test]
fn results_stay_where_they_are_and_a_slice_read_moves_the_slice_once() {
    let name = "results_stay_where_they_are_and_a_slice_read_moves_the_slice_once";
    devices::on_each_gpu(name, |rt, gpu| {
        let n = 65_537;
        let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
        axpy(rt, &x, &mut y, Policy::GpuOnly(gpu));
        let mut moves = Moves::from_here(rt);
        assert_eq!(*y.read_range(100..117).unwrap(), [2.0; 17]);
        assert_eq!(moves.of(gpu), [0, 17]);
        assert_eq!(*y.read_range(100..117).unwrap(), [2.0; 17]);
        assert_eq!(moves.of(gpu), [0, 17], "what is at home moves no more");
        moves.restart();
        assert_eq!(y.read_range(110..130).unwrap().len(), 20);
        assert_eq!(moves.of(gpu), [0, 13], "only what is missing");
        moves.restart();
        assert!(x.read().unwrap().iter().all(|&x| x == 2.0));
        assert_eq!(
            moves.all(),
            0,
            "what was only read on the GPU is still at home"
        );
        assert!(y.read().unwrap().iter().all(|&y| y == 2.0));
        assert_eq!(moves.of(gpu), [0, n as u64 - 30]);
    });
}

#[test]
fn what_the_host_overwrites_is_all_that_goes_back_to_the_gpu() {
    let name = "what_the_host_overwrites_is_all_that_goes_back_to_the_gpu";
    devices::on_each_gpu(name, |rt, gpu| {
        let n = 4096;
        let mut x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
        axpy(rt, &x, &mut y, Policy::GpuOnly(gpu));
        let mut moves = Moves::from_here(rt);
        y.copy_from_slice(50, &[8.0; 30]).unwrap();
        x.write_range(0..10).unwrap().fill(4.0);
        assert_eq!(moves.all(), 0, "overwriting needs nothing at home");
        axpy(rt, &x, &mut y, Policy::GpuOnly(gpu));
        assert_eq!(moves.of(gpu), [40, 0]);
        moves.restart();
        let y = y.read().unwrap();
        assert_eq!(
            [y[0], y[10], y[49], y[50], y[79], y[80]],
            [4.0, 3.0, 3.0, 9.0, 9.0, 3.0]
        );
        assert_eq!(moves.of(gpu), [0, n as u64]);
    });
}

#[test]
fn what_a_kernel_only_writes_is_not_brought_to_it() {
    let name = "what_a_kernel_only_writes_is_not_brought_to_it";
    devices::on_each_gpu(name, |rt, gpu| {
        let n = 1009;
        let filled = |value: f32| rt.array_from_vec(vec![value; n]).unwrap();
        let (spot, strike, years) = (filled(100.0), filled(90.0), filled(1.0));
        let (mut call, mut put) = (filled(0.0), filled(0.0));
        let moves = Moves::from_here(rt);
        let params = black_scholes::wgsl::Params {
            n: n as u32,
            rate: 0.02,
            volatility: 0.3,
        };
        let launch = black_scholes::wgsl::black_scholes {
            params,
            spot: &spot,
            strike: &strike,
            years: &years,
            call: &mut call,
            put: &mut put,
        };
        let launch = launch.over(n).with_policy(Policy::GpuOnly(gpu));
        rt.launch(launch).unwrap();
        assert_eq!(moves.of(gpu), [3 * n as u64, 0]);
    });
}

#[test]
fn a_launch_moves_only_what_its_grid_covers() {
    let name = "a_launch_moves_only_what_its_grid_covers";
    devices::on_each_gpu(name, |rt, gpu| {
        let x = rt.array_from_vec(vec![2.0_f32; 10_000]).unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; 10_000]).unwrap();
        let moves = Moves::from_here(rt);
        let params = saxpy::Params { alpha: 0.5, n: 640 };
        let launch = saxpy::saxpy {
            params,
            x: &x,
            y: &mut y,
        };
        let launch = launch.over(640_u32).with_policy(Policy::GpuOnly(gpu));
        rt.launch(launch).unwrap();
        assert_eq!(moves.of(gpu), [1280, 0]);
        assert_eq!(y.read_range(639..641).unwrap()[..], [2.0, 1.0]);
        assert_eq!(moves.of(gpu), [1280, 1], "the other element never left");
    });
}

#[test]
fn bins_that_devices_combine_come_home_once_a_device() {
    let name = "bins_that_devices_combine_come_home_once_a_device";
    devices::with_gpus(name, 1, |rt, gpus| {
        let data: Vec<u32> = (0..200_000_u32)
            .map(|i| i.wrapping_mul(2_654_435_761))
            .collect();
        let n = data.len() as u64;
        let data = rt.array_from_vec(data).unwrap();
        let mut bins = rt.zeros::<u32>(256).unwrap();
        let rt = &rt;
        let moves = Moves::from_here(rt);
        let shares = [(DeviceId::CPU, 0.5), (gpus[0], 0.5)];
        let params = impel_kernels::histogram::wgsl::Params {
            n: n as u32,
            shift: 0,
        };
        let launch = impel_kernels::histogram::wgsl::histogram {
            params,
            data: &data,
            bins: &mut bins,
        };
        let launch = launch.workgroups(n.div_ceil(32_768) as u32);
        rt.launch(launch.with_policy(Policy::Split(shares.to_vec())))
            .unwrap();
        let [up, down] = moves.of(gpus[0]);
        assert_eq!(down, 256);
        assert!(up > 0 && up < n, "a share of the data, not all of it: {up}");
        let combined = bins.to_vec().unwrap();
        let alone = devices::cpu_only();
        let copy = alone.array_from_slice(&data.read().unwrap()).unwrap();
        let mut expected = alone.zeros::<u32>(256).unwrap();
        histogram(&alone, 0, &copy, &mut expected).unwrap();
        assert_eq!(combined, *expected.read().unwrap());
    });
}

/// A stencil of 160 rows of 97, in bands of whole workgroups of 16 rows.
struct Bands<'a> {
    rt: &'a Runtime,
    now: Array<f32>,
    next: Array<f32>,
}

const WIDTH: usize = 97;
const HEIGHT: usize = 160;
const ROW: u64 = WIDTH as u64;

impl<'a> Bands<'a> {
    fn new(rt: &'a Runtime) -> Self {
        let start: Vec<f32> = (0..WIDTH * HEIGHT).map(|i| (i % 13) as f32).collect();
        Self {
            rt,
            now: rt.array_from_vec(start).unwrap(),
            next: rt.zeros(WIDTH * HEIGHT).unwrap(),
        }
    }

    /// One sweep; each device does this many tenths, which are 16 rows each.
    fn sweep(&mut self, tenths: &[(DeviceId, u32)]) {
        let params = jacobi::Params {
            width: WIDTH as u32,
            height: HEIGHT as u32,
            relaxation: 0.75,
        };
        let launch = jacobi::jacobi {
            params,
            src: &self.now,
            dst: &mut self.next,
        };
        let shares = tenths
            .iter()
            .map(|(device, tenths)| (*device, f64::from(*tenths)))
            .collect();
        let launch = launch.over([WIDTH, HEIGHT]);
        self.rt
            .launch(launch.with_policy(Policy::Split(shares)))
            .unwrap();
        std::mem::swap(&mut self.now, &mut self.next);
    }

    /// What the CPU alone makes of it.
    fn assert_after(self, steps: usize) {
        let alone = devices::cpu_only();
        let mut own = Bands::new(&alone);
        let grid = stencil::Grid {
            width: WIDTH,
            height: HEIGHT,
            relaxation: 0.75,
        };
        for _ in 0..steps {
            stencil::jacobi(&alone, grid, &own.now, &mut own.next).unwrap();
            std::mem::swap(&mut own.now, &mut own.next);
        }
        let (split, whole) = (self.now.read().unwrap(), own.now.read().unwrap());
        // Each sweep is a mean: rounding errors of 4 operations a sweep do not grow.
        let bound = steps as f32 * 4.0 * f32::EPSILON * 13.0;
        for (at, (a, b)) in split.iter().zip(whole.iter()).enumerate() {
            assert!((a - b).abs() <= bound, "{at}: {a} and {b}");
        }
    }
}

/// Asserts that this many rows moved. Of the first and last row the stencil does not need the corners, which may stay.
#[track_caller]
fn assert_rows(moved: u64, rows: u64) {
    let least = (rows * ROW).saturating_sub(2);
    assert!(
        (least..=rows * ROW).contains(&moved),
        "{moved} words moved, which is not {rows} rows of {ROW}"
    );
}

#[test]
fn a_split_stencil_whose_cut_stays_moves_its_halo_rows_and_nothing_else() {
    let name = "a_split_stencil_whose_cut_stays_moves_its_halo_rows_and_nothing_else";
    devices::on_each_gpu(name, |rt, gpu| {
        let mut bands = Bands::new(rt);
        let shares = [(DeviceId::CPU, 5), (gpu, 5)];
        let mut moves = Moves::from_here(rt);
        bands.sweep(&shares);
        let [up, down] = moves.of(gpu);
        assert_rows(up, 81);
        assert_eq!(down, 0);
        for step in 2..12 {
            moves.restart();
            bands.sweep(&shares);
            let [up, down] = moves.of(gpu);
            assert_rows(up, 1);
            assert_rows(down, 1);
            assert_eq!(moves.all(), up + down, "step {step}");
        }
        bands.assert_after(11);
    });
}

#[test]
fn a_cut_moved_by_some_rows_moves_these_rows_besides() {
    let name = "a_cut_moved_by_some_rows_moves_these_rows_besides";
    devices::on_each_gpu(name, |rt, gpu| {
        let mut bands = Bands::new(rt);
        let mut moves = Moves::from_here(rt);
        let mut sweep = |cpu: u32| {
            moves.restart();
            bands.sweep(&[(DeviceId::CPU, cpu), (gpu, 10 - cpu)]);
            moves.of(gpu)
        };
        sweep(5);
        sweep(5);
        // From row 80 to row 64: the GPU gets 16 rows and one above; the CPU has the row below its own.
        let [up, down] = sweep(4);
        assert_rows(up, 17);
        assert_eq!(down, 0);
        let [up, down] = sweep(4);
        assert_rows(up, 1);
        assert_rows(down, 1);
        // From row 64 to row 112.
        let [up, down] = sweep(7);
        assert_eq!(up, 0);
        assert_rows(down, 49);
        let [up, down] = sweep(7);
        assert_rows(up, 1);
        assert_rows(down, 1);
        bands.assert_after(6);
    });
}

#[test]
fn a_stencil_over_two_gpus_and_the_cpu_moves_the_rows_at_both_cuts() {
    let name = "a_stencil_over_two_gpus_and_the_cpu_moves_the_rows_at_both_cuts";
    devices::with_gpus(name, 2, |rt, gpus| {
        let mut bands = Bands::new(&rt);
        let shares = [(DeviceId::CPU, 3), (gpus[0], 4), (gpus[1], 3)];
        bands.sweep(&shares);
        let mut moves = Moves::from_here(&rt);
        for _ in 0..5 {
            moves.restart();
            bands.sweep(&shares);
            // What one GPU needs of another goes through main memory.
            let [up, down] = moves.of(gpus[0]);
            assert!((2 * ROW - 4..=2 * ROW).contains(&up), "{up}");
            assert!((2 * ROW - 4..=2 * ROW).contains(&down), "{down}");
            let [up, down] = moves.of(gpus[1]);
            assert_rows(up, 1);
            assert_rows(down, 1);
        }
        bands.assert_after(6);
    });
}

/// A thousand sweeps over the CPU and two GPUs with fixed cuts: after the first, each exchanges its halos and nothing else.
fn exchanges_its_halos_for_a_thousand_sweeps(rt: &Runtime, gpus: &[DeviceId]) {
    let mut bands = Bands::new(rt);
    let shares = [(DeviceId::CPU, 3), (gpus[0], 4), (gpus[1], 3)];
    bands.sweep(&shares);
    let moves = Moves::from_here(rt);
    // The first GPU has a neighbour on either side. Of the row beyond its cut a band needs all but the far corner.
    let (inner, outer) = (2 * (ROW - 1), ROW - 1);
    for step in 1..1000_u64 {
        bands.sweep(&shares);
        if step % 100 == 1 {
            assert_eq!(moves.of(gpus[0]), [inner * step; 2], "step {step}");
            assert_eq!(moves.of(gpus[1]), [outer * step; 2], "step {step}");
            assert_eq!(moves.all(), 2 * (inner + outer) * step, "step {step}");
        }
    }
    bands.assert_after(1000);
}

#[test]
fn a_split_stencil_exchanges_exactly_its_halos_for_a_thousand_steps() {
    let name = "a_split_stencil_exchanges_exactly_its_halos_for_a_thousand_steps";
    let machine = Machine::desktop().with(Gpu::card()).with(Gpu::card());
    let imagined = Runtime::builder().threads(2).simulated(machine);
    let imagined = imagined.build().unwrap();
    exchanges_its_halos_for_a_thousand_sweeps(&imagined, &[DeviceId(1), DeviceId(2)]);
    devices::with_gpus(name, 2, |rt, gpus| {
        exchanges_its_halos_for_a_thousand_sweeps(&rt, gpus);
    });
}

#[test]
fn the_cut_of_a_fixed_plan_is_kept_to_the_row() {
    let name = "the_cut_of_a_fixed_plan_is_kept_to_the_row";
    devices::on_each_gpu(name, |rt, gpu| {
        let n = 64 * 10;
        let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
        let params = saxpy::Params {
            alpha: 0.5,
            n: n as u32,
        };
        let plan = {
            let launch = saxpy::saxpy {
                params,
                x: &x,
                y: &mut y,
            };
            let shares = vec![(DeviceId::CPU, 0.7), (gpu, 0.3)];
            let launch = launch.over(n).with_policy(Policy::Split(shares));
            let before = Moves::from_here(rt);
            let plan = rt.explain(&launch).unwrap();
            assert_eq!(before.all(), 0, "explaining moves nothing");
            plan
        };
        assert_eq!(plan.parts.len(), 2);
        assert_eq!(
            plan.parts.iter().map(|part| part.bytes_in).sum::<u64>(),
            2 * 4 * 192
        );
        let moves = Moves::from_here(rt);
        axpy(rt, &x, &mut y, Policy::Fixed(plan));
        assert_eq!(moves.of(gpu), [2 * 192, 0]);
        assert!(y.read().unwrap().iter().all(|&y| y == 2.0));
        assert_eq!(moves.of(gpu), [2 * 192, 192]);
    });
}

#[test]
fn a_machine_without_gpu_never_copies() {
    let rt = devices::cpu_only();
    let n = 65_537;
    let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
    let vec = vec![1.0_f32; n];
    let (start, capacity) = (vec.as_ptr(), vec.capacity());
    let mut y = rt.array_from_vec(vec).unwrap();
    axpy(&rt, &x, &mut y, Policy::Auto);
    assert_eq!(y.read().unwrap().as_ptr(), start);
    assert_eq!(y.write().unwrap().as_ptr(), start);
    let vec = y.into_vec().unwrap();
    assert_eq!((vec.as_ptr(), vec.capacity()), (start, capacity));
    assert!(vec.iter().all(|&y| y == 2.0));
    assert_eq!(rt.report().moved_bytes(), 0);
}

#[test]
fn an_adopted_vec_comes_back_from_a_gpu_in_its_own_place() {
    let name = "an_adopted_vec_comes_back_from_a_gpu_in_its_own_place";
    devices::on_each_gpu(name, |rt, gpu| {
        let x = rt.array_from_vec(vec![2.0_f32; 777]).unwrap();
        let vec = vec![1.0_f32; 777];
        let start = vec.as_ptr();
        let mut y = rt.array_from_vec(vec).unwrap();
        axpy(rt, &x, &mut y, Policy::GpuOnly(gpu));
        let vec = y.into_vec().unwrap();
        assert_eq!(vec.as_ptr(), start);
        assert_eq!(vec, [2.0; 777]);
    });
}
