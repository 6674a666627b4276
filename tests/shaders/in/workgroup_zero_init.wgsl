// about: workgroup memory is zero at the start of each workgroup, whatever the one before left there
// dispatch: 6 1 1
// buffer 0: 48
@group(0) @binding(0) var<storage, read_write> output: array<vec2u>;

var<workgroup> line: array<u32, 8>;
var<workgroup> pair: vec2f;
var<workgroup> counter: atomic<i32>;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    let before = line[local] + u32(pair.x) + u32(atomicLoad(&counter));
    workgroupBarrier();
    line[local] = 5u + id.x;
    atomicAdd(&counter, 3);
    if (local == 0u) {
        pair = vec2f(9.0);
    }
    workgroupBarrier();
    output[id.x] = vec2u(before, line[7u - local] + u32(pair.y) + u32(atomicLoad(&counter)));
}
