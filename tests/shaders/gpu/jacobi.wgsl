struct Params {
    width: u32,
    height: u32,
    relaxation: f32,
}

@group(0) @binding(0) 
var<uniform> params: Params;
@group(0) @binding(1) 
var<storage> src: array<f32>;
@group(0) @binding(2) 
var<storage, read_write> dst: array<f32>;

fn impel_kernel(gid: vec3<u32>) {
    var local: bool;
    var value: f32;
    var local_1: bool;
    var local_2: bool;
    var local_3: bool;

    let _e4 = params.width;
    if !((gid.x >= _e4)) {
        let _e12 = params.height;
        local = (gid.y >= _e12);
    } else {
        local = true;
    }
    let _e15 = local;
    if _e15 {
        return;
    }
    let _e19 = params.width;
    let i = ((gid.y * _e19) + gid.x);
    let centre = src[i];
    value = centre;
    if (gid.y > 0u) {
        let _e37 = params.height;
        local_1 = ((gid.y + 1u) < _e37);
    } else {
        local_1 = false;
    }
    let _e40 = local_1;
    if _e40 {
        local_2 = (gid.x > 0u);
    } else {
        local_2 = false;
    }
    let _e47 = local_2;
    if _e47 {
        let _e55 = params.width;
        local_3 = ((gid.x + 1u) < _e55);
    } else {
        local_3 = false;
    }
    let _e58 = local_3;
    if _e58 {
        let _e63 = src[(i - 1u)];
        let _e68 = src[(i + 1u)];
        let _e73 = params.width;
        let _e76 = src[(i - _e73)];
        let _e81 = params.width;
        let _e84 = src[(i + _e81)];
        let around = (((_e63 + _e68) + _e76) + _e84);
        let _e88 = params.relaxation;
        value = (centre + (_e88 * ((0.25f * around) - centre)));
    }
    let _e96 = value;
    dst[i] = _e96;
    return;
}


struct impel_Launch {
    first: vec3<u32>,
    extent: vec3<u32>,
    num_workgroups: vec3<u32>,
}

@group(0) @binding(3) var<uniform> impel_launch: impel_Launch;

@compute @workgroup_size(16, 16, 1)
fn impel_part(
    @builtin(workgroup_id) dispatched: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) local_index: u32,
) {
    let launch = impel_launch;
    let workgroup = launch.first + dispatched;
    impel_kernel(workgroup * vec3<u32>(16u, 16u, 1u) + local);
}

@compute @workgroup_size(16, 16, 1)
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
        impel_kernel(workgroup * vec3<u32>(16u, 16u, 1u) + local);
    }
}
