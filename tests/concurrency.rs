//! Does anything that threads can do at the same time, or drop at any moment, cost a result or block for ever?

mod devices;
mod random;

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, RwLock};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use impel::trace::{Event, LaunchNo};
use impel::{Array, Graph, Pending, Policy, Runtime};
use random::Random;
use rayon::prelude::*;

impel::shader!(mod adding, wgsl = r#"
struct Params { n: u32, rounds: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read_write> b: array<u32>;

/// Adds `a` to `b`.
@compute @workgroup_size(64)
fn add(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.n {
        b[id.x] = b[id.x] + a[id.x];
    }
}

/// One invocation that takes as long as it is told to.
@compute @workgroup_size(1)
fn linger() {
    var x = a[0];
    for (var round = 0u; round < params.rounds; round++) {
        x = (x ^ (x >> 7u)) * 1664525u + round;
    }
    b[0] = x | 1u;
}
"#);

/// Elements: enough for a launch not to run before `launch` returns.
const LEN: usize = 50_000;

fn add<'a>(a: &'a Array<u32>, b: &'a mut Array<u32>) -> impel::Launch<'a> {
    let n = b.len() as u32;
    let params = adding::Params { n, rounds: 0 };
    adding::add { params, a, b }.over(n)
}

/// Runs `body` on a thread of its own, and fails if it does not end.
fn in_time(body: impl FnOnce() + Send + 'static) {
    let patience = PATIENCE * if devices::long() { 5 } else { 1 };
    let (done, ended) = channel();
    let thread = std::thread::spawn(move || {
        body();
        done.send(()).expect("somebody waits for it");
    });
    let end = ended.recv_timeout(patience);
    assert!(
        end != Err(RecvTimeoutError::Timeout),
        "it still runs after {patience:?}"
    );
    if let Err(payload) = thread.join() {
        std::panic::resume_unwind(payload);
    }
}

const PATIENCE: Duration = Duration::from_mins(3);

#[test]
fn handles_may_go_to_any_thread() {
    fn anywhere<T: Send + Sync>() {}
    anywhere::<Runtime>();
    anywhere::<Array<f32>>();
    anywhere::<Pending<'_>>();
    anywhere::<Graph<'_>>();
}

/// Sixteen threads, for as long as `span`: each launches on its own array, on one that all read, and on three behind locks.
fn crowd(rt: &Runtime, places: &[Policy], span: Duration) {
    let ones = &rt.array_from_vec(vec![1_u32; LEN]).unwrap();
    let locked: Vec<RwLock<(Array<u32>, u32)>> = (0..3)
        .map(|_| RwLock::new((rt.zeros(LEN).unwrap(), 0)))
        .collect();
    let locked = &locked;
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..16 {
            scope.spawn(move || {
                let mut random = Random(thread);
                let mut own = rt.zeros::<u32>(LEN).unwrap();
                let mut added = 0;
                while start.elapsed() < span {
                    let place = || places[thread as usize % places.len()].clone();
                    let which = random.below(locked.len());
                    match random.below(8) {
                        0..4 => {
                            rt.launch(add(ones, &mut own).with_policy(place())).unwrap();
                            added += 1;
                        }
                        4 => {
                            let mut shared = locked[which].write().unwrap();
                            let (array, count) = &mut *shared;
                            rt.launch(add(ones, array).with_policy(place())).unwrap();
                            *count += 1;
                        }
                        5 => {
                            let shared = locked[which].read().unwrap();
                            let at = random.below(LEN);
                            let read = shared.0.read_range(at..=at).unwrap()[0];
                            assert_eq!(read, shared.1);
                        }
                        6 => {
                            let shared = locked[which].read().unwrap();
                            rt.launch(add(&shared.0, &mut own).with_policy(place()))
                                .unwrap();
                            added += shared.1;
                        }
                        _ => assert_eq!(own.read_range(7..8).unwrap()[0], added),
                    }
                }
                assert!(own.into_vec().unwrap().iter().all(|&word| word == added));
            });
        }
    });
    for shared in locked {
        let shared = shared.read().unwrap();
        assert!(
            shared
                .0
                .read()
                .unwrap()
                .iter()
                .all(|&word| word == shared.1)
        );
    }
}

fn crowd_span() -> Duration {
    Duration::from_secs(if devices::long() { 60 } else { 2 })
}

#[test]
fn sixteen_threads_get_exact_results() {
    in_time(|| {
        crowd(&devices::cpu_only(), &[Policy::Auto], crowd_span());
    });
}

