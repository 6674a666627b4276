// Moves every body one leapfrog step: first the kick, then the drift.
//
//   v ← v + kick · a        kick and drift are times
//   r ← r + drift · v
//
//   accelerations  n elements, acceleration in xyz
//   velocities     n elements, velocity in xyz; w is kept
//   bodies         n elements, position in xyz; w (the mass) is kept
//   grid           n invocations along x
//
// With velocities half a step behind the positions, kick = drift = dt is one step of second order that keeps the energy
// bounded. A first step with kick = dt / 2 sets the half-step lag up; a last one with kick = dt / 2 and drift = 0 brings
// positions and velocities to the same time again.

struct Params {
    n: u32,
    kick: f32,
    drift: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> accelerations: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> velocities: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> bodies: array<vec4<f32>>;

@compute @workgroup_size(64)
fn nbody_step(@builtin(global_invocation_id) gid: vec3<u32>) {
    if (gid.x >= params.n) {
        return;
    }
    let velocity = velocities[gid.x].xyz + params.kick * accelerations[gid.x].xyz;
    let position = bodies[gid.x].xyz + params.drift * velocity;
    velocities[gid.x] = vec4<f32>(velocity, velocities[gid.x].w);
    bodies[gid.x] = vec4<f32>(position, bodies[gid.x].w);
}
