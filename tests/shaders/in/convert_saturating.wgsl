// about: conversions from f32 to integers of values that do not fit
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: f32 -1e10..1e10
// cpu-only: WGSL lets a GPU clamp to the nearest number that f32 has too
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    output[i] = vec2u(u32(i32(input[i])), u32(input[i]));
}
