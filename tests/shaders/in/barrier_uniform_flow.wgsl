// about: barriers under conditions and in loops that are uniform in a workgroup but differ between workgroups
// dispatch: 5 1 1
// buffer 0: 80
// buffer 1: 80
// fill 0: u32 0..9
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

var<workgroup> line: array<u32, 16>;

@compute @workgroup_size(16)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(local_invocation_index) local: u32,
    @builtin(workgroup_id) group: vec3u,
) {
    if (group.x == 3u) {
        output[id.x] = 7u;
        return;
    }
    line[local] = input[id.x];
    var rounds = group.x;
    while (rounds > 0u) {
        workgroupBarrier();
        let next = line[(local + 1u) % 16u];
        workgroupBarrier();
        line[local] += next;
        if (rounds == 4u) {
            workgroupBarrier();
            if (local % 2u == 0u) {
                line[local] += 100u;
            }
        }
        rounds--;
    }
    switch group.x % 2u {
        case 0u: {
            workgroupBarrier();
            output[id.x] = line[15u - local];
        }
        default: {
            output[id.x] = line[local];
        }
    }
}
