// about: results of every atomic operation, on words that one invocation alone uses
// dispatch: 2 1 1
// buffer 0: 90
// buffer 1: 90
// buffer 2: 90
// fill 1: bits
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> words: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read_write> old: array<array<u32, 8>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&input)) {
        return;
    }
    let x = input[i];
    old[i][0] = atomicAdd(&words[i], x);
    old[i][1] = atomicSub(&words[i], 3u);
    old[i][2] = atomicXor(&words[i], x << 4u);
    old[i][3] = atomicAnd(&words[i], 0xfffffff0u);
    old[i][4] = atomicOr(&words[i], 5u);
    old[i][5] = atomicMin(&words[i], 0x7fffffffu);
    old[i][6] = atomicMax(&words[i], 100u);
    if (x % 2u == 0u) {
        old[i][7] = atomicExchange(&words[i], x);
    } else {
        atomicStore(&words[i], atomicLoad(&words[i]) / 2u);
    }
}
