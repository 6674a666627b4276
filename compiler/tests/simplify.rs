//! Does simplification keep its promises to the passes behind it?

use impel_compiler::front::{Options, parse};
use impel_compiler::ir::{Binary, Kernel, Op, Stmt};
use impel_compiler::lower::lower;
use impel_compiler::simplify::simplify;

/// The simplified kernel of a shader whose `main` has this body; `x` is a read-write array of f32, `p` a uniform.
fn kernel(items: &str, body: &str) -> Kernel {
    let source = format!(
        "struct P {{ n: u32, m: u32, a: f32 }}
        @group(0) @binding(0) var<uniform> p: P;
        @group(0) @binding(1) var<storage, read_write> x: array<f32>;
        {items}
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3<u32>) {{ {body} }}"
    );
    let front =
        parse(&source, "test", &Options::default()).unwrap_or_else(|found| panic!("{found}"));
    simplify(&lower(&front, 0).unwrap_or_else(|found| panic!("{found}")))
}

fn count(kernel: &Kernel, wanted: impl Fn(&Stmt) -> bool) -> usize {
    let mut found = 0;
    for stmt in &kernel.body {
        stmt.walk(&mut |stmt| found += usize::from(wanted(stmt)));
    }
    found
}

fn is_if(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::If { .. })
}

fn is_loop(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::Loop { .. })
}

#[test]
fn short_loops_over_private_arrays_leave_variables_only() {
    let kernel = kernel(
        "",
        "var block: array<array<f32, 3>, 2>;
        for (var k = 0u; k < p.n; k++) {
            for (var i = 0; i < 2; i++) {
                for (var j = 0; j < 3; j++) { block[i][j] += x[k + u32(i)] * x[k + u32(j)]; }
            }
        }
        for (var i = 0; i < 2; i++) { for (var j = 0; j < 3; j++) { x[id.x + u32(3 * i + j)] = block[i][j]; } }",
    );
    assert!(kernel.arrays.is_empty(), "{kernel}");
    assert_eq!(count(&kernel, is_loop), 1, "{kernel}");
    assert_eq!(kernel.vars.len(), 7, "{kernel}");
}

#[test]
fn guards_are_one_condition() {
    let kernel = kernel(
        "",
        "if (id.x == 0u || id.y >= p.n || id.x + 1u >= p.m && id.y != 3u) { return; } x[id.x] = 1.0;",
    );
    assert_eq!(count(&kernel, is_if), 1, "{kernel}");
    assert!(kernel.vars.is_empty(), "{kernel}");
}

#[test]
fn a_scalar_of_a_uniform_is_read_once() {
    let kernel = kernel(
        "",
        "for (var i = 0u; i < p.n; i++) { if (i != p.m) { x[i * p.n] = p.a * p.a; } }",
    );
    let is_load =
        |stmt: &Stmt| matches!(stmt, Stmt::Let(id) if matches!(kernel.value(*id).op, Op::Load(_)));
    assert_eq!(count(&kernel, is_load), 3, "{kernel}");
}

#[test]
fn a_for_loop_begins_with_the_opposite_of_its_condition() {
    let kernel = kernel("", "for (var i = 0u; i < p.n; i++) { x[i] = 0.0; }");
    let Some(Stmt::Loop {
        label,
        body,
        continuing,
        ..
    }) = kernel.body.last()
    else {
        panic!("{kernel}")
    };
    let Stmt::If {
        condition,
        accept,
        reject,
        ..
    } = &body[2]
    else {
        panic!("{kernel}")
    };
    assert!(
        matches!(
            kernel.value(*condition).op,
            Op::Binary(Binary::GreaterEqual, ..)
        ),
        "{kernel}"
    );
    assert!(
        matches!(accept.as_slice(), [Stmt::Break(to)] if to == label),
        "{kernel}"
    );
    assert!(reject.is_empty(), "{kernel}");
    assert!(
        matches!(continuing.last(), Some(Stmt::SetVar(..))),
        "{kernel}"
    );
}

#[test]
fn early_returns_of_functions_leave_no_jumps() {
    let kernel = kernel(
        "fn f(v: f32) -> f32 { if (v < 0.0) { return -sin(v); } if (v > p.a) { return cos(v); } return v * 0.5; }",
        "x[id.x] = f(x[id.x]);",
    );
    assert_eq!(count(&kernel, Stmt::is_jump), 0, "{kernel}");
    assert_eq!(kernel.vars.len(), 1, "{kernel}");
}

#[test]
fn what_nobody_reads_is_gone() {
    let kernel = kernel(
        "var<private> unused: array<f32, 8>;
        fn g(v: f32) -> f32 { unused[0] = v; return v; }",
        "var dead = x[3]; for (var i = 0u; i < 4u; i++) { dead += 1.0; } let also = g(dead) * 2.0; if (also > 1.0) { } x[0] = 1.0;",
    );
    assert!(kernel.vars.len() <= 1, "{kernel}");
    assert!(kernel.arrays.is_empty(), "{kernel}");
    let is_load =
        |stmt: &Stmt| matches!(stmt, Stmt::Let(id) if matches!(kernel.value(*id).op, Op::Load(_)));
    assert_eq!(count(&kernel, is_load), 0, "{kernel}");
}

#[test]
fn a_variable_set_in_a_loop_is_not_taken_for_its_first_value() {
    let kernel = kernel(
        "",
        "var v = 1.0; for (var i = 0u; i < p.n; i++) { x[i] = v; if (i == p.m) { v = 2.0; } } x[id.x] = v;",
    );
    let reads = count(
        &kernel,
        |stmt| matches!(stmt, Stmt::Let(id) if matches!(kernel.value(*id).op, Op::ReadVar(var) if kernel.vars[var.0 as usize].name == "v")),
    );
    assert!(reads >= 2, "{kernel}");
}

#[test]
fn simplifying_twice_changes_nothing() {
    for file in ["matmul_blocked", "histogram", "mandelbrot", "jacobi"] {
        let path = format!("{}/../shaders/{file}.wgsl", env!("CARGO_MANIFEST_DIR"));
        let front = parse(
            &std::fs::read_to_string(path).unwrap(),
            file,
            &Options::default(),
        )
        .unwrap();
        let once = simplify(&lower(&front, 0).unwrap());
        assert_eq!(simplify(&once).to_string(), once.to_string());
    }
}
