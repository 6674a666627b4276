// about: arrays of three-component vectors, whose elements are 16 bytes apart
// dispatch: 2 1 1
// buffer 0: 90
// buffer 1: 90
// tolerance: abs 2e-6
struct Packed {
    v: vec3f,
    w: f32,
}

@group(0) @binding(0) var<storage, read> input: array<vec3f>;
@group(0) @binding(1) var<storage, read_write> output: array<Packed>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    output[i].w = f32(arrayLength(&input));
    output[i].v = input[i] + input[arrayLength(&input) - 1u - i].zyx;
}
