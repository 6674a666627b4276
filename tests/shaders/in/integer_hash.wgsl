// about: a hash of integers: long chains of exact operations with rotations
// dispatch: 4 1 1
// buffer 0: 250
// buffer 1: 250
// fill 0: bits
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

fn rotate(x: u32, by: u32) -> u32 {
    return (x << by) | (x >> (32u - by));
}

fn mix_in(hash: u32, word: u32) -> u32 {
    let scrambled = rotate(word * 0xcc9e2d51u, 15u) * 0x1b873593u;
    return rotate(hash ^ scrambled, 13u) * 5u + 0xe6546b64u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    let n = arrayLength(&output);
    if (i >= n) {
        return;
    }
    var hash = 0u;
    for (var k = 0u; k < 4u; k++) {
        hash = mix_in(hash, input[(i + k) % n]);
    }
    hash ^= hash >> 16u;
    output[i] = hash * 0x85ebca6bu;
}
