// about: countOneBits, countLeadingZeros, countTrailingZeros, reverseBits, firstLeadingBit, firstTrailingBit
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
@group(0) @binding(0) var<storage, read> input: array<vec2u>;
@group(0) @binding(1) var<storage, read_write> output: array<array<vec2u, 6>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let u = input[i];
    let s = vec2i(bitcast<i32>(u.x), -bitcast<i32>(u.y));
    output[i][0] = countOneBits(u) + bitcast<vec2u>(countOneBits(s));
    output[i][1] = countLeadingZeros(u) + 100u * bitcast<vec2u>(countLeadingZeros(s));
    output[i][2] = countTrailingZeros(u) + 100u * vec2u(u32(countTrailingZeros(s.x)), countTrailingZeros(u.y << 3u));
    output[i][3] = reverseBits(u) ^ bitcast<vec2u>(reverseBits(s));
    output[i][4] = vec2u(firstLeadingBit(u.x), u32(firstLeadingBit(s.y)));
    output[i][5] = vec2u(firstTrailingBit(u.x), u32(firstTrailingBit(s.y)));
}
