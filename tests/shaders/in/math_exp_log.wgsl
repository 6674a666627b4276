// about: exp, exp2, log, log2 and pow
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: f32 -4..4
// tolerance: ulp 16 rel 2e-5 abs 2e-6
@group(0) @binding(0) var<storage, read> input: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> output: array<array<vec2f, 4>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let v = input[i];
    let positive = abs(v) + 0.125;
    output[i][0] = vec2f(exp(v.x), exp2(v.y));
    output[i][1] = vec2f(log(positive.x), log2(positive.y));
    output[i][2] = vec2f(pow(positive.x, v.y), pow(positive.y, 2.0));
    output[i][3] = exp(-v) + log2(positive * 16.0);
}
