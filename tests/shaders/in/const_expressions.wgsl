// about: constants computed by the front end, at module and function level, with all kinds of types
// dispatch: 1 1 1
// buffer 0: 16
// tolerance: ulp 4
const TILE = 4;
const AREA: u32 = TILE * TILE + 1;
const TAU = 6.2831855;
const CORNERS = array<vec2f, 4>(vec2f(0), vec2f(1, 0), vec2f(1), vec2f(0, 1));
const MASK = (1u << 5) - 1u;
const LIMIT = max(AREA, 12u) / 2u;
const ROTATE = mat2x2f(0.0, 1.0, -1.0, 0.0) * 2.0;
const_assert TILE < 5;

@group(0) @binding(0) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(TILE, TILE)
fn main(@builtin(local_invocation_index) i: u32) {
    const half = TAU / 2.0;
    const table = array(half, half * 0.5, abs(-3.0), f32(LIMIT));
    let corner = ROTATE * CORNERS[i % 4u];
    var local = array<u32, AREA>();
    local[i] = i & MASK;
    output[i] = vec4f(table[i % 4u], corner, f32(local[i] + LIMIT + u32(select(TILE, -TILE, i > AREA / 2u))));
}
