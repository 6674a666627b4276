// about: chains and nests of if and else, with conditions that are uniform, divergent, and always true
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: i32 -20..20
@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let x = input[i];
    var y = 0;
    if (x < -10) {
        y = 1;
    } else if (x < 0) {
        y = 2;
        if (x % 2 == 0) {
            y += 10;
        }
    } else if (x == 0) {
    } else {
        if (x > 10) {
            y = 3;
            if (i % 3u == 0u) {
                y = 4;
            } else {
                y -= x;
            }
        } else if (arrayLength(&input) > 50u) {
            y = 5 + x;
        } else {
            y = 6;
        }
        y *= 2;
    }
    if (true) {
        y += 1000;
    }
    output[i] = y;
}
