// about: all comparisons of f32, i32, u32 and bool
// dispatch: 3 1 1
// buffer 0: 150
// buffer 1: 150
@group(0) @binding(0) var<storage, read> input: array<vec2i>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let a = input[i].x;
    let b = input[i].y;
    let ua = bitcast<u32>(a);
    let ub = bitcast<u32>(b);
    let fa = f32(a % 8);
    let fb = f32(b % 8);
    var bits = 0u;
    bits |= u32(a < b) | u32(a <= b) << 1u | u32(a > b) << 2u | u32(a >= b) << 3u | u32(a == b) << 4u | u32(a != b) << 5u;
    bits |= (u32(ua < ub) | u32(ua <= ub) << 1u | u32(ua > ub) << 2u | u32(ua >= ub) << 3u | u32(ua == ub) << 4u | u32(ua != ub) << 5u) << 6u;
    bits |= (u32(fa < fb) | u32(fa <= fb) << 1u | u32(fa > fb) << 2u | u32(fa >= fb) << 3u | u32(fa == fb) << 4u | u32(fa != fb) << 5u) << 12u;
    let p = a > 0;
    let q = b > 0;
    bits |= u32(p == q) << 18u | u32(p != q) << 19u | u32(!p) << 20u;
    output[i] = bits;
}
