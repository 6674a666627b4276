//! Half precision is not supported.

impel::shader!(mod shaders, wgsl = r#"
enable f16;

@group(0) @binding(0) var<storage, read_write> y: array<f16>;

@compute @workgroup_size(64)
fn clear(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = 0.0h;
}
"#);

fn main() {}
