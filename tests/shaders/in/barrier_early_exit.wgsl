// about: an invocation that has nothing to do must still reach the barriers: guards around the work, not around them
// dispatch: 3 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..1000
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

var<workgroup> edges: array<u32, 40>;

@compute @workgroup_size(40)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    let n = arrayLength(&input);
    let inside = id.x < n;
    edges[local] = select(0u, input[min(id.x, n - 1u)], inside);
    workgroupBarrier();
    if (!inside) {
        return;
    }
    var left = 0u;
    if (local > 0u) {
        left = edges[local - 1u];
    }
    for (var k = local + 1u; k < 40u; k++) {
        if (edges[k] > edges[local]) {
            output[id.x] = edges[k] * 2u + left;
            return;
        }
    }
    output[id.x] = left;
}
