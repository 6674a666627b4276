//! A `bool` has no size in a buffer.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var<storage, read_write> flags: array<bool>;

@compute @workgroup_size(64)
fn clear(@builtin(global_invocation_id) id: vec3<u32>) {
    flags[id.x] = false;
}
"#);

fn main() {}
