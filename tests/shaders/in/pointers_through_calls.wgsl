// about: pointers passed on through several calls, to parts of arrays and structs, beside values that alias nothing
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: i32 -100..100
@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2i>;

struct Queue {
    items: array<i32, 4>,
    count: i32,
}

fn raise(count: ptr<function, Queue>) -> i32 {
    let before = (*count).count;
    (*count).count = before + 1;
    return before;
}

fn enqueue(queue: ptr<function, Queue>, item: i32) -> bool {
    if ((*queue).count == 4) {
        return false;
    }
    (*queue).items[raise(queue)] = item;
    return true;
}

fn drain(queue: ptr<function, Queue>, sum: ptr<function, i32>) {
    loop {
        if ((*queue).count == 0) {
            return;
        }
        (*queue).count--;
        *sum = *sum * 3 + (*queue).items[(*queue).count];
    }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    let n = arrayLength(&output);
    if (i >= n) {
        return;
    }
    var queue: Queue;
    var refused = 0;
    var sum = 1;
    for (var k = 0u; k < 7u; k++) {
        let x = input[(i + k) % n];
        if (x % 5 == 0) {
            drain(&queue, &sum);
        } else if (!enqueue(&queue, x)) {
            refused++;
        }
    }
    let left = queue;
    drain(&queue, &sum);
    output[i] = vec2i(sum, refused * 100 + left.count * 10 + queue.count);
}
