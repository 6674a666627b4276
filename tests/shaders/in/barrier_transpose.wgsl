// about: a transpose through a two-dimensional workgroup array
// dispatch: 3 2 1
// buffer 0: 384
// buffer 1: 384
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

var<workgroup> tile: array<array<f32, 8>, 8>;

@compute @workgroup_size(8, 8)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(workgroup_id) group: vec3u) {
    let source = group.xy * 8u + local.xy;
    tile[local.y][local.x] = input[source.y * 24u + source.x];
    workgroupBarrier();
    let to = group.yx * 8u + local.xy;
    output[to.y * 16u + to.x] = tile[local.x][local.y];
}
