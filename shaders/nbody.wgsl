// Gravitational acceleration of every body by every body, with Plummer softening:
//
//   a_i = Σ_j m_j · (r_j - r_i) / (|r_j - r_i|² + ε²)^(3/2)
//
//   bodies         n elements: position in xyz, mass times the constant of gravity in w
//   accelerations  n elements: acceleration in xyz, 0 in w
//   grid           n invocations along x
//
// Any consistent units do. The term j = i adds nothing, since r_j - r_i is zero and ε² is not: `softening_squared` must be
// greater than zero. About 20 floating-point operations a pair: bound by arithmetic.

struct Params {
    n: u32,
    softening_squared: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> bodies: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> accelerations: array<vec4<f32>>;

@compute @workgroup_size(64)
fn nbody(@builtin(global_invocation_id) gid: vec3<u32>) {
    if (gid.x >= params.n) {
        return;
    }
    let here = bodies[gid.x].xyz;
    var acceleration = vec3<f32>(0.0);
    for (var j = 0u; j < params.n; j += 1u) {
        let other = bodies[j];
        let offset = other.xyz - here;
        let inverse_distance = inverseSqrt(dot(offset, offset) + params.softening_squared);
        let strength = other.w * inverse_distance * inverse_distance * inverse_distance;
        acceleration += strength * offset;
    }
    accelerations[gid.x] = vec4<f32>(acceleration, 0.0);
}
