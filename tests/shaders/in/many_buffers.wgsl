// about: many bindings with gaps between their numbers, declared in another order
// dispatch: 1 1 1
// buffer 9: 30
// buffer 2: 40
// buffer 5: 50
// buffer 11: 30
// fill 0: u32 3
struct Tail {
    scale: i32,
    rest: array<i32>,
}

@group(0) @binding(11) var<storage, read_write> second: array<i32>;
@group(0) @binding(5) var<storage, read> c: Tail;
@group(0) @binding(0) var<uniform> factor: u32;
@group(0) @binding(9) var<storage, read_write> first: array<i32>;
@group(0) @binding(2) var<storage> b: array<i32>;
@group(0) @binding(3) var<uniform> offset: vec3i;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= arrayLength(&first)) {
        return;
    }
    first[id.x] = b[id.x + factor] + c.rest[id.x] * c.scale;
    second[id.x] = offset.y + offset[id.x % 3u] + i32(arrayLength(&c.rest) + arrayLength(&b) * factor);
}
