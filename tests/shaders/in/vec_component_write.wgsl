// about: writing single components of vectors in variables and in buffers
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// tolerance: abs 4e-6
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    var v = input[i];
    v.y = v.x + 1.0;
    v[3] *= 2.0;
    if (v.x > 0.0) {
        v.z = -v.z;
        v.x -= 0.5;
    }
    output[i].w = v.x;
    output[i].x = v.y;
    output[i][1] = v.z;
    output[i].z += v.w;
}
