//! What cannot be run is refused with a reason, never computed wrongly.

use impel_compiler::oracle::{Oracle, OracleError};
use naga::valid::{Capabilities, ValidationFlags, Validator};

use crate::{bytes, try_run};

/// What the oracle says of a module that naga accepts with all its extensions.
fn refusal(source: &str) -> OracleError {
    let module = naga::front::wgsl::parse_str(source).unwrap_or_else(|error| panic!("{error}"));
    let info = Validator::new(ValidationFlags::all(), Capabilities::all())
        .validate(&module)
        .unwrap();
    Oracle::new(&module, &info, "main").unwrap_err()
}

#[test]
fn an_entry_point_must_exist() {
    let error = refusal("@compute @workgroup_size(1) fn other() {}");
    assert_eq!(error, OracleError::NoEntryPoint("main".to_owned()));
}

#[test]
fn textures_are_refused_by_name() {
    let error = refusal(
        "@group(0) @binding(0) var t: texture_2d<f32>;
         @group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
         @compute @workgroup_size(1) fn main() { x[0] = textureLoad(t, vec2u(0), 0); }",
    );
    assert!(error.to_string().contains("texture"), "{error}");
}

#[test]
fn wide_and_narrow_numbers_are_refused_by_name() {
    let error = refusal(
        "@group(0) @binding(0) var<storage, read_write> x: array<u64>;
         @compute @workgroup_size(1) fn main() { x[0] = 1lu; }",
    );
    assert!(error.to_string().contains("64-bit Uint"), "{error}");
    let error = refusal(
        "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
         @compute @workgroup_size(1) fn main() { x[0] = pack2x16float(vec2f(f32(x[0]))); }",
    );
    assert!(error.to_string().contains("pack2x16float"), "{error}");
}

#[test]
fn unresolved_overrides_are_refused() {
    let error = refusal(
        "override k: u32;
         @group(0) @binding(0) var<storage, read_write> x: array<u32>;
         @compute @workgroup_size(1) fn main() { x[0] = k; }",
    );
    assert!(error.to_string().contains("override"), "{error}");
}

#[test]
fn barriers_in_divergent_flow_stop_the_run() {
    let source = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) {
            var n = i;
            if (x[n] == 0u) { workgroupBarrier(); }
            x[i] = 1u;
        }";
    let error = try_run(source, [2, 1, 1], &mut [bytes(&[0, 0, 1, 0])]).unwrap_err();
    let OracleError::DivergentBarrier {
        workgroup,
        invocation,
        span,
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!((workgroup, invocation), ([0; 3], 2));
    assert_eq!(&source[span.to_range().unwrap()], "workgroupBarrier");
    assert_eq!(try_run(source, [1, 1, 1], &mut [bytes(&[0; 4])]), Ok(()));
}

#[test]
fn different_barriers_do_not_meet() {
    let source = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(2) fn main(@builtin(local_invocation_index) i: u32) {
            var n = i;
            if (x[n] == 0u) { workgroupBarrier(); } else { workgroupBarrier(); }
        }";
    assert!(matches!(
        try_run(source, [1; 3], &mut [bytes(&[0, 1])]),
        Err(OracleError::DivergentBarrier { invocation: 1, .. })
    ));
}

#[test]
fn uniform_loads_need_one_pointer() {
    let source = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        var<workgroup> w: array<u32, 2>;
        @compute @workgroup_size(2) fn main(@builtin(local_invocation_index) i: u32) {
            x[i] = workgroupUniformLoad(&w[x[i]]);
        }";
    assert_eq!(try_run(source, [1; 3], &mut [bytes(&[1, 1])]), Ok(()));
    assert!(matches!(
        try_run(source, [1; 3], &mut [bytes(&[0, 1])]),
        Err(OracleError::DivergentUniformLoad { invocation: 1, .. })
    ));
}

#[test]
fn endless_loops_end_with_an_error() {
    let source = "
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;
        @compute @workgroup_size(1) fn main() { loop { if (x[0] == 1u) { break; } } }";
    assert_eq!(
        try_run(source, [1; 3], &mut [bytes(&[0])]),
        Err(OracleError::LoopLimit { limit: 1 << 16 })
    );
}

#[test]
fn buffers_must_fit() {
    let source = "
        struct S { a: vec4f, tail: array<vec2u> }
        @group(0) @binding(3) var<storage, read_write> x: S;
        @compute @workgroup_size(1) fn main() { x.tail[0].x = arrayLength(&x.tail); }";
    assert_eq!(
        try_run(source, [1; 3], &mut []),
        Err(OracleError::BufferCount {
            expected: 1,
            given: 0
        })
    );
    for given in [12, 17] {
        let error = try_run(source, [1; 3], &mut [vec![0; given]]).unwrap_err();
        assert_eq!(
            error,
            OracleError::BufferSize {
                name: "x".to_owned(),
                needed: 16,
                given
            }
        );
    }
    assert_eq!(
        try_run(source, [1; 3], &mut [vec![0; 16]]),
        Ok(()),
        "an empty array"
    );
}
