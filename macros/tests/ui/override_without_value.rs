//! An override has neither a default nor a value.

impel::shader!(mod shaders, wgsl = r#"
override factor: f32;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn scale(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] *= factor;
}
"#);

fn main() {}
