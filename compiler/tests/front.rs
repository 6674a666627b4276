//! Does every mistake in WGSL get one message, at its place, that says what to do?

mod golden;

use std::fmt::Write;

use impel_compiler::front::{Options, parse};

const MAIN: &str = "@compute @workgroup_size(64)\nfn main() {}\n";

/// Each mistake, and whether [`MAIN`] follows it.
const MISTAKES: &[(&str, bool)] = &[
    ("enable subgroups;", true),
    ("@group(0) @binding(0) var t: texture_2d<f32>;", true),
    ("@group(0) @binding(0) var s: sampler;", true),
    ("var<private> x: f64;", true),
    ("enable f16;\nvar<private> x: vec2h;", true),
    (
        "@group(0) @binding(0) var<storage, read_write> x: array<u64>;",
        true,
    ),
    (
        "enable wgpu_ray_query;\n@group(0) @binding(0) var a: acceleration_structure;",
        true,
    ),
    ("var<immediate> x: u32;", true),
    (
        "@group(0) @binding(0) var<storage> a: binding_array<array<f32>>;",
        true,
    ),
    ("@fragment\nfn shade() {}", true),
    ("struct A { x: f32 }", false),
    (
        "@compute @workgroup_size(64)\nfn main() {\n  let a = b;\n}",
        false,
    ),
    (
        "@compute @workgroup_size(64)\nfn main() {\n  let a: u32 = 1.0;\n}",
        false,
    ),
    (
        "@compute @workgroup_size(64)\nfn main() {\n  var a = 1u\n}",
        false,
    ),
    ("@compute\nfn main() {}", false),
    ("@compute @workgroup_size(0)\nfn main() {}", false),
    (
        "struct A { x: f32, y: array<f32, 3> }\n@group(0) @binding(0) var<uniform> a: A;",
        true,
    ),
    (
        "@binding(0) var<storage> a: array<f32>;\n@compute @workgroup_size(1)\nfn main() { let x = a[0]; }",
        false,
    ),
    ("@group(0) @binding(0) var<storage> a: array<bool>;", true),
    (
        "@group(0) @binding(0) var<storage> a: array<f32>;\n@compute @workgroup_size(1)\nfn main() { a[0] = 1.0; }",
        false,
    ),
    (
        "@group(0) @binding(0) var<storage> a: array<f32>;\n@group(0) @binding(0) var<storage, read_write> b: array<f32>;\n@compute @workgroup_size(1)\nfn main() { b[0] = a[0]; }",
        false,
    ),
    ("@compute @workgroup_size(1)\nfn main(i: u32) {}", false),
    (
        "@compute @workgroup_size(1)\nfn main() { let n = 2; n = 3; }",
        false,
    ),
    (
        "struct A { x: array<f32>, y: u32 }\n@group(0) @binding(0) var<storage> a: A;",
        true,
    ),
    (
        "@group(0) @binding(0) var<storage, read_write> a: atomic<f32>;",
        true,
    ),
    (
        "@group(0) @binding(0) var<storage, write> a: array<f32>;",
        true,
    ),
    (
        "@compute @workgroup_size(1)\nfn main() { var x = 1; switch x { case 1: { x = 2; } } }",
        false,
    ),
    (
        "@compute @workgroup_size(1)\nfn main() { if 1 { return; } }",
        false,
    ),
    ("@compute @workgroup_size(1)\nfn main() { break; }", false),
    (
        "@compute @workgroup_size(1)\nfn main() { let v = vec2f(1.0) + vec3f(1.0); }",
        false,
    ),
    (
        "@compute @workgroup_size(1)\nfn main(@builtin(subgroup_id) id: u32) {}",
        false,
    ),
    ("fn f() -> u32 { return f(); }", true),
    (
        "override n: u32;\n@compute @workgroup_size(n)\nfn main() {}",
        false,
    ),
    (
        "override n: u32 = 0;\n@compute @workgroup_size(n)\nfn main() {}",
        false,
    ),
];

#[test]
fn each_mistake_gets_one_message_at_its_place() {
    let mut transcript = String::new();
    for (source, has_main) in MISTAKES {
        let source = if *has_main {
            format!("{source}\n{MAIN}")
        } else {
            format!("{source}\n")
        };
        let found = parse(&source, "shader.wgsl", &Options::default()).expect_err(&source);
        assert_eq!(found.0.len(), 1, "{found}\nfor:\n{source}");
        write!(transcript, "{found}\n\n").unwrap();
    }
    golden::check(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/front.txt"),
        &transcript,
    );
}

#[test]
fn a_sound_shader_passes() {
    let front = parse(MAIN, "shader.wgsl", &Options::default()).unwrap();
    assert_eq!(front.module.entry_points[0].workgroup_size, [64, 1, 1]);
}

#[test]
fn overrides_take_given_values_and_refuse_unknown_ones() {
    let source = "override n: u32;\n@compute @workgroup_size(n)\nfn main() {}";
    let mut options = Options::default();
    options.overrides.insert("n".into(), 32.0);
    let front = parse(source, "shader.wgsl", &options).unwrap();
    assert_eq!(front.module.entry_points[0].workgroup_size, [32, 1, 1]);
    assert_eq!(front.overrides[0].value, naga::Literal::U32(32));
    options.overrides.insert("m".into(), 32.0);
    let refused = parse(source, "shader.wgsl", &options).unwrap_err();
    assert_eq!(refused.0.len(), 1);
    assert!(refused.0[0].message.contains("`m`"));
}

#[test]
fn deep_nesting_needs_no_big_stack_of_the_caller() {
    let depth = 100;
    let source = format!(
        "@compute @workgroup_size(1)\nfn main() {{ var x = {}1u{}; }}",
        "(1u + ".repeat(depth),
        ")".repeat(depth)
    );
    assert!(parse(&source, "shader.wgsl", &Options::default()).is_ok());
}
