//! Is everything that can go wrong an error with words, never a panic, and does it spoil no more than it must?

// All numbers here are exact in f32, whatever computes them.
#![allow(clippy::float_cmp)]

mod devices;

use std::process::Command;

use impel::kernel::Kernel;
use impel::lanes::Level;
use impel::launch::WordArgument;
use impel::{Array, ArrayError, DeviceId, LaunchError, Policy, Runtime, RuntimeError};
use impel_kernels::histogram::{histogram, wgsl as bins_of};
use impel_kernels::jacobi::wgsl as jacobi;
use impel_kernels::saxpy::wgsl as saxpy;

const ALPHA: f32 = 0.5;

fn axpy<'a>(x: &'a Array<f32>, y: &'a mut Array<f32>) -> impel::Launch<'a> {
    let n = y.len() as u32;
    let params = saxpy::Params { alpha: ALPHA, n };
    saxpy::saxpy { params, x, y }.over(n)
}

fn pair(rt: &Runtime, n: usize) -> (Array<f32>, Array<f32>) {
    let x = rt.array_from_vec(vec![2.0; n]).unwrap();
    (x, rt.array_from_vec(vec![1.0; n]).unwrap())
}

#[test]
fn demanding_a_gpu_where_there_is_none_says_so() {
    let error = devices::builder().gpus(false).require_gpu().build();
    let error = error.expect_err("no GPU was looked for");
    assert!(matches!(error, RuntimeError::NoGpu { .. }), "{error}");
    assert!(error.to_string().contains("no GPU was found"), "{error}");
}

