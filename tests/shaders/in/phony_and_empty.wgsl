// about: empty statements and blocks, unused variables, phony assignments, unused functions and buffers of one element
// dispatch: 1 1 1
// buffer 0: 1
// buffer 1: 3
// fill 0: u32 5
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

fn unused(x: u32) -> u32 {
    return x;
}

fn nothing() {
}

@compute @workgroup_size(4)
fn main(@builtin(local_invocation_index) i: u32) {
    ;
    {
    }
    var ignored: vec4f;
    _ = ignored;
    _ = input[0] + 3u;
    nothing();
    if (i > 0u) {
    } else {
    }
    for (var k = 0u; k < 3u; k++) {
    }
    if (i < 3u) {
        output[i] = input[0] * (i + 1u);
        return;
    }
}
