//! A buffer that is only read is written.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var<storage, read> x: array<f32>;

@compute @workgroup_size(64)
fn clear(@builtin(global_invocation_id) id: vec3<u32>) {
    x[id.x] = 0.0;
}
"#);

fn main() {}
