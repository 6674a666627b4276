// about: every position that a kernel without barriers can ask for, in workgroups one wide
// dispatch: 21 3 2
// buffer 0: 8064
@group(0) @binding(0) var<storage, read_write> o: array<u32>;

@compute @workgroup_size(1, 4, 2)
fn main(
    @builtin(global_invocation_id) gid: vec3<u32>,
    @builtin(local_invocation_id) lid: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
    @builtin(workgroup_id) wid: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let at = 8u * (gid.x + groups.x * (gid.y + groups.y * 4u * gid.z));
    o[at] = lid.x + 10u * lid.y + 100u * lid.z;
    o[at + 1u] = index;
    o[at + 2u] = wid.x;
    o[at + 3u] = wid.y;
    o[at + 4u] = wid.z;
    o[at + 5u] = gid.x ^ wid.x;
}
