//! Buffers, bounds, workgroup memory, barriers, atomic operations and the record of accesses.

use impel_compiler::front::{Options, parse};
use impel_compiler::oracle::Oracle;

use crate::{bytes, run, words};

#[test]
fn reads_out_of_bounds_give_zero_and_writes_are_dropped() {
    let source = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @group(0) @binding(1) var<storage, read_write> y: array<u32, 4>;
        @compute @workgroup_size(1) fn main() {
            let last = arrayLength(&x);
            y[0] = x[last] + 1u;
            y[1] = x[last - 4u] + 2u;
            x[last] = 99u;
            x[i32(last) - 4] = 7u;
            y[2 + i32(last)] = 5u;
            var private_array = array<u32, 3>(10u, 11u, 12u);
            private_array[last] = 1u;
            y[2] = private_array[last] + private_array[2];
            var v = vec3u(1u, 2u, 3u);
            v[last] = 4u;
            y[3] = v[last] + v.z;
        }";
    assert_eq!(
        run(source, [1; 3], &[&[1, 2, 3], &[0; 4]]),
        [vec![1, 2, 3], vec![1, 2, 12, 3]]
    );
}

#[test]
fn padding_is_neither_read_nor_written() {
    let source = "
        struct Inner { v: vec3f, w: f32 }
        struct Outer { a: u32, inner: Inner, m: mat3x3f, tail: array<vec3u> }
        @group(0) @binding(0) var<storage, read_write> x: Outer;
        @compute @workgroup_size(1) fn main() {
            x.inner = Inner(vec3f(1.0, 2.0, 3.0), 4.0);
            x.m = mat3x3f(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0);
            x.tail[1] = vec3u(arrayLength(&x.tail), 8u, 9u);
            x.a = u32(x.m[1].y + x.inner.v[2] + x.inner.w);
        }";
    let pad = 0xdead_beef_u32;
    let f = |value: f32| value.to_bits();
    let found = run(source, [1; 3], &[&[pad; 28]]).swap_remove(0);
    let mut expected = vec![12, pad, pad, pad, f(1.0), f(2.0), f(3.0), f(4.0)];
    for column in [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]] {
        expected.extend(column.map(f));
        expected.push(pad);
    }
    expected.extend([pad, pad, pad, pad, 2, 8, 9, pad]);
    assert_eq!(found, expected);
}

#[test]
fn workgroup_memory_starts_as_zeros_in_every_workgroup() {
    let source = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        var<workgroup> count: atomic<u32>;
        @compute @workgroup_size(5) fn main(@builtin(workgroup_id) id: vec3u) {
            x[id.x] += atomicAdd(&count, 1u);
        }";
    assert_eq!(run(source, [3, 1, 1], &[&[0; 3]])[0], [10, 10, 10]);
}

#[test]
fn invocations_meet_at_barriers() {
    let source = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        var<workgroup> tile: array<u32, 8>;
        @compute @workgroup_size(8)
        fn main(@builtin(local_invocation_index) i: u32) {
            tile[i] = x[i];
            for (var s = 4u; s > 0u; s >>= 1u) {
                workgroupBarrier();
                if (i < s) { tile[i] += tile[i + s]; }
            }
            workgroupBarrier();
            x[i] = tile[0] + tile[7u - i];
        }";
    let found = run(source, [1; 3], &[&[1, 2, 3, 4, 5, 6, 7, 8]]).swap_remove(0);
    assert_eq!(found[0], 36 + 8);
    assert_eq!(found[7], 36 + 36);
    assert_eq!(found[5], 36 + 3 + 7, "tile[2] got x[6] at s = 4");
}

#[test]
fn uniform_loads_come_before_any_later_write() {
    let source = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        var<workgroup> shared_value: u32;
        @compute @workgroup_size(4)
        fn main(@builtin(local_invocation_index) i: u32) {
            if (i == 3u) { shared_value = 40u; }
            let seen = workgroupUniformLoad(&shared_value);
            if (i == 0u) { shared_value = 7u; }
            x[i] = seen + i;
        }";
    assert_eq!(run(source, [1; 3], &[&[0; 4]])[0], [40, 41, 42, 43]);
}

