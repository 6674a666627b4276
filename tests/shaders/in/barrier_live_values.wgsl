// about: variables of every kind that live across a barrier: scalars, vectors, arrays, structs, bools, matrices
// dispatch: 2 1 1
// buffer 0: 54
// buffer 1: 54
// fill 0: i32 -50..50
struct Kept {
    first: i32,
    odd: bool,
}

@group(0) @binding(0) var<storage, read> input: array<i32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4i>;

var<workgroup> line: array<vec2i, 27>;
var<private> own: i32;

@compute @workgroup_size(3, 9)
fn main(@builtin(local_invocation_id) local: vec3u, @builtin(local_invocation_index) index: u32, @builtin(workgroup_id) group: vec3u) {
    let at = group.x * 27u + index;
    let x = input[at];
    own = x * 2;
    var list = array<i32, 4>(x, x + 1, x + 2, x + 3);
    list[x & 3] = 0;
    var kept = Kept(x, (x & 1) == 1);
    var m = mat2x2f(f32(x), 0.0, 1.0, f32(index));
    let large = x > 10;
    if (large) {
        kept.first = -1;
    }
    line[index] = vec2i(x, i32(index));
    workgroupBarrier();
    let other = line[26u - index];
    m[0].y = f32(other.x);
    list[other.y & 3] += other.x;
    workgroupBarrier();
    line[index].x += other.x;
    workgroupBarrier();
    let last = line[(index + 9u) % 27u].x;
    output[at] = vec4i(kept.first + 1000 * i32(kept.odd), list[0] + 3 * list[1] + 5 * list[2] + 7 * list[3], i32(m[0].x + m[0].y * 2.0 + m[1].y), last + own + i32(large) + i32(local.y));
}
