// about: a switch inside loops: break leaves the switch, continue the iteration, return the function
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..32
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2u>;

fn walk(start: u32) -> vec2u {
    var state = start;
    var trace = 0u;
    for (var k = 0u; k < 12u; k++) {
        switch state % 5u {
            case 0u: {
                state += 3u;
                if (k > 4u) {
                    break;
                }
                trace += 1u;
            }
            case 1u: {
                state = state * 2u + 1u;
                continue;
            }
            case 2u: {
                if (state > 200u) {
                    return vec2u(state, trace + 7000u);
                }
                loop {
                    state += 5u;
                    if (state % 4u == 0u) {
                        break;
                    }
                    if (state % 4u == 1u) {
                        continue;
                    }
                    trace += 100u;
                }
            }
            default: {
                state ^= k;
            }
        }
        trace += 10u;
    }
    return vec2u(state, trace);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    output[i] = walk(input[i]);
}
