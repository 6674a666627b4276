struct Params {
    width: u32,
    height: u32,
    max_iterations: u32,
    left: f32,
    top: f32,
    step_x: f32,
    step_y: f32,
}

@group(0) @binding(0) 
var<uniform> params: Params;
@group(0) @binding(1) 
var<storage, read_write> counts: array<u32>;

fn impel_kernel(gid: vec3<u32>) {
    var local: bool;
    var re: f32 = 0f;
    var im: f32 = 0f;
    var count: u32 = 0u;
    var local_1: bool;

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
    let _e18 = params.left;
    let _e23 = params.step_x;
    let c_re = (_e18 + (f32(gid.x) * _e23));
    let _e28 = params.top;
    let _e33 = params.step_y;
    let c_im = (_e28 + (f32(gid.y) * _e33));
    loop {
        let _e42 = count;
        let _e45 = params.max_iterations;
        if (_e42 < _e45) {
            let _e49 = re;
            let _e50 = re;
            let _e52 = im;
            let _e53 = im;
            local_1 = (((_e49 * _e50) + (_e52 * _e53)) <= 4f);
        } else {
            local_1 = false;
        }
        let _e59 = local_1;
        if _e59 {
        } else {
            break;
        }
        {
            let _e60 = re;
            let _e61 = re;
            let _e63 = im;
            let _e64 = im;
            let next_re = (((_e60 * _e61) - (_e63 * _e64)) + c_re);
            let _e68 = re;
            let _e71 = im;
            im = (((2f * _e68) * _e71) + c_im);
            re = next_re;
            let _e74 = count;
            count = (_e74 + 1u);
        }
    }
    let _e81 = params.width;
    let _e86 = count;
    counts[u32(((gid.y * _e81) + gid.x)) - impel_launch.windows[0u].x] = _e86;
    return;
}


struct impel_Launch {
    first: vec3<u32>,
    extent: vec3<u32>,
    num_workgroups: vec3<u32>,
    windows: array<vec4<u32>, 1>,
}

@group(0) @binding(2) var<uniform> impel_launch: impel_Launch;

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
