// about: all-pairs forces: a uniform loop over a buffer of structs, with inverseSqrt
// dispatch: 2 1 1
// buffer 1: 67
// buffer 2: 67
// fill 0.n: u32 67
// fill 0.softening: f32 0.05
// tolerance: rel 2e-4 abs 2e-3
struct Params {
    n: u32,
    softening: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> positions: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> forces: array<vec3f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= params.n) {
        return;
    }
    let own = positions[i].xyz;
    var sum = vec3f(0.0);
    for (var j = 0u; j < params.n; j++) {
        let other = positions[j];
        let d = other.xyz - own;
        let inverse = inverseSqrt(dot(d, d) + params.softening);
        sum += abs(other.w) * inverse * inverse * inverse * d;
    }
    forces[i] = sum;
}
