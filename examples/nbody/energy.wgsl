// Energy of every body: kinetic, and half of the potential of each of its pairs, with Plummer softening. Adding up all
// bodies gives the total energy.

struct Params {
    n: u32,
    softening_squared: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> bodies: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> velocities: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> energies: array<f32>;

@compute @workgroup_size(64)
fn energy(@builtin(global_invocation_id) gid: vec3<u32>) {
    if (gid.x >= params.n) {
        return;
    }
    let here = bodies[gid.x];
    var potential = 0.0;
    for (var j = 0u; j < params.n; j += 1u) {
        let other = bodies[j];
        let offset = other.xyz - here.xyz;
        // A body has no potential with itself.
        let mass = select(other.w, 0.0, j == gid.x);
        potential -= mass * inverseSqrt(dot(offset, offset) + params.softening_squared);
    }
    let velocity = velocities[gid.x].xyz;
    energies[gid.x] = 0.5 * here.w * (dot(velocity, velocity) + potential);
}
