//! Does the way to the CPU decide and print what it did, and refuse what cannot run?

mod golden;

use std::path::{Path, PathBuf};

use impel_compiler::emit::{self, Options};
use impel_compiler::front::{self, Front};
use impel_compiler::ir::{Kernel, VarId};
use impel_compiler::lower::lower;
use impel_compiler::simplify::simplify;
use impel_compiler::tree::Tree;
use impel_compiler::variance::{Gangs, Shape, Variance};

fn front(name: &str, text: &str) -> Front {
    front::parse(text, name, &front::Options::default()).unwrap_or_else(|found| panic!("{found}"))
}

/// A kernel with a read-only buffer `a`, a written one `o`, a uniform `p` and workgroup memory `w`.
fn with_body(arguments: &str, body: &str) -> Front {
    let text = format!(
        "@group(0) @binding(0) var<storage, read> a: array<u32>;
@group(0) @binding(1) var<storage, read_write> o: array<u32>;
@group(0) @binding(2) var<uniform> p: vec4<u32>;
var<workgroup> w: array<u32, 64>;
@compute @workgroup_size(64)
fn main({arguments}) {{
{body}
}}"
    );
    front("test.wgsl", &text)
}

const GLOBAL: &str = "@builtin(global_invocation_id) gid: vec3<u32>";
const LOCAL: &str = "@builtin(local_invocation_id) lid: vec3<u32>";

#[test]
fn the_kernels_of_the_repository_are_emitted_as_they_were() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files: Vec<PathBuf> = std::fs::read_dir(root.join("shaders"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "wgsl"))
        .collect();
    files.sort();
    assert!(files.len() >= 8, "the kernels are there");
    for path in files {
        let front = front(
            path.file_name().unwrap().to_str().unwrap(),
            &std::fs::read_to_string(&path).unwrap(),
        );
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (mut decisions, mut source) = (String::new(), String::new());
        for index in 0..front.module.entry_points.len() {
            let kernel = simplify(&lower(&front, index).unwrap());
            decisions += &emit::explain(&kernel);
            source += &emit::emit(&kernel, &front.source, Options::default())
                .unwrap()
                .source;
        }
        let folder = root.join("tests/shaders/rust");
        golden::check(folder.join(format!("{name}.plan")), &decisions);
        golden::check(folder.join(format!("{name}.rs")), &source);
    }
}

#[test]
fn emitting_twice_gives_the_same_text() {
    let front = with_body(
        LOCAL,
        "w[lid.x] = a[lid.x]; workgroupBarrier(); o[lid.x] = w[63u - lid.x];",
    );
    let kernel = simplify(&lower(&front, 0).unwrap());
    let emit = || emit::emit(&kernel, &front.source, Options::default()).unwrap();
    assert_eq!(emit(), emit());
}

/// The shape of the variable whose name begins with `name`, as lowered.
fn shape_of(front: &Front, name: &str, gangs: Gangs) -> Shape {
    let kernel: Kernel = lower(front, 0).unwrap();
    let tree = Tree::new(&kernel);
    let variance = Variance::new(&kernel, &tree, gangs);
    let at = kernel
        .vars
        .iter()
        .position(|var| var.name.starts_with(name))
        .unwrap_or_else(|| panic!("no variable {name} in\n{kernel}"));
    variance.var(VarId(at as u32))
}

#[test]
fn a_counter_stays_uniform_in_a_loop_that_lanes_leave_at_different_times() {
    let body = "var sum = 0u;
        for (var i = 0u; i < p.x; i += 1u) {
            if (a[gid.x + i] == 7u) { break; }
            sum += i;
        }
        o[gid.x] = sum;";
    let front = with_body(GLOBAL, body);
    assert!(shape_of(&front, "i", Gangs::Strips).is_uniform());
    assert_eq!(shape_of(&front, "sum", Gangs::Strips), Shape::Varying);
}

#[test]
fn a_counter_read_after_a_loop_that_lanes_leave_at_different_times_varies() {
    let body = "var i = 0u;
        while (i < p.x && a[gid.x + i] != 7u) { i += 1u; }
        o[gid.x] = i;";
    assert_eq!(
        shape_of(&with_body(GLOBAL, body), "i", Gangs::Strips),
        Shape::Varying
    );
}