#[test]
fn sixteen_threads_get_exact_results_with_gpus() {
    let name = "sixteen_threads_get_exact_results_with_gpus";
    devices::with_gpus(name, 1, |rt, gpus| {
        let mut places = vec![Policy::Auto, Policy::CpuOnly];
        places.extend(gpus.iter().map(|&gpu| Policy::GpuOnly(gpu)));
        in_time(move || crowd(&rt, &places, crowd_span()));
    });
}

/// What workers of a pool do that all wait for the same launches, and launch themselves.
fn from_inside(rt: &Runtime) {
    let ones = rt.array_from_vec(vec![1_u32; LEN]).unwrap();
    for round in 0..20 {
        let mut shared = rt.zeros::<u32>(LEN).unwrap();
        for _ in 0..=round % 3 {
            rt.launch(add(&ones, &mut shared)).unwrap();
        }
        let shared = &shared;
        let total: u32 = (0..16_usize)
            .into_par_iter()
            .map(|job| {
                let mut own = rt.zeros::<u32>(LEN).unwrap();
                rt.launch(add(shared, &mut own)).unwrap();
                let of_all = shared.read_range(job..=job).unwrap()[0];
                of_all + own.read_range(job..=job).unwrap()[0]
            })
            .sum();
        assert_eq!(total, 16 * 2 * (1 + round % 3));
    }
}

#[test]
fn workers_of_the_callers_pool_may_all_wait_for_one_launch() {
    for threads in [1, 2, 4] {
        in_time(move || {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = Arc::new(pool.build().unwrap());
            let builder = devices::builder().gpus(false).pool(Arc::clone(&pool));
            let rt = builder.build().unwrap();
            pool.install(|| from_inside(&rt));
        });
    }
}

#[test]
fn workers_of_the_global_pool_may_all_wait_for_one_launch() {
    in_time(|| from_inside(&devices::cpu_only()));
}

/// An array, and what each of its elements is to be.
type Counted = (Array<u32>, u32);

/// Launches and replays, whose handles are waited for or dropped.
fn start_some(
    rt: &Runtime,
    ones: &Array<u32>,
    arrays: &mut [Counted],
    random: &mut Random,
    places: &[Policy],
) {
    let mut pending = Vec::new();
    for _ in 0..random.below(12) {
        let (array, count) = &mut arrays[random.below(4)];
        let place = places[random.below(places.len())].clone();
        let started = rt.launch(add(ones, array).with_policy(place)).unwrap();
        *count += 1;
        pending.push(started);
        let some = pending.swap_remove(random.below(pending.len()));
        match random.below(4) {
            0 => some.wait().unwrap(),
            1 => assert!(!matches!(
                some.wait_timeout(Duration::from_micros(20)),
                Some(Err(_))
            )),
            2 => drop(some),
            _ => pending.push(some),
        }
        if random.below(4) == 0 {
            let (array, count) = &mut arrays[random.below(4)];
            *count += replay_some(rt, ones, array, random);
        }
    }
}

/// Steps of a graph, whose handles are waited for or dropped; how many.
fn replay_some(
    rt: &Runtime,
    ones: &Array<u32>,
    array: &mut Array<u32>,
    random: &mut Random,
) -> u32 {
    let mut graph = rt
        .graph(|g| {
            let (ones, mut array) = (g.input("ones", ones)?, g.array("array", array)?);
            let n = LEN as u32;
            let params = adding::Params { n, rounds: 0 };
            let (a, b) = (&ones, &mut array);
            g.launch(adding::add { params, a, b }.over(LEN))
        })
        .unwrap();
    let steps = random.below(5);
    let replay = graph.replay(steps);
    match random.below(4) {
        0 => drop(replay),
        1 => drop(graph),
        2 => drop((graph, replay)),
        _ => replay.wait().unwrap(),
    }
    steps as u32
}

/// Guards and futures, polled or not, that outlive the runtime or do not.
fn read_some(rt: &mut Option<Runtime>, arrays: &[Counted], random: &mut Random) {
    let mut guards = Vec::new();
    let mut futures = Vec::new();
    for (array, count) in arrays {
        let mut context = Context::from_waker(Waker::noop());
        match random.below(4) {
            0 => guards.push((array.read_range(3..9).unwrap(), *count)),
            1 | 2 => {
                let read = async { array.read_async().await.unwrap()[11] };
                let mut future: Pin<Box<dyn Future<Output = u32>>> = Box::pin(read);
                let polled = random.below(2) == 0;
                let done = polled && future.as_mut().poll(&mut context).is_ready();
                if !done && random.below(2) == 0 {
                    futures.push((future, *count));
                }
            }
            _ => drop(rt.take()),
        }
    }
    if random.below(2) == 0 {
        drop(rt.take());
    }
    for (future, count) in futures {
        assert_eq!(pollster::block_on(future), count);
    }
    for (guard, count) in guards {
        assert!(guard.iter().all(|&word| word == count));
    }
}

