// about: a three-dimensional grid whose invocations guard each axis
// dispatch: 2 2 2
// buffer 1: 210
// fill 0: u32 0..1000
struct Extent {
    size: vec3u,
}

@group(0) @binding(0) var<storage, read> input: array<u32, 210>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

const EXTENT = Extent(vec3u(5u, 6u, 7u));

@compute @workgroup_size(4, 4, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if (any(id >= EXTENT.size)) {
        return;
    }
    let at = dot(id, vec3u(1u, 5u, 30u));
    let mirrored = dot(EXTENT.size - 1u - id, vec3u(1u, 5u, 30u));
    output[at] = input[mirrored] * 8u + (id.x ^ id.y ^ id.z);
}
