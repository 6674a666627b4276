//! An override gets two values.

impel::shader!(mod shaders, wgsl = r#"
override factor: f32 = 2.0;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn scale(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] *= factor;
}
"#, overrides { factor = 3.0, factor = 4.0 });

fn main() {}
