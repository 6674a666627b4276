// about: arrays of structs in function space: members read and written at run-time indices, through pointers too
// dispatch: 2 1 1
// buffer 0: 100
// buffer 1: 100
// fill 0: u32 0..60
struct Node {
    key: u32,
    links: array<u32, 2>,
    weight: vec2f,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let i = id.x;
    let n = arrayLength(&output);
    if (i >= n) {
        return;
    }
    // A binary search tree of six keys, then a walk down it.
    var nodes: array<Node, 6>;
    for (var k = 0u; k < 6u; k++) {
        let fresh = &nodes[k];
        (*fresh).key = input[(i + k) % n];
        (*fresh).weight = vec2f(f32(k), 0.5);
        var at = 0u;
        while (k > 0u) {
            let side = u32((*fresh).key > nodes[at].key);
            nodes[at].weight.y += 1.0;
            if (nodes[at].links[side] == 0u) {
                nodes[at].links[side] = k;
                break;
            }
            at = nodes[at].links[side];
        }
    }
    var at = 0u;
    var depth = 0.0;
    loop {
        let node = nodes[at];
        let next = node.links[u32(node.key < 30u)];
        if (next == 0u) {
            break;
        }
        at = next;
        depth += 1.0;
    }
    output[i] = vec4f(f32(nodes[at].key), depth, nodes[at].weight);
}
