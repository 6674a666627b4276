// about: compare-exchange loops: a product modulo a prime and a maximum of floats, by many invocations
// dispatch: 2 1 1
// buffer 0: 100
// fill 0: f32 0.5..100
// fill 1: u32 1
@group(0) @binding(0) var<storage, read> input: array<f32>;
@group(0) @binding(1) var<storage, read_write> words: array<atomic<u32>, 3>;

var<workgroup> largest: atomic<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    if (id.x < arrayLength(&input)) {
        let x = input[id.x];
        var seen = atomicLoad(&words[0]);
        loop {
            let next = seen * (u32(x) + 1u) % 65521u;
            let result = atomicCompareExchangeWeak(&words[0], seen, next);
            if (result.exchanged) {
                break;
            }
            seen = result.old_value;
        }
        var top = atomicLoad(&largest);
        while (x > bitcast<f32>(top)) {
            let result = atomicCompareExchangeWeak(&largest, top, bitcast<u32>(x));
            if (result.exchanged) {
                break;
            }
            top = result.old_value;
        }
    }
    workgroupBarrier();
    if (local == 0u) {
        atomicMax(&words[1], atomicLoad(&largest));
        atomicAdd(&words[2], 1u);
    }
}
