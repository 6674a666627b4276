// about: switches in switches, with loops between them
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..64
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let x = input[i];
    var y = 0u;
    switch x % 4u {
        case 0u: {
            switch x / 4u % 3u {
                case 0u: { y = 1u; }
                case 1u: {
                    if (x > 30u) {
                        break;
                    }
                    y = 2u;
                }
                default: { y = 3u; }
            }
            y += 10u;
        }
        case 1u, 2u: {
            for (var k = 0u; k < 6u; k++) {
                switch k {
                    case 2u: { continue; }
                    case 4u: {
                        if (x % 2u == 0u) {
                            break;
                        }
                        y += 1000u;
                    }
                    default: { y += k; }
                }
                if (y > 1002u) {
                    break;
                }
                y += 100u;
            }
        }
        default: {
            if (x == 63u) {
                return;
            }
            y = 9u;
        }
    }
    output[i] = y + 1u;
}
