//! A function that leaves an endless loop by `return` only.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var<storage, read_write> y: array<u32>;

fn first_above(limit: u32) -> u32 {
    var n = 1u;
    loop {
        n = n * 3u;
        if (n > limit) {
            return n;
        }
    }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    y[id.x] = first_above(id.x);
}
"#);

fn main() {}
