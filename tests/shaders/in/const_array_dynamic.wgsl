// about: constant arrays, vectors and structs indexed by run-time values
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..1000
// tolerance: abs 2e-6
struct Stop {
    at: f32,
    color: vec3f,
}

const PRIMES = array<u32, 6>(2u, 3u, 5u, 7u, 11u, 13u);
const GRID = array(array(1i, 2i, 3i), array(-4i, -5i, -6i));
const STOPS = array<Stop, 3>(Stop(0.0, vec3f(1.0)), Stop(0.5, vec3f(0.25, 0.5, 0.75)), Stop(1.0, vec3f(3.0, 2.0, 1.0)));

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec3f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let x = input[i];
    let stop = STOPS[x % 3u];
    let prime = PRIMES[x % 6u];
    output[i] = stop.color * f32(prime) + vec3f(stop.at, f32(GRID[i & 1u][x % 3u]), f32(array<u32, 2>(7u, 9u)[x & 1u]));
}
