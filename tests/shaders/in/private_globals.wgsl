// about: module-level private variables: initialised for every invocation, shared by its functions
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
struct Generator {
    state: u32,
    draws: u32,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4u>;

var<private> generator: Generator = Generator(12345u, 0u);
var<private> table: array<u32, 4> = array<u32, 4>(1u, 10u, 100u, 1000u);
var<private> flag: bool = true;
var<private> offset: vec3f = vec3f(0.5, 1.0, 2.0);

fn draw() -> u32 {
    generator.state = generator.state * 1664525u + 1013904223u;
    generator.draws++;
    return generator.state >> 16u;
}

fn disturb(seed: u32) {
    if (seed % 3u == 0u) {
        flag = false;
        table[seed % 4u] += seed;
        offset.y = -offset.y;
    }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    generator.state ^= input[i];
    disturb(input[i]);
    let steps = 1u + i % 3u;
    var sum = 0u;
    for (var k = 0u; k < steps; k++) {
        sum += draw();
    }
    output[i] = vec4u(sum, generator.draws, table[i % 4u], u32(flag) + u32(4.0 + 2.0 * offset.y));
}
