// about: the whole of an element-wise kernel with a guard
// dispatch: 5 1 1
// buffer 1: 257
// buffer 2: 257
// fill 0.n: u32 257
// fill 2: f32 -1..1
// tolerance: abs 2e-6 rel 1e-6
struct Params {
    alpha: f32,
    n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if (i >= params.n) {
        return;
    }
    y[i] = params.alpha * x[i] + y[i];
}
