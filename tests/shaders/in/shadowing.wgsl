// about: let, var and const declarations that shadow outer ones; variables in loops start anew every time
// dispatch: 1 1 1
// buffer 0: 64
@group(0) @binding(0) var<storage, read_write> output: array<vec4u>;

const x = 1000u;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) i: u32) {
    var seen = x;
    let x = i;
    {
        let x = x * 2u;
        seen += x;
        {
            var x = x + 1u;
            x *= 3u;
            seen += x;
        }
        seen += x;
    }
    var total = 0u;
    for (var k = 0u; k < 5u; k++) {
        var fresh: u32;
        var started = 10u;
        const x = 4u;
        fresh += k + x;
        started += fresh;
        if (k == x % 3u) {
            let fresh = 100u;
            total += fresh;
            continue;
        }
        total += fresh + started;
    }
    if (i > 30u) {
        var total = 5u;
        total += i;
        seen += total;
    }
    output[i] = vec4u(seen, total, x, 0u);
}
