//! A builtin function gets arguments that it does not take.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn root(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = dot(y[id.x], 2.0);
}
"#);

fn main() {}
