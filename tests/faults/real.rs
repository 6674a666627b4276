//! What happens on devices behind a driver? Losing them, starving them, handing them what no driver takes, and work without end.

use std::process::Command;
use std::time::{Duration, Instant};

use impel::kernel::{GpuModule, Kernel};
use impel::{DeviceId, Policy, Runtime};
use impel_kernels::histogram::wgsl as histogram;
use impel_kernels::saxpy::wgsl as saxpy;

use crate::devices;
use crate::outcome::{Gpu, Outcome};
use crate::scenario::{self, Company, LAUNCHES, Program};

/// Something that happens to a GPU behind a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// It is lost before this launch, or before the result is read.
    LostBefore(u32),
    /// It is lost while it runs the first launch.
    LostInside,
    /// It has no room for the arrays.
    NoRoom,
    /// Its driver finds the module invalid.
    Invalid,
    /// A launch does not end in time.
    Hang,
}

/// What happens, in words, and how each [`Company`] ends on every device.
pub(crate) const ROWS: [(Happening, &str, [Outcome; 3]); 7] = {
    const RETIRED: Outcome = Outcome::Right(Gpu::Retired);
    const USED: Outcome = Outcome::Right(Gpu::Used);
    const LOST: Outcome = Outcome::Lost(Gpu::Retired);
    [
        (
            Happening::LostBefore(0),
            "device lost | before the first launch",
            [RETIRED; 3],
        ),
        (
            Happening::LostInside,
            "device lost | while the first launch runs",
            [RETIRED, LOST, RETIRED],
        ),
        (
            Happening::LostBefore(1),
            "device lost | between two launches",
            [LOST; 3],
        ),
        (
            Happening::LostBefore(LAUNCHES),
            "device lost | before the result is read",
            [LOST; 3],
        ),
        (
            Happening::NoRoom,
            "out of memory | at an allocation",
            [USED; 3],
        ),
        (
            Happening::Invalid,
            "validation error | at the first submission",
            [USED; 3],
        ),
        (
            Happening::Hang,
            "never ends | in the first launch",
            [RETIRED, LOST, RETIRED],
        ),
    ]
};

/// Set in child processes, to the number of the company and that of the device.
const CHILD: &str = "IMPEL_TEST_FAULTS_CHILD";

/// How the program ends when this happens to a GPU; none where there is no second GPU that it needs.
fn outcome(happening: Happening, company: Company, victim: DeviceId) -> Option<Outcome> {
    let mut builder = devices::builder();
    let mut program = Program::default();
    match happening {
        Happening::LostBefore(launch) => program.lose_before = Some(launch),
        Happening::LostInside => {
            // Tenths of a second of work, on software.
            program.kernel = with_module(SPIN);
            program.n = 256;
            program.lose_after = Some(Duration::from_millis(20));
        }
        Happening::NoRoom => builder = builder.gpu_memory(256),
        Happening::Invalid => program.kernel = with_module("fn main() { let x = ; }"),
        Happening::Hang => {
            builder = builder.hang_after(Duration::from_secs(1), 0.0);
            program.kernel = with_module(SPIN);
            program.n = 1 << 16;
        }
    }
    let rt = builder.build().expect("a runtime");
    if company == Company::WithGpu && devices::gpus(&rt).len() < 2 {
        return None;
    }
    let outcome = scenario::run(&rt, company, victim, program);
    if happening == Happening::Hang {
        println!("it ended so: {outcome}");
        // The driver still works on what does not end, and closing it would wait.
        std::process::exit(0);
    }
    Some(outcome)
}

/// Saxpy with another module for GPUs.
fn with_module(wgsl: &'static str) -> &'static Kernel {
    let Kernel {
        bindings,
        access,
        cpu,
        gpu,
        ..
    } = &saxpy::SAXPY_KERNEL;
    Box::leak(Box::new(Kernel {
        name: "saxpy",
        path: "saxpy.wgsl",
        fingerprint: wgsl.len() as u64,
        workgroup_size: saxpy::SAXPY_KERNEL.workgroup_size,
        bindings,
        access: impel::kernel::AccessMap { ..*access },
        cpu: *cpu,
        gpu: GpuModule {
            wgsl,
            entry: "main",
            ..*gpu
        },
    }))
}

/// Saxpy after steps in loops that no device cuts short, each invocation many thousand times unless `x` is zero: tenths of a second on
/// software for a thousand elements. The last parameter is padding, which is zero, as no compiler knows.
const SPIN: &str = "
@group(0) @binding(0) var<uniform> params: vec4<u32>;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<uniform> launch: array<vec4<u32>, 3>;
fn step(x: u32) -> u32 { return (x ^ (x >> 3u)) * 1664525u + 1013904223u; }
fn steps(x: u32) -> u32 { return step(step(step(step(step(step(step(step(x)))))))); }
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x + launch[0].x * 64u;
    var v = i + params.x;
    for (var k = 0u; k < min(x[i], 60000u); k++) {
        v = steps(steps(steps(steps(steps(steps(steps(steps(v))))))));
    }
    y[i] = bitcast<u32>(bitcast<f32>(y[i]) + bitcast<f32>(params.x) * bitcast<f32>(x[i])) ^ (v & params.w);
}
";