#[test]
fn demanding_instructions_that_the_cpu_lacks_says_which_it_has() {
    for level in Level::ALL {
        let built = devices::builder().gpus(false).isa(level).build();
        match built {
            Ok(rt) => {
                assert!(level.is_available());
                assert_eq!(rt.machine().cpu.level, level);
            }
            Err(RuntimeError::Isa { asked, available }) => {
                assert!(!level.is_available());
                assert_eq!(asked, level.to_string());
                assert!(available.contains("scalar"), "{available}");
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// Set in child processes, which inherit a broken environment.
const CHILD: &str = "IMPEL_TEST_CHILD";

#[test]
fn invalid_environment_variables_are_named_with_what_they_may_hold() {
    let name = "invalid_environment_variables_are_named_with_what_they_may_hold";
    if std::env::var_os(CHILD).is_some() {
        match Runtime::builder().without_cache().build() {
            Ok(rt) => println!(
                "level {}, {} threads",
                rt.machine().cpu.level,
                rt.machine().cpu.threads
            ),
            Err(error) => println!("refused: {error}"),
        }
        return;
    }
    let child = |variable: &str, value: &str| {
        let exe = std::env::current_exe().expect("the test knows where it is");
        let output = Command::new(exe)
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .env(variable, value)
            .output()
            .expect("the child starts");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    for (variable, value, expected) in [
        ("IMPEL_ISA", "sse9", "`scalar`, `avx2` or `avx512`"),
        ("IMPEL_THREADS", "0", "a number of CPU workers, at least 1"),
        (
            "IMPEL_THREADS",
            "many",
            "a number of CPU workers, at least 1",
        ),
        ("IMPEL_SOFTWARE_GPU", "maybe", "`0` or `1`"),
    ] {
        let told = child(variable, value);
        let wanted = format!(
            "refused: the environment variable {variable} is `{value}`, but must be {expected}"
        );
        assert!(told.contains(&wanted), "{told}");
    }
    assert!(child("IMPEL_ISA", "scalar").contains("level scalar"));
    assert!(child("IMPEL_THREADS", "3").contains(", 3 threads"));
    // An empty variable is as good as none.
    assert!(child("IMPEL_THREADS", "").contains("level "));
}

#[test]
fn an_array_of_another_runtime_is_refused_by_name() {
    let (own, other) = (devices::cpu_only(), devices::cpu_only());
    let (x, _) = pair(&other, 10);
    let (_, mut y) = pair(&own, 10);
    let error = own.launch(axpy(&x, &mut y)).expect_err("x is foreign");
    assert!(
        matches!(
            error,
            LaunchError::ForeignArray {
                kernel: "saxpy",
                binding: "x"
            }
        ),
        "{error}"
    );
    assert_eq!(*y.read().unwrap(), [1.0; 10], "nothing was launched");
}

#[test]
fn an_array_shorter_than_its_wgsl_type_is_refused() {
    let rt = devices::cpu_only();
    let data = rt.zeros::<u32>(10).unwrap();
    let mut bins = rt.zeros::<u32>(255).unwrap();
    let params = bins_of::Params { n: 10, shift: 0 };
    let launch = bins_of::histogram {
        params,
        data: &data,
        bins: &mut bins,
    };
    let error = rt.launch(launch.workgroups(1)).expect_err("255 bins");
    let told = matches!(
        error,
        LaunchError::TooShort {
            binding: "bins",
            needed_words: 256,
            words: 255,
            ..
        }
    );
    assert!(told, "{error}");

    let empty = rt.zeros::<f32>(0).unwrap();
    let (_, mut y) = pair(&rt, 10);
    let error = rt.launch(axpy(&empty, &mut y)).expect_err("no x");
    let told = matches!(
        error,
        LaunchError::TooShort {
            binding: "x",
            needed_words: 1,
            words: 0,
            ..
        }
    );
    assert!(told, "{error}");
}

#[test]
fn grids_of_nothing_and_beyond_32_bits_are_refused() {
    let rt = devices::cpu_only();
    let (x, mut y) = pair(&rt, 10);
    let params = saxpy::Params {
        alpha: ALPHA,
        n: 10,
    };
    for grid in [[0_u32, 1, 1], [1, 0, 1], [1, 1, 0], [0; 3]] {
        let launch = saxpy::saxpy {
            params,
            x: &x,
            y: &mut y,
        };
        let error = rt
            .launch(launch.workgroups(grid))
            .expect_err("no workgroups");
        assert!(
            matches!(
                error,
                LaunchError::EmptyGrid {
                    kernel: "saxpy",
                    ..
                }
            ),
            "{error}"
        );
    }
    let launch = saxpy::saxpy {
        params,
        x: &x,
        y: &mut y,
    };
    let error = rt.launch(launch.over(0_u32)).expect_err("no invocations");
    assert!(matches!(error, LaunchError::EmptyGrid { .. }), "{error}");
    let launch = saxpy::saxpy {
        params,
        x: &x,
        y: &mut y,
    };
    let error = rt
        .launch(launch.workgroups(1_u32 << 26))
        .expect_err("2^32 invocations");
    let told = matches!(
        error,
        LaunchError::GridTooLarge {
            axis: 'x',
            invocations: 0x1_0000_0000,
            ..
        }
    );
    assert!(told, "{error}");
    let launch = saxpy::saxpy {
        params,
        x: &x,
        y: &mut y,
    };
    let error = rt
        .launch(launch.workgroups([1, usize::MAX]))
        .expect_err("too many");
    assert!(
        matches!(error, LaunchError::GridTooLarge { axis: 'y', .. }),
        "{error}"
    );
    assert_eq!(*y.read().unwrap(), [1.0; 10], "nothing was launched");
}

#[test]
fn arrays_beyond_32_bits_and_ranges_beyond_arrays_are_refused() {
    let rt = devices::cpu_only();
    let error = rt.zeros::<u32>(1 << 31).expect_err("8 GiB");
    assert!(matches!(error, ArrayError::TooLarge { .. }), "{error}");
    let error = rt
        .zeros::<[f32; 4]>(usize::MAX)
        .expect_err("more than all memory");
    assert!(matches!(error, ArrayError::TooLarge { .. }), "{error}");
    let (mut x, _) = pair(&rt, 10);
    let inverted = std::ops::Range { start: 7, end: 3 };
    assert!(matches!(
        x.read_range(3..11),
        Err(ArrayError::Range {
            start: 3,
            end: 11,
            len: 10
        })
    ));
    assert!(matches!(
        x.read_range(inverted),
        Err(ArrayError::Range { .. })
    ));
    assert!(matches!(
        x.read_range(..=usize::MAX),
        Err(ArrayError::Range { .. })
    ));
    assert!(matches!(
        x.copy_from_slice(9, &[0.0; 2]),
        Err(ArrayError::Range { .. })
    ));
    assert!(matches!(x.split_at_mut(11), Err(ArrayError::Range { .. })));
    assert!(
        x.read_range(10..10)
            .expect("nothing is in range")
            .is_empty()
    );
}

#[test]
fn a_policy_that_names_a_device_which_is_not_there_is_refused() {
    let rt = devices::cpu_only();
    let (x, mut y) = pair(&rt, 10);
    let nowhere = DeviceId(9);
    for policy in [
        Policy::GpuOnly(nowhere),
        Policy::Split(vec![(DeviceId::CPU, 0.5), (nowhere, 0.5)]),
    ] {
        let launch = axpy(&x, &mut y).with_policy(policy);
        let error = rt.launch(launch).expect_err("there is no GPU 9");
        assert!(matches!(error, LaunchError::Policy { .. }), "{error}");
        assert!(error.to_string().contains("GPU 9"), "{error}");
    }
}

#[test]
fn fractions_that_make_no_sense_are_the_launchs_error() {
    let name = "fractions_that_make_no_sense_are_the_launchs_error";
    devices::on_each_gpu(name, |rt, gpu| {
        for fractions in [
            vec![(DeviceId::CPU, -1.0), (gpu, 1.0)],
            vec![(gpu, 0.0)],
            vec![(gpu, f64::NAN), (DeviceId::CPU, 1.0)],
            vec![(gpu, 1.0), (gpu, 1.0)],
        ] {
            let (x, mut y) = pair(rt, 10);
            let launch = axpy(&x, &mut y).with_policy(Policy::Split(fractions));
            let outcome = rt.launch(launch).map(impel::Pending::wait);
            let refused = match &outcome {
                Err(error) => matches!(error, LaunchError::Policy { .. }),
                Ok(Err(error)) => matches!(**error, LaunchError::Policy { .. }),
                Ok(Ok(())) => false,
            };
            assert!(refused, "{outcome:?}");
        }
    });
}

/// A launch that its GPU, which is lost, cannot carry out.
fn fail(rt: &Runtime, gpu: DeviceId, x: &Array<f32>, y: &mut Array<f32>) {
    let pending = rt.launch(axpy(x, y).with_policy(Policy::GpuOnly(gpu)));
    let error = pending
        .expect("it is queued")
        .wait()
        .expect_err("the GPU is lost");
    assert!(
        matches!(
            *error,
            LaunchError::Policy { .. } | LaunchError::Device { .. }
        ),
        "{error}"
    );
}

#[test]
fn a_failed_launch_marks_its_arrays_until_they_are_overwritten() {
    let name = "a_failed_launch_marks_its_arrays_until_they_are_overwritten";
    devices::on_each_gpu(name, |rt, gpu| {
        rt.lose_gpu(gpu);
        let (x, mut y) = pair(rt, 96);
        fail(rt, gpu, &x, &mut y);
        let error = y.read().expect_err("it was not written");
        assert!(
            matches!(error, ArrayError::Failed { lo: 0, hi: 96, .. }),
            "{error}"
        );
        assert!(
            error.to_string().contains("saxpy"),
            "the reason is told: {error}"
        );
        assert!(matches!(y.write(), Err(ArrayError::Failed { .. })));
        assert_eq!(x.read().expect("it was only read").len(), 96);

        // What would read it fails too, and says why.
        let (_, mut z) = pair(rt, 96);
        let pending = rt.launch(axpy(&y, &mut z).with_policy(Policy::CpuOnly));
        let error = pending.unwrap().wait().expect_err("y is marked");
        assert!(
            matches!(*error, LaunchError::Argument { binding: "x", .. }),
            "{error}"
        );
        assert!(matches!(z.into_vec(), Err(ArrayError::Failed { .. })));

        // What the host overwrites is good again, and the rest is not.
        y.copy_from_slice(0, &[5.0; 32]).unwrap();
        assert_eq!(*y.read_range(..32).unwrap(), [5.0; 32]);
        assert!(matches!(
            y.read_range(..33),
            Err(ArrayError::Failed { lo: 32, hi: 96, .. })
        ));

        // As is what a launch overwrites without reading it.
        let params = jacobi::Params {
            width: 8,
            height: 12,
            relaxation: 1.0,
        };
        let sweep = jacobi::jacobi {
            params,
            src: &x,
            dst: &mut y,
        };
        rt.launch(sweep.over([8_u32, 12]).with_policy(Policy::CpuOnly))
            .unwrap();
        assert_eq!(*y.read().unwrap(), [2.0; 96]);
    });
}

#[test]
fn a_lost_gpu_takes_with_it_only_what_it_alone_held() {
    let name = "a_lost_gpu_takes_with_it_only_what_it_alone_held";
    devices::on_each_gpu(name, |rt, gpu| {
        let (x, mut y) = pair(rt, 100);
        rt.launch(axpy(&x, &mut y).with_policy(Policy::GpuOnly(gpu)))
            .unwrap();
        assert_eq!(*y.read_range(10..20).unwrap(), [2.0; 10]);
        rt.lose_gpu(gpu);
        assert_eq!(*y.read_range(10..20).unwrap(), [2.0; 10], "it is at home");
        let error = y.read_range(0..20).expect_err("the rest is gone");
        assert!(
            matches!(&error, ArrayError::Lost { words, .. } if words.contains("0..10")),
            "{error}"
        );
        assert!(
            error.to_string().contains(&devices::name(rt, gpu)),
            "{error}"
        );
        assert_eq!(*x.read().unwrap(), [2.0; 100], "main memory has it too");

        // Written anew, it is good, and launches go on without the GPU.
        y.copy_from_slice(0, &[1.0; 100]).unwrap();
        rt.launch(axpy(&x, &mut y))
            .unwrap()
            .wait()
            .expect("the others do it");
        assert_eq!(*y.read().unwrap(), [2.0; 100]);
        let (x, mut y) = pair(rt, 100);
        fail(rt, gpu, &x, &mut y);
    });
}

#[test]
fn a_gpu_lost_among_launches_costs_no_panic_and_no_wrong_number() {
    let name = "a_gpu_lost_among_launches_costs_no_panic_and_no_wrong_number";
    for wait in [0, 1, 3, 10] {
        devices::on_each_gpu(name, |rt, gpu| {
            let (x, mut y) = pair(rt, 65_537);
            let shares = Policy::Split(vec![(DeviceId::CPU, 0.5), (gpu, 0.5)]);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(std::time::Duration::from_millis(wait));
                    rt.lose_gpu(gpu);
                });
                for _ in 0..20 {
                    rt.launch(axpy(&x, &mut y).with_policy(shares.clone()))
                        .unwrap();
                }
            });
            match y.into_vec() {
                Ok(y) => assert!(y.iter().all(|&y| y == 21.0), "{} and {}", y[0], y[65_536]),
                Err(ArrayError::Lost { device, .. }) => assert_eq!(device, devices::name(rt, gpu)),
                Err(ArrayError::Failed { cause, .. }) => {
                    assert!(cause.to_string().contains("saxpy"), "{cause}");
                }
                Err(other) => panic!("{other}"),
            }
        });
    }
}

#[test]
fn a_gpu_without_room_leaves_its_part_to_the_cpu() {
    let name = "a_gpu_without_room_leaves_its_part_to_the_cpu";
    let n = 65_537;
    let rt = devices::builder().gpu_memory(256).build().unwrap();
    let found = devices::gpus(&rt);
    devices::on_each_gpu(name, |_, gpu| {
        assert!(found.contains(&gpu));
        let (x, mut y) = pair(&rt, n);
        let shares = Policy::Split(vec![(DeviceId::CPU, 0.25), (gpu, 0.75)]);
        for _ in 0..3 {
            let pending = rt.launch(axpy(&x, &mut y).with_policy(shares.clone()));
            pending.unwrap().wait().expect("the CPU takes over");
        }
        assert!(y.read().unwrap().iter().all(|&y| y == 4.0));
        assert!(
            rt.report()
                .failures()
                .iter()
                .any(|(device, _)| *device == gpu)
        );
        // What fits is still done there.
        let (x, mut y) = pair(&rt, 16);
        rt.launch(axpy(&x, &mut y).with_policy(Policy::GpuOnly(gpu)))
            .unwrap();
        assert_eq!(*y.read().unwrap(), [2.0; 16]);

        // What must be done there and cannot is an error.
        let (x, mut y) = pair(&rt, n);
        let pending = rt.launch(axpy(&x, &mut y).with_policy(Policy::GpuOnly(gpu)));
        let error = pending.unwrap().wait().expect_err("it has no room");
        assert!(matches!(*error, LaunchError::Device { .. }), "{error}");
    });
}

#[test]
fn combined_results_stay_whole_when_a_gpu_has_no_room() {
    let name = "combined_results_stay_whole_when_a_gpu_has_no_room";
    let rt = devices::builder().gpu_memory(2048).build().unwrap();
    devices::on_each_gpu(name, |_, gpu| {
        let data: Vec<u32> = (0..200_000).collect();
        let data = rt.array_from_vec(data).unwrap();
        let mut bins = rt.array_from_vec(vec![7_u32; 256]).unwrap();
        let params = bins_of::Params {
            n: 200_000,
            shift: 3,
        };
        let launch = bins_of::histogram {
            params,
            data: &data,
            bins: &mut bins,
        };
        let shares = Policy::Split(vec![(DeviceId::CPU, 0.5), (gpu, 0.5)]);
        let pending = rt.launch(launch.workgroups(7).with_policy(shares)).unwrap();
        pending.wait().expect("the CPU takes over");
        let alone = devices::cpu_only();
        let copy = alone.array_from_vec((0..200_000).collect()).unwrap();
        let mut expected = alone.array_from_vec(vec![7_u32; 256]).unwrap();
        histogram(&alone, 3, &copy, &mut expected).unwrap();
        assert_eq!(*bins.read().unwrap(), *expected.read().unwrap());
    });
}

/// A kernel like saxpy, but for a broken part.
fn broken(cpu: impel::kernel::CpuEntry, split: impel::kernel::access::Split) -> &'static Kernel {
    let Kernel {
        bindings,
        access,
        gpu,
        ..
    } = &saxpy::SAXPY_KERNEL;
    Box::leak(Box::new(Kernel {
        name: "broken",
        path: "broken.wgsl",
        fingerprint: 1,
        workgroup_size: [64, 1, 1],
        bindings,
        access: impel::kernel::AccessMap { split, ..*access },
        cpu,
        gpu: *gpu,
    }))
}

