// about: constructing vectors from parts, splats, swizzles, and swizzles of swizzles
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// tolerance: abs 2e-6
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<array<vec4f, 4>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let v = input[i];
    let pair = vec2(v.x, 1.0);
    let three = vec3(pair, v.w);
    output[i][0] = vec4(three.zx, pair.yy);
    output[i][1] = vec4(v.x) + v.wzyx - v.xxyy.zwxy;
    output[i][2] = vec4(2.0, v.yz, three.r) + vec4f(v.rgb.bgr, v.a);
    output[i][3] = vec4f() + vec4f(vec3f(vec2i(1, 2).yx.xyx), v[2]);
}
