// about: a two-dimensional grid that is no multiple of the workgroup, read with a neighbourhood
// dispatch: 5 3 1
// buffer 1: 703
// buffer 2: 703
// fill 0.width: u32 37
// fill 0.height: u32 19
// tolerance: abs 1e-5
struct Size {
    width: u32,
    height: u32,
}

@group(0) @binding(0) var<uniform> size: Size;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= size.width || id.y >= size.height) {
        return;
    }
    let at = id.y * size.width + id.x;
    if (id.x == 0u || id.y == 0u || id.x + 1u == size.width || id.y + 1u == size.height) {
        output[at] = input[at];
        return;
    }
    output[at] = 0.25 * (input[at - 1u] + input[at + 1u] + input[at - size.width] + input[at + size.width]);
}
