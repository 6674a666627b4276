// about: a small stack machine per invocation: a divergent switch in a loop over a private stack and shared code
// dispatch: 2 1 1
// buffer 0: 24
// buffer 1: 100
// fill 0: u32 0..8
@group(0) @binding(0) var<storage, read> code: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<i32>;

var<private> stack: array<i32, 8>;
var<private> depth: i32;

fn push(x: i32) {
    if (depth < 8) {
        stack[depth] = x;
        depth++;
    }
}

fn pop() -> i32 {
    if (depth == 0) {
        return -1;
    }
    depth--;
    return stack[depth];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    var at = i % arrayLength(&code);
    push(i32(i));
    for (var step = 0; step < 30; step++) {
        let word = code[at];
        at = (at + 1u) % arrayLength(&code);
        switch word {
            case 0u: { push(step); }
            case 1u: {
                let right = pop();
                push(pop() + right);
            }
            case 2u: {
                let right = pop();
                push(pop() * right % 1000);
            }
            case 3u: {
                let top = pop();
                push(top);
                push(top);
            }
            case 4u: {
                if (pop() % 2 == 0) {
                    at = (at + 3u) % arrayLength(&code);
                }
            }
            case 5u: { push(-pop()); }
            case 6u: {
                if (depth > 5) {
                    output[i] = pop() + 100000;
                    return;
                }
                continue;
            }
            default: { push(i32(at)); }
        }
        if (depth == 0) {
            break;
        }
    }
    output[i] = pop() * 8 + depth;
}
