// about: atomics as members of structs and in nested arrays, signed ones, and in workgroup memory
// dispatch: 2 1 1
// buffer 0: 120
// buffer 1: 6
// fill 0: i32 -1000..1000
struct Bucket {
    count: atomic<u32>,
    limits: array<atomic<i32>, 2>,
    plain: vec3u,
}

@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> buckets: array<Bucket>;

struct Shared {
    total: atomic<i32>,
    seen: array<atomic<u32>, 3>,
}

var<workgroup> own: Shared;

@compute @workgroup_size(60)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u) {
    let x = input[id.x];
    let key = u32(abs(x)) % 6u;
    atomicAdd(&buckets[key].count, 1u);
    atomicMin(&buckets[key].limits[0], x);
    atomicMax(&buckets[key].limits[1], x);
    atomicAdd(&own.total, x);
    atomicXor(&own.seen[key % 3u], u32(x));
    if (x < 0) {
        atomicSub(&own.total, 7);
    }
    workgroupBarrier();
    if (local < 3u) {
        buckets[group.x * 3u + local].plain = vec3u(u32(atomicLoad(&own.total)), atomicLoad(&own.seen[local]), local);
    }
}
