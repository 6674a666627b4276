//! Textures are not supported.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var image: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(64)
fn copy(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = textureLoad(image, id.xy, 0);
}
"#);

fn main() {}
