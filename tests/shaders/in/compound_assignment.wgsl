// about: all compound assignments, increment and decrement, on variables and buffer elements
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
@group(0) @binding(0) var<storage, read> input: array<vec2i>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4i>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let x = input[i].x;
    let y = input[i].y;
    var a = x;
    a += y;
    a -= 3;
    a *= 5;
    a /= (y & 7);
    a %= 1000;
    a++;
    var b = bitcast<u32>(y);
    b &= 0xffffu;
    b |= 0x10000u;
    b ^= 0x5555u;
    b <<= 2u;
    b >>= (i % 8u);
    b--;
    output[i].x = a;
    output[i].x += x;
    output[i].y = i32(b);
    output[i].y--;
    output[i].z++;
    var v = vec2i(x, y);
    v += vec2i(1, 2);
    v *= 3;
    v -= v.yx;
    output[i].w = v.x ^ v.y;
}