/// Launches, graphs, guards, futures, arrays and the runtime itself, dropped in a random order.
fn drop_in_any_order(rt: Runtime, random: &mut Random, places: &[Policy]) {
    let ones = rt.array_from_vec(vec![1_u32; LEN]).unwrap();
    let mut arrays: Vec<Counted> = (0..4).map(|_| (rt.zeros(LEN).unwrap(), 0)).collect();
    start_some(&rt, &ones, &mut arrays, random, places);
    if random.below(3) == 0 {
        drop(ones);
    }
    let mut rt = Some(rt);
    read_some(&mut rt, &arrays, random);
    while !arrays.is_empty() {
        let (array, count) = arrays.swap_remove(random.below(arrays.len()));
        match random.below(3) {
            0 => drop(array),
            1 => assert!(array.into_vec().unwrap().iter().all(|&word| word == count)),
            _ => assert!(array.read().unwrap().iter().all(|&word| word == count)),
        }
        if random.below(2) == 0 {
            drop(rt.take());
        }
    }
}

#[test]
fn anything_may_be_dropped_at_any_moment() {
    in_time(|| {
        for seed in 0..if devices::long() { 3000 } else { 150 } {
            drop_in_any_order(devices::cpu_only(), &mut Random(seed), &[Policy::Auto]);
        }
    });
}

#[test]
fn anything_may_be_dropped_at_any_moment_with_gpus() {
    let name = "anything_may_be_dropped_at_any_moment_with_gpus";
    devices::with_gpus(name, 1, |rt, gpus| {
        let mut places = vec![Policy::Auto, Policy::CpuOnly];
        places.extend(gpus.iter().map(|&gpu| Policy::GpuOnly(gpu)));
        drop(rt);
        in_time(move || {
            for seed in 0..if devices::long() { 100 } else { 5 } {
                drop_in_any_order(devices::runtime(), &mut Random(seed), &places);
            }
        });
    });
}

/// How long "long" is, in seconds: what is short takes longer, too, where the machine is busy with something else.
const WHILES: [f64; 4] = [0.3, 1.0, 3.0, 10.0];

/// Rounds that keep one CPU busy for about so many seconds.
fn rounds_of_a_while(rt: &Runtime, seconds: f64) -> u32 {
    let probe = 20_000;
    let a = rt.array_from_vec(vec![3_u32; 64]).unwrap();
    let mut b = rt.zeros::<u32>(64).unwrap();
    let start = Instant::now();
    rt.launch(linger(&a, &mut b, probe).with_policy(Policy::CpuOnly))
        .unwrap();
    b.read().unwrap();
    let per_round = start.elapsed().as_secs_f64() / f64::from(probe);
    (seconds / per_round) as u32
}

fn linger<'a>(a: &'a Array<u32>, b: &'a mut Array<u32>, rounds: u32) -> impel::Launch<'a> {
    let params = adding::Params { n: 1, rounds };
    adding::linger { params, a, b }.workgroups(1_u32)
}

/// The launches that were finished so far, in this order.
fn finished(rt: &Runtime) -> Vec<LaunchNo> {
    let events = rt.trace().events.into_iter();
    events
        .filter_map(|(_, event)| match event {
            Event::LaunchFinished { launch, .. } => Some(launch),
            _ => None,
        })
        .collect()
}

/// Launches something long on the CPU and something short behind it that is independent, and says which was finished first.
fn short_one_is_first(rt: &Runtime, place: &Policy, seconds: f64) -> bool {
    let rounds = rounds_of_a_while(rt, seconds);
    let ones = rt.array_from_vec(vec![1_u32; LEN]).unwrap();
    let mut slow = rt.zeros::<u32>(64).unwrap();
    let mut quick = rt.zeros::<u32>(LEN).unwrap();
    let before = finished(rt).len();
    let long = linger(&ones, &mut slow, rounds).with_policy(Policy::CpuOnly);
    let pending = rt.launch(long).unwrap();
    rt.launch(add(&ones, &mut quick).with_policy(place.clone()))
        .unwrap();
    // Nobody helps: the runtime's own threads do both.
    while finished(rt).len() < before + 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    pending.wait().unwrap();
    assert!(quick.read().unwrap().iter().all(|&word| word == 1));
    let finished = finished(rt);
    finished[before] > finished[before + 1]
}

#[test]
fn a_short_launch_overtakes_a_long_one_that_it_does_not_depend_on() {
    in_time(|| {
        let rt = devices::builder().gpus(false).trace(true).build().unwrap();
        let mut whiles = WHILES.into_iter();
        assert!(whiles.any(|seconds| short_one_is_first(&rt, &Policy::CpuOnly, seconds)));
    });
}

