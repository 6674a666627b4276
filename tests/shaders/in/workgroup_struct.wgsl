// about: structs, vectors, matrices and nested arrays in workgroup memory, written and read by member
// dispatch: 2 1 1
// buffer 0: 48
// buffer 1: 48
// tolerance: abs 1e-5
struct Body {
    position: vec3f,
    alive: bool,
    history: array<f32, 2>,
}

@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

var<workgroup> bodies: array<Body, 24>;
var<workgroup> frame: mat3x3f;
var<workgroup> seen: array<array<u32, 4>, 6>;

@compute @workgroup_size(24)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    let v = input[id.x];
    bodies[local] = Body(v.xyz, v.w > 0.0, array<f32, 2>(v.w, -v.w));
    if (local < 3u) {
        frame[local] = v.zxy;
    }
    seen[local / 4u][local % 4u] = local;
    workgroupBarrier();
    let other = bodies[(local * 5u) % 24u];
    var sum = frame * other.position;
    if (bodies[23u - local].alive) {
        sum.y += bodies[local].history[local & 1u];
    }
    output[id.x] = vec4f(sum, f32(seen[5u - local / 4u][local % 4u]));
}
