// Sums of chunks of 4096 neighbouring elements, one a workgroup.
//
//   x         n elements
//   partials  ⌈n / 4096⌉ elements: partials[w] = Σ x[4096 · w .. 4096 · (w + 1)], cut at n
//   grid      ⌈n / 4096⌉ workgroups along x
//
// The sum of everything is the sum of the partials: launch again with x = partials, or add them up on the host. In a chunk
// invocation l adds the elements l, l + 64, l + 128, …, so that the workgroup reads its chunk from end to end; the 64 sums
// are then added pairwise through workgroup memory. The error is at most 69 · ε · Σ|x| within a chunk, to first order in ε.

struct Params {
    n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> partials: array<f32>;

const CHUNK: u32 = 4096u;
const WORKGROUP: u32 = 64u;

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn sum(
    @builtin(workgroup_id) wid: vec3<u32>,
    @builtin(local_invocation_id) lid: vec3<u32>,
) {
    let start = wid.x * CHUNK + lid.x;
    var own = 0.0;
    for (var offset = 0u; offset < CHUNK; offset += WORKGROUP) {
        if (start + offset < params.n) {
            own += x[start + offset];
        }
    }
    sums[lid.x] = own;
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        if (lid.x < half) {
            sums[lid.x] += sums[lid.x + half];
        }
        workgroupBarrier();
    }
    if (lid.x == 0u) {
        partials[wid.x] = sums[0];
    }
}
