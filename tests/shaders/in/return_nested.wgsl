// about: returns from if inside switch inside loop inside if, in a function called from a loop
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..256
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

var<private> visits: u32;

fn search(x: u32, depth: u32) -> u32 {
    if (x > depth * 10u) {
        for (var k = depth; k < x; k += depth + 1u) {
            visits++;
            switch (k + x) % 6u {
                case 1u: {
                    if (k > 20u) {
                        return k;
                    }
                }
                case 3u, 4u: {
                    loop {
                        visits += 10u;
                        if (visits % 3u == 0u) {
                            return visits;
                        }
                        continuing {
                            break if visits > 60u;
                        }
                    }
                }
                default: { }
            }
            if (visits > 200u) {
                return 0u;
            }
        }
        return 1u;
    }
    return 2u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    var sum = 0u;
    for (var depth = 0u; depth < 4u; depth++) {
        let found = search(input[i], depth);
        if (found == 2u) {
            break;
        }
        sum = sum * 31u + found;
    }
    output[i] = sum ^ (visits << 16u);
}
