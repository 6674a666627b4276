struct Params {
    alpha: f32,
    n: u32,
}

@group(0) @binding(0) 
var<uniform> params: Params;
@group(0) @binding(1) 
var<storage> x: array<f32>;
@group(0) @binding(2) 
var<storage, read_write> y: array<f32>;

fn impel_kernel(gid: vec3<u32>) {
    let _e4 = params.n;
    if (gid.x >= _e4) {
        return;
    }
    let _e11 = params.alpha;
    let _e15 = x[gid.x];
    let _e20 = y[gid.x];
    y[gid.x] = ((_e11 * _e15) + _e20);
    return;
}


struct impel_Launch {
    first: vec3<u32>,
    extent: vec3<u32>,
    num_workgroups: vec3<u32>,
}

@group(0) @binding(3) var<uniform> impel_launch: impel_Launch;

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