#[test]
fn a_variable_assigned_in_a_divergent_branch_and_not_read_outside_stays_uniform() {
    let body = "if (a[gid.x] > 3u) {
            var t = p.x;
            t += 1u;
            o[gid.x] = t;
        }";
    assert!(shape_of(&with_body(GLOBAL, body), "t", Gangs::Strips).is_uniform());
}

#[test]
fn an_index_that_strides_through_a_loop_stays_linear() {
    let body = "var i = gid.x * 3u;
        loop {
            if (i >= p.x) { break; }
            o[i] = 1u;
            i += p.y;
        }";
    assert_eq!(
        shape_of(&with_body(GLOBAL, body), "i", Gangs::Strips),
        Shape::Linear(3)
    );
}

#[test]
fn what_a_uniform_buffer_holds_is_the_same_for_the_workgroup_and_what_storage_holds_is_not() {
    let body = "var t = p.x; t += 1u; var u = o[0]; u += 1u; o[lid.x] = t + u;";
    let front = with_body(LOCAL, body);
    assert_eq!(shape_of(&front, "t", Gangs::Rows), Shape::Workgroup);
    assert_eq!(shape_of(&front, "u", Gangs::Rows), Shape::Gang);
}

/// What is said about a kernel that must be refused.
fn refusal(body: &str) -> Vec<String> {
    let front = with_body(LOCAL, body);
    let kernel = simplify(&lower(&front, 0).unwrap());
    let found = emit::emit(&kernel, &front.source, Options::default()).unwrap_err();
    let text = |found: &impel_compiler::diagnostic::Diagnostic| {
        format!("{}: {}", found.position, found.message)
    };
    found.0.iter().map(text).collect()
}

#[test]
fn a_barrier_in_a_divergent_branch_is_refused() {
    let found =
        refusal("if (lid.x > 3u) {\n  w[0] = 1u;\n  workgroupBarrier();\n}\no[lid.x] = w[0];");
    assert_eq!(
        found,
        [
            "9:3: this barrier is in a branch whose condition differs between invocations of a workgroup (line 7)"
        ]
    );
}

#[test]
fn a_barrier_after_a_divergent_return_is_refused() {
    let found = refusal(
        "if (lid.x > p.x) { return; }\nw[lid.x] = 1u;\nworkgroupBarrier();\no[lid.x] = w[0];",
    );
    assert_eq!(
        found,
        [
            "9:1: this barrier comes after some invocations of the workgroup may have returned (line 7)"
        ]
    );
}

#[test]
fn barriers_in_one_loop_of_divergent_length_give_one_message() {
    let found = refusal(
        "for (var i = 0u; i < a[lid.x]; i += 1u) {\n  w[lid.x] = i;\n  workgroupBarrier();\n  o[lid.x] = w[i];\n  workgroupBarrier();\n}",
    );
    assert_eq!(
        found,
        [
            "9:3: this barrier is in a loop that invocations of a workgroup leave at different times (line 7)"
        ]
    );
}

#[test]
fn a_barrier_that_depends_on_written_storage_is_refused() {
    let found =
        refusal("if (o[0] > 3u) {\n  w[lid.x] = 1u;\n  workgroupBarrier();\n}\no[lid.x] = w[0];");
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_uniform_load_from_a_place_that_differs_is_refused() {
    let found = refusal("w[lid.x] = 1u;\nlet x = workgroupUniformLoad(&w[lid.x]);\no[lid.x] = x;");
    assert_eq!(
        found,
        [
            "8:9: workgroupUniformLoad reads from a place that differs between invocations of a workgroup"
        ]
    );
}

#[test]
fn barriers_under_conditions_of_the_whole_workgroup_are_accepted() {
    let body = "w[lid.x] = lid.x;
        workgroupBarrier();
        let first = workgroupUniformLoad(&w[0]);
        if (first + p.x > 3u) {
            for (var i = 0u; i < a[p.y]; i += 1u) {
                w[lid.x] += i;
                workgroupBarrier();
            }
        }
        if (lid.x > 5u) { return; }
        o[lid.x] = w[lid.x];";
    let front = with_body(LOCAL, body);
    let kernel = simplify(&lower(&front, 0).unwrap());
    emit::emit(&kernel, &front.source, Options::default())
        .unwrap_or_else(|found| panic!("{found}"));
}

#[test]
fn private_arrays_that_no_stack_holds_are_refused() {
    let body = "var t: array<u32, 20000>;
        t[a[lid.x]] = 5u;
        o[lid.x] = t[a[lid.x + 1u]];";
    let found = refusal(body);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("9:20: `main` needs 1250 KiB of stack"),
        "{found:?}"
    );
}

