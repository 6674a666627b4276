// about: reads at bad indices of every kind of memory give zero
// dispatch: 2 1 1
// buffer 0: 50
// buffer 2: 100
// fill 0: u32 1..1000
// cpu-only: WGSL lets a GPU read any element instead
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<uniform> table: array<vec4u, 3>;
@group(0) @binding(2) var<storage, read_write> output: array<array<u32, 6>>;

var<workgroup> line: array<u32, 64>;
const FIXED = array<u32, 4>(5u, 6u, 7u, 8u);

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    let i = id.x;
    line[local] = local + 1u;
    workgroupBarrier();
    if (i >= arrayLength(&output)) {
        return;
    }
    var list = array<u32, 5>(1u, 2u, 3u, 4u, 5u);
    let v = vec3u(10u, 20u, 30u);
    output[i][0] = input[i] + input[i + 7u] + input[i - 3u];
    output[i][1] = line[local * 2u] + line[i32(local) - 4];
    output[i][2] = list[local % 8u] + v[local % 6u];
    output[i][3] = table[local % 5u][local % 7u];
    output[i][4] = FIXED[i % 9u];
    output[i][5] = input[i * 100000000u];
}
