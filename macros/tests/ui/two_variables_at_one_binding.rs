//! Two buffers have the same binding.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn copy(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = x[id.x];
}
"#);

fn main() {}
