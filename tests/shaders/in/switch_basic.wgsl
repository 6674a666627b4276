// about: switch on signed and unsigned selectors, with several values a case and the default anywhere
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: i32 -6..12
@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec3i>;

fn name(n: u32) -> i32 {
    switch n {
        case 0u, 2u, 4u: { return 20; }
        default: { return -1; }
        case 1u: { return 11; }
    }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let x = input[i];
    var y = 0;
    switch x {
        case -3: { y = 1; }
        case 1, 2, 3: {
            y = 2;
            if (x == 2) {
                break;
            }
            y += 10;
        }
        case 4, default: { y = x * x; }
        case 7: { }
    }
    var z = 5;
    switch i {
        default: { z += 1; }
    }
    switch arrayLength(&input) {
        case 100u: { z *= 2; }
        default: { z = 0; }
    }
    output[i] = vec3i(y, name(u32(x)), z);
}
