// about: bitcast between f32, i32 and u32, scalars and vectors
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: f32 -100..100
@group(0) @binding(0) var<storage, read> input: array<vec3f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec3u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let bits = bitcast<vec3u>(input[i]);
    let flipped = bitcast<vec3f>(bits ^ vec3u(0x80000000u));
    let exponent = (bits.x >> 23u) & 255u;
    let doubled = bitcast<f32>(bitcast<i32>(input[i].y) + (1 << 23u));
    output[i] = bitcast<vec3u>(bitcast<vec3i>(flipped)) + vec3u(exponent, bitcast<u32>(doubled), 0u);
}
