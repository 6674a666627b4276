// about: abs, sign, min, max, clamp and saturate of floats and integers, scalars and vectors
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// buffer 2: 100
// buffer 3: 100
@group(0) @binding(0) var<storage, read> floats: array<vec3f>;
@group(0) @binding(1) var<storage, read> ints: array<vec3i>;
@group(0) @binding(2) var<storage, read_write> float_out: array<array<vec3f, 4>>;
@group(0) @binding(3) var<storage, read_write> int_out: array<array<vec3i, 4>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&float_out)) {
        return;
    }
    let v = floats[i];
    float_out[i][0] = abs(v);
    float_out[i][1] = sign(v) + vec3f(sign(0.0 * v.x), saturate(v.yz));
    float_out[i][2] = min(v, v.yzx) + max(v.zxy, vec3f(0.5));
    float_out[i][3] = vec3f(clamp(v.x, -1.0, 2.0), clamp(v.yz, vec2f(-0.5), vec2f(0.5, 3.0)));
    let a = ints[i];
    let u = bitcast<vec3u>(a);
    int_out[i][0] = abs(a) + sign(a);
    int_out[i][1] = min(a, a.yzx) - max(a, a.zxy);
    int_out[i][2] = bitcast<vec3i>(min(u, u.yzx) ^ max(u, u.zxy)) + vec3i(i32(abs(u.x) == u.x));
    int_out[i][3] = vec3i(clamp(a.x, -5, 5), clamp(a.y, i32(i) - 50, 1000), i32(clamp(u.z, 3u, 9u)));
}
