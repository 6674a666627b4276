// about: every atomic operation on storage buffers by many invocations, results unused
// dispatch: 4 1 1
// buffer 0: 250
// fill 0: bits
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> words: array<atomic<u32>, 8>;
@group(0) @binding(2) var<storage, read_write> numbers: array<atomic<i32>, 4>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= arrayLength(&input)) {
        return;
    }
    let x = input[id.x];
    atomicAdd(&words[0], x);
    atomicSub(&words[1], x & 255u);
    atomicMax(&words[2], x);
    atomicOr(&words[3], 1u << (x % 32u));
    atomicXor(&words[4], x);
    atomicAdd(&words[5u + x % 3u], 1u);
    let s = bitcast<i32>(x);
    atomicMin(&numbers[0], s);
    atomicMax(&numbers[1], s);
    atomicAdd(&numbers[2], s >> 8u);
    if (s < 0) {
        atomicSub(&numbers[3], 1);
    }
}
