// about: structs with padding and nested arrays in runtime-sized storage arrays, read and written whole and by member
// dispatch: 1 1 1
// buffer 0: 40
// buffer 1: 40
// tolerance: abs 4e-6
struct Inner {
    position: vec3f,
    mass: f32,
    flags: vec2u,
}

struct Item {
    tag: u32,
    inner: array<Inner, 2>,
    tail: vec3f,
}

@group(0) @binding(0) var<storage, read> input: array<Item>;
@group(0) @binding(1) var<storage, read_write> output: array<Item>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    var item = input[i];
    item.inner[0].position.y = item.inner[1].mass * 2.0;
    item.inner[i & 1u].flags += vec2u(item.tag, 1u);
    output[i] = item;
    output[i].inner[1] = Inner(item.tail, -1.0, vec2u(i, arrayLength(&input)));
    output[i].tail[item.tag % 3u] = 9.0;
    output[i].tag = item.inner[0].flags.x ^ input[39u - i].inner[1].flags.y;
}
