// about: all inputs in workgroups of one invocation
// dispatch: 5 3 2
// buffer 0: 30
struct Row {
    global: vec3u,
    group: vec3u,
    local: vec3u,
    index: u32,
    groups: vec3u,
}

@group(0) @binding(0) var<storage, read_write> output: array<Row>;

@compute @workgroup_size(1)
fn main(
    @builtin(global_invocation_id) global: vec3u,
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) index: u32,
    @builtin(num_workgroups) groups: vec3u,
) {
    let at = (group.z * groups.y + group.y) * groups.x + group.x;
    output[at] = Row(global, group, local, index, groups);
}
