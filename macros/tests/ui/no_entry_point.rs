//! No function is an entry point.

impel::shader!(mod shaders, wgsl = r#"
fn double(x: f32) -> f32 {
    return 2.0 * x;
}
"#);

fn main() {}
