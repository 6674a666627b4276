// about: whole arrays as values: assigned, passed, returned, loaded and stored
// dispatch: 1 1 1
// buffer 0: 40
// buffer 1: 40
@group(0) @binding(0) var<storage, read> input: array<array<i32, 5>>;
@group(0) @binding(1) var<storage, read_write> output: array<array<i32, 5>>;

fn rotated(list: array<i32, 5>, by: u32) -> array<i32, 5> {
    var result: array<i32, 5>;
    for (var k = 0u; k < 5u; k++) {
        result[(k + by) % 5u] = list[k];
    }
    return result;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    var mine = input[i];
    let before = mine;
    mine[2] = 77;
    mine = rotated(mine, i);
    if (i % 3u == 0u) {
        mine = before;
    }
    output[i] = mine;
    output[i][i % 5u] += before[2];
}
