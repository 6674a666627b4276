struct Params {
    n: u32,
    m: u32,
    k: u32,
}

const TILE: u32 = 64u;
const DEPTH: u32 = 16u;

@group(0) @binding(0) 
var<uniform> params: Params;
@group(0) @binding(1) 
var<storage> a: array<f32>;
@group(0) @binding(2) 
var<storage> b: array<f32>;
@group(0) @binding(3) 
var<storage, read_write> c: array<f32>;
var<workgroup> tile_a: array<array<f32, 16>, 64>;
var<workgroup> tile_b: array<array<f32, 64>, 16>;

fn store_row(row: u32, column: u32, block: vec4<f32>) {
    let _e5 = params.n;
    if (row < _e5) {
        let _e9 = params.m;
        let start = ((row * _e9) + column);
        let _e14 = params.m;
        if (column < _e14) {
            c[start] = block.x;
        }
        let _e23 = params.m;
        if ((column + 16u) < _e23) {
            c[(start + 16u)] = block.y;
        }
        let _e34 = params.m;
        if ((column + 32u) < _e34) {
            c[(start + 32u)] = block.z;
        }
        let _e45 = params.m;
        if ((column + 48u) < _e45) {
            c[(start + 48u)] = block.w;
            return;
        } else {
            return;
        }
    } else {
        return;
    }
}

fn impel_kernel(wid: vec3<u32>, lid: vec3<u32>) {
    var block0_: vec4<f32> = vec4(0f);
    var block1_: vec4<f32> = vec4(0f);
    var block2_: vec4<f32> = vec4(0f);
    var block3_: vec4<f32> = vec4(0f);
    var k0_: u32 = 0u;
    var r: u32;
    var from_a: f32;
    var local: bool;
    var q: u32;
    var from_b: f32;
    var local_1: bool;
    var i: u32;

    let row0_ = (wid.y * TILE);
    let column0_ = (wid.x * TILE);
    loop {
        let _e22 = k0_;
        let _e25 = params.k;
        if (_e22 < _e25) {
        } else {
            break;
        }
        {
            r = 0u;
            loop {
                let _e29 = r;
                if (_e29 < TILE) {
                } else {
                    break;
                }
                {
                    let _e32 = r;
                    let row_1 = ((row0_ + _e32) + lid.y);
                    from_a = 0f;
                    let _e40 = params.n;
                    if (row_1 < _e40) {
                        let _e44 = k0_;
                        let _e49 = params.k;
                        local = ((_e44 + lid.x) < _e49);
                    } else {
                        local = false;
                    }
                    let _e52 = local;
                    if _e52 {
                        let _e56 = params.k;
                        let _e58 = k0_;
                        let _e63 = a[(((row_1 * _e56) + _e58) + lid.x)];
                        from_a = _e63;
                    }
                    let _e65 = r;
                    let _e71 = from_a;
                    tile_a[(_e65 + lid.y)][lid.x] = _e71;
                }
                continuing {
                    let _e72 = r;
                    r = (_e72 + 16u);
                }
            }
            q = 0u;
            loop {
                let _e77 = q;
                if (_e77 < TILE) {
                } else {
                    break;
                }
                {
                    let _e80 = q;
                    let column_1 = ((column0_ + _e80) + lid.x);
                    from_b = 0f;
                    let _e86 = k0_;
                    let _e91 = params.k;
                    if ((_e86 + lid.y) < _e91) {
                        let _e97 = params.m;
                        local_1 = (column_1 < _e97);
                    } else {
                        local_1 = false;
                    }
                    let _e100 = local_1;
                    if _e100 {
                        let _e102 = k0_;
                        let _e107 = params.m;
                        let _e111 = b[(((_e102 + lid.y) * _e107) + column_1)];
                        from_b = _e111;
                    }
                    let _e115 = q;
                    let _e119 = from_b;
                    tile_b[lid.y][(_e115 + lid.x)] = _e119;
                }
                continuing {
                    let _e120 = q;
                    q = (_e120 + 16u);
                }
            }
            workgroupBarrier();
            i = 0u;
            loop {
                let _e125 = i;
                if (_e125 < DEPTH) {
                } else {
                    break;
                }
                {
                    let _e129 = i;
                    let _e133 = tile_b[_e129][lid.x];
                    let _e135 = i;
                    let _e141 = tile_b[_e135][(lid.x + 16u)];
                    let _e143 = i;
                    let _e149 = tile_b[_e143][(lid.x + 32u)];
                    let _e151 = i;
                    let _e157 = tile_b[_e151][(lid.x + 48u)];
                    let row_of_b = vec4<f32>(_e133, _e141, _e149, _e157);
                    let _e159 = block0_;
                    let _e165 = i;
                    let _e167 = tile_a[(4u * lid.y)][_e165];
                    block0_ = (_e159 + (_e167 * row_of_b));
                    let _e170 = block1_;
                    let _e178 = i;
                    let _e180 = tile_a[((4u * lid.y) + 1u)][_e178];
                    block1_ = (_e170 + (_e180 * row_of_b));
                    let _e183 = block2_;
                    let _e191 = i;
                    let _e193 = tile_a[((4u * lid.y) + 2u)][_e191];
                    block2_ = (_e183 + (_e193 * row_of_b));
                    let _e196 = block3_;
                    let _e204 = i;
                    let _e206 = tile_a[((4u * lid.y) + 3u)][_e204];
                    block3_ = (_e196 + (_e206 * row_of_b));
                }
                continuing {
                    let _e209 = i;
                    i = (_e209 + 1u);
                }
            }
            workgroupBarrier();
        }
        continuing {
            let _e212 = k0_;
            k0_ = (_e212 + DEPTH);
        }
    }
    let row_2 = (row0_ + (4u * lid.y));
    let column_2 = (column0_ + lid.x);
    let _e221 = block0_;
    store_row(row_2, column_2, _e221);
    let _e224 = block1_;
    store_row((row_2 + 1u), column_2, _e224);
    let _e227 = block2_;
    store_row((row_2 + 2u), column_2, _e227);
    let _e230 = block3_;
    store_row((row_2 + 3u), column_2, _e230);
    return;
}


struct impel_Launch {
    first: vec3<u32>,
    extent: vec3<u32>,
    num_workgroups: vec3<u32>,
}

@group(0) @binding(4) var<uniform> impel_launch: impel_Launch;

@compute @workgroup_size(16, 16, 1)
fn impel_part(
    @builtin(workgroup_id) dispatched: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) local_index: u32,
) {
    workgroupBarrier();
    let launch = impel_launch;
    let workgroup = launch.first + dispatched;
    impel_kernel(workgroup, local);
}

@compute @workgroup_size(16, 16, 1)
fn impel_folded_part(
    @builtin(workgroup_id) dispatched: vec3<u32>,
    @builtin(num_workgroups) dispatch: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) local_index: u32,
) {
    workgroupBarrier();
    let launch = impel_launch;
    let extent = launch.extent;
    let index = dispatched.x + dispatch.x * (dispatched.y + dispatch.y * dispatched.z);
    if (index < extent.x * extent.y * extent.z) {
        let row = index / extent.x;
        let workgroup = launch.first + vec3<u32>(index % extent.x, row % extent.y, row / extent.y);
        impel_kernel(workgroup, local);
    }
}
