// about: function-space arrays indexed by run-time values, uniform and not, and overwritten in loops
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..64
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    let n = arrayLength(&output);
    if (i >= n) {
        return;
    }
    var counts: array<u32, 8>;
    for (var k = 0u; k < 20u; k++) {
        counts[input[(i + k) % n] % 8u] += 1u;
    }
    // Insertion sort, with run-time indices on both sides.
    for (var k = 1u; k < 8u; k++) {
        let moving = counts[k];
        var at = k;
        while (at > 0u && counts[at - 1u] > moving) {
            counts[at] = counts[at - 1u];
            at--;
        }
        counts[at] = moving;
    }
    var code = 0u;
    for (var k = 0u; k < 8u; k++) {
        code = code * 11u + counts[k];
    }
    output[i] = code;
}
