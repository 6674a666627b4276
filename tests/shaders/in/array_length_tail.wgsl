// about: a struct that ends in a runtime-sized array: its length, and accesses before and in it
// dispatch: 2 1 1
// buffer 0: 77
struct Log {
    count: u32,
    header: array<u32, 3>,
    entries: array<vec2u>,
}

@group(0) @binding(0) var<storage, read_write> log: Log;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let n = arrayLength(&log.entries);
    if (id.x == 0u) {
        log.count = n;
        log.header[2] = n * 2u;
    }
    if (id.x < n) {
        log.entries[id.x] = vec2u(id.x, n - id.x);
        log.entries[id.x].y ^= 5u;
    }
}
