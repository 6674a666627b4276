// about: a grid-stride loop: each invocation handles several elements, a grid apart
// dispatch: 3 1 1
// buffer 0: 1009
// buffer 1: 1009
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    for (var i = id.x; i < arrayLength(&output); i += groups.x * 64u) {
        output[i] = input[i] * 3u + i;
    }
}
