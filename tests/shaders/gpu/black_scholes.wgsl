struct Params {
    n: u32,
    rate: f32,
    volatility: f32,
}

const SQRT_HALF: f32 = 0.70710677f;

@group(0) @binding(0) 
var<uniform> params: Params;
@group(0) @binding(1) 
var<storage> spot: array<f32>;
@group(0) @binding(2) 
var<storage> strike: array<f32>;
@group(0) @binding(3) 
var<storage> years: array<f32>;
@group(0) @binding(4) 
var<storage, read_write> call: array<f32>;
@group(0) @binding(5) 
var<storage, read_write> put: array<f32>;

fn erfc_of_positive(x: f32) -> f32 {
    let t = (1f / (1f + (0.3275911f * x)));
    let polynomial = (t * (0.2548296f + (t * (-0.28449672f + (t * (1.4214138f + (t * (-1.4531521f + (t * 1.0614054f)))))))));
    return (polynomial * exp((-(x) * x)));
}

fn normal_below(d: f32) -> f32 {
    let _e4 = erfc_of_positive((abs(d) * SQRT_HALF));
    let tail = (0.5f * _e4);
    return select(tail, (1f - tail), (d > 0f));
}

fn impel_kernel(gid: vec3<u32>) {
    let _e4 = params.n;
    if (gid.x >= _e4) {
        return;
    }
    let s = spot[gid.x];
    let k = strike[gid.x];
    let t_1 = years[gid.x];
    let _e20 = params.volatility;
    let deviation = (_e20 * sqrt(t_1));
    let _e25 = params.rate;
    let _e28 = params.volatility;
    let _e33 = params.volatility;
    let drift = ((_e25 + ((0.5f * _e28) * _e33)) * t_1);
    let d1_ = ((log((s / k)) + drift) / deviation);
    let d2_ = (d1_ - deviation);
    let _e42 = normal_below(d1_);
    let _e43 = normal_below(d2_);
    let _e46 = params.rate;
    let discounted = (k * exp((-(_e46) * t_1)));
    call[gid.x] = ((s * _e42) - (discounted * _e43));
    put[gid.x] = ((discounted * (1f - _e43)) - (s * (1f - _e42)));
    return;
}


struct impel_Launch {
    first: vec3<u32>,
    extent: vec3<u32>,
    num_workgroups: vec3<u32>,
}

@group(0) @binding(6) var<uniform> impel_launch: impel_Launch;

@compute @workgroup_size(64, 1, 1)
fn impel_part(
    @builtin(workgroup_id) dispatched: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) local_index: u32,
) {
    let launch = impel_launch;
    let workgroup = launch.first + dispatched;
    impel_kernel(workgroup * vec3<u32>(64u, 1u, 1u) + local);
}

@compute @workgroup_size(64, 1, 1)
fn impel_folded_part(
    @builtin(workgroup_id) dispatched: vec3<u32>,
    @builtin(num_workgroups) dispatch: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) local_index: u32,
) {
    let launch = impel_launch;
    let extent = launch.extent;
    let index = dispatched.x + dispatch.x * (dispatched.y + dispatch.y * dispatched.z);
    if (index < extent.x * extent.y * extent.z) {
        let row = index / extent.x;
        let workgroup = launch.first + vec3<u32>(index % extent.x, row % extent.y, row / extent.y);
        impel_kernel(workgroup * vec3<u32>(64u, 1u, 1u) + local);
    }
}
