//! An entry point does not say how large its workgroups are.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute
fn clear(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = 0.0;
}
"#);

fn main() {}
