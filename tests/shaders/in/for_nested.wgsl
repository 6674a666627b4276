// about: nested for loops with continue and break under divergent conditions
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..32
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let x = input[i];
    var sum = 0u;
    var rounds = 0u;
    for (var a = 0u; a < 10u; a++) {
        if (a == x % 7u) {
            continue;
        }
        for (var b = a; b < x; b += 2u) {
            rounds++;
            if (b % 5u == i % 5u) {
                continue;
            }
            if (a * b > 40u) {
                break;
            }
            sum += a * b + 1u;
        }
        if (sum > 60u + i) {
            break;
        }
        sum += 1000u;
    }
    for (; rounds < 8u; ) {
        rounds += 3u;
    }
    output[i] = vec2u(sum, rounds);
}
