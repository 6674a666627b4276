//! Do merged copies take words along that somebody else uses? Near ranges travel together where that is cheaper, every gap is itemised,
//! and nothing under a guard or at work elsewhere is touched.

// All numbers here are exact in f32, whatever computes them.
#![allow(clippy::float_cmp)]

mod devices;

use impel::cost::Link;
use impel::machine::MemoryId;
use impel::sim::{Gpu, Machine};
use impel::trace::Ending;
use impel::{Array, DeviceId, Launch, Policy, Runtime, RuntimeBuilder};
use impel_kernels::saxpy::wgsl as saxpy;

const GPU: DeviceId = DeviceId(1);

/// One imagined GPU behind a link over which 400 000 bytes take as long as a copy of nothing.
fn far_away() -> RuntimeBuilder {
    let mut gpu = Gpu::card();
    let link = Link {
        latency_ns: 1e5,
        bytes_per_s: 4e9,
    };
    (gpu.limits.up, gpu.limits.down) = (link, link);
    let machine = Machine::desktop().with(gpu);
    Runtime::builder().threads(2).trace(true).simulated(machine)
}

fn axpy<'a>(x: &'a Array<f32>, y: &'a mut Array<f32>) -> Launch<'a> {
    let n = y.len() as u32;
    let params = saxpy::Params { alpha: 0.5, n };
    saxpy::saxpy { params, x, y }
        .over(n)
        .with_policy(Policy::GpuOnly(GPU))
}

/// Has the host overwrite two ranges of an array on the GPU, 100 words apart, and a launch there read it: words copied for it, and
/// gaps among them.
fn refresh(rt: &Runtime) -> [u64; 2] {
    let n = 1000;
    let mut x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
    rt.launch(axpy(&x, &mut y)).unwrap().wait().unwrap();
    x.copy_from_slice(100, &[4.0; 50]).unwrap();
    x.copy_from_slice(250, &[4.0; 50]).unwrap();
    let before = rt.report().moved(MemoryId::HOST, GPU.memory());
    rt.launch(axpy(&x, &mut y)).unwrap().wait().unwrap();
    let after = rt.report().moved(MemoryId::HOST, GPU.memory());
    let y = y.read().unwrap();
    for (i, value) in y.iter().enumerate() {
        let twice = (100..150).contains(&i) || (250..300).contains(&i);
        assert_eq!(*value, if twice { 4.0 } else { 3.0 }, "element {i}");
    }
    rt.trace()
        .verify(Ending::Open)
        .expect("every word moved for a reason");
    [
        after.words - before.words,
        after.gap_words - before.gap_words,
    ]
}

#[test]
fn near_ranges_travel_together_and_the_gap_is_itemised() {
    assert_eq!(refresh(&far_away().build().unwrap()), [200, 100]);
    assert_eq!(
        refresh(&far_away().merging(false).build().unwrap()),
        [100, 0]
    );
}

#[test]
fn results_come_home_together_and_words_between_them_are_at_home_then() {
    let rt = far_away().build().unwrap();
    let n = 1000;
    let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
    let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
    rt.launch(axpy(&x, &mut y)).unwrap();
    y.copy_from_slice(500, &[7.0; 10]).unwrap();
    let down = || rt.report().moved(GPU.memory(), MemoryId::HOST);
    assert_eq!(y.read_range(0..10).unwrap()[9], 2.0);
    assert_eq!((down().copies, down().words), (1, 10));
    // The host overwrote ten words: what lies before and behind them is not one range, and nothing stale may go over them.
    assert_eq!(y.read().unwrap()[505], 7.0);
    assert_eq!(
        (down().copies, down().words, down().gap_words),
        (3, n as u64 - 10, 0)
    );
}

#[test]
fn no_gap_takes_words_under_a_guard_along() {
    for guarded in [false, true] {
        let rt = far_away().build().unwrap();
        let n = 1000;
        let x = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
        let mut y = rt.array_from_vec(vec![1.0_f32; n]).unwrap();
        rt.launch(axpy(&x, &mut y)).unwrap().wait().unwrap();
        let down = || rt.report().moved(GPU.memory(), MemoryId::HOST);
        // The middle is at home and on the GPU: it could travel along, unless somebody reads it.
        let guard = y.read_range(400..500).unwrap();
        let guard = Some(guard).filter(|_| guarded);
        let before = down();
        assert_eq!(y.read().unwrap()[999], 2.0);
        let [words, gaps] = [
            down().words - before.words,
            down().gap_words - before.gap_words,
        ];
        assert_eq!([words, gaps], if guarded { [900, 0] } else { [1000, 100] });
        drop(guard);
        rt.trace()
            .verify(Ending::Open)
            .expect("every read saw the last write");
    }
}

#[test]
fn readers_of_all_kinds_at_once_never_meet_in_a_gap() {
    let name = "readers_of_all_kinds_at_once_never_meet_in_a_gap";
    read_all_at_once(&far_away().build().unwrap(), GPU);
    devices::on_each_gpu(name, |_, gpu| {
        let builder = devices::builder().merging(true).trace(true);
        read_all_at_once(&builder.build().unwrap(), gpu);
    });
}

fn read_all_at_once(rt: &Runtime, gpu: DeviceId) {
    let n = 4096_usize;
    let one = rt.array_from_vec(vec![2.0_f32; n]).unwrap();
    let mut x = rt.array_from_vec(vec![0.0_f32; n]).unwrap();
    for round in 1..=40 {
        // On the GPU, but for ranges that the host overwrites with the same.
        let launch = axpy(&one, &mut x).with_policy(Policy::GpuOnly(gpu));
        rt.launch(launch).unwrap();
        for at in [100, 1000, 3000] {
            x.copy_from_slice(at, &vec![round as f32; 100 + round])
                .unwrap();
        }
        let x = &x;
        std::thread::scope(|scope| {
            for policy in [Policy::CpuOnly, Policy::GpuOnly(gpu)] {
                scope.spawn(move || {
                    let mut y = rt.zeros::<f32>(n).unwrap();
                    let launch = axpy(x, &mut y).with_policy(policy);
                    rt.launch(launch).unwrap().wait().unwrap();
                    assert_eq!(*y.read().unwrap(), vec![round as f32 / 2.0; n]);
                });
            }
            for start in [50, 500, 950, 2500] {
                scope.spawn(move || {
                    for step in 0..10 {
                        let range = start + 50 * step..start + 50 * step + 700;
                        let seen = x.read_range(range).unwrap();
                        assert!(seen.iter().all(|value| *value == round as f32));
                    }
                });
            }
        });
    }
    assert_eq!(rt.report().failures(), []);
    rt.trace()
        .verify(Ending::Open)
        .expect("every read saw the last write");
}
