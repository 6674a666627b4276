// about: uniform buffers that are a vector, an array or a struct with an array, without a struct around
// dispatch: 1 1 1
// buffer 3: 32
// fill 0: f32 -4..4
// tolerance: abs 1e-4 rel 1e-5
@group(0) @binding(0) var<uniform> color: vec4f;
@group(0) @binding(1) var<uniform> taps: array<vec4f, 4>;
@group(0) @binding(2) var<uniform> turn: mat4x4f;
@group(0) @binding(3) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(32)
fn main(@builtin(local_invocation_index) i: u32) {
    var sum = color;
    for (var k = 0u; k < 4u; k++) {
        sum += taps[k] * f32((i >> k) & 1u) + turn[k] * taps[(i + k) % 4u][k];
    }
    output[i] = turn * sum + vec4f(color[i % 4u]);
}
