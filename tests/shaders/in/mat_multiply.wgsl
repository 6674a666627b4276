// about: products of matrices with matrices, vectors and scalars, sums and differences
// dispatch: 1 1 1
// buffer 0: 60
// buffer 1: 60
// fill 0: f32 -2..2
// tolerance: abs 1e-3 rel 1e-5
@group(0) @binding(0) var<storage, read> input: array<mat4x4f>;
@group(0) @binding(1) var<storage, read_write> output: array<array<vec4f, 6>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let m = input[i];
    let next = input[(i + 1u) % arrayLength(&input)];
    let product = m * next;
    output[i][0] = product[0] + product[3];
    output[i][1] = m * next[2] - next[1] * m;
    output[i][2] = (2.0 * m + next * 0.5 - m * next)[2];
    let a = mat2x3f(m[0].xyz, m[1].xyz);
    let b = mat3x2f(next[0].xy, next[1].xy, next[2].xy);
    let square = a * b;
    let small = b * a;
    output[i][3] = vec4f(square[0].x, square[1].y, square[2].z, small[1].x);
    output[i][4] = vec4f(a * vec2f(1.0, -1.0), small[0].y);
    output[i][5] = vec4f(vec3f(1.0, 2.0, 3.0) * a, square[2][0], (b + b)[1][1]);
}
