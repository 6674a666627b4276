// about: bitwise operators on integers, and the non-short-circuit operators on bools
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
@group(0) @binding(0) var<storage, read> input: array<vec2u>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let a = input[i].x;
    let b = input[i].y;
    let odd = (a & 1u) == 1u;
    let small = b < 8u;
    let flags = vec3<bool>(odd, small, i > 50u);
    let mixed = (flags | vec3<bool>(small)) & !flags.zxy;
    output[i].x = (a & b) | (~a & 0xffu) ^ (b | 3u);
    output[i].y = u32(odd & small) + 2u * u32(odd | small) + 4u * u32(!odd) + 8u * u32(odd != small) + 16u * u32(odd == small);
    output[i].z = u32(mixed.x) + 2u * u32(mixed.y) + 4u * u32(mixed.z);
    output[i].w = u32(~bitcast<i32>(a) & -4);
}
