// about: comparisons of vectors, select with scalar and vector conditions, all and any
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// buffer 2: 100
// fill 0: i32 -3..4
@group(0) @binding(0) var<storage, read> input: array<vec4i>;
@group(0) @binding(1) var<storage, read_write> floats: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> flags: array<vec2u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&floats)) {
        return;
    }
    let a = vec4f(input[i]);
    let b = vec4f(input[i].yzwx);
    let less = a < b;
    floats[i] = select(a, b, less) * 2.0 + select(vec4f(0.5), a.wwww, less.x) + vec4f(select(-1.0, 1.0, a.y >= b.y));
    let same = a == b;
    flags[i].x = u32(all(less)) + 2u * u32(any(less)) + 4u * u32(all(a <= b)) + 8u * u32(any(same)) + 16u * u32(all(!same));
    flags[i].y = u32(any(less.xy)) + 2u * u32(all(less.zw != same.zw)) + 4u * u32(all(less.x)) + 8u * u32(any(same.w));
}
