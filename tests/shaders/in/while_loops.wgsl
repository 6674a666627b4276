// about: while loops whose trip counts differ between invocations: Collatz steps, greatest common divisors
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 1..400
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2u>;

fn gcd(first: u32, second: u32) -> u32 {
    var a = first;
    var b = second;
    while (b != 0u) {
        let rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    var n = input[i];
    var steps = 0u;
    while (n != 1u) {
        if (n % 2u == 0u) {
            n /= 2u;
        } else {
            n = 3u * n + 1u;
        }
        steps++;
        if (steps == 100u) {
            break;
        }
    }
    while (false) {
        steps = 0u;
    }
    var odd = input[i];
    while (odd > 5u) {
        odd -= 3u;
        if (odd % 2u == 0u) {
            continue;
        }
        steps += 1000u;
    }
    output[i] = vec2u(steps, gcd(input[i], 360u));
}
