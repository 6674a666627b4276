// about: constructing matrices, reading and writing their columns and elements, by constant and run-time index
// dispatch: 1 1 1
// buffer 0: 60
// buffer 1: 60
// tolerance: abs 4e-6
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<mat3x3f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let v = input[i];
    var m = mat3x3f(v.xyz, vec3f(1.0, 2.0, 3.0), v.wzy);
    m[1] = m[0] + m[2];
    m[2][1] = 5.0;
    m[i % 3u] *= 2.0;
    m[(i + 1u) % 3u][i % 2u] += 0.25;
    let copy = m;
    output[i] = m;
    output[i][2] = copy[0].zxy;
    output[i][0][i % 3u] = copy[1][2];
    let k = i % 3u;
    output[i][1].x = m[k][k];
}
