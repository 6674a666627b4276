// about: conversions between f32, i32, u32 and bool of values that fit
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: f32 -1000..1000
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<array<i32, 8>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let x = input[i];
    output[i][0] = i32(x);
    output[i][1] = i32(u32(abs(x)));
    output[i][2] = i32(f32(i32(x)) * 0.5);
    output[i][3] = i32(bool(i32(x) % 3)) + 2 * i32(bool(u32(abs(x)) & 4u)) + 4 * i32(bool(x));
    output[i][4] = i32(f32(i > 50u) * 8.0);
    output[i][5] = i32(u32(-i32(i)));
    output[i][6] = bitcast<i32>(f32(16777217u + i));
    output[i][7] = bitcast<i32>(f32(-16777217 - i32(i) * 3));
}
