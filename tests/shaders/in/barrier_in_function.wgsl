// about: barriers in functions that are called several times, from a loop and inside expressions
// dispatch: 2 1 1
// buffer 0: 64
// buffer 1: 64
// fill 0: u32 0..100
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

var<workgroup> slots: array<u32, 32>;

fn exchange(local: u32, x: u32, distance: u32) -> u32 {
    slots[local] = x;
    workgroupBarrier();
    let other = slots[(local + distance) % 32u];
    workgroupBarrier();
    return other;
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    var x = input[id.x];
    for (var k = 1u; k < 4u; k++) {
        x += exchange(local, x, k) * k;
        if (x % 2u == 0u) {
            x += 1u;
        }
    }
    output[id.x] = exchange(local, x, 16u) + 1000u * exchange(local, local, 5u);
}
