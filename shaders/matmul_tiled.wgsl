// Matrix product C = A · B by square tiles in workgroup memory.
//
//   a     n rows of k elements
//   b     k rows of m elements
//   c     n rows of m elements; all matrices row by row
//   grid  m × n invocations (x counts columns, y counts rows), in workgroups of 16 × 16
//
// A workgroup computes one 16 × 16 tile of C. For each of the k / 16 tiles along the inner dimension every invocation
// brings one element of A and one of B, so that each is read from memory once for 16 uses. Tiles that overhang the
// matrices are filled with zeros, so n, m and k may be anything.

struct Params {
    n: u32,
    m: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

const TILE: u32 = 16u;

var<workgroup> tile_a: array<array<f32, 16>, 16>;
var<workgroup> tile_b: array<array<f32, 16>, 16>;

@compute @workgroup_size(16, 16)
fn matmul_tiled(
    @builtin(global_invocation_id) gid: vec3<u32>,
    @builtin(local_invocation_id) lid: vec3<u32>,
) {
    let row = gid.y;
    let column = gid.x;
    var sum = 0.0;
    for (var k0 = 0u; k0 < params.k; k0 += TILE) {
        var from_a = 0.0;
        if (row < params.n && k0 + lid.x < params.k) {
            from_a = a[row * params.k + k0 + lid.x];
        }
        tile_a[lid.y][lid.x] = from_a;
        var from_b = 0.0;
        if (k0 + lid.y < params.k && column < params.m) {
            from_b = b[(k0 + lid.y) * params.m + column];
        }
        tile_b[lid.y][lid.x] = from_b;
        workgroupBarrier();
        for (var i = 0u; i < TILE; i += 1u) {
            sum += tile_a[lid.y][i] * tile_b[i][lid.x];
        }
        workgroupBarrier();
    }
    if (row < params.n && column < params.m) {
        c[row * params.m + column] = sum;
    }
}
