//! Not all invocations of a workgroup arrive at the barrier.

impel::shader!(mod shaders, wgsl = r#"
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
var<workgroup> tile: array<f32, 64>;

@compute @workgroup_size(64)
fn reverse(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    if (id.x < arrayLength(&y)) {
        tile[lane] = y[id.x];
        workgroupBarrier();
        y[id.x] = tile[63u - lane];
    }
}
"#);

fn main() {}
