// about: functions that return early, called in divergent control flow, with their variables alive around the call
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: i32 -40..40
@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2i>;

fn grade(x: i32) -> i32 {
    if (x < 0) {
        return -1;
    }
    var best = 0;
    for (var k = 1; k < 10; k++) {
        if (k * k == x) {
            return k;
        }
        if (k * k > x) {
            if (x % 2 == 0) {
                return 100 + k;
            }
            break;
        }
        best = k;
    }
    return 1000 + best;
}

fn note(at: u32, x: i32) {
    if (x % 3 != 0) {
        return;
    }
    output[at].y += x;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let x = input[i];
    var y = 7;
    if (x > -20) {
        y = grade(x);
        note(i, x);
        if (y > 1000) {
            y += grade(x - 1);
        }
    } else {
        note(i, -x);
    }
    note(i, y);
    output[i].x = y;
}
