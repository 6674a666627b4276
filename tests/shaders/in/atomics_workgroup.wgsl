// about: a histogram in workgroup memory, added to one in a storage buffer
// dispatch: 3 1 1
// buffer 0: 500
// fill 0: u32 0..100000
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> bins: array<atomic<u32>, 32>;

var<workgroup> own: array<atomic<u32>, 32>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(local_invocation_index) local: u32,
    @builtin(num_workgroups) groups: vec3u,
) {
    for (var i = id.x; i < arrayLength(&input); i += 64u * groups.x) {
        atomicAdd(&own[input[i] % 32u], 1u);
    }
    workgroupBarrier();
    if (local < 32u) {
        let count = atomicLoad(&own[local]);
        if (count > 0u) {
            atomicAdd(&bins[local], count);
        }
    }
}
