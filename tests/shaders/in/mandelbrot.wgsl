// about: a divergent loop on a two-dimensional grid, whose integer result depends on float comparisons
// dispatch: 6 4 1
// buffer 0: 1350
// strict-only: contraction moves points near the border of the set
@group(0) @binding(0) var<storage, read_write> output: array<u32>;

const SIZE = vec2u(45u, 30u);

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x >= SIZE.x || id.y >= SIZE.y) {
        return;
    }
    let c = vec2f(id.xy) / vec2f(15.0) - vec2f(2.0, 1.0);
    var z = vec2f(0.0);
    var count = 0u;
    loop {
        if (count == 64u || dot(z, z) > 4.0) {
            break;
        }
        z = vec2f(z.x * z.x - z.y * z.y, 2.0 * z.x * z.y) + c;
        count++;
    }
    output[id.y * SIZE.x + id.x] = count;
}
