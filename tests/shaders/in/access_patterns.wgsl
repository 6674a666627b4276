// about: element indices with strides, offsets, reversal, tables and divisions, for reading and for writing
// dispatch: 2 1 1
// buffer 0: 301
// buffer 1: 100
// buffer 2: 300
// fill 1: u32 0..301
// tolerance: abs 4e-6
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read> table: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= 100u) {
        return;
    }
    let n = arrayLength(&input);
    output[3u * i] = input[3u * i + 1u] - input[n - 1u - i];
    output[3u * i + 2u] = input[table[i]];
    output[3u * i + 1u] = input[i / 4u] * 2.0 + input[(i % 10u) * 30u] * 4.0;
    if (i % 2u == 0u) {
        output[3u * i] += input[i] * 0.5;
    }
}
