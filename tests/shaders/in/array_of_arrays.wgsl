// about: arrays of arrays and arrays of vectors in function space, with run-time indices at each level
// dispatch: 2 1 1
// buffer 0: 96
// buffer 1: 96
// fill 0: i32 -50..50
@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<i32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    let n = arrayLength(&output);
    if (i >= n) {
        return;
    }
    var board: array<array<i32, 3>, 4>;
    var points = array<vec2i, 3>(vec2i(1), vec2i(2), vec2i(3));
    for (var r = 0u; r < 4u; r++) {
        for (var c = 0u; c < 3u; c++) {
            board[r][c] = input[(i + r * 3u + c) % n];
        }
        points[r % 3u][r % 2u] += board[r][i % 3u];
    }
    let row = board[i % 4u];
    board[0] = row;
    board[(i + 1u) % 4u] = array<i32, 3>(points[0].x, points[1].y, points[2].x);
    output[i] = board[0][0] + 10 * board[1][1] + 100 * board[2][2] + 1000 * board[3][i % 3u];
}
