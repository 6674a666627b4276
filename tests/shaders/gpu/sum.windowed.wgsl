struct Params {
    n: u32,
}

const CHUNK: u32 = 4096u;
const WORKGROUP: u32 = 64u;

@group(0) @binding(0) 
var<uniform> params: Params;
@group(0) @binding(1) 
var<storage> x: array<f32>;
@group(0) @binding(2) 
var<storage, read_write> partials: array<f32>;
var<workgroup> sums: array<f32, 64>;

fn impel_kernel(wid: vec3<u32>, lid: vec3<u32>) {
    var own: f32 = 0f;
    var offset: u32 = 0u;
    var half: u32 = 32u;

    let start = ((wid.x * CHUNK) + lid.x);
    loop {
        let _e11 = offset;
        if (_e11 < CHUNK) {
        } else {
            break;
        }
        {
            let _e14 = offset;
            let _e18 = params.n;
            if ((start + _e14) < _e18) {
                let _e20 = own;
                let _e22 = offset;
                let _e25 = x[u32((start + _e22)) - impel_launch.windows[0u].x];
                own = (_e20 + _e25);
            }
        }
        continuing {
            let _e27 = offset;
            offset = (_e27 + WORKGROUP);
        }
    }
    let _e33 = own;
    sums[lid.x] = _e33;
    workgroupBarrier();
    loop {
        let _e36 = half;
        if (_e36 > 0u) {
        } else {
            break;
        }
        {
            let _e40 = half;
            if (lid.x < _e40) {
                let _e45 = sums[lid.x];
                let _e48 = half;
                let _e51 = sums[(lid.x + _e48)];
                sums[lid.x] = (_e45 + _e51);
            }
            workgroupBarrier();
        }
        continuing {
            let _e53 = half;
            half = (_e53 / 2u);
        }
    }
    if (lid.x == 0u) {
        let _e64 = sums[0];
        partials[u32(wid.x) - impel_launch.windows[1u].x] = _e64;
        return;
    } else {
        return;
    }
}


struct impel_Launch {
    first: vec3<u32>,
    extent: vec3<u32>,
    num_workgroups: vec3<u32>,
    windows: array<vec4<u32>, 2>,
}

@group(0) @binding(3) var<uniform> impel_launch: impel_Launch;

@compute @workgroup_size(64, 1, 1)
fn impel_part(
    @builtin(workgroup_id) dispatched: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) local_index: u32,
) {
    workgroupBarrier();
    let launch = impel_launch;
    let workgroup = launch.first + dispatched;
    impel_kernel(workgroup, local);
}

@compute @workgroup_size(64, 1, 1)
fn impel_folded_part(
    @builtin(workgroup_id) dispatched: vec3<u32>,
    @builtin(num_workgroups) dispatch: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) local_index: u32,
) {
    workgroupBarrier();
    let launch = impel_launch;
    let extent = launch.extent;
    let index = dispatched.x + dispatch.x * (dispatched.y + dispatch.y * dispatched.z);
    if (index < extent.x * extent.y * extent.z) {
        let row = index / extent.x;
        let workgroup = launch.first + vec3<u32>(index % extent.x, row % extent.y, row / extent.y);
        impel_kernel(workgroup, local);
    }
}
