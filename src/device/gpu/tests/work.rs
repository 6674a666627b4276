//! Right results, in the right order, however the work is batched.

use std::time::Duration;

use super::kernels::{COUNT, SPIN, STEP};
use super::on_each_gpu;
use crate::device::gpu::{Argument, Buffer, Discovery, Dispatch, Gpu, Timing, discover};
use crate::lanes::Tile;
use crate::machine::{GpuFeature, Kind};
use crate::region::Span;

const PATIENCE: Duration = Duration::from_secs(20);

fn whole(buffer: &Buffer) -> Span {
    Span {
        lo: 0,
        hi: buffer.words(),
    }
}

fn line(lo: u32, hi: u32) -> Tile {
    Tile {
        lo: [lo, 0, 0],
        hi: [hi, 1, 1],
    }
}

fn filled(gpu: &Gpu, words: &[u32]) -> Buffer {
    let buffer = gpu.allocate(words.len() as u64).expect("room for a test");
    gpu.upload(&buffer, 0, words).expect("an upload");
    buffer
}

fn read(gpu: &Gpu, buffer: &Buffer, span: Span) -> Vec<u32> {
    let mut all = Vec::new();
    gpu.download(buffer, &[span], &mut |_, words| {
        all.extend_from_slice(words);
    })
    .expect("a download");
    all
}

fn step(gpu: &Gpu, factor: u32, x: &Buffer, y: &Buffer, timing: Timing) -> Dispatch {
    let groups = y.words().div_ceil(64) as u32;
    let arguments = [
        Argument::Uniform(&[factor]),
        Argument::Storage {
            buffer: x,
            bound: whole(x),
        },
        Argument::Storage {
            buffer: y,
            bound: whole(y),
        },
    ];
    gpu.dispatch(&STEP, &arguments, [groups, 1, 1], line(0, groups), timing)
        .expect("a dispatch")
}

#[test]
fn what_goes_up_comes_home_unchanged() {
    on_each_gpu("what_goes_up_comes_home_unchanged", |gpu| {
        // More than all upload chunks together, and no multiple of anything.
        let words: Vec<u32> = (0..9_000_001_u32)
            .map(|i| i.wrapping_mul(2_654_435_761))
            .collect();
        let buffer = filled(&gpu, &words);
        assert!(read(&gpu, &buffer, whole(&buffer)) == words);
        gpu.upload(&buffer, 3, &[7, 8]).expect("a small upload");
        assert_eq!(
            read(&gpu, &buffer, Span { lo: 2, hi: 6 }),
            [words[2], 7, 8, words[5]]
        );
    });
}

#[test]
fn however_much_is_copied_the_same_few_staging_buffers_carry_it() {
    let name = "however_much_is_copied_the_same_few_staging_buffers_carry_it";
    on_each_gpu(name, |gpu| {
        let words = vec![7_u32; 10 << 20];
        let buffer = filled(&gpu, &words);
        assert!(read(&gpu, &buffer, whole(&buffer)) == words);
        let carried = [gpu.chunks.bytes(), gpu.staging.bytes()];
        // Two pieces under way, and what came home when the device was opened.
        assert!(
            carried[0] <= 32 << 20 && carried[1] < 9 << 20,
            "{carried:?}"
        );
        for _ in 0..2 {
            gpu.upload(&buffer, 0, &words).expect("an upload");
            assert!(read(&gpu, &buffer, whole(&buffer)) == words);
        }
        let [up, down] = [gpu.chunks.bytes(), gpu.staging.bytes()];
        assert!(up <= 32 << 20, "{up}");
        assert_eq!(down, carried[1]);
    });
}

#[test]
fn spans_come_home_one_by_one_in_the_order_asked() {
    on_each_gpu("spans_come_home_one_by_one_in_the_order_asked", |gpu| {
        let words: Vec<u32> = (0..1000).collect();
        let buffer = filled(&gpu, &words);
        let spans = [
            Span { lo: 900, hi: 903 },
            Span { lo: 5, hi: 5 },
            Span { lo: 1, hi: 2 },
            Span { lo: 10, hi: 15 },
        ];
        let download = gpu
            .begin_download(&buffer, &spans)
            .expect("a download begins");
        let mut got = Vec::new();
        gpu.finish_download(download, PATIENCE, &mut |span, words| {
            got.push((span, words.to_vec()));
        })
        .expect("it ends");
        let wanted = [
            (spans[0], vec![900, 901, 902]),
            (spans[2], vec![1]),
            (spans[3], vec![10, 11, 12, 13, 14]),
        ];
        assert_eq!(got, wanted);
    });
}

