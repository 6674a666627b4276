//! Does the host see of each module what it did: bindings, structs, constants, and the Rust that launches its kernels?

mod golden;

use std::path::{Path, PathBuf};

use impel_compiler::front::{Options, parse};
use impel_compiler::signature::signature;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The signature of a module as text, and the Rust made of it.
fn report(source: &str, path: &str) -> String {
    let front = parse(source, path, &Options::default()).unwrap_or_else(|found| panic!("{found}"));
    let signature = signature(&front).unwrap_or_else(|found| panic!("{found}"));
    let mut text = format!("{signature}\n{}", signature.items());
    for kernel in &signature.kernels {
        text += &signature.launcher(kernel, "KERNEL");
    }
    text
}

fn check(folder: &str, stem: &str) {
    let path = format!("{folder}/{stem}.wgsl");
    let source = std::fs::read_to_string(root().join(&path)).unwrap();
    let golden = root()
        .join("tests/shaders/signature")
        .join(format!("{stem}.txt"));
    golden::check(golden, &report(&source, &path));
}

#[test]
fn a_kernel_with_parameters_and_arrays() {
    check("shaders", "saxpy");
    check("shaders", "histogram");
}

#[test]
fn vectors_of_three_get_their_padding() {
    check("tests/shaders/in", "vec3_padding");
}

#[test]
fn structs_in_arrays_have_wgsls_layout() {
    check("tests/shaders/in", "struct_storage_array");
}

#[test]
fn matrices_nest_arrays() {
    check("tests/shaders/in", "mat_uniform");
    check("tests/shaders/in", "mat_storage");
}

#[test]
fn structs_with_a_runtime_sized_tail_are_words() {
    check("tests/shaders/in", "array_length_tail");
}

#[test]
fn uniforms_of_every_kind_are_encoded() {
    check("tests/shaders/in", "struct_uniform");
    check("tests/shaders/in", "uniform_plain");
}

#[test]
fn constants_and_overrides_are_exposed() {
    check("tests/shaders/in", "override_default");
}

#[test]
fn names_that_rust_keeps_for_itself_are_escaped() {
    let source = "
        struct Box { type_: vec3<u32>, move_: f32 }
        @group(0) @binding(1) var<storage, read> dyn: array<Box>;
        @group(0) @binding(0) var<storage, read_write> yields: array<i32>;
        @compute @workgroup_size(1)
        fn r(@builtin(global_invocation_id) id: vec3<u32>) { yields[id.x] = i32(dyn[id.x].type_.x); }";
    let text = report(source, "inline");
    assert!(text.contains("pub struct r<Yields, Dyn>"), "{text}");
    assert!(text.contains("pub r#dyn: Dyn"), "{text}");
    assert!(
        text.contains("pub const fn new(type_: [u32; 3], move_: f32) -> Self"),
        "{text}"
    );
}
