// about: writes and atomic operations at bad indices of every kind of memory are dropped
// dispatch: 2 1 1
// buffer 0: 50
// buffer 1: 100
// cpu-only: WGSL lets a GPU write any element instead
@group(0) @binding(0) var<storage, read_write> short: array<atomic<u32>>;
@group(0) @binding(1) var<storage, read_write> output: array<vec3u>;

var<workgroup> line: array<u32, 32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    let i = id.x;
    line[local] = local + 1u;
    workgroupBarrier();
    atomicAdd(&short[i], i);
    atomicStore(&short[i + 50u], 7u);
    var list: array<u32, 5>;
    list[local % 9u] = 3u;
    list[i32(local % 3u) - 1] += 10u;
    var v = vec3u(1u, 2u, 3u);
    v[local % 5u] = 9u;
    // Past the end for the last invocations: dropped as a whole.
    output[i] = v;
    output[i].y = list[0] + list[1] + list[2] + list[3] + list[4];
    output[i][local % 4u] += line[local / 2u];
}
