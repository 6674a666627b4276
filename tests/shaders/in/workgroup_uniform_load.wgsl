// about: workgroupUniformLoad of scalars, structs and atomics, deciding loops that hold barriers
// dispatch: 4 1 1
// buffer 0: 64
// buffer 1: 64
// fill 0: u32 0..40
struct Task {
    limit: u32,
    scale: u32,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

var<workgroup> task: Task;
var<workgroup> left: atomic<u32>;
var<workgroup> line: array<u32, 16>;

@compute @workgroup_size(16)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    if (local == 5u) {
        task = Task(input[id.x], local + 1u);
    }
    line[local] = input[id.x];
    let mine = workgroupUniformLoad(&task);
    var rounds = 0u;
    loop {
        if (line[local] > mine.limit) {
            line[local] -= mine.scale;
            atomicAdd(&left, 1u);
        }
        let moved = workgroupUniformLoad(&left);
        if (moved == 0u || rounds > 20u) {
            break;
        }
        if (local == 0u) {
            atomicStore(&left, 0u);
        }
        workgroupBarrier();
        rounds++;
    }
    output[id.x] = line[local] * 100u + rounds;
}