/// Replays a step of something long and something short twice; in which order the four launches were finished.
fn order_of_two_steps(rt: &Runtime, seconds: f64) -> Vec<u64> {
    let rounds = rounds_of_a_while(rt, seconds);
    let ones = rt.array_from_vec(vec![1_u32; LEN]).unwrap();
    let mut slow = rt.zeros::<u32>(64).unwrap();
    let mut quick = rt.zeros::<u32>(LEN).unwrap();
    let before = finished(rt).len();
    let mut step = rt
        .graph(|g| {
            let a = &g.input("ones", &ones)?;
            let b = &mut g.array("slow", &mut slow)?;
            let params = adding::Params { n: 1, rounds };
            g.launch(adding::linger { params, a, b }.workgroups(1_u32))?;
            let b = &mut g.array("quick", &mut quick)?;
            let n = LEN as u32;
            let params = adding::Params { n, rounds: 0 };
            g.launch(adding::add { params, a, b }.over(LEN))
        })
        .unwrap();
    step.replay(2).wait().unwrap();
    drop(step);
    assert!(quick.read().unwrap().iter().all(|&word| word == 2));
    let order: Vec<u64> = finished(rt)[before..].iter().map(|no| no.0).collect();
    let first = order.iter().min().unwrap();
    order.iter().map(|no| no - first).collect()
}

#[test]
fn independent_launches_of_a_step_overlap() {
    in_time(|| {
        let rt = devices::builder().gpus(false).trace(true).build().unwrap();
        // Two long launches depend on each other, and so do two short ones: both short ones are done while the first long one runs.
        let mut whiles = WHILES.into_iter();
        assert!(whiles.any(|seconds| order_of_two_steps(&rt, seconds) == [1, 3, 0, 2]));
    });
}

#[test]
fn gpus_start_while_the_cpu_is_busy() {
    let name = "gpus_start_while_the_cpu_is_busy";
    devices::on_each_gpu(name, |_, gpu| {
        in_time(move || {
            let rt = devices::builder().trace(true).build().unwrap();
            // The first plan measures the devices.
            assert!(rt.machine().devices().any(|(id, _)| id == gpu));
            let place = Policy::GpuOnly(gpu);
            short_one_is_first(&rt, &place, 0.1);
            let mut whiles = WHILES.into_iter();
            assert!(whiles.any(|seconds| short_one_is_first(&rt, &place, seconds)));
        });
    });
}

#[test]
fn waits_that_give_up_leave_everything_to_go_on() {
    in_time(|| {
        let rt = devices::cpu_only();
        let rounds = rounds_of_a_while(&rt, 0.3);
        let ones = rt.array_from_vec(vec![1_u32; 64]).unwrap();
        let mut slow = rt.zeros::<u32>(64).unwrap();
        let pending = rt.launch(linger(&ones, &mut slow, rounds)).unwrap();
        let given_up = Mutex::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while pending.wait_timeout(Duration::from_millis(10)).is_none() {
                        assert!(!rt.sync_timeout(Duration::ZERO) || slow_is_done(&pending));
                        *given_up.lock().unwrap() += 1;
                    }
                });
            }
        });
        assert!(*given_up.lock().unwrap() > 0, "somebody gave up once");
        assert!(rt.sync_timeout(PATIENCE));
        assert_eq!(slow.read().unwrap()[0] & 1, 1);
    });
}

/// What a GPU wrote to one part comes home while a guard has the other in its hands.
#[test]
fn nothing_touches_what_a_guard_holds() {
    let name = "nothing_touches_what_a_guard_holds";
    devices::on_each_gpu(name, |rt, gpu| {
        // A multiple of every alignment that GPUs ask for.
        let middle = LEN / 2 / 64 * 64;
        let ones = rt.array_from_vec(vec![1_u32; LEN]).unwrap();
        let mut sums = rt.zeros::<u32>(LEN).unwrap();
        for round in 1..=3 {
            let (held, computed) = sums.split_at_mut(middle).unwrap();
            let mut held = held.into_write().unwrap();
            let n = computed.len() as u32;
            let params = adding::Params { n, rounds: 0 };
            let (a, b) = (ones.view(middle..).unwrap(), computed);
            let launch = adding::add { params, a, b }.over(n);
            rt.launch(launch.with_policy(Policy::GpuOnly(gpu))).unwrap();
            held.fill(round);
            rt.sync();
            assert!(held.iter().all(|&word| word == round));
            drop(held);
            let sums = sums.read().unwrap();
            assert!(sums.iter().all(|&word| word == round));
        }
    });
}

fn slow_is_done(pending: &Pending<'_>) -> bool {
    pending.wait_timeout(Duration::ZERO).is_some()
}
