// about: matrices of several shapes in a uniform buffer, where columns of three are padded
// dispatch: 1 1 1
// buffer 1: 50
// fill 0: f32 -0.5..0.5
// tolerance: abs 1e-4 rel 1e-5
struct Transforms {
    rotate: mat3x3f,
    tall: mat2x4f,
    flat_one: mat4x2f,
    wide: mat3x2f,
    @align(16) pair: array<mat2x2f, 2>,
    offset: vec3f,
    scale: f32,
}

@group(0) @binding(0) var<uniform> transforms: Transforms;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let p = vec3f(f32(i), 1.0, 0.5 * f32(i));
    let q = transforms.rotate * p * transforms.scale + transforms.offset;
    let r = transforms.tall * q.xy;
    let s = transforms.flat_one * r;
    output[i] = vec4f(q.z, r.w, s.x + transforms.wide[i % 3u].y, (transforms.wide * q + transforms.pair[i % 2u][1]).x);
    output[i].y += transforms.rotate[i % 3u][1];
}