#[test]
fn new_memory_is_zero_and_fills_cover_exactly_their_span() {
    on_each_gpu(
        "new_memory_is_zero_and_fills_cover_exactly_their_span",
        |gpu| {
            let buffer = gpu.allocate(1009).expect("room");
            assert_eq!(read(&gpu, &buffer, whole(&buffer)), [0; 1009]);
            gpu.fill(&buffer, Span { lo: 5, hi: 1001 }, 0xffff_fff0)
                .expect("a fill");
            gpu.fill(&buffer, Span { lo: 77, hi: 79 }, 0)
                .expect("a clear");
            gpu.fill(&buffer, Span { lo: 78, hi: 78 }, 9)
                .expect("nothing to fill");
            let got = read(&gpu, &buffer, whole(&buffer));
            for (i, word) in got.into_iter().enumerate() {
                let wanted = if (5..1001).contains(&i) && !(77..79).contains(&i) {
                    0xffff_fff0
                } else {
                    0
                };
                assert_eq!(word, wanted, "word {i}");
            }
        },
    );
}

#[test]
fn a_thousand_chained_dispatches_run_in_order() {
    on_each_gpu("a_thousand_chained_dispatches_run_in_order", |gpu| {
        let x: Vec<u32> = (0..1000).collect();
        let mut wanted: Vec<u32> = x.iter().map(|i| i ^ 5).collect();
        let (x_there, y_there) = (filled(&gpu, &x), filled(&gpu, &wanted));
        for round in 0..1000 {
            let factor = round % 7 + 1;
            step(&gpu, factor, &x_there, &y_there, Timing::Off);
            for (y, x) in wanted.iter_mut().zip(&x) {
                *y = y.wrapping_mul(factor).wrapping_add(*x);
            }
            if round % 100 == 50 {
                // A copy between dispatches takes its place among them.
                gpu.upload(&y_there, 10, &[round]).expect("an upload");
                wanted[10] = round;
            }
        }
        assert!(read(&gpu, &y_there, whole(&y_there)) == wanted);
    });
}

#[test]
fn every_workgroup_beyond_65535_runs_once() {
    on_each_gpu("every_workgroup_beyond_65535_runs_once", |gpu| {
        let groups = 3 * 65_535 + 17_u32;
        let seen = gpu.allocate(u64::from(groups) + 1).expect("room");
        let arguments = [Argument::Storage {
            buffer: &seen,
            bound: whole(&seen),
        }];
        // Two parts of one launch, as the planner makes them.
        for tile in [line(0, 70_000), line(70_000, groups)] {
            gpu.dispatch(&COUNT, &arguments, [groups, 1, 1], tile, Timing::Off)
                .expect("a part");
        }
        let got = read(&gpu, &seen, whole(&seen));
        assert!(got[..groups as usize].iter().all(|count| *count == 64));
        assert_eq!(
            got[groups as usize], groups,
            "num_workgroups is the whole launch's"
        );
    });
}

#[test]
fn tickets_tell_when_work_is_done() {
    on_each_gpu("tickets_tell_when_work_is_done", |gpu| {
        let (x, y) = (filled(&gpu, &[1; 64]), filled(&gpu, &[2; 64]));
        let dispatch = step(&gpu, 3, &x, &y, Timing::Measured);
        gpu.wait(&dispatch.ticket, PATIENCE).expect("it ends");
        assert!(gpu.is_done(&dispatch.ticket).expect("still well"));
        if gpu.about().has(GpuFeature::Timestamps) {
            let elapsed_ns = dispatch.elapsed_ns().expect("a time");
            assert!(
                elapsed_ns < 10_000_000_000,
                "{elapsed_ns} ns for one workgroup"
            );
        }
        let idle = gpu.flush().expect("nothing to submit");
        gpu.wait(&idle, PATIENCE).expect("nothing to wait for");
        assert_eq!(read(&gpu, &y, Span { lo: 63, hi: 64 }), [7]);
    });
}

