// about: && and || evaluate their right side only where needed: the calls count themselves
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
@group(0) @binding(0) var<storage, read> input: array<vec2u>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;

var<private> calls: u32;

fn is_even(n: u32) -> bool {
    calls += 1u;
    return n % 2u == 0u;
}

fn is_small(n: u32) -> bool {
    calls += 100u;
    return n < 8u;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    let n = arrayLength(&output);
    if (i >= n) {
        return;
    }
    let a = input[i].x;
    let b = input[i].y;
    let both = is_even(a) && is_small(a);
    let after_first = calls;
    let either = is_even(b) || is_small(b);
    let after_second = calls;
    if ((is_even(a + b) && is_even(a) || is_small(b)) && !(both || either)) {
        calls += 10000u;
    }
    output[i] = vec4u(u32(both) + 2u * u32(either), after_first, after_second, calls);
    // The guard protects the access.
    if (i + 1u < n && input[i + 1u].x > 3u) {
        output[i].x += 4u;
    }
}
