// about: the arithmetic operators on i32, which wrap; division and remainder by zero and of the least number
// dispatch: 3 1 1
// buffer 0: 160
// buffer 1: 160
@group(0) @binding(0) var<storage, read> input: array<vec2i>;
@group(0) @binding(1) var<storage, read_write> output: array<array<i32, 9>>;

const LEAST = -2147483647 - 1;

fn all_of(i: u32, a: i32, b: i32) {
    output[i][0] = a + b;
    output[i][1] = a - b;
    output[i][2] = a * b;
    output[i][3] = a / b;
    output[i][4] = a % b;
    output[i][5] = -a;
    output[i][6] = a / 7;
    output[i][7] = a % -5;
    output[i][8] = (a + 3) * (b - 2) / (a - b) % 100;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    var a = input[i].x;
    var b = input[i].y;
    if (i % 8u == 3u) {
        b = 0;
    } else if (i % 8u == 5u) {
        a = LEAST;
        b = -1;
    }
    all_of(i, a, b);
}
