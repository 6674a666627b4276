// about: overrides of all types, some with their defaults and some set, in expressions and as workgroup size
// dispatch: 3 1 1
// buffer 0: 60
// override groups_of: 20
// override scale: 2.5
// override negate: 1
override groups_of: u32 = 8u;
override scale: f32 = 1.0;
@id(7) override shift: i32 = -3;
override negate: bool = false;
override doubled = groups_of * 2u;

@group(0) @binding(0) var<storage, read_write> output: array<vec2f>;

var<workgroup> line: array<u32, doubled>;

@compute @workgroup_size(groups_of)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
    line[local] = id.x;
    line[doubled - 1u - local] = id.x * 2u;
    workgroupBarrier();
    var x = f32(line[groups_of - 1u - local]) * scale;
    if (negate) {
        x = -x;
    }
    output[id.x] = vec2f(x + f32(shift), f32(line[doubled - 1u - (local + 1u) % groups_of]));
}
