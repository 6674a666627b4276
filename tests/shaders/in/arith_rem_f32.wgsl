// about: the remainder of f32, which keeps the sign of the left operand
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: i32 -1000..1000
// tolerance: abs 1e-4
@group(0) @binding(0) var<storage, read> input: array<vec2i>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    // Quarters: no quotient lies so near a whole number that an inexact division could cross it, except the exact
    // ones by powers of two.
    let v = vec2f(input[i]) * 0.25;
    output[i] = vec4f(v.x % 8.0, -v.y % 0.5, v % vec2f(2.7182817, -2.7182817));
}