#[test]
fn a_lent_device_works_as_an_own_one() {
    on_each_gpu("a_lent_device_works_as_an_own_one", |own| {
        let lent =
            Gpu::adopt(own.device.clone(), own.queue.clone()).expect("a device in good health");
        assert_eq!(lent.about().name, own.about().name);
        let (x, y) = (filled(&lent, &[1; 100]), filled(&lent, &[2; 100]));
        step(&lent, 3, &x, &y, Timing::Off);
        assert_eq!(read(&lent, &y, whole(&y)), [7; 100]);
    });
}

#[test]
fn software_adapters_are_found_only_on_request() {
    let all = discover(Discovery { software: true });
    let real = discover(Discovery { software: false });
    assert!(
        real.iter()
            .all(|candidate| candidate.about.kind != Kind::Software)
    );
    let software = all
        .iter()
        .filter(|candidate| candidate.about.kind == Kind::Software)
        .count();
    assert_eq!(all.len(), real.len() + software);
}

#[test]
fn a_device_is_measured_soon_and_believably() {
    on_each_gpu("a_device_is_measured_soon_and_believably", |gpu| {
        let start = std::time::Instant::now();
        let limits = gpu.measure().expect("figures");
        let elapsed = start.elapsed();
        limits.check().expect("believable figures");
        println!("{}: {limits}, in {elapsed:?}", gpu.about().name);
        assert_eq!(gpu.used_bytes(), 0, "nothing stays allocated");
        // Tests share their cores with each other: far more than a quiet machine needs.
        assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
    });
}

#[test]
fn two_parts_of_one_buffer_can_be_read_and_written_at_once() {
    on_each_gpu(
        "two_parts_of_one_buffer_can_be_read_and_written_at_once",
        |gpu| {
            let words: Vec<u32> = (0..512).collect();
            let both = filled(&gpu, &words);
            let part = |lo, hi| Argument::Storage {
                buffer: &both,
                bound: Span { lo, hi },
            };
            let arguments = [Argument::Uniform(&[10]), part(0, 256), part(256, 512)];
            gpu.dispatch(&STEP, &arguments, [4, 1, 1], line(0, 4), Timing::Off)
                .expect("a dispatch");
            let got = read(&gpu, &both, whole(&both));
            let wanted: Vec<u32> = (0..256)
                .chain((0..256).map(|i| (256 + i) * 10 + i))
                .collect();
            assert_eq!(got, wanted);
        },
    );
}

#[test]
fn threads_share_a_device_and_their_results_stay_apart() {
    on_each_gpu(
        "threads_share_a_device_and_their_results_stay_apart",
        |gpu| {
            let gpu = &gpu;
            std::thread::scope(|scope| {
                for seed in 1..=4_u32 {
                    scope.spawn(move || {
                        for round in 0..20 {
                            let (x, y) = (filled(gpu, &[seed; 777]), filled(gpu, &[round; 777]));
                            let dispatch = step(gpu, seed, &x, &y, Timing::Measured);
                            step(gpu, 1, &x, &y, Timing::Off);
                            gpu.wait(&dispatch.ticket, PATIENCE).expect("it ends");
                            assert_eq!(read(gpu, &y, whole(&y)), [round * seed + 2 * seed; 777]);
                        }
                    });
                }
            });
            assert_eq!(gpu.used_bytes(), 0);
        },
    );
}

#[test]
fn a_cap_on_loops_is_known_where_there_is_one() {
    on_each_gpu("a_cap_on_loops_is_known_where_there_is_one", |gpu| {
        let rounds = 200_000_u32;
        let y = filled(&gpu, &[1]);
        let arguments = [
            Argument::Uniform(&[rounds]),
            Argument::Storage {
                buffer: &y,
                bound: whole(&y),
            },
        ];
        gpu.dispatch(&SPIN, &arguments, [1; 3], line(0, 1), Timing::Off)
            .expect("a dispatch");
        let spun = |rounds| {
            (0..rounds).fold(1_u32, |x, _| {
                (x ^ (x >> 3))
                    .wrapping_mul(1_664_525)
                    .wrapping_add(1_013_904_223)
            })
        };
        let done = gpu
            .loop_rounds_max()
            .map_or(rounds, |most| most.min(rounds));
        assert_eq!(
            read(&gpu, &y, whole(&y)),
            [spun(done)],
            "after {done} rounds"
        );
        assert!(gpu.loop_rounds_max().is_none() || gpu.about().kind == Kind::Software);
    });
}
