// about: extractBits and insertBits, signed and unsigned, with offsets and counts that reach past the width
// dispatch: 3 1 1
// buffer 0: 150
// buffer 1: 150
// fill 0: bits
@group(0) @binding(0) var<storage, read> input: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let v = input[i];
    let offset = v.z % 40u;
    let count = v.w % 40u;
    output[i].x = extractBits(v.x, offset, count);
    output[i].y = u32(extractBits(bitcast<i32>(v.x), offset, count));
    output[i].z = insertBits(v.x, v.y, offset, count);
    let pair = insertBits(v.xy, v.yx, 4u, 8u) + bitcast<vec2u>(extractBits(bitcast<vec2i>(v.xy), 28u, 4u));
    output[i].w = pair.x ^ pair.y;
}
