// about: sin, cos, tan on [-pi, pi], asin, acos, atan, atan2
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: f32 -3.14..3.14
// tolerance: abs 6e-4 rel 1e-3
@group(0) @binding(0) var<storage, read> input: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> output: array<array<vec4f, 2>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let v = input[i];
    let part = clamp(v.x / 3.2, -0.95, 0.95);
    output[i][0] = vec4f(sin(v.x), cos(v), tan(v.y * 0.2));
    output[i][1] = vec4f(asin(part), acos(part), atan(v.y), atan2(v.y, v.x + 0.01));
}
