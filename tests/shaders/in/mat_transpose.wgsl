// about: transposes of square and oblong matrices
// dispatch: 1 1 1
// buffer 0: 60
// buffer 1: 60
// fill 0: f32 -2..2
// tolerance: abs 1e-4 rel 1e-5
@group(0) @binding(0) var<storage, read> input: array<mat4x4f>;
@group(0) @binding(1) var<storage, read_write> output: array<array<vec4f, 2>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let m = input[i];
    let small = mat2x2f(m[0].xy, m[1].zw);
    let middle = mat3x3f(m[0].xyz, m[1].yzw, m[2].xyz);
    let oblong = mat2x3f(m[2].xyz, m[3].xyz);
    output[i][0] = transpose(m)[1] + vec4f(transpose(small)[0], transpose(oblong)[2]);
    output[i][1] = vec4f(transpose(middle) * m[3].xyz, (transpose(oblong) * m[3].xyz).y);
}
