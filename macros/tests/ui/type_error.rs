//! A float is added to an integer.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn number(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = y[id.x] + id.x;
}
"#);

fn main() {}
