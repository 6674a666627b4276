// about: results of atomic operations whose sum does not depend on the order they happen in
// dispatch: 2 1 1
// buffer 0: 128
// fill 0: u32 0..8
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> tickets: array<atomic<u32>, 8>;
@group(0) @binding(2) var<storage, read_write> sums: array<atomic<u32>, 4>;

var<workgroup> first: atomic<u32>;
var<workgroup> bits: atomic<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let key = input[id.x];
    let ticket = atomicAdd(&tickets[key], 1u);
    atomicAdd(&sums[0], ticket * (key + 1u));
    if (atomicAdd(&first, 1u) == 0u) {
        atomicAdd(&sums[1], 1u);
    }
    let before = atomicOr(&bits, 1u << key);
    if ((before & (1u << key)) == 0u) {
        atomicAdd(&sums[2], 1u << (2u * key));
    }
    atomicAdd(&sums[3], u32(atomicMax(&bits, 0u) > 0u));
}
