// about: all inputs in workgroups of 7 × 1 × 1
// dispatch: 6 1 2
// buffer 0: 84
struct Row {
    global: vec3u,
    index: u32,
    group: vec3u,
    local: vec3u,
}

struct Inputs {
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) index: u32,
    @builtin(num_workgroups) groups: vec3u,
}

@group(0) @binding(0) var<storage, read_write> output: array<Row>;

@compute @workgroup_size(7, 1, 1)
fn main(inputs: Inputs, @builtin(global_invocation_id) global: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let group = (inputs.group.z * inputs.groups.y + inputs.group.y) * inputs.groups.x + inputs.group.x;
    output[group * 7u + inputs.index] = Row(global, inputs.index + 1000u * inputs.groups.x, inputs.group, local);
}
