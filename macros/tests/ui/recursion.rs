//! A function calls itself.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var<storage, read_write> y: array<u32>;

fn factorial(n: u32) -> u32 {
    if (n == 0u) { return 1u; }
    return n * factorial(n - 1u);
}

@compute @workgroup_size(64)
fn factorials(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = factorial(id.x);
}
"#);

fn main() {}
