// about: dot, cross, length, distance and normalize of two, three and four components, and of integers
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: f32 0.5..4
// tolerance: ulp 16 abs 2e-5
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<array<vec4f, 4>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let a = input[i];
    let b = input[(i * 7u + 3u) % arrayLength(&input)];
    output[i][0] = vec4f(dot(a, b), dot(a.xyz, b.xyz), dot(a.xy, b.xy), f32(dot(vec3i(a.xyz), vec3i(b.wzy))));
    output[i][1] = vec4f(cross(a.xyz, b.xyz), length(a));
    output[i][2] = vec4f(distance(a.xy, -b.xy), length(a.x - 3.0), normalize(a.zw));
    output[i][3] = normalize(b) + vec4f(normalize(a.xyz), f32(dot(vec2u(a.xy), vec2u(b.xy))));
}
