// about: operations that would be bad for the invocations that a condition leaves out: division, indices, logarithms
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: i32 -8..8
// tolerance: abs 1e-5
@group(0) @binding(0) var<storage, read> input: array<vec2i>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let a = input[i].x;
    let b = input[i].y;
    var list = array<i32, 4>(3, 1, 4, 1);
    var sum = 0;
    if (b != 0 && a / b > 1) {
        sum += a / b;
    }
    if (a >= 0 && a < 4) {
        list[a] += 10;
        sum += list[3 - a];
    }
    var root = 0.0;
    if (a > 0) {
        root = sqrt(f32(a)) + log2(f32(a) * 2.0);
    }
    var k = b;
    while (k > 0) {
        sum += 100 / k;
        k -= 2;
    }
    output[i] = vec2f(f32(sum), root);
}
