// about: let-declared pointers into variables and buffers, with the indices fixed when the pointer is made
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..100
struct Cell {
    key: u32,
    values: array<u32, 3>,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<Cell>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let cell = &output[i];
    let first = &(*cell).values[0];
    var at = input[i] % 3u;
    let chosen = &cell.values[at];
    at = 2u;
    *first = 10u;
    *chosen += 5u;
    cell.values[at] += 1u;
    cell.key = *first * 100u + *chosen;
    var local = vec3u(1u, 2u, 3u);
    let middle = &local;
    (*middle).y = cell.key;
    middle.z += local.y;
    *middle *= 2u;
    cell.values[1] += local.z;
}
