// about: functions that call functions, with scalar, vector and matrix arguments and results, in expressions and statements
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: f32 -2..2
// tolerance: abs 1e-3 rel 1e-5
@group(0) @binding(0) var<storage, read> input: array<vec2f>;
@group(0) @binding(1) var<storage, read_write> output: array<vec2f>;

fn square(x: f32) -> f32 {
    return x * x;
}

fn length_squared(v: vec2f) -> f32 {
    return square(v.x) + square(v.y);
}

fn turn(v: vec2f, quarter: u32) -> vec2f {
    switch quarter & 3u {
        case 1u: { return vec2f(-v.y, v.x); }
        case 2u: { return -v; }
        case 3u: { return vec2f(v.y, -v.x); }
        default: { return v; }
    }
}

fn shear(by: f32) -> mat2x2f {
    return mat2x2f(1.0, 0.0, by, 1.0);
}

fn mixed(a: u32, b: i32, c: f32, d: bool) -> f32 {
    return select(c, f32(a) + f32(b), d);
}

@must_use
fn pick(v: vec2f, which: bool) -> f32 {
    return select(v.x, v.y, which);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let v = input[i];
    var w = shear(square(v.x)) * turn(v, i);
    w += turn(turn(w, i + 1u), 3u) * length_squared(w);
    w.x += mixed(i, -3, pick(w, v.x > v.y), i % 2u == 0u);
    _ = square(w.x);
    output[i] = w;
}
