// about: indexing vectors by run-time values, for reading and writing, in variables, values and buffers
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..1000
@group(0) @binding(0) var<storage, read> input: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let v = input[i];
    var w = vec3u(1u, 2u, 3u);
    w[v.x % 3u] += v[v.y & 3u];
    w[i % 3u] *= 7u;
    output[i][v.z & 3u] = w.x + 10u * w.y + 100u * w.z;
    output[i][(v.z + 1u) & 3u] = input[i][i & 3u] + vec2u(5u, 6u)[v.w & 1u];
    for (var k = 0u; k < 4u; k++) {
        output[i][k] ^= k;
    }
}
