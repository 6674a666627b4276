//! Every failure is a value, comes soon, and leaves the device usable where it can.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::kernels::{BROKEN, MISBOUND, SPIN, STEP};
use super::on_each_gpu;
use crate::device::accelerator::{self, Accelerator, Engine, Patience};
use crate::device::gpu::{Argument, Buffer, DeviceError, Gpu, Ticket, Timing};
use crate::kernel::Kernel;
use crate::lanes::Tile;
use crate::region::Span;

const PATIENCE: Duration = Duration::from_secs(20);
const ONE: Tile = Tile {
    lo: [0; 3],
    hi: [1; 3],
};

fn whole(buffer: &Buffer) -> Span {
    Span {
        lo: 0,
        hi: buffer.words(),
    }
}

fn launch(
    gpu: &Gpu,
    kernel: &'static Kernel,
    arguments: &[Argument<'_>],
) -> Result<(), DeviceError> {
    let dispatch = gpu.dispatch(kernel, arguments, [1; 3], ONE, Timing::Off)?;
    gpu.wait(&dispatch.ticket, PATIENCE)
}

fn good_launch(gpu: &Gpu, buffers: &[Buffer; 2]) -> Result<(), DeviceError> {
    let [x, y] = buffers;
    let arguments = [
        Argument::Uniform(&[2]),
        Argument::Storage {
            buffer: x,
            bound: whole(x),
        },
        Argument::Storage {
            buffer: y,
            bound: whole(y),
        },
    ];
    launch(gpu, &STEP, &arguments)
}

fn two_buffers(gpu: &Gpu) -> [Buffer; 2] {
    [64, 64].map(|words| gpu.allocate(words).expect("room"))
}

#[test]
fn a_tiny_budget_is_out_of_memory_and_freed_memory_is_room() {
    on_each_gpu(
        "a_tiny_budget_is_out_of_memory_and_freed_memory_is_room",
        |gpu| {
            gpu.set_memory_budget(1000);
            let held = gpu.allocate(200).expect("within the budget");
            let error = gpu.allocate(51).expect_err("1004 bytes are too many");
            assert!(
                matches!(
                    error,
                    DeviceError::OutOfMemory {
                        wanted_bytes: 204,
                        used_bytes: 800,
                        budget_bytes: 1000,
                        ..
                    }
                ),
                "{error}"
            );
            drop(held);
            assert_eq!(gpu.used_bytes(), 0);
            let buffers = two_buffers(&gpu);
            good_launch(&gpu, &buffers).expect("the device is well");
        },
    );
}

#[test]
fn a_buffer_beyond_the_device_is_refused_as_a_value() {
    on_each_gpu("a_buffer_beyond_the_device_is_refused_as_a_value", |gpu| {
        let words = gpu.about().limits.buffer_words_max();
        assert!(matches!(
            gpu.allocate(words + 1),
            Err(DeviceError::Limit { .. })
        ));
        let buffers = two_buffers(&gpu);
        good_launch(&gpu, &buffers).expect("the device is well");
    });
}

#[test]
fn invalid_modules_are_validation_errors_and_harm_nothing_else() {
    on_each_gpu(
        "invalid_modules_are_validation_errors_and_harm_nothing_else",
        |gpu| {
            let buffers = two_buffers(&gpu);
            let argument = [Argument::Storage {
                buffer: &buffers[0],
                bound: whole(&buffers[0]),
            }];
            for kernel in [&BROKEN, &MISBOUND] {
                let error = launch(&gpu, kernel, &argument).expect_err("an invalid module");
                assert!(
                    matches!(&error, DeviceError::Validation { what, .. } if what.contains(kernel.name)),
                    "{error}"
                );
            }
            good_launch(&gpu, &buffers).expect("the device is well");
        },
    );
}

#[test]
fn arguments_that_do_not_fit_are_refused_before_the_batch() {
    on_each_gpu(
        "arguments_that_do_not_fit_are_refused_before_the_batch",
        |gpu| {
            let buffers = two_buffers(&gpu);
            let [x, y] = &buffers;
            let storage = |buffer, lo, hi| Argument::Storage {
                buffer,
                bound: Span { lo, hi },
            };
            let wrong: [&[Argument<'_>]; 5] = [
                &[Argument::Uniform(&[2]), storage(x, 0, 64)],
                &[storage(x, 0, 64), storage(x, 0, 64), storage(y, 0, 64)],
                &[
                    Argument::Uniform(&[2]),
                    storage(x, 0, 65),
                    storage(y, 0, 64),
                ],
                &[Argument::Uniform(&[2]), storage(x, 3, 3), storage(y, 0, 64)],
                &[
                    Argument::Uniform(&[2; 9]),
                    storage(x, 0, 64),
                    storage(y, 0, 64),
                ],
            ];
            for arguments in wrong {
                let outcome = gpu.dispatch(&STEP, arguments, [1; 3], ONE, Timing::Off);
                assert!(
                    matches!(outcome, Err(DeviceError::Validation { .. })),
                    "{outcome:?}"
                );
            }
            let beyond = gpu.upload(x, 60, &[0; 5]);
            assert!(
                matches!(beyond, Err(DeviceError::Validation { .. })),
                "{beyond:?}"
            );
            good_launch(&gpu, &buffers).expect("the device is well");
        },
    );
}

#[test]
fn an_empty_dispatch_is_refused() {
    on_each_gpu("an_empty_dispatch_is_refused", |gpu| {
        let [x, y] = &two_buffers(&gpu);
        let arguments = [
            Argument::Uniform(&[2]),
            Argument::Storage {
                buffer: x,
                bound: whole(x),
            },
            Argument::Storage {
                buffer: y,
                bound: whole(y),
            },
        ];
        let empty = Tile {
            lo: [3, 0, 0],
            hi: [3, 1, 1],
        };
        let outcome = gpu.dispatch(&STEP, &arguments, [4, 1, 1], empty, Timing::Off);
        assert!(
            matches!(outcome, Err(DeviceError::Limit { wanted: 0, .. })),
            "{outcome:?}"
        );
    });
}

#[test]
fn everything_after_a_loss_says_so_and_nothing_hangs() {
    on_each_gpu("everything_after_a_loss_says_so_and_nothing_hangs", |gpu| {
        let start = Instant::now();
        let buffers = two_buffers(&gpu);
        let [x, y] = &buffers;
        gpu.upload(x, 0, &[1; 64]).expect("an upload");
        let arguments = [
            Argument::Uniform(&[2]),
            Argument::Storage {
                buffer: x,
                bound: whole(x),
            },
            Argument::Storage {
                buffer: y,
                bound: whole(y),
            },
        ];
        let recorded = gpu
            .dispatch(&STEP, &arguments, [1; 3], ONE, Timing::Measured)
            .expect("a dispatch");
        let begun = gpu
            .begin_download(y, &[whole(y)])
            .expect("a download begins");
        assert_eq!(gpu.is_lost(), None);
        gpu.destroy();
        assert!(gpu.is_lost().is_some());
        let lost = |outcome: Result<(), DeviceError>| {
            assert!(
                matches!(outcome, Err(DeviceError::Lost { .. })),
                "{outcome:?}"
            );
        };
        lost(gpu.allocate(1).map(drop));
        lost(gpu.upload(x, 0, &[1]));
        lost(gpu.fill(x, whole(x), 1));
        lost(good_launch(&gpu, &buffers));
        lost(gpu.flush().map(drop));
        lost(gpu.download(y, &[whole(y)], &mut |_, _| {}));
        // What was under way ends one way or the other.
        let outcome = gpu.wait(&recorded.ticket, PATIENCE);
        assert!(
            matches!(outcome, Ok(()) | Err(DeviceError::Lost { .. })),
            "{outcome:?}"
        );
        let outcome = gpu.finish_download(begun, PATIENCE, &mut |_, _| {});
        assert!(
            matches!(outcome, Ok(()) | Err(DeviceError::Lost { .. })),
            "{outcome:?}"
        );
        drop(buffers);
        drop(gpu);
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    });
}

#[test]
fn the_loss_of_a_lent_device_is_noticed() {
    on_each_gpu("the_loss_of_a_lent_device_is_noticed", |own| {
        let lent =
            Gpu::adopt(own.device.clone(), own.queue.clone()).expect("a device in good health");
        let buffers = two_buffers(&lent);
        good_launch(&lent, &buffers).expect("the device is well");
        own.device.destroy();
        let outcome = good_launch(&lent, &buffers);
        assert!(
            matches!(outcome, Err(DeviceError::Lost { .. })),
            "{outcome:?}"
        );
        assert!(lent.is_lost().is_some());
    });
}

/// A dispatch that takes some tenths of a second, in loops that no device cuts short.
fn long_dispatch(gpu: &Gpu, y: &Buffer) -> Ticket {
    let groups = 60;
    let tile = Tile {
        lo: [0; 3],
        hi: [groups, 1, 1],
    };
    let arguments = [
        Argument::Uniform(&[30_000]),
        Argument::Storage {
            buffer: y,
            bound: whole(y),
        },
    ];
    gpu.dispatch(&SPIN, &arguments, [groups, 1, 1], tile, Timing::Off)
        .expect("a dispatch")
        .ticket
}

#[test]
fn a_wait_ends_when_patience_does_and_the_work_goes_on() {
    on_each_gpu(
        "a_wait_ends_when_patience_does_and_the_work_goes_on",
        |gpu| {
            let [_, y] = &two_buffers(&gpu);
            let ticket = long_dispatch(&gpu, y);
            let outcome = gpu.wait(&ticket, Duration::from_millis(2));
            assert!(
                matches!(outcome, Err(DeviceError::TimedOut { .. })),
                "{outcome:?}"
            );
            gpu.wait(&ticket, PATIENCE).expect("it goes on meanwhile");
        },
    );
}

#[test]
fn many_short_waits_in_vain_give_a_device_up() {
    on_each_gpu("many_short_waits_in_vain_give_a_device_up", |gpu| {
        let [_, y] = &two_buffers(&gpu);
        let ticket = accelerator::Ticket::Driven(long_dispatch(&gpu, y));
        let mut device = Accelerator::new(Engine::Driven(Arc::new(gpu)));
        device.set_patience(Patience {
            least: Duration::from_millis(20),
            times: 0.0,
        });
        let start = Instant::now();
        while !device.wait_within(&ticket, Duration::from_millis(1)) {
            assert!(start.elapsed() < PATIENCE, "for ever");
        }
        let reason = device.is_lost().expect("it did not end in time");
        assert!(reason.contains("did not end within"), "{reason}");
        let outcome = device.allocate(1).map(drop);
        assert!(matches!(outcome, Err(DeviceError::Lost { .. })));
    });
}

#[test]
fn memory_comes_and_goes_while_another_thread_waits() {
    on_each_gpu("memory_comes_and_goes_while_another_thread_waits", |gpu| {
        let gpu = &gpu;
        let [_, y] = &two_buffers(gpu);
        let ticket = &long_dispatch(gpu, y);
        gpu.flush().expect("it starts");
        std::thread::scope(|scope| {
            let waiter = scope.spawn(move || gpu.wait(ticket, PATIENCE));
            let mut rounds = 0;
            while !gpu.is_done(ticket).expect("the device is well") {
                drop(gpu.allocate(1 << 10).expect("room"));
                rounds += 1;
            }
            assert!(
                rounds >= 3,
                "only {rounds} allocations beside a long dispatch"
            );
            waiter.join().expect("no panic").expect("it ends");
        });
    });
}

#[test]
fn a_loss_ends_the_waits_of_other_threads() {
    on_each_gpu("a_loss_ends_the_waits_of_other_threads", |gpu| {
        let gpu = &gpu;
        let start = Instant::now();
        std::thread::scope(|scope| {
            let buffers = two_buffers(gpu);
            let worker = scope.spawn(move || {
                loop {
                    if let Err(error) = good_launch(gpu, &buffers) {
                        return error;
                    }
                }
            });
            std::thread::sleep(Duration::from_millis(20));
            gpu.destroy();
            let error = worker.join().expect("no panic");
            assert!(matches!(error, DeviceError::Lost { .. }), "{error}");
        });
        assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    });
}
