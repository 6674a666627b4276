// about: an inclusive prefix sum of a workgroup, with two barriers a step and a value that lives across them
// dispatch: 3 1 1
// buffer 0: 192
// buffer 1: 192
// fill 0: i32 -100..100
@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2i>;

var<workgroup> line: array<i32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    let own = input[id.x];
    var sum = own;
    line[local] = sum;
    for (var step = 1u; step < 64u; step *= 2u) {
        workgroupBarrier();
        var before = 0;
        if (local >= step) {
            before = line[local - step];
        }
        workgroupBarrier();
        sum += before;
        line[local] = sum;
    }
    output[id.x] = vec2i(sum, sum - own);
}
