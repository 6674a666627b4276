//! Does a step that was recorded once and replayed do what its launches do one by one?

mod devices;
mod random;

use std::time::Duration;

use impel::{Array, DeviceId, GraphError, LaunchError, Policy, Runtime};
use impel_kernels::jacobi::wgsl as jacobi;
use random::Random;

impel::shader!(mod mix, wgsl = r#"
struct Params { n: u32, factor: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read_write> b: array<u32>;

/// Whole numbers, exact on every device, that depend on everything before.
@compute @workgroup_size(64)
fn mix(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.n {
        b[id.x] = b[id.x] * params.factor + (a[id.x] ^ id.x);
    }
}

@group(0) @binding(3) var<storage, read_write> flag: array<u32>;

/// Counts down; the flag is set when the end is reached.
@compute @workgroup_size(64)
fn count_down(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x == 0u {
        let left = max(b[0], 1u) - 1u;
        b[0] = left;
        flag[0] = select(0u, 1u, left == 0u);
    }
}
"#);

/// One thing that a step does.
#[derive(Clone, Copy, Debug)]
enum Action {
    Mix {
        from: usize,
        to: usize,
        lo: usize,
        hi: usize,
        factor: u32,
        place: usize,
    },
    Swap(usize, usize),
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// Arrays have this many grains.
const GRAINS: usize = 16;
/// Elements in a grain: a multiple of every alignment that GPUs ask for.
const SMALL: usize = 64;
/// As many that launches take long enough for several threads.
const LARGE: usize = 8192;

fn program(random: &mut Random, grain: usize, places: usize) -> Vec<Action> {
    let two = |random: &mut Random| {
        let first = random.below(NAMES.len());
        (
            first,
            (first + 1 + random.below(NAMES.len() - 1)) % NAMES.len(),
        )
    };
    (0..=random.below(6))
        .map(|_| {
            let (from, to) = two(random);
            if random.below(4) == 0 {
                return Action::Swap(from, to);
            }
            let (one, other) = (random.below(GRAINS), random.below(GRAINS));
            Action::Mix {
                from,
                to,
                lo: one.min(other) * grain,
                hi: (one.max(other) + 1) * grain,
                factor: random.below(1000) as u32 | 1,
                place: random.below(places),
            }
        })
        .collect()
}

fn start(rt: &Runtime, grain: usize) -> Vec<Array<u32>> {
    let array = |seed: u32| {
        let words = (0..(GRAINS * grain) as u32).map(|i| (i + seed).wrapping_mul(2_654_435_761));
        rt.array_from_vec(words.collect()).unwrap()
    };
    (0..NAMES.len() as u32).map(array).collect()
}

fn contents(arrays: &[Array<u32>]) -> Vec<Vec<u32>> {
    arrays.iter().map(|array| array.to_vec().unwrap()).collect()
}

fn params(lo: usize, hi: usize, factor: u32) -> mix::Params {
    let n = (hi - lo) as u32;
    mix::Params { n, factor }
}

/// What the steps compute.
fn by_hand(mut arrays: Vec<Vec<u32>>, program: &[Action], steps: usize) -> Vec<Vec<u32>> {
    for action in std::iter::repeat_n(program, steps).flatten() {
        match *action {
            Action::Swap(first, second) => arrays.swap(first, second),
            Action::Mix {
                from,
                to,
                lo,
                hi,
                factor,
                ..
            } => {
                let [a, b] = arrays.get_disjoint_mut([from, to]).unwrap();
                for (i, (b, a)) in b[lo..hi].iter_mut().zip(&a[lo..hi]).enumerate() {
                    *b = b.wrapping_mul(factor).wrapping_add(a ^ i as u32);
                }
            }
        }
    }
    arrays
}

/// The steps launch by launch, with handles that change places.
fn one_by_one(
    rt: &Runtime,
    mut arrays: Vec<Array<u32>>,
    program: &[Action],
    steps: usize,
    places: &[Policy],
) -> Vec<Vec<u32>> {
    for action in std::iter::repeat_n(program, steps).flatten() {
        match *action {
            Action::Swap(first, second) => arrays.swap(first, second),
            Action::Mix {
                from,
                to,
                lo,
                hi,
                factor,
                place,
            } => {
                let [a, b] = arrays.get_disjoint_mut([from, to]).unwrap();
                let (a, b) = (a.view(lo..hi).unwrap(), b.view_mut(lo..hi).unwrap());
                let params = params(lo, hi, factor);
                let launch = mix::mix { params, a, b }.over(hi - lo);
                rt.launch(launch.with_policy(places[place].clone()))
                    .unwrap();
            }
        }
    }
    contents(&arrays)
}

/// The same, recorded and replayed in several portions.
fn replayed(
    rt: &Runtime,
    mut arrays: Vec<Array<u32>>,
    program: &[Action],
    portions: &[usize],
    places: &[Policy],
) -> Vec<Vec<u32>> {
    let mut step = rt
        .graph(|g| {
            let mut named = Vec::new();
            for (name, array) in NAMES.iter().zip(&mut arrays) {
                named.push(g.array(name, array)?);
            }
            for action in program {
                match *action {
                    Action::Swap(first, second) => g.swap(NAMES[first], NAMES[second])?,
                    Action::Mix {
                        from,
                        to,
                        lo,
                        hi,
                        factor,
                        place,
                    } => {
                        let [a, b] = named.get_disjoint_mut([from, to]).unwrap();
                        let (a, b) = (a.view(lo..hi)?, b.view_mut(lo..hi)?);
                        let params = params(lo, hi, factor);
                        let launch = mix::mix { params, a, b }.over(hi - lo);
                        g.launch(launch.with_policy(places[place].clone()))?;
                    }
                }
            }
            Ok(())
        })
        .unwrap();
    for &steps in portions {
        step.replay(steps);
    }
    let within: Vec<Vec<u32>> = NAMES
        .iter()
        .map(|name| step.array::<u32>(name).unwrap().to_vec().unwrap())
        .collect();
    drop(step);
    assert_eq!(
        within,
        contents(&arrays),
        "handles mean what the names meant"
    );
    within
}

fn random_programs(rt: &Runtime, places: &[Policy], grain: usize, cases: u64) {
    for seed in 0..cases {
        let mut random = Random(seed);
        let program = program(&mut random, grain, places.len());
        let portions: Vec<usize> = (0..=random.below(3)).map(|_| random.below(5)).collect();
        let (first, second) = (start(rt, grain), start(rt, grain));
        let steps = portions.iter().sum();
        let expected = by_hand(contents(&first), &program, steps);
        let launched = one_by_one(rt, first, &program, steps, places);
        assert!(launched == expected, "seed {seed}: {program:?} {steps}");
        let result = replayed(rt, second, &program, &portions, places);
        assert!(result == expected, "seed {seed}: {program:?} {portions:?}");
    }
}

#[test]
fn random_programs_replayed_equal_their_launches_one_by_one() {
    let cases = if devices::long() { 2000 } else { 100 };
    random_programs(&devices::cpu_only(), &[Policy::Auto], SMALL, cases);
}

#[test]
fn random_programs_replayed_by_several_threads_equal_their_launches_one_by_one() {
    let cases = if devices::long() { 500 } else { 30 };
    random_programs(&devices::cpu_only(), &[Policy::Auto], LARGE, cases);
}

#[test]
fn random_programs_replay_on_every_device_alike() {
    let name = "random_programs_replay_on_every_device_alike";
    devices::with_gpus(name, 1, |rt, gpus| {
        let mut places = vec![Policy::Auto, Policy::CpuOnly];
        places.extend(gpus.iter().map(|&gpu| Policy::GpuOnly(gpu)));
        places.push(Policy::Split(vec![(DeviceId::CPU, 0.5), (gpus[0], 0.5)]));
        let cases = if devices::long() { 200 } else { 12 };
        random_programs(&rt, &places, SMALL, cases);
        random_programs(&rt, &places, LARGE, cases / 2);
    });
}

#[test]
fn ping_pong_ends_in_the_array_that_its_name_means() {
    let rt = devices::cpu_only();
    let (width, height) = (40, 30);
    let mut plate = vec![0.0_f32; width * height];
    plate[..width].fill(1.0);
    let params = jacobi::Params {
        width: width as u32,
        height: height as u32,
        relaxation: 0.9,
    };
    for steps in [1, 2, 7] {
        let mut by_hand = rt.array_from_vec(plate.clone()).unwrap();
        let mut next = rt.zeros(width * height).unwrap();
        for _ in 0..steps {
            let sweep = jacobi::jacobi {
                params,
                src: &by_hand,
                dst: &mut next,
            };
            rt.launch(sweep.over([width, height])).unwrap();
            std::mem::swap(&mut by_hand, &mut next);
        }
        let mut u = rt.array_from_vec(plate.clone()).unwrap();
        let mut v = rt.zeros(width * height).unwrap();
        let mut step = rt
            .graph(|g| {
                let src = g.array("u", &mut u)?;
                let mut dst = g.array("v", &mut v)?;
                let dst = &mut dst;
                g.launch(
                    jacobi::jacobi {
                        params,
                        src: &src,
                        dst,
                    }
                    .over([width, height]),
                )?;
                g.swap("u", "v")
            })
            .unwrap();
        step.replay(steps).wait().unwrap();
        drop(step);
        assert_eq!(u.to_vec().unwrap(), by_hand.to_vec().unwrap());
        assert_eq!(v.into_vec().unwrap(), next.into_vec().unwrap());
    }
}

/// A graph that counts down from `from`.
fn countdown<'a>(
    rt: &'a Runtime,
    left: &'a mut Array<u32>,
    flag: &'a mut Array<u32>,
) -> impel::Graph<'a> {
    rt.graph(|g| {
        let mut left = g.array("left", left)?;
        let mut flag = g.array("flag", flag)?;
        g.launch(
            mix::count_down {
                b: &mut left,
                flag: &mut flag,
            }
            .over(1_u32),
        )
    })
    .unwrap()
}

#[test]
fn a_loop_ends_when_the_device_says_so_and_at_its_bound() {
    let rt = devices::cpu_only();
    for (from, every, most, steps, reached) in [
        (10, 1, 100, 10, true),
        (10, 4, 100, 12, true),
        (10, 0, 100, 10, true),
        (10, 4, 9, 9, false),
        (10, 100, 50, 50, true),
        (0, 3, 0, 0, false),
    ] {
        let mut left = rt.array_from_vec(vec![from]).unwrap();
        let mut flag = rt.zeros::<u32>(1).unwrap();
        let mut step = countdown(&rt, &mut left, &mut flag);
        let end = step
            .replay_until::<u32>("flag", every, most, |flag| flag[0] == 1)
            .unwrap();
        assert_eq!((end.steps, end.reached), (steps, reached));
        drop(step);
        assert_eq!(left.read().unwrap()[0], from.saturating_sub(steps as u32));
    }
}

#[test]
fn between_replays_arrays_are_read_and_written_through_the_graph() {
    let rt = devices::cpu_only();
    let mut left = rt.array_from_vec(vec![5_u32]).unwrap();
    let mut flag = rt.zeros::<u32>(1).unwrap();
    let mut step = countdown(&rt, &mut left, &mut flag);
    step.replay(2);
    assert_eq!(step.array::<u32>("left").unwrap().read().unwrap()[0], 3);
    step.write::<u32>("left", ..).unwrap()[0] = 100;
    step.replay(1);
    assert_eq!(step.array::<u32>("left").unwrap().read().unwrap()[0], 99);
    assert!(matches!(
        step.array::<f32>("left"),
        Err(GraphError::Element { .. })
    ));
    assert!(matches!(
        step.array::<u32>("right"),
        Err(GraphError::NoArray { .. })
    ));
}

#[test]
fn a_replay_goes_on_when_its_handles_are_dropped() {
    let rt = devices::cpu_only();
    let mut left = rt.array_from_vec(vec![5000_u32]).unwrap();
    let mut flag = rt.zeros::<u32>(1).unwrap();
    let mut step = countdown(&rt, &mut left, &mut flag);
    drop(step.replay(3000));
    drop(step);
    drop(flag);
    assert_eq!(left.into_vec().unwrap(), [2000]);
}

#[test]
fn what_cannot_be_recorded_says_why() {
    let rt = devices::cpu_only();
    let mut a = rt.zeros::<u32>(64).unwrap();
    let mut b = rt.zeros::<u32>(64).unwrap();
    let mut floats = rt.zeros::<f32>(64).unwrap();
    let mut short = rt.zeros::<u32>(63).unwrap();
    let input = rt.zeros::<u32>(64).unwrap();
    let error = rt.graph(|g| {
        g.array("a", &mut a)?;
        g.array("a", &mut b).map(drop)
    });
    assert!(matches!(error, Err(GraphError::NameTaken { name }) if name == "a"));
    let refused = rt.graph(|g| {
        let mut named = g.array("a", &mut a)?;
        g.array("floats", &mut floats)?;
        g.array("short", &mut short)?;
        g.input("input", &input)?;
        for (other, reason) in [
            ("floats", "types"),
            ("short", "lengths"),
            ("input", "an input"),
            ("nobody", "no array of the graph"),
        ] {
            let error = g.swap("a", other).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        let mixed = mix::mix {
            params: params(0, 64, 3),
            a: &b,
            b: &mut named,
        };
        g.launch(mixed.over(64_u32))
    });
    let error = refused.unwrap_err();
    assert!(
        matches!(&error, GraphError::Unnamed { binding, .. } if *binding == "a"),
        "{error}"
    );
    let error = rt.graph(|g| {
        let mut named = g.array("a", &mut a)?;
        let mixed = mix::mix {
            params: params(0, 64, 3),
            a: &g.input("input", &input)?,
            b: &mut named,
        };
        g.launch(mixed.over(0_u32))
    });
    assert!(matches!(
        error,
        Err(GraphError::Launch(LaunchError::EmptyGrid { .. }))
    ));
}

#[test]
fn a_replay_that_fails_says_so_and_its_results_count_as_not_written() {
    let name = "a_replay_that_fails_says_so_and_its_results_count_as_not_written";
    devices::with_gpus(name, 1, |rt, gpus| {
        let mut left = rt.array_from_vec(vec![50_u32]).unwrap();
        let mut flag = rt.zeros::<u32>(1).unwrap();
        let gpu = gpus[0];
        let mut step = rt
            .graph(|g| {
                let mut left = g.array("left", &mut left)?;
                let mut flag = g.array("flag", &mut flag)?;
                let launch = mix::count_down {
                    b: &mut left,
                    flag: &mut flag,
                };
                g.launch(launch.over(1_u32).with_policy(Policy::GpuOnly(gpu)))
            })
            .unwrap();
        step.replay(3).wait().unwrap();
        assert_eq!(step.array::<u32>("left").unwrap().read().unwrap()[0], 47);
        rt.lose_gpu(gpu);
        let error = step.replay(1000).wait().unwrap_err();
        assert!(error.to_string().contains("count_down"), "{error}");
        let error = step.replay_until::<u32>("flag", 1, 10, |_| true);
        assert!(matches!(error, Err(GraphError::Failed(_))), "{error:?}");
        assert!(step.array::<u32>("left").unwrap().read().is_err());
        // Written anew, it is whole again.
        drop(step);
        left.copy_from_slice(0, &[7]).unwrap();
        assert_eq!(left.read().unwrap()[0], 7);
    });
}

#[test]
fn waits_for_replays_end_in_time() {
    let rt = devices::cpu_only();
    let mut left = rt.array_from_vec(vec![u32::MAX]).unwrap();
    let mut flag = rt.zeros::<u32>(1).unwrap();
    let mut step = countdown(&rt, &mut left, &mut flag);
    let pending = step.replay(200_000);
    assert!(pending.wait_timeout(Duration::from_micros(50)).is_none());
    assert!(!rt.sync_timeout(Duration::from_micros(50)));
    pending.wait().unwrap();
    assert!(rt.sync_timeout(Duration::from_mins(1)));
}
