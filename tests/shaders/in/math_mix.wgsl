// about: mix, step, smoothstep, fma and select of scalars and vectors
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// tolerance: abs 2e-5
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<array<vec4f, 3>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let v = input[i];
    output[i][0] = mix(v, v.wzyx, vec4f(0.25, 0.5, 0.0, 1.0)) + mix(v, vec4f(1.0), 0.75);
    output[i][1] = vec4f(step(v.x, v.y), step(vec2f(0.0), v.zw), smoothstep(-2.0, 2.0, v.x));
    output[i][2] = fma(v, vec4f(v.x), v.yyyy) + vec4f(smoothstep(vec2f(0.0), vec2f(1.0, 2.0), v.zw), select(vec2f(0.0), v.xy, v.zw > vec2f(0.0)));
}
