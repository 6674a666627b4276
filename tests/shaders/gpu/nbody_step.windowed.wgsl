struct Params {
    n: u32,
    kick: f32,
    drift: f32,
}

@group(0) @binding(0) 
var<uniform> params: Params;
@group(0) @binding(1) 
var<storage> accelerations: array<vec4<f32>>;
@group(0) @binding(2) 
var<storage, read_write> velocities: array<vec4<f32>>;
@group(0) @binding(3) 
var<storage, read_write> bodies: array<vec4<f32>>;

fn impel_kernel(gid: vec3<u32>) {
    let _e4 = params.n;
    if (gid.x >= _e4) {
        return;
    }
    let _e9 = velocities[u32(gid.x) - impel_launch.windows[1u].x];
    let _e13 = params.kick;
    let _e17 = accelerations[u32(gid.x) - impel_launch.windows[0u].x];
    let velocity = (_e9.xyz + (_e13 * _e17.xyz));
    let _e24 = bodies[u32(gid.x) - impel_launch.windows[2u].x];
    let _e28 = params.drift;
    let position = (_e24.xyz + (_e28 * velocity));
    let _e38 = velocities[u32(gid.x) - impel_launch.windows[1u].x].w;
    velocities[u32(gid.x) - impel_launch.windows[1u].x] = vec4<f32>(velocity, _e38);
    let _e47 = bodies[u32(gid.x) - impel_launch.windows[2u].x].w;
    bodies[u32(gid.x) - impel_launch.windows[2u].x] = vec4<f32>(position, _e47);
    return;
}


struct impel_Launch {
    first: vec3<u32>,
    extent: vec3<u32>,
    num_workgroups: vec3<u32>,
    windows: array<vec4<u32>, 3>,
}

@group(0) @binding(4) var<uniform> impel_launch: impel_Launch;

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
