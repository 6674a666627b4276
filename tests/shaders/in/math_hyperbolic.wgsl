// about: sinh, cosh and tanh
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: f32 -3..3
// tolerance: abs 2e-5 rel 2e-5
@group(0) @binding(0) var<storage, read> input: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec3f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let v = input[i];
    output[i] = vec3f(sinh(v.x), cosh(v.y), tanh(v.x + v.y));
}
