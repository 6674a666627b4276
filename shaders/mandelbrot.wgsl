// Escape time of z ← z² + c, from z = 0, for every pixel of an image.
//
//   counts  width · height elements, row by row: the number of steps after which |z| first exceeds 2, `max_iterations`
//           where it never does
//   grid    width × height invocations
//
// Pixel (column, row) stands for c = (left + column · step_x) + i · (top + row · step_y). Neighbouring pixels leave the
// loop at different times: this is the divergent kernel.

struct Params {
    width: u32,
    height: u32,
    max_iterations: u32,
    left: f32,
    top: f32,
    step_x: f32,
    step_y: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;

@compute @workgroup_size(16, 16)
fn mandelbrot(@builtin(global_invocation_id) gid: vec3<u32>) {
    if (gid.x >= params.width || gid.y >= params.height) {
        return;
    }
    let c_re = params.left + f32(gid.x) * params.step_x;
    let c_im = params.top + f32(gid.y) * params.step_y;
    var re = 0.0;
    var im = 0.0;
    var count = 0u;
    while (count < params.max_iterations && re * re + im * im <= 4.0) {
        let next_re = re * re - im * im + c_re;
        im = 2.0 * re * im + c_im;
        re = next_re;
        count += 1u;
    }
    counts[gid.y * params.width + gid.x] = count;
}
