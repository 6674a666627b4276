// about: bools in variables, vectors, arrays and structs, as arguments and results
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..256
struct Flags {
    raised: bool,
    pair: vec2<bool>,
    list: array<bool, 5>,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<u32>;

fn majority(a: bool, b: bool, c: bool) -> bool {
    return (a && b) || (b && c) || (a && c);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let x = input[i];
    var flags: Flags;
    flags.raised = majority((x & 1u) != 0u, (x & 2u) != 0u, (x & 4u) != 0u);
    flags.pair = vec2<bool>(flags.raised, !flags.raised);
    flags.pair.y = flags.pair.y == (x > 100u);
    for (var k = 0u; k < 5u; k++) {
        flags.list[k] = ((x >> k) & 1u) == 1u;
    }
    flags.list[x % 5u] = flags.pair[i & 1u];
    let copy = flags;
    var code = u32(copy.raised) + 2u * u32(copy.pair.x) + 4u * u32(copy.pair.y);
    for (var k = 0u; k < 5u; k++) {
        code = code * 2u + u32(copy.list[k]);
    }
    output[i] = select(code, code + 10000u, all(copy.pair));
}
