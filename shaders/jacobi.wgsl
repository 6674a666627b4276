// One sweep of the damped Jacobi iteration for Laplace's equation on a grid, five points an element:
//
//   dst = src + relaxation · ((left + right + above + below) / 4 - src)      inside
//   dst = src                                                                on the four edges
//
//   src, dst  width · height elements each, row by row
//   grid      width × height invocations
//
// relaxation = 1 is the plain Jacobi sweep; relaxation = 4 · κ · dt / h² is one explicit step of the heat equation with
// diffusivity κ, stable up to 1. Every element of dst is written, so src and dst may change places between sweeps.

struct Params {
    width: u32,
    height: u32,
    relaxation: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<f32>;
@group(0) @binding(2) var<storage, read_write> dst: array<f32>;

@compute @workgroup_size(16, 16)
fn jacobi(@builtin(global_invocation_id) gid: vec3<u32>) {
    if (gid.x >= params.width || gid.y >= params.height) {
        return;
    }
    let i = gid.y * params.width + gid.x;
    let centre = src[i];
    var value = centre;
    if (gid.y > 0u && gid.y + 1u < params.height && gid.x > 0u && gid.x + 1u < params.width) {
        let around = src[i - 1u] + src[i + 1u] + src[i - params.width] + src[i + params.width];
        value = centre + params.relaxation * (0.25 * around - centre);
    }
    dst[i] = value;
}
