//! A binding is misspelt.

use impel::{Array, Runtime};

impel::shader!(mod shaders, wgsl = r#"
struct Params { alpha: f32, n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn saxpy(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x < params.n) { y[id.x] += params.alpha * x[id.x]; }
}
"#);

fn launch(rt: &Runtime, x: &Array<f32>, y: &mut Array<f32>) -> Result<(), impel::LaunchError> {
    let params = shaders::Params { alpha: 2.0, n: 1000 };
    rt.launch(shaders::saxpy { params, x, z: y }.over(1000))?;
    Ok(())
}

fn main() {}
