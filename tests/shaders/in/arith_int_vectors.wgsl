// about: integer operators on vectors, with scalars mixed in
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// buffer 2: 100
@group(0) @binding(0) var<storage, read> input: array<vec4i>;
@group(0) @binding(1) var<storage, read_write> signed_out: array<vec4i>;
@group(0) @binding(2) var<storage, read_write> unsigned_out: array<vec3u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&signed_out)) {
        return;
    }
    let a = input[i];
    let b = a.wzyx;
    signed_out[i] = a * 3 - b / vec4i(2, 3, -1, 5) + (7 % b);
    let u = vec3u(a.xyz);
    let v = vec3u(b.yzw);
    unsigned_out[i] = (u ^ v) + 5u * (u / v) - (v % 9u) + (u << vec3u(1u, 2u, 3u)) + (v >> vec3u(4u));
}
