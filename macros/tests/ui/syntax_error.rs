//! A semicolon is missing.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn double(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x
    y[i] = 2.0 * y[i];
}
"#);

fn main() {}
