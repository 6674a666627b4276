// Matrix product C = A · B by tiles in workgroup memory and blocks in registers.
//
//   a     n rows of k elements
//   b     k rows of m elements
//   c     n rows of m elements; all matrices row by row
//   grid  ⌈m / 64⌉ × ⌈n / 64⌉ workgroups (x counts columns, y counts rows)
//
// A workgroup of 16 × 16 computes one 64 × 64 tile of C, each invocation a 4 × 4 block of it. The block's rows are
// neighbours (4 · lid.y + 0..4); its columns are 16 apart (lid.x + 0, 16, 32, 48), so that invocations along x read
// neighbouring elements of B. For each step of the inner dimension an invocation reads 4 elements of A and 4 of B for 16
// multiply-adds. Tiles that overhang the matrices are filled with zeros, so n, m and k may be anything.

struct Params {
    n: u32,
    m: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

// Rows and columns of C to a workgroup.
const TILE: u32 = 64u;
// Steps of the inner dimension between two barriers.
const DEPTH: u32 = 16u;

var<workgroup> tile_a: array<array<f32, 16>, 64>;
var<workgroup> tile_b: array<array<f32, 64>, 16>;

// Stores the four elements of one row of a block, those that lie inside C.
fn store_row(row: u32, column: u32, block: vec4<f32>) {
    if (row < params.n) {
        let start = row * params.m + column;
        if (column < params.m) {
            c[start] = block.x;
        }
        if (column + 16u < params.m) {
            c[start + 16u] = block.y;
        }
        if (column + 32u < params.m) {
            c[start + 32u] = block.z;
        }
        if (column + 48u < params.m) {
            c[start + 48u] = block.w;
        }
    }
}

@compute @workgroup_size(16, 16)
fn matmul_blocked(
    @builtin(workgroup_id) wid: vec3<u32>,
    @builtin(local_invocation_id) lid: vec3<u32>,
) {
    let row0 = wid.y * TILE;
    let column0 = wid.x * TILE;
    var block0 = vec4<f32>(0.0);
    var block1 = vec4<f32>(0.0);
    var block2 = vec4<f32>(0.0);
    var block3 = vec4<f32>(0.0);
    for (var k0 = 0u; k0 < params.k; k0 += DEPTH) {
        for (var r = 0u; r < TILE; r += 16u) {
            let row = row0 + r + lid.y;
            var from_a = 0.0;
            if (row < params.n && k0 + lid.x < params.k) {
                from_a = a[row * params.k + k0 + lid.x];
            }
            tile_a[r + lid.y][lid.x] = from_a;
        }
        for (var q = 0u; q < TILE; q += 16u) {
            let column = column0 + q + lid.x;
            var from_b = 0.0;
            if (k0 + lid.y < params.k && column < params.m) {
                from_b = b[(k0 + lid.y) * params.m + column];
            }
            tile_b[lid.y][q + lid.x] = from_b;
        }
        workgroupBarrier();
        for (var i = 0u; i < DEPTH; i += 1u) {
            let row_of_b = vec4<f32>(
                tile_b[i][lid.x],
                tile_b[i][lid.x + 16u],
                tile_b[i][lid.x + 32u],
                tile_b[i][lid.x + 48u],
            );
            block0 += tile_a[4u * lid.y][i] * row_of_b;
            block1 += tile_a[4u * lid.y + 1u][i] * row_of_b;
            block2 += tile_a[4u * lid.y + 2u][i] * row_of_b;
            block3 += tile_a[4u * lid.y + 3u][i] * row_of_b;
        }
        workgroupBarrier();
    }
    let row = row0 + 4u * lid.y;
    let column = column0 + lid.x;
    store_row(row, column, block0);
    store_row(row + 1u, column, block1);
    store_row(row + 2u, column, block2);
    store_row(row + 3u, column, block3);
}
