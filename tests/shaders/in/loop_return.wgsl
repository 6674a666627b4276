// about: returns from inside nested loops of the entry point, under divergent conditions
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
    for (var a = 1u; a < 8u; a++) {
        output[i] += 1u;
        for (var b = 1u; b < 8u; b++) {
            if (a * b == x) {
                output[i] += 1000u * a + 100u * b;
                return;
            }
            if (a + b > x) {
                break;
            }
        }
        if (x == 63u) {
            return;
        }
    }
    output[i] += 50000u;
}
