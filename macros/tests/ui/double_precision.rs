//! Double precision is not supported.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var<storage, read_write> y: array<f64>;

@compute @workgroup_size(64)
fn clear(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = 0.0;
}
"#);

fn main() {}
