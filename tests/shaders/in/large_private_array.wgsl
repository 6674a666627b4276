// about: a private array of 256 elements, filled linearly and read at data-dependent places
// dispatch: 1 1 1
// buffer 0: 50
// buffer 1: 50
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    var table: array<u32, 256>;
    for (var k = 0u; k < 256u; k++) {
        table[k] = k;
    }
    // The key schedule of RC4.
    var other = 0u;
    for (var k = 0u; k < 256u; k++) {
        other = (other + table[k] + ((input[i] >> (8u * (k % 4u))) & 255u)) % 256u;
        let kept = table[k];
        table[k] = table[other];
        table[other] = kept;
    }
    output[i] = table[0] | table[1] << 8u | table[i] << 16u | table[table[7]] << 24u;
}
