//! Parameters with which a shader's own guards let it write past the end of an array are refused, by name and line.

use impel::{DeviceId, LaunchError, Policy, Runtime};

impel::shader!(mod saxpy = "shaders/saxpy.wgsl");
impel::shader!(mod jacobi = "shaders/jacobi.wgsl");
impel::shader!(mod unguarded, wgsl = r"
    @group(0) @binding(0) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(64) fn ids(@builtin(global_invocation_id) id: vec3<u32>) { y[id.x] = id.x; }
");

fn runtime() -> Runtime {
    Runtime::builder()
        .gpus(false)
        .without_cache()
        .build()
        .expect("a CPU is always there")
}

#[test]
fn a_length_beyond_the_array_is_refused_with_the_line_that_writes() {
    let rt = runtime();
    let x = rt.zeros::<f32>(1024).unwrap();
    let mut y = rt.zeros::<f32>(1000).unwrap();
    let params = saxpy::Params {
        alpha: 1.0,
        n: 1024,
    };
    let launch = saxpy::saxpy {
        params,
        x: &x,
        y: &mut y,
    }
    .over(1024_u32);
    let error = rt.launch(launch).unwrap_err();
    let LaunchError::Overrun {
        binding,
        needed_words,
        words,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!((*binding, *needed_words, *words), ("y", 1024, 1000));
    assert!(
        error.to_string().contains("shaders/saxpy.wgsl:22:"),
        "{error}"
    );
    // A guard at the array's end is right, however far the grid goes.
    let params = saxpy::Params {
        alpha: 1.0,
        n: 1000,
    };
    rt.launch(
        saxpy::saxpy {
            params,
            x: &x,
            y: &mut y,
        }
        .over(1024_u32),
    )
    .unwrap();
}

#[test]
fn a_grid_with_too_many_rows_is_refused() {
    let rt = runtime();
    let src = rt.zeros::<f32>(16 * 9).unwrap();
    let mut dst = rt.zeros::<f32>(16 * 9).unwrap();
    let params = jacobi::Params {
        width: 16,
        height: 10,
        relaxation: 1.0,
    };
    let launch = jacobi::jacobi {
        params,
        src: &src,
        dst: &mut dst,
    }
    .over([16_u32, 10]);
    let error = rt.launch(launch).unwrap_err();
    assert!(
        matches!(
            error,
            LaunchError::Overrun {
                binding: "dst",
                needed_words: 160,
                ..
            }
        ),
        "{error}"
    );
    let params = jacobi::Params {
        height: 9,
        ..params
    };
    rt.launch(
        jacobi::jacobi {
            params,
            src: &src,
            dst: &mut dst,
        }
        .over([16_u32, 9]),
    )
    .unwrap();
}

#[test]
fn a_kernel_without_guards_may_run_over_whole_workgroups() {
    let rt = runtime();
    let mut y = rt.zeros::<u32>(100).unwrap();
    rt.launch(unguarded::ids { y: &mut y }.over(100_u32))
        .unwrap();
    assert_eq!(*y.read().unwrap(), (0..100).collect::<Vec<u32>>());
}

#[test]
fn a_policy_that_makes_no_sense_is_an_error_also_without_gpus() {
    let rt = runtime();
    let mut y = rt.zeros::<u32>(640).unwrap();
    let nonsense = Policy::Split(vec![(DeviceId::CPU, f64::NAN)]);
    let launch = unguarded::ids { y: &mut y }
        .over(640_u32)
        .with_policy(nonsense);
    let error = rt.launch(launch).unwrap().wait().unwrap_err();
    assert!(matches!(*error, LaunchError::Policy { .. }), "{error}");
    let launch = unguarded::ids { y: &mut y }.over(64_u32);
    let other_grid = Policy::Fixed(rt.explain(&launch).unwrap());
    let launch = unguarded::ids { y: &mut y }
        .over(640_u32)
        .with_policy(other_grid);
    let error = rt.launch(launch).unwrap().wait().unwrap_err();
    assert!(matches!(*error, LaunchError::Policy { .. }), "{error}");
    let half = Policy::Split(vec![(DeviceId::CPU, 0.5)]);
    rt.launch(unguarded::ids { y: &mut y }.over(640_u32).with_policy(half))
        .unwrap();
    assert_eq!(*y.read().unwrap(), (0..640).collect::<Vec<u32>>());
}
