//! An entry point belongs to a pipeline that draws.

impel::shader!(mod shaders, wgsl = r#"
@fragment
fn paint() -> @location(0) vec4<f32> {
    return vec4(1.0);
}
"#);

fn main() {}
