// about: the arithmetic operators on u32, which wrap; division and remainder by zero
// dispatch: 3 1 1
// buffer 0: 160
// buffer 1: 160
@group(0) @binding(0) var<storage, read> input: array<vec2u>;
@group(0) @binding(1) var<storage, read_write> output: array<array<u32, 8>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let a = input[i].x;
    let b = input[i].y;
    output[i][0] = a + b;
    output[i][1] = a - b;
    output[i][2] = a * b;
    output[i][3] = a / b;
    output[i][4] = a % b;
    output[i][5] = a / 10u + b % 16u;
    output[i][6] = (a - 1u) / (b + 1u);
    output[i][7] = a * 2654435761u % (b | 1u);
}
