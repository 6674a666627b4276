// about: loop with continuing and break-if, whose condition sees variables of the body
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..50
@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec3u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    if (i >= arrayLength(&output)) {
        return;
    }
    let x = input[i];
    var k = 0u;
    var sum = 0u;
    loop {
        let square = k * k;
        if (square % 3u == x % 3u) {
            continue;
        }
        sum += square;
        if (sum > 500u) {
            break;
        }
        continuing {
            k += 1u + x % 2u;
            let limit = x / 2u;
            break if k > limit;
        }
    }
    // A loop that leaves only through break, and one that runs once.
    var down = x;
    loop {
        if (down < 7u) {
            break;
        }
        down -= 7u;
        continuing {
            sum += 1u;
        }
    }
    loop {
        k += 100u;
        continuing {
            for (var extra = 0u; extra < x % 4u; extra++) {
                if (extra == 2u) {
                    break;
                }
                k += 1000u;
            }
            break if true;
        }
    }
    output[i] = vec3u(k, sum, down);
}
