struct Params {
    n: u32,
    m: u32,
    k: u32,
}

const TILE: u32 = 16u;

@group(0) @binding(0) 
var<uniform> params: Params;
@group(0) @binding(1) 
var<storage> a: array<f32>;
@group(0) @binding(2) 
var<storage> b: array<f32>;
@group(0) @binding(3) 
var<storage, read_write> c: array<f32>;
var<workgroup> tile_a: array<array<f32, 16>, 16>;
var<workgroup> tile_b: array<array<f32, 16>, 16>;

fn impel_kernel(gid: vec3<u32>, lid: vec3<u32>) {
    var sum: f32 = 0f;
    var k0_: u32 = 0u;
    var from_a: f32;
    var local: bool;
    var from_b: f32;
    var local_1: bool;
    var i: u32;
    var local_2: bool;

    let row = gid.y;
    let column = gid.x;
    loop {
        let _e8 = k0_;
        let _e11 = params.k;
        if (_e8 < _e11) {
        } else {
            break;
        }
        {
            from_a = 0f;
            let _e17 = params.n;
            if (row < _e17) {
                let _e21 = k0_;
                let _e26 = params.k;
                local = ((_e21 + lid.x) < _e26);
            } else {
                local = false;
            }
            let _e29 = local;
            if _e29 {
                let _e33 = params.k;
                let _e35 = k0_;
                let _e40 = a[u32((((row * _e33) + _e35) + lid.x)) - impel_launch.windows[0u].x];
                from_a = _e40;
            }
            let _e46 = from_a;
            tile_a[lid.y][lid.x] = _e46;
            from_b = 0f;
            let _e49 = k0_;
            let _e54 = params.k;
            if ((_e49 + lid.y) < _e54) {
                let _e60 = params.m;
                local_1 = (column < _e60);
            } else {
                local_1 = false;
            }
            let _e63 = local_1;
            if _e63 {
                let _e65 = k0_;
                let _e70 = params.m;
                let _e74 = b[u32((((_e65 + lid.y) * _e70) + column)) - impel_launch.windows[1u].x];
                from_b = _e74;
            }
            let _e80 = from_b;
            tile_b[lid.y][lid.x] = _e80;
            workgroupBarrier();
            i = 0u;
            loop {
                let _e83 = i;
                if (_e83 < TILE) {
                } else {
                    break;
                }
                {
                    let _e86 = sum;
                    let _e90 = i;
                    let _e92 = tile_a[lid.y][_e90];
                    let _e94 = i;
                    let _e98 = tile_b[_e94][lid.x];
                    sum = (_e86 + (_e92 * _e98));
                }
                continuing {
                    let _e101 = i;
                    i = (_e101 + 1u);
                }
            }
            workgroupBarrier();
        }
        continuing {
            let _e104 = k0_;
            k0_ = (_e104 + TILE);
        }
    }
    let _e109 = params.n;
    if (row < _e109) {
        let _e115 = params.m;
        local_2 = (column < _e115);
    } else {
        local_2 = false;
    }
    let _e118 = local_2;
    if _e118 {
        let _e122 = params.m;
        let _e126 = sum;
        c[u32(((row * _e122) + column)) - impel_launch.windows[2u].x] = _e126;
        return;
    } else {
        return;
    }
}


struct impel_Launch {
    first: vec3<u32>,
    extent: vec3<u32>,
    num_workgroups: vec3<u32>,
    windows: array<vec4<u32>, 3>,
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
    impel_kernel(workgroup * vec3<u32>(16u, 16u, 1u) + local, local);
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
        impel_kernel(workgroup * vec3<u32>(16u, 16u, 1u) + local, local);
    }
}
