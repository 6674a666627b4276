// about: a reduction in workgroups whose size is no power of two, with a two-dimensional shape
// dispatch: 3 2 1
// buffer 0: 210
// buffer 1: 6
// fill 0: i32 -1000..1000
@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<i32>;

var<workgroup> line: array<i32, 35>;

@compute @workgroup_size(7, 5)
fn main(
    @builtin(local_invocation_id) local: vec3u,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let own = local.y * 7u + local.x;
    let block = group.y * groups.x + group.x;
    line[own] = input[block * 35u + own];
    var active_count = 35u;
    loop {
        workgroupBarrier();
        if (active_count == 1u) {
            break;
        }
        let half = (active_count + 1u) / 2u;
        if (own + half < active_count) {
            line[own] += line[own + half];
        }
        active_count = half;
    }
    if (own == 0u) {
        output[block] = line[0];
    }
}
