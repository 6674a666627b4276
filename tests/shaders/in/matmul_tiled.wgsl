// about: a matrix product by tiles in workgroup memory, of sizes that are no multiple of the tile
// dispatch: 3 2 1
// buffer 1: 220
// buffer 2: 380
// buffer 3: 209
// fill 0.rows: u32 11
// fill 0.inner: u32 20
// fill 0.columns: u32 19
// tolerance: abs 2e-4
struct Sizes {
    rows: u32,
    inner: u32,
    columns: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;

const TILE = 8u;
var<workgroup> tile_a: array<array<f32, TILE>, TILE>;
var<workgroup> tile_b: array<array<f32, TILE>, TILE>;

@compute @workgroup_size(TILE, TILE)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
    let row = id.y;
    let column = id.x;
    var sum = 0.0;
    let tiles = (sizes.inner + TILE - 1u) / TILE;
    for (var t = 0u; t < tiles; t++) {
        let across = t * TILE + local.x;
        let down = t * TILE + local.y;
        tile_a[local.y][local.x] = 0.0;
        tile_b[local.y][local.x] = 0.0;
        if (row < sizes.rows && across < sizes.inner) {
            tile_a[local.y][local.x] = a[row * sizes.inner + across];
        }
        if (down < sizes.inner && column < sizes.columns) {
            tile_b[local.y][local.x] = b[down * sizes.columns + column];
        }
        workgroupBarrier();
        for (var k = 0u; k < TILE; k++) {
            sum += tile_a[local.y][k] * tile_b[k][local.x];
        }
        workgroupBarrier();
    }
    if (row < sizes.rows && column < sizes.columns) {
        c[row * sizes.columns + column] = sum;
    }
}
