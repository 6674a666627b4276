// about: values passed between the invocations of a workgroup through a storage buffer
// dispatch: 2 1 1
// buffer 0: 64
// buffer 1: 64
@group(0) @binding(0) var<storage, read_write> scratch: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) {
    let base = group.x * 32u;
    scratch[base + local] = local * local + group.x;
    storageBarrier();
    let other = scratch[base + (local * 7u + 3u) % 32u];
    storageBarrier();
    scratch[base + local] += other;
    storageBarrier();
    output[base + local] = scratch[base + 31u - local];
}
