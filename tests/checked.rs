//! Are launches that cannot be cut checked like others, and those left alone whose results depend on the order of their workgroups?

mod devices;

use impel::sim::{Fault, FaultKind, Gpu, Machine, Moment, Phase};
use impel::{Array, DeviceId, Launch, Policy, Runtime};

impel::shader!(mod kernels, wgsl = r"
    struct Params { n: u32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read> x: array<u32>;
    @group(0) @binding(2) var<storage, read_write> y: array<u32>;
    @group(0) @binding(3) var<storage, read_write> count: array<atomic<u32>, 4>;

    // Where a word goes stands in another array.
    @compute @workgroup_size(64)
    fn permute(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x < params.n) { y[x[id.x]] = 3u * id.x + 1u; }
    }

    // Whoever comes first has the first place.
    @compute @workgroup_size(64)
    fn append(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x < params.n && x[id.x] % 3u == 0u) { y[atomicAdd(&count[0], 1u)] = id.x; }
    }

    // Rows of n words, all in one row of workgroups: each of them writes some words of every row.
    @compute @workgroup_size(16, 16)
    fn paint(@builtin(global_invocation_id) id: vec3<u32>) {
        if (id.x < params.n && id.y < 16u) { y[id.y * params.n + id.x] = 7u + id.x * id.y; }
    }
");

const N: usize = 64 * 37;

/// A permutation of the numbers below [`N`].
fn places() -> Vec<u32> {
    (0..N as u32).map(|i| i * 1001 % N as u32).collect()
}

fn permute<'a>(x: &'a Array<u32>, y: &'a mut Array<u32>) -> Launch<'a> {
    let params = kernels::Params { n: N as u32 };
    kernels::permute { params, x, y }.over(N)
}

fn permuted() -> Vec<u32> {
    let mut y = vec![0; N];
    for (i, place) in places().into_iter().enumerate() {
        y[place as usize] = 3 * i as u32 + 1;
    }
    y
}

/// The numbers of the elements that a launch on this GPU finds, in ascending order.
fn appended(rt: &Runtime, gpu: DeviceId) -> Vec<u32> {
    let x = rt.array_from_vec(places()).unwrap();
    let mut y = rt.zeros::<u32>(N).unwrap();
    let mut count = rt.zeros::<u32>(4).unwrap();
    let (x, y_mut, params) = (&x, &mut y, kernels::Params { n: N as u32 });
    let arguments = kernels::append {
        params,
        x,
        y: y_mut,
        count: &mut count,
    };
    let launch = arguments.over(N).with_policy(Policy::GpuOnly(gpu));
    rt.launch(launch).unwrap().wait().unwrap();
    let found = count.read().unwrap()[0] as usize;
    let mut found = y.read_range(0..found).unwrap().to_vec();
    found.sort_unstable();
    found
}

fn expected() -> Vec<u32> {
    let places = places();
    let multiple = |i: &u32| places[*i as usize].is_multiple_of(3);
    (0..N as u32).filter(multiple).collect()
}

#[test]
fn a_wrong_launch_of_a_kernel_that_cannot_be_cut_is_noticed() {
    let faults = [Fault {
        gpu: DeviceId(1),
        phase: Phase::Compute,
        nth: 1,
        moment: Moment::During,
        kind: FaultKind::WrongResult,
    }];
    for (verified, right) in [(0.0, false), (1.0, true)] {
        let machine = Machine::desktop().with(Gpu::card()).with_faults(faults);
        let builder = Runtime::builder().threads(2).verify_sample(verified, 0.0);
        let rt = builder.simulated(machine).build().unwrap();
        let x = rt.array_from_vec(places()).unwrap();
        let mut y = rt.zeros::<u32>(N).unwrap();
        let plan = rt.explain(&permute(&x, &mut y)).unwrap();
        assert!(plan.to_string().contains("`y` is written"), "{plan}");
        let on_gpu = Policy::Split(vec![(DeviceId(1), 1.0)]);
        let launch = permute(&x, &mut y).with_policy(on_gpu);
        rt.launch(launch).unwrap().wait().unwrap();
        assert_eq!(*y.read().unwrap() == *permuted(), right);
        let told: Vec<String> = rt
            .report()
            .failures()
            .iter()
            .map(|(_, told)| told.clone())
            .collect();
        let compared = told
            .iter()
            .any(|told| told.contains("where the CPU computes"));
        assert_eq!(compared, right, "{told:?}");
    }
}

#[test]
fn gpus_that_are_well_are_not_convicted_for_another_order() {
    let name = "gpus_that_are_well_are_not_convicted_for_another_order";
    devices::with_gpus(name, 1, |_, gpus| {
        let builder = devices::builder().verify_sample(1.0, 0.0);
        let rt = builder.build().unwrap();
        for &gpu in gpus {
            for _ in 0..5 {
                assert_eq!(appended(&rt, gpu), expected());
            }
            let x = rt.array_from_vec(places()).unwrap();
            let mut y = rt.zeros::<u32>(N).unwrap();
            let launch = permute(&x, &mut y).with_policy(Policy::GpuOnly(gpu));
            rt.launch(launch).unwrap().wait().unwrap();
            assert_eq!(*y.read().unwrap(), *permuted());
        }
        assert!(rt.report().failures().is_empty(), "{}", rt.report());
    });
}

#[test]
fn gpus_that_are_well_are_not_convicted_for_what_others_of_a_part_write() {
    let (width, height) = (67, 16);
    let machine = Machine::desktop().with(Gpu::card());
    let builder = Runtime::builder().threads(2).verify_sample(1.0, 0.0);
    let rt = builder.simulated(machine).build().unwrap();
    for round in 0..20 {
        let mut y = rt.array_from_vec(vec![round; width * height]).unwrap();
        let params = kernels::Params { n: width as u32 };
        let launch = kernels::paint { params, y: &mut y }.workgroups([5_u32, 1]);
        let launch = launch.with_policy(Policy::GpuOnly(DeviceId(1)));
        rt.launch(launch).unwrap().wait().unwrap();
        let painted = |at: usize| 7 + (at % width * (at / width)) as u32;
        let expected: Vec<u32> = (0..width * height).map(painted).collect();
        assert_eq!(*y.read().unwrap(), *expected);
    }
    assert!(rt.report().failures().is_empty(), "{}", rt.report());
}
