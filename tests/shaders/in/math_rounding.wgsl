// about: floor, ceil, round (ties to even), trunc, fract of scalars and vectors
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: i32 -4000..4000
@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<array<vec4f, 2>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    // Eighths, so that halves occur.
    let x = f32(input[i]) * 0.125;
    output[i][0] = vec4f(floor(x), ceil(x), round(x), trunc(x));
    output[i][1] = round(vec4f(x, -x, x + 0.5, f32(i) + 0.5)) + vec4f(fract(x), fract(vec2f(-x, x * 2.0)), 0.0);
}
