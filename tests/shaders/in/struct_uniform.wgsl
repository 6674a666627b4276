// about: nested structs and arrays in a uniform buffer, indexed by run-time values
// dispatch: 1 1 1
// buffer 1: 48
// fill 0.count: u32 5
// tolerance: abs 4e-6
struct Light {
    direction: vec3f,
    power: f32,
}

struct Scene {
    count: u32,
    lights: array<Light, 5>,
    weights: array<vec4f, 3>,
    bias: vec2i,
}

@group(0) @binding(0) var<uniform> scene: Scene;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(48)
fn main(@builtin(local_invocation_index) i: u32) {
    var sum = 0.0;
    for (var k = 0u; k < scene.count; k++) {
        let light = scene.lights[k];
        sum += max(light.direction[i % 3u], 0.0) + light.power * 0.25;
    }
    output[i] = sum + scene.weights[i % 3u][i / 12u] + f32(scene.bias.y % 100);
}
