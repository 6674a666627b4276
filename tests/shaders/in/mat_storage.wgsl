// about: arrays of matrices written to a storage buffer, whole, by column and by element; padding is left alone
// dispatch: 1 1 1
// buffer 0: 20
// buffer 1: 20
@group(0) @binding(0) var<storage, read> input: array<mat3x3f>;
@group(0) @binding(1) var<storage, read_write> output: array<Item>;

struct Item {
    m: mat3x3f,
    pair: mat2x2f,
    list: array<mat2x3f, 2>,
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let m = input[i];
    output[i].m = m * -1.0;
    output[i].pair = mat2x2f(m[0].xy, m[1].yz);
    output[i].list[i & 1u] = mat2x3f(m[2], m[1]);
    output[i].list[1u - (i & 1u)][1] = -m[0];
    output[i].list[1][0].y = 1.0;
}