/// Launches it, and expects that the launch reports the panic and that nothing waits for it for ever.
fn expect_panic(rt: &Runtime, kernel: &'static Kernel) {
    let x = rt.array_from_vec(vec![0_u32; 640]).unwrap();
    let mut y = rt.array_from_vec(vec![0_u32; 640]).unwrap();
    let parameters = [ALPHA.to_bits(), 640];
    let arguments = [
        WordArgument::Uniform(&parameters),
        WordArgument::Read(&x),
        WordArgument::Write(&mut y),
    ];
    let launch = impel::Launch::of_words(kernel, arguments, [10_u32, 1, 1]).unwrap();
    let error = rt.launch(launch).unwrap().wait().expect_err("it panicked");
    assert!(
        matches!(*error, LaunchError::WorkerPanicked { .. }),
        "{error}"
    );
    assert!(matches!(y.read(), Err(ArrayError::Failed { .. })));
    let (x, mut y) = pair(rt, 100);
    rt.launch(axpy(&x, &mut y)).unwrap();
    assert_eq!(*y.read().unwrap(), [2.0; 100], "others go on");
}

#[test]
fn a_kernel_that_panics_is_the_launchs_error() {
    let split = impel::kernel::access::Split::WhereDisjoint;
    let kernel = broken(|_, _, _| panic!("on purpose"), split);
    expect_panic(&devices::cpu_only(), kernel);
}

#[test]
fn a_panic_while_planning_is_the_launchs_error() {
    let name = "a_panic_while_planning_is_the_launchs_error";
    let nowhere = impel::kernel::access::SiteId(u16::MAX);
    let split = impel::kernel::access::Split::No {
        reason: "on purpose",
        site: nowhere,
    };
    let kernel = broken(saxpy::SAXPY_KERNEL.cpu, split);
    devices::with_gpus(name, 1, |rt, _| expect_panic(&rt, kernel));
}
