struct Params {
    n: u32,
    shift: u32,
}

const CHUNK: u32 = 32768u;
const WORKGROUP: u32 = 128u;
const BINS: u32 = 256u;

@group(0) @binding(0) 
var<uniform> params: Params;
@group(0) @binding(1) 
var<storage> data: array<u32>;
@group(0) @binding(2) 
var<storage, read_write> bins: array<atomic<u32>, 256>;
var<workgroup> own_bins: array<atomic<u32>, 256>;

fn impel_kernel(wid: vec3<u32>, lid: vec3<u32>) {
    var offset: u32 = 0u;
    var first: u32 = 0u;

    let start = ((wid.x * CHUNK) + lid.x);
    loop {
        let _e9 = offset;
        if (_e9 < CHUNK) {
        } else {
            break;
        }
        {
            let _e12 = offset;
            let _e16 = params.n;
            if ((start + _e12) < _e16) {
                let _e20 = offset;
                let _e23 = data[u32((start + _e20)) - impel_launch.windows[0u].x];
                let _e26 = params.shift;
                let _e32 = atomicAdd((&own_bins[((_e23 >> _e26) & 255u)]), 1u);
            }
        }
        continuing {
            let _e33 = offset;
            offset = (_e33 + WORKGROUP);
        }
    }
    workgroupBarrier();
    loop {
        let _e38 = first;
        if (_e38 < BINS) {
        } else {
            break;
        }
        {
            let _e41 = first;
            let bin = (_e41 + lid.x);
            let count = atomicLoad((&own_bins[bin]));
            if (count > 0u) {
                let _e51 = atomicAdd((&bins[bin]), count);
            }
        }
        continuing {
            let _e52 = first;
            first = (_e52 + WORKGROUP);
        }
    }
    return;
}


struct impel_Launch {
    first: vec3<u32>,
    extent: vec3<u32>,
    num_workgroups: vec3<u32>,
    windows: array<vec4<u32>, 1>,
}

@group(0) @binding(3) var<uniform> impel_launch: impel_Launch;

@compute @workgroup_size(128, 1, 1)
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

@compute @workgroup_size(128, 1, 1)
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
