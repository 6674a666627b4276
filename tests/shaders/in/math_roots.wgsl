// about: sqrt and inverseSqrt over many magnitudes
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 8388608..2130706432
// tolerance: ulp 6
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    // Any positive normal number.
    let x = bitcast<f32>(input[i]);
    let pair = vec2f(f32(i), f32(i) * 0.25 + 0.125);
    output[i] = vec4f(sqrt(x), inverseSqrt(x), sqrt(pair).x, inverseSqrt(pair).y);
}
