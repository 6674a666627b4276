// about: atomicAnd and unsigned atomicMin, which need a start other than zero
// dispatch: 3 1 1
// buffer 0: 150
// fill 0: bits
// fill 1: u32 4294967295
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> words: array<atomic<u32>, 5>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= arrayLength(&input)) {
        return;
    }
    let x = input[id.x];
    atomicAnd(&words[0], ~(1u << (x % 29u)));
    atomicMin(&words[1], x);
    atomicMin(&words[2u + x % 3u], id.x);
}
