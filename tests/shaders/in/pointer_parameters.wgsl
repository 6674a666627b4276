// about: pointers as parameters, to function and private variables
// dispatch: 2 1 1
// buffer 0: 128
// buffer 1: 128
// fill 0: i32 -100..100
struct Counter {
    hits: i32,
    last: vec2i,
}

@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4i>;

var<private> total: i32;
var<private> board: array<i32, 3> = array<i32, 3>(7, 8, 9);

fn bump(target_value: ptr<function, i32>, by: i32) -> i32 {
    let before = *target_value;
    *target_value += by;
    return before;
}

fn count(counter: ptr<function, Counter>, x: i32) {
    if (x < 0) {
        return;
    }
    (*counter).hits += 1;
    (*counter).last.y = (*counter).last.x;
    (*counter).last.x = x;
}

fn swap(a: ptr<function, i32>, b: ptr<function, i32>) {
    let kept = *a;
    *a = *b;
    *b = kept;
}

fn add_private(sum: ptr<private, i32>, x: i32) {
    *sum += x;
}

fn reset(place: ptr<private, array<i32, 3>>, at: u32, x: i32) {
    (*place)[at] += x;
    (*place)[2] ^= (*place)[at];
}

fn fill_list(list: ptr<function, array<i32, 4>>, seed: i32) {
    for (var k = 0; k < 4; k++) {
        (*list)[k] = seed * k;
    }
    (*list)[seed & 3] = 1000;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    let x = input[i];
    var low = x;
    var high = input[127u - i];
    if (low > high) {
        swap(&low, &high);
    }
    var counter: Counter;
    for (var k = 0u; k < 4u; k++) {
        count(&counter, input[(i + k) % 128u]);
    }
    let before = bump(&low, 5);
    add_private(&total, before);
    add_private(&total, x);
    reset(&board, i % 3u, total);
    var list: array<i32, 4>;
    fill_list(&list, x);
    output[i] = vec4i(low, counter.hits * 1000 + counter.last.y, board[0] + 10 * board[2], list[i & 3u] + list[3] + high);
}
