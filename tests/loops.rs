//! What becomes of loops that a device would stop too early? Mesa's software GPU silently leaves loops after 65,535 rounds: the planner
//! keeps longer ones away from it and says why.

mod devices;

use impel::{DeviceId, Launch, LaunchError, Policy, Runtime};

impel::shader!(mod counting, wgsl = r#"
    struct Params { rounds: u32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read_write> counts: array<u32>;
    @compute @workgroup_size(64)
    fn count(@builtin(global_invocation_id) id: vec3<u32>) {
        var sum = 0u;
        for (var i = 0u; i < params.rounds; i++) {
            sum += i ^ id.x;
        }
        counts[id.x] = sum;
    }
"#);

/// More rounds than llvmpipe goes.
const MANY: u32 = 70_000;
/// The most that it goes.
const LLVMPIPE_MOST: u32 = 65_535;
const INVOCATIONS: usize = 64;

fn launch(rounds: u32, counts: &mut impel::Array<u32>) -> Launch<'_> {
    let params = counting::Params { rounds };
    counting::count { params, counts }.over(INVOCATIONS)
}

fn expected(rounds: u32) -> Vec<u32> {
    let count = |id: u32| (0..rounds).fold(0_u32, |sum, i| sum.wrapping_add(i ^ id));
    (0..INVOCATIONS as u32).map(count).collect()
}

fn run(rt: &Runtime, rounds: u32, policy: Policy) -> Result<Vec<u32>, LaunchError> {
    let mut counts = rt.zeros(INVOCATIONS).expect("memory is there");
    rt.launch(launch(rounds, &mut counts).with_policy(policy))?
        .wait()
        .map_err(|error| LaunchError::clone(&error))?;
    Ok(counts.to_vec().expect("the launch succeeded"))
}

/// The reason that the plan gives for leaving a device out.
fn rejection(rt: &Runtime, rounds: u32, gpu: DeviceId) -> Option<String> {
    let mut counts = rt.zeros(INVOCATIONS).expect("memory is there");
    let plan = rt
        .explain(&launch(rounds, &mut counts).with_policy(Policy::CpuOnly))
        .expect("the CPU runs everything");
    let all = plan.rejected.iter();
    all.filter(|(device, _)| *device == gpu)
        .map(|(_, reason)| reason.to_string())
        .next()
}

fn is_llvmpipe(rt: &Runtime, gpu: DeviceId) -> bool {
    devices::name(rt, gpu).contains("llvmpipe")
}

#[test]
fn a_loop_that_a_device_would_stop_is_refused_there_with_its_rounds() {
    let name = "a_loop_that_a_device_would_stop_is_refused_there_with_its_rounds";
    devices::on_each_gpu(name, |rt, gpu| {
        let outcome = run(rt, MANY, Policy::GpuOnly(gpu));
        if is_llvmpipe(rt, gpu) {
            let error = outcome.expect_err("it would give wrong numbers");
            let reason = format!("loops of {MANY} rounds; it stops after {LLVMPIPE_MOST}");
            assert!(error.to_string().contains(&reason), "{error}");
            assert_eq!(rejection(rt, MANY, gpu), Some(reason));
        } else {
            assert_eq!(outcome.expect("it has no such limit"), expected(MANY));
        }
    });
}

#[test]
fn loops_up_to_the_limit_run_everywhere() {
    let name = "loops_up_to_the_limit_run_everywhere";
    devices::on_each_gpu(name, |rt, gpu| {
        for rounds in [0, 1000, LLVMPIPE_MOST] {
            let counts = run(rt, rounds, Policy::GpuOnly(gpu)).expect("it goes that far");
            assert_eq!(counts, expected(rounds), "{rounds} rounds");
        }
    });
}

#[test]
fn the_cpu_and_whoever_can_run_what_others_would_stop() {
    let rt = devices::runtime();
    let split = |gpu| Policy::Split(vec![(DeviceId::CPU, 1.0), (gpu, 1.0)]);
    assert_eq!(run(&rt, MANY, Policy::CpuOnly).unwrap(), expected(MANY));
    assert_eq!(run(&rt, MANY, Policy::Auto).unwrap(), expected(MANY));
    for gpu in devices::gpus(&rt) {
        // A policy that demands the impossible is an error, never a wrong number.
        match run(&rt, MANY, split(gpu)) {
            Ok(counts) => assert_eq!(counts, expected(MANY)),
            Err(error) => assert!(error.to_string().contains("it stops after"), "{error}"),
        }
    }
}
