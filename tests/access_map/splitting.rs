//! Which kernels may be split, and which line says why not?

use impel::kernel::access::Split;
use impel::kernel::{Conflict, disjoint};
use impel::lanes::Tile;
use impel::region::{Span, SpanSet};

use crate::shader::{Launch, Shader};

const BUFFERS: &str = "
struct Params { n: u32, w: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
@group(0) @binding(2) var<storage, read_write> x: array<u32>;
@group(0) @binding(3) var<storage, read_write> count: array<atomic<u32>>;
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) gid: vec3<u32>, @builtin(workgroup_id) wid: vec3<u32>) {
    let i = gid.x;
";

fn shader(body: &str) -> Shader {
    Shader::new("inline", &format!("{BUFFERS}{body}\n}}"))
}

fn refusal(body: &str) -> String {
    let shader = shader(body);
    match shader.map.split {
        Split::WhereDisjoint => String::from("none"),
        Split::No { reason, site } => {
            format!("{reason} | {}", shader.map.sites[usize::from(site.0)])
        }
    }
}

/// Two halves of a launch of 8 workgroups over 64 elements, with the parameters n = 64, w = 8.
fn halves(shader: &Shader) -> (Launch, [Tile; 2]) {
    let parameters = [64_u32, 8].map(u32::to_le_bytes).concat();
    let bound = shader
        .oracle()
        .bindings()
        .iter()
        .map(|bound| bound.binding)
        .collect::<Vec<_>>();
    let buffer = |binding| {
        if binding == 0 {
            parameters.clone()
        } else {
            vec![0; 256]
        }
    };
    let launch = Launch {
        num_workgroups: [8, 1, 1],
        buffers: bound.into_iter().map(buffer).collect(),
    };
    let tile = |lo, hi| Tile {
        lo: [lo, 0, 0],
        hi: [hi, 1, 1],
    };
    (launch, [tile(0, 3), tile(3, 8)])
}

/// The conflict between the halves, and the line to blame.
fn conflict(body: &str) -> Option<(Conflict, String)> {
    let shader = shader(body);
    let (launch, parts) = halves(&shader);
    let resolved = shader.resolve(&shader.map, &launch);
    let conflict = disjoint(&parts.map(|part| resolved.footprint(part))).err()?;
    let site = resolved.site(&conflict, parts[conflict.other]).unwrap();
    Some((conflict, site.to_string()))
}

#[test]
fn a_scatter_is_refused_with_its_line() {
    assert_eq!(
        refusal("x[keys[i]] = i;"),
        "`x` is written, and the index depends on a value read from `keys` | 10:1: x[keys[i]] = i"
    );
}

#[test]
fn a_used_atomic_result_is_refused() {
    assert_eq!(
        refusal("x[i] = atomicAdd(&count[0], 1u);"),
        "`count` is updated atomically and the result is used, and every workgroup touches the same words | 10:8: atomicAdd"
    );
}

#[test]
fn mixed_atomics_at_data_dependent_places_are_refused() {
    let reason = refusal("atomicAdd(&count[keys[i]], 1u); atomicMax(&count[keys[i]], 1u);");
    assert!(
        reason.starts_with("`count` is updated by different atomic operations"),
        "{reason}"
    );
}

#[test]
fn atomics_of_one_kind_are_combined() {
    let shader = shader("atomicAdd(&count[keys[i]], 1u); atomicSub(&count[0], keys[i]);");
    assert_eq!(shader.map.split, Split::WhereDisjoint);
    assert!(shader.map.buffers[1].combine.is_some());
}

#[test]
fn neighbours_of_what_is_written_are_in_conflict() {
    let (conflict, site) = conflict("if (i > 0u && i < p.n) { x[i] = x[i - 1u] + x[i]; }").unwrap();
    assert_eq!(conflict.words.words(), 1);
    assert_eq!(site, "10:33: x[i - 1u]");
}

#[test]
fn overlapping_rows_are_in_conflict() {
    let (_, site) = conflict("x[i / 2u * 3u + i % p.w] = i;").unwrap();
    assert_eq!(site, "10:1: x[i / 2u * 3u + i % p.w] = i");
}

#[test]
fn work_in_place_is_not() {
    assert_eq!(
        conflict("if (i < p.n) { x[i] = x[i] * 2u + keys[p.n - 1u - i]; }"),
        None
    );
    assert_eq!(
        conflict("for (var k = i * 2u; k < i * 2u + 2u; k += 1u) { x[k] = k; }"),
        None
    );
    assert_eq!(
        conflict("x[(wid.x << 3u) | (i & 7u)] = 1u;").map(|(conflict, _)| conflict.argument),
        None
    );
}

#[test]
fn an_index_that_wraps_around_touches_everything_it_may() {
    // i - 1 wraps around in the first invocation only; the write is dropped there.
    assert_eq!(conflict("x[i - 1u] = i;"), None);
    // 2²⁹ · 8 = 2³² wraps around to 0.
    assert!(conflict("x[i * 536870912u] = i;").is_some());
}

/// The words of `keys` that each half reads.
fn read(body: &str) -> [SpanSet; 2] {
    let shader = shader(&format!("var sum = 0u; var j = 0u; {body} x[i] = sum;"));
    let (launch, parts) = halves(&shader);
    let resolved = shader.resolve(&shader.map, &launch);
    parts.map(|part| resolved.footprint(part).arguments[0].reads.clone())
}

fn spans(of: [(u64, u64); 2]) -> [SpanSet; 2] {
    of.map(|(lo, hi)| Span::new(lo, hi).into())
}

#[test]
fn a_loop_up_to_an_id_reads_up_to_the_last_id_of_the_part() {
    let before = "for (; j < i; j++) { sum += keys[j]; }";
    assert_eq!(read(before), spans([(0, 23), (0, 63)]));
    let behind = "for (j = i; j < p.n; j++) { sum += keys[j]; }";
    assert_eq!(read(behind), spans([(0, 64), (24, 64)]));
    let rows = "for (; j <= i / p.w; j++) { sum += keys[j * 4u]; }";
    assert_eq!(read(rows), spans([(0, 9), (0, 29)]));
}

#[test]
fn a_loop_that_is_left_at_its_end_reads_as_far_as_its_test_admits() {
    let window = "loop { sum += keys[i + j]; continuing { j++; break if j >= p.w; } }";
    assert_eq!(read(window), spans([(0, 31), (24, 64)]));
    let once = "loop { sum += keys[i + j]; continuing { j++; break if j >= p.w - 8u; } }";
    assert_eq!(read(once), spans([(0, 24), (24, 64)]));
    let before = "loop { sum += keys[j]; j += 2u; if (j > i) { break; } }";
    assert_eq!(read(before), spans([(0, 23), (0, 63)]));
}

#[test]
fn work_of_a_triangle_is_that_of_the_average_row() {
    let shader =
        shader("var sum = 0u; for (var j = 0u; j < i; j++) { sum += keys[j]; } x[i] = sum;");
    let (launch, _) = halves(&shader);
    let work = shader.resolve(&shader.map, &launch).work();
    assert!(!work.guessed);
    assert!((work.bytes_read - 4.0 * 32.0).abs() < 1e-9, "{work}");
}