#[test]
fn guards_and_early_returns_become_branches_without_jumps() {
    let text = "@group(0) @binding(0) var<storage, read_write> o: array<u32>;
fn f(x: u32) -> u32 {
    if (x > 5u) { return 1u; }
    if (x > 3u) { return 2u; }
    return x;
}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
    if (gid.x >= arrayLength(&o)) { return; }
    let r = f(gid.x);
    if (r == 2u) { return; }
    o[gid.x] = r;
}";
    let kernel = lower(&front("test.wgsl", text), 0).unwrap();
    let tree = Tree::new(&kernel);
    let jumps = |node: &impel_compiler::tree::Node| {
        node.any(&mut |node| matches!(node.kind, impel_compiler::tree::Kind::Jump(_)))
    };
    assert!(!tree.body.iter().any(jumps), "{kernel}");
}

/// The text emitted for a kernel of [`with_body`], simplified.
fn emitted(arguments: &str, body: &str) -> String {
    let front = with_body(arguments, body);
    let kernel = simplify(&lower(&front, 0).unwrap());
    let code = emit::emit(&kernel, &front.source, Options::default());
    code.unwrap_or_else(|found| panic!("{found}")).source
}

#[test]
fn an_index_that_cannot_leave_its_array_is_not_checked() {
    let checks = |index: &str| {
        let body = format!("w[{index}] = 1u; workgroupBarrier(); o[lid.x] = w[0];");
        emitted(LOCAL, &body).matches("u32_lt").count()
    };
    for inside in [
        "lid.x",
        "63u - 0u",
        "lid.x / 2u + 7u",
        "(lid.x * 9u) % 64u",
        "a[lid.x] & 63u",
        "lid.x ^ 5u",
    ] {
        assert_eq!(checks(inside), 0, "{inside}");
    }
    for outside in ["lid.x + 1u", "lid.x * 2u", "a[lid.x]", "(lid.x * 9u) % 65u"] {
        assert_eq!(checks(outside), 1, "{outside}");
    }
}

#[test]
fn lanes_that_add_to_one_word_do_it_once() {
    let text = "@group(0) @binding(0) var<storage, read_write> total: atomic<u32>;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
    if (a[gid.x] > 3u) { atomicAdd(&total, 2u); }
}";
    let front = front("test.wgsl", text);
    let kernel = simplify(&lower(&front, 0).unwrap());
    let code = emit::emit(&kernel, &front.source, Options::default()).unwrap();
    assert!(code.source.contains(".atomic_add_u32("), "{}", code.source);
    assert!(!code.source.contains("atomic_rmw"), "{}", code.source);
}

#[test]
fn neighbouring_lanes_access_neighbouring_words_as_one_vector() {
    let text = emitted(GLOBAL, "o[gid.x + 5u] = a[gid.x] + a[p.x * gid.y + gid.x];");
    assert_eq!(text.matches("load_linear_i32").count(), 2, "{text}");
    assert_eq!(text.matches("store_linear_i32").count(), 1, "{text}");
    assert!(!text.contains("gather"), "{text}");
}

#[test]
fn generated_code_has_neither_unsafe_code_nor_closures() {
    let text = emitted(
        LOCAL,
        "w[lid.x] = a[lid.x]; workgroupBarrier(); o[lid.x] = w[63u - lid.x];",
    );
    assert!(!text.contains("unsafe") && !text.contains('|'), "{text}");
}