#[test]
fn atomic_operations_return_the_old_value() {
    let source = "
        @group(0) @binding(0) var<storage, read_write> u: array<atomic<u32>, 8>;
        @group(0) @binding(1) var<storage, read_write> s: array<atomic<i32>, 2>;
        @group(0) @binding(2) var<storage, read_write> old: array<u32>;
        @compute @workgroup_size(1) fn main() {
            old[0] = atomicAdd(&u[0], 5u);
            old[1] = atomicSub(&u[1], 5u);
            old[2] = atomicMax(&u[2], 5u);
            old[3] = atomicMin(&u[3], 5u);
            old[4] = atomicAnd(&u[4], 5u);
            old[5] = atomicOr(&u[5], 5u);
            old[6] = atomicXor(&u[6], 5u);
            old[7] = atomicExchange(&u[7], 5u);
            old[8] = u32(atomicMin(&s[0], -5));
            old[9] = u32(atomicMax(&s[1], -5));
            let hit = atomicCompareExchangeWeak(&u[7], 5u, 6u);
            let miss = atomicCompareExchangeWeak(&u[7], 5u, 9u);
            old[10] = hit.old_value * 10u + u32(hit.exchanged);
            old[11] = miss.old_value * 10u + u32(miss.exchanged);
            let index = arrayLength(&old);
            old[12] = atomicAdd(&u[index], 1u);
            atomicStore(&s[1], atomicLoad(&s[0]) - 1);
        }";
    let found = run(source, [1; 3], &[&[3; 8], &[3, u32::MAX - 9], &[1; 13]]);
    assert_eq!(found[0], [8, u32::MAX - 1, 5, 3, 1, 7, 6, 6]);
    assert_eq!(found[1], [-5i32 as u32, -6i32 as u32]);
    assert_eq!(
        found[2],
        [3, 3, 3, 3, 3, 3, 3, 3, 3, u32::MAX - 9, 51, 60, 0]
    );
}

#[test]
fn a_tile_sees_the_whole_grid_and_the_record_names_its_words() {
    let source = "
        @group(0) @binding(0) var<storage, read> x: array<vec3f>;
        @group(0) @binding(1) var<storage, read_write> y: array<u32>;
        @group(0) @binding(2) var<storage, read_write> n: atomic<u32>;
        @compute @workgroup_size(2)
        fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
            y[id.x] = u32(x[id.x].y) + groups.x;
            atomicAdd(&n, 1u);
        }";
    let front = parse(source, "test.wgsl", &Options::default()).unwrap();
    let oracle = Oracle::new(&front.module, &front.info, "main").unwrap();
    let mut buffers = vec![bytes(&[1.5f32.to_bits(); 32]), bytes(&[0; 8]), bytes(&[0])];
    let touched = oracle
        .run_recorded([4, 1, 1], [1, 0, 0], [3, 1, 1], &mut buffers)
        .unwrap();
    assert_eq!(words(&buffers[1]), [0, 0, 5, 5, 5, 5, 0, 0]);
    assert_eq!(words(&buffers[2]), [4]);
    assert_eq!(touched[0].read.iter().collect::<Vec<_>>(), [9, 13, 17, 21]);
    assert!(touched[0].written.is_empty());
    assert_eq!(touched[1].written.iter().collect::<Vec<_>>(), [2, 3, 4, 5]);
    assert!(touched[1].read.is_empty() && touched[1].atomic.is_empty());
    assert!(
        touched[2].atomic.contains(0)
            && touched[2].read.contains(0)
            && touched[2].written.contains(0)
    );
}

#[test]
fn inputs_number_the_invocations() {
    let source = "
        struct In { @builtin(local_invocation_id) local: vec3u, @builtin(num_workgroups) groups: vec3u }
        @group(0) @binding(0) var<storage, read_write> x: array<vec4u>;
        @compute @workgroup_size(2, 3, 2)
        fn main(in: In, @builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u,
                @builtin(local_invocation_index) index: u32) {
            let at = (id.z * 6u + id.y) * 4u + id.x;
            x[at] = vec4u(index, in.local.x + 10u * in.local.y + 100u * in.local.z, group.x + 10u * group.y, in.groups.y);
        }";
    let found = run(source, [2, 2, 1], &[&[0; 4 * 4 * 6 * 2]]).swap_remove(0);
    let at = |x: usize, y: usize, z: usize| &found[4 * ((z * 6 + y) * 4 + x)..][..4];
    assert_eq!(at(3, 4, 1), [1 + 2 + 6, 1 + 10 + 100, 1 + 10, 2]);
    assert_eq!(at(0, 5, 0), [4, 20, 10, 2]);
}
