struct Params {
    n: u32,
    softening_squared: f32,
}

@group(0) @binding(0) 
var<uniform> params: Params;
@group(0) @binding(1) 
var<storage> bodies: array<vec4<f32>>;
@group(0) @binding(2) 
var<storage, read_write> accelerations: array<vec4<f32>>;

fn impel_kernel(gid: vec3<u32>) {
    var acceleration: vec3<f32> = vec3(0f);
    var j: u32 = 0u;

    let _e4 = params.n;
    if (gid.x >= _e4) {
        return;
    }
    let _e9 = bodies[gid.x];
    let here = _e9.xyz;
    loop {
        let _e16 = j;
        let _e19 = params.n;
        if (_e16 < _e19) {
        } else {
            break;
        }
        {
            let _e22 = j;
            let other = bodies[_e22];
            let offset = (other.xyz - here);
            let _e30 = params.softening_squared;
            let inverse_distance = inverseSqrt((dot(offset, offset) + _e30));
            let strength = (((other.w * inverse_distance) * inverse_distance) * inverse_distance);
            let _e37 = acceleration;
            acceleration = (_e37 + (strength * offset));
        }
        continuing {
            let _e40 = j;
            j = (_e40 + 1u);
        }
    }
    let _e46 = acceleration;
    accelerations[gid.x] = vec4<f32>(_e46, 0f);
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
