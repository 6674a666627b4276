//! Does a program that follows the plans of an earlier run do what that did?

mod devices;

use std::path::PathBuf;

use impel::{DeviceId, Policy, Runtime, RuntimeBuilder};
use impel_kernels::jacobi::wgsl as jacobi;
use impel_kernels::saxpy::wgsl as saxpy;

const SIDE: u32 = 96;
const CELLS: usize = (SIDE * SIDE) as usize;

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("impel-plans-{name}-{}", std::process::id()))
}

fn builder() -> RuntimeBuilder {
    let builder = Runtime::builder().without_cache();
    #[cfg(feature = "gpu")]
    let builder = builder.gpus(false);
    builder
}

/// Some steps of a stencil and of another kernel; the result's bits. Every other step is told where to run, if a device is given.
fn simulate(rt: &Runtime, steps: usize, also: Option<DeviceId>) -> Vec<u32> {
    let mut u = rt
        .array_from_vec((0..CELLS).map(|i| (i % 17) as f32 / 3.0).collect())
        .unwrap();
    let mut v = rt.zeros::<f32>(CELLS).unwrap();
    for step in 0..steps {
        let params = jacobi::Params {
            width: SIDE,
            height: SIDE,
            relaxation: 0.7,
        };
        let (src, dst) = (&u, &mut v);
        let launch = jacobi::jacobi { params, src, dst }.over([SIDE, SIDE]);
        let launch = match also {
            Some(device) => {
                let own = 1.0 + step as f64;
                launch.with_policy(Policy::Split(vec![(DeviceId::CPU, own), (device, 2.0)]))
            }
            None => launch,
        };
        rt.launch(launch).unwrap();
        let n = CELLS as u32;
        let params = saxpy::Params { alpha: 0.3, n };
        rt.launch(
            saxpy::saxpy {
                params,
                x: &v,
                y: &mut u,
            }
            .over(n),
        )
        .unwrap();
    }
    let result = u.into_vec().unwrap();
    result.into_iter().map(f32::to_bits).collect()
}

#[test]
fn a_run_on_the_cpu_is_repeated_bit_by_bit() {
    let path = file("cpu");
    let rt = builder().record_plans(true).build().unwrap();
    let first = simulate(&rt, 5, None);
    rt.save_plans(&path).unwrap();
    let again = builder().plans_from(&path).build().unwrap();
    assert_eq!(simulate(&again, 5, None), first);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_run_on_several_devices_is_repeated_bit_by_bit() {
    let name = "a_run_on_several_devices_is_repeated_bit_by_bit";
    devices::with_gpus(name, 1, |_, gpus| repeat_on_several_devices(gpus[0]));
}

fn repeat_on_several_devices(gpu: DeviceId) {
    let path = file("several");
    let recording = || devices::builder().record_plans(true);
    let rt = recording().build().unwrap();
    let first = simulate(&rt, 4, Some(gpu));
    rt.save_plans(&path).unwrap();
    // The same plans, although this program says nothing of where to run.
    let again = recording().plans_from(&path).build().unwrap();
    assert_eq!(simulate(&again, 4, None), first);
    let copy = file("several-copy");
    again.save_plans(&copy).unwrap();
    let text = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
    assert_eq!(text(&copy), text(&path));
    std::fs::remove_file(path).unwrap();
    std::fs::remove_file(copy).unwrap();
}

#[test]
fn what_differs_from_the_recorded_run_is_named() {
    let path = file("differs");
    let rt = builder().record_plans(true).build().unwrap();
    simulate(&rt, 2, None);
    rt.save_plans(&path).unwrap();

    let longer = builder().plans_from(&path).build().unwrap();
    let n = CELLS as u32;
    let x = longer.zeros(CELLS).unwrap();
    let mut y = longer.zeros(CELLS).unwrap();
    let params = saxpy::Params { alpha: 1.0, n };
    let arguments = saxpy::saxpy {
        params,
        x: &x,
        y: &mut y,
    };
    let pending = longer.launch(arguments.over(n)).unwrap();
    let error = pending.wait().unwrap_err().to_string();
    assert!(
        error.starts_with(
            "kernel `saxpy`: the plans are of another program: launch 0 was `jacobi` over "
        ),
        "{error}"
    );

    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("device 0 ", "device 0 not ")).unwrap();
    let error = builder().plans_from(&path).build().unwrap_err().to_string();
    assert!(
        error.contains("the plans are of another machine: CPU was not "),
        "{error}"
    );
    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    let error = builder().plans_from(&path).build().unwrap_err().to_string();
    assert!(
        error.ends_with("does not count the lines before it"),
        "{error}"
    );
    std::fs::remove_file(&path).unwrap();
    let error = builder().plans_from(&path).build().unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("plans in {}: ", path.display())),
        "{error}"
    );
    let unrecorded = builder().build().unwrap().save_plans(&path).unwrap_err();
    assert!(
        unrecorded.to_string().contains("record_plans(true)"),
        "{unrecorded}"
    );
}
