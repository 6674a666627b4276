// about: infinities, negative zero and NaN made at run time, in comparisons and functions
// dispatch: 1 1 1
// buffer 0: 8
// buffer 1: 8
// fill 0: f32 0
// cpu-only: WGSL lets an implementation assume that there are no infinities and NaN
@group(0) @binding(0) var<storage, read> zeros: array<f32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;

@compute @workgroup_size(8)
fn main(@builtin(local_invocation_index) i: u32) {
    let zero = zeros[i];
    let infinity = 1.0 / zero;
    let nan = bitcast<f32>(0x7fc00000u | bitcast<u32>(zero));
    let list = array<f32, 8>(zero, -zero, infinity, -infinity, nan, 1.0, -1.5, 1e-40);
    let x = list[i];
    let flags = u32(x < 0.0) + 2u * u32(x == 0.0) + 4u * u32(x != x) + 8u * u32(x > 3e38) + 16u * u32(x <= infinity) + 32u * u32(!(x >= zero));
    output[i] = vec4u(flags, bitcast<u32>(floor(x) + 0.0 * f32(i > 4u)), u32(i32(x)), u32(x));
    output[i].y = bitcast<u32>(select(abs(x), 7.0, x != x));
    output[i].z ^= u32(bool(x)) << 8u;
}
