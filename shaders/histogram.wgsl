// How often each value of one byte occurs: the eight bits of every element that start at bit `shift`.
//
//   data  n elements
//   bins  256 elements: bins[v] grows by the number of elements with (data >> shift) & 255 = v
//   grid  ⌈n / 32768⌉ workgroups along x
//
// Bins are added to and never cleared, so that a histogram can be taken in several launches. A workgroup counts a chunk of
// 32768 neighbouring elements in bins of its own and adds those to the common bins once, so that memory
// shared by all is touched at most once for every 128 elements. Moves 4 bytes an element.

struct Params {
    n: u32,
    shift: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> data: array<u32>;
@group(0) @binding(2) var<storage, read_write> bins: array<atomic<u32>, 256>;

const CHUNK: u32 = 32768u;
const WORKGROUP: u32 = 128u;
const BINS: u32 = 256u;

var<workgroup> own_bins: array<atomic<u32>, 256>;

@compute @workgroup_size(128)
fn histogram(
    @builtin(workgroup_id) wid: vec3<u32>,
    @builtin(local_invocation_id) lid: vec3<u32>,
) {
    let start = wid.x * CHUNK + lid.x;
    for (var offset = 0u; offset < CHUNK; offset += WORKGROUP) {
        if (start + offset < params.n) {
            atomicAdd(&own_bins[(data[start + offset] >> params.shift) & 255u], 1u);
        }
    }
    workgroupBarrier();
    for (var first = 0u; first < BINS; first += WORKGROUP) {
        let bin = first + lid.x;
        let count = atomicLoad(&own_bins[bin]);
        if (count > 0u) {
            atomicAdd(&bins[bin], count);
        }
    }
}
