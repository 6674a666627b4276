// about: structs as values: copied, passed, returned, changed in variables, with members of all kinds
// dispatch: 2 1 1
// buffer 0: 70
// buffer 1: 70
struct Pair {
    low: i32,
    high: i32,
}

struct State {
    pair: Pair,
    history: array<i32, 4>,
    done: bool,
}

@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4i>;

fn ordered(p: Pair) -> Pair {
    if (p.low <= p.high) {
        return p;
    }
    return Pair(p.high, p.low);
}

fn advance(before: State, x: i32) -> State {
    var after = before;
    after.pair = ordered(Pair(before.pair.high, x));
    after.history[(x & 3)] += 1;
    after.done = before.done || x == 3;
    return after;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    let n = arrayLength(&output);
    if (i >= n) {
        return;
    }
    var state: State;
    let start = state;
    for (var k = 0u; k < 6u; k++) {
        state = advance(state, input[(i + k) % n] % 16);
    }
    output[i] = vec4i(state.pair.low, state.pair.high, state.history[1] * 100 + state.history[2], i32(state.done) + start.pair.low);
}
