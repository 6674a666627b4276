// about: shifts by any amount, which count modulo 32, and arithmetic shifts of negative numbers
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: bits
@group(0) @binding(0) var<storage, read> input: array<vec2u>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let a = input[i].x;
    let by = input[i].y & 63u;
    let s = bitcast<i32>(a);
    output[i] = vec4u(a << by, a >> by, u32(s << by), u32(s >> by));
    output[i].x ^= (1u << i) | (a >> 31u);
    output[i].w += u32((s >> 31u) + (-1 << (i + 30u)));
}
