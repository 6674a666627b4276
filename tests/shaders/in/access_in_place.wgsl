// about: buffers read and written in place, one element an invocation, some of them several times
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..100
@group(0) @binding(0) var<storage, read_write> keys: array<u32>;
@group(0) @binding(1) var<storage, read_write> pairs: array<vec2u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&keys)) {
        return;
    }
    keys[i] += 3u;
    if (keys[i] % 2u == 0u) {
        keys[i] *= keys[i];
    }
    pairs[i].x = keys[i];
    pairs[i].y = pairs[i].x + 1u;
    let kept = pairs[i];
    pairs[i] = vec2u(7u);
    pairs[i] = kept.yx;
    for (var k = 0u; k < 3u; k++) {
        keys[i] = keys[i] * 5u + k;
    }
}
