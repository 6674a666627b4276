// about: conversions of vectors
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// buffer 2: 100
// fill 0: f32 0..100
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4i>;
@group(0) @binding(2) var<storage, read_write> floats: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let v = input[i];
    let whole = vec4u(v);
    let odd = vec4<bool>(whole & vec4u(1u));
    output[i] = vec4i(whole) - vec4i(vec4f(whole.wzyx) / 2.0) + vec4i(odd);
    floats[i] = vec4f(odd) + vec4f(vec2f(output[i].xy), vec2f(whole.zw));
}
