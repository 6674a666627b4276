// about: the arithmetic operators on f32 scalars and vectors, with scalars mixed in
// dispatch: 2 1 1
// buffer 0: 400
// buffer 1: 100
// tolerance: ulp 4 abs 4e-6
@group(0) @binding(0) var<storage, read> input: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> output: array<array<vec4f, 4>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let a = input[4u * i];
    let b = input[4u * i + 1u];
    output[i][0] = a + b;
    output[i][1] = vec4f(a.x - b.x, a.y * b.y, -a.z, a.w / (abs(b.w) + 0.5));
    output[i][2] = 2.0 * a - b * a.x + (1.5 - b);
    output[i][3] = a / vec4f(2.0, 4.0, 0.5, 3.0) + 1.0 / (abs(b) + 1.0);
}
