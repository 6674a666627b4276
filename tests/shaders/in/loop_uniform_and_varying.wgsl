// about: loops whose bounds are uniform, linear in the id, and data-dependent, nested in each other
// dispatch: 2 1 1
// buffer 1: 100
// buffer 2: 100
// fill 0.rounds: u32 5
// fill 0.step: u32 2
// fill 1: u32 0..12
struct Params {
    rounds: u32,
    step: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    var sum = 0u;
    for (var r = 0u; r < params.rounds; r++) {
        var inner = r;
        for (var k = i % 4u; k < input[(i + r) % 100u]; k += params.step) {
            inner += k * r;
            for (var m = 0u; m < params.rounds - r; m++) {
                sum += inner ^ m;
            }
        }
        sum = sum * 3u + inner;
    }
    output[i] = sum;
}