/// Every row on every device, in every company that it finds.
#[test]
fn devices_behind_drivers_fail_as_the_table_says() {
    let name = "devices_behind_drivers_fail_as_the_table_says";
    devices::on_each_gpu(name, |_, victim| {
        for (happening, what, expected) in ROWS {
            if happening == Happening::Hang {
                continue;
            }
            for (company, expected) in Company::ALL.into_iter().zip(expected) {
                if let Some(outcome) = outcome(happening, company, victim) {
                    assert_eq!(outcome, expected, "{what}, {company:?}, {victim}");
                }
            }
        }
    });
}

/// What GPUs compute differs from what the CPU does by roundings only, where anything is rounded.
#[test]
fn what_is_computed_twice_is_the_same_on_devices_that_are_well() {
    let name = "what_is_computed_twice_is_the_same_on_devices_that_are_well";
    let built = devices::builder().verify_sample(1.0, 1e-6).build();
    let rt = built.expect("a runtime");
    devices::on_each_gpu(name, |_, gpu| {
        for company in [Company::WithCpu, Company::Alone] {
            let outcome = scenario::run(&rt, company, gpu, Program::default());
            assert_eq!(outcome, Outcome::Right(Gpu::Well), "{company:?}, {gpu}");
        }
        let data: Vec<u32> = (0..200_000_u32).map(|i| i.wrapping_mul(40_503)).collect();
        let data = rt.array_from_vec(data).unwrap();
        let mut bins = rt.zeros::<u32>(256).unwrap();
        for shares in [vec![(gpu, 1.0)], vec![(DeviceId::CPU, 0.5), (gpu, 0.5)]] {
            let launch = histogram::histogram {
                params: histogram::Params {
                    n: 200_000,
                    shift: 3,
                },
                data: &data,
                bins: &mut bins,
            };
            let launch = launch.workgroups(7).with_policy(Policy::Split(shares));
            rt.launch(launch).unwrap().wait().unwrap();
        }
        assert_eq!(bins.read().unwrap().iter().sum::<u32>(), 400_000);
        assert_eq!(rt.report().failures(), [], "{gpu}");
    });
}

/// In children: a software GPU cannot be stopped, and whoever closes it waits for it.
#[test]
fn a_dispatch_that_never_ends_is_given_up_in_time() {
    let name = "a_dispatch_that_never_ends_is_given_up_in_time";
    if let Ok(told) = std::env::var(CHILD) {
        let (company, victim) = told.split_once(' ').expect("two numbers");
        let company = Company::ALL[company.parse::<usize>().expect("a number")];
        let victim = DeviceId(victim.parse().expect("a number"));
        outcome(Happening::Hang, company, victim);
        println!("it needs a second GPU");
        return;
    }
    let (.., expected) = ROWS[ROWS.len() - 1];
    devices::on_each_gpu(&format!("real::{name}"), |_: &Runtime, victim| {
        for (number, expected) in expected.into_iter().enumerate() {
            let start = Instant::now();
            let exe = std::env::current_exe().expect("the test knows where it is");
            let output = Command::new(exe)
                .args(["--exact", &format!("real::{name}"), "--nocapture"])
                .env(CHILD, format!("{number} {}", victim.0))
                .output()
                .expect("the child starts");
            let told = String::from_utf8_lossy(&output.stdout);
            let right = format!("it ended so: {expected}");
            let lonely = told.contains("it needs a second GPU");
            assert!(output.status.success(), "{output:?}");
            assert!(lonely || told.contains(&right), "{right}, not {told}");
            assert!(start.elapsed() < Duration::from_mins(1), "it hung");
        }
    });
}
