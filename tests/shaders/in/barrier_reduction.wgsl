// about: a sum and a maximum of a workgroup by halving, with barriers in a uniform loop
// dispatch: 4 1 1
// buffer 0: 250
// buffer 1: 4
// fill 0: u32 0..1000
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2u>;

var<workgroup> sums: array<u32, 64>;
var<workgroup> largest: array<u32, 64>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(local_invocation_index) local: u32,
    @builtin(workgroup_id) group: vec3u,
) {
    var x = 0u;
    if (id.x < arrayLength(&input)) {
        x = input[id.x];
    }
    sums[local] = x;
    largest[local] = x;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if (local < half) {
            sums[local] += sums[local + half];
            largest[local] = max(largest[local], largest[local + half]);
        }
        workgroupBarrier();
    }
    if (local == 0u) {
        output[group.x] = vec2u(sums[0], largest[0]);
    }
}
