// about: loops that are left at their end, in their middle, and behind what their first statements read
// dispatch: 2 1 1
// buffer 1: 200
// buffer 2: 64
// fill 0: u32 0..9
// fill 1: u32 0..1000
struct Params {
    n: u32,
    step: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<array<u32, 5>>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    // Once at least, as often as the parameter says otherwise.
    var sum = 0u;
    var j = 0u;
    loop {
        sum += input[i + j];
        continuing {
            j += 1u;
            break if j >= p.n;
        }
    }
    output[i][0] = sum;
    // The same with an id in the bound.
    sum = 0u;
    j = 0u;
    loop {
        sum += input[j];
        j += 1u;
        if (j > i) {
            break;
        }
    }
    output[i][1] = sum;
    // One element more than the test admits is read.
    var most = 0u;
    for (var k = 7u; ; k += 2u) {
        let x = input[k];
        if (k >= 40u + p.n) {
            break;
        }
        most = max(most, x);
    }
    output[i][2] = most;
    // Downwards to a limit, with some turns cut short.
    var down = 0u;
    var k = 60i;
    loop {
        k -= 3i;
        if (k < i32(p.n)) {
            break;
        }
        if (input[k] % 2u == 0u) {
            continue;
        }
        down = down * 5u + input[k + 1i];
    }
    output[i][3] = down;
    // A test that some turns do not come to.
    var odd = 0u;
    var turn = 0u;
    loop {
        turn += 1u;
        if (turn < 5u && input[turn] % 3u == 0u) {
            continue;
        }
        odd += input[turn * 4u];
        if (turn >= 5u) {
            break;
        }
    }
    output[i][4] = odd;
}
