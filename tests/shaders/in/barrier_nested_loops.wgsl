// about: barriers in loops in loops, with uniform break and continue, and divergent work between them
// dispatch: 2 1 1
// buffer 1: 40
// buffer 2: 40
// fill 0.outer: u32 4
// fill 0.inner: u32 5
// fill 1: u32 0..20
struct Rounds {
    outer: u32,
    inner: u32,
}

@group(0) @binding(0) var<uniform> rounds: Rounds;
@group(0) @binding(1) var<storage, read> input: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<u32>;

var<workgroup> line: array<u32, 20>;

@compute @workgroup_size(20)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    line[local] = input[id.x];
    var trace = 0u;
    for (var a = 0u; a < rounds.outer; a++) {
        if (a == 1u) {
            continue;
        }
        for (var b = 0u; b < rounds.inner; b++) {
            workgroupBarrier();
            let next = line[(local + b) % 20u];
            workgroupBarrier();
            if (next > line[local]) {
                line[local] = next - 1u;
                for (var c = 0u; c < next % 3u; c++) {
                    trace += c + 1u;
                }
            } else if (next == 0u) {
                line[local] += 2u;
            }
            if (a + b == 5u) {
                break;
            }
            trace += 100u;
        }
        workgroupBarrier();
        let opposite = line[19u - local];
        workgroupBarrier();
        line[local] = (line[local] + opposite + a) % 30u;
    }
    output[id.x] = trace * 100u + line[local];
}
