// y ← alpha · x + y, element by element (BLAS level 1, single precision).
//
//   x, y   n elements each
//   grid   n invocations along x; those past n do nothing
//
// Moves 12 bytes an element and computes one fused multiply-add: bound by memory.

struct Params {
    alpha: f32,
    n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn saxpy(@builtin(global_invocation_id) gid: vec3<u32>) {
    if (gid.x >= params.n) {
        return;
    }
    y[gid.x] = params.alpha * x[gid.x] + y[gid.x];
}
