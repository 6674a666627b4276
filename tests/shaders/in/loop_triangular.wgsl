// about: loops whose bounds are ids, counters of outer loops, or both
// dispatch: 3 1 1
// buffer 0: 200
// buffer 1: 90
// fill 0: u32 0..1000
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    // All elements before one's own.
    var before = 0u;
    for (var j = 0u; j < i; j++) {
        before += input[j];
    }
    // Every third up to twice the id, from one's own on.
    var some = 0u;
    for (var j = i; j <= 2u * i; j += 3u) {
        some ^= input[j] + j;
    }
    // Downwards, signed, to the end.
    var above = 0u;
    for (var j = 99i; j > i32(i); j--) {
        above = above * 3u + input[j];
    }
    // A triangle of pairs.
    var pairs = 0u;
    for (var j = 0u; j < i / 16u; j++) {
        for (var k = 0u; k <= j; k++) {
            pairs += input[j + 2u * k] & 255u;
        }
    }
    output[i] = vec4u(before, some, above, pairs);
}
