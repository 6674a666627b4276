//! Do kernels lower to well-formed KIR that does what the oracle says, before and after simplification?

#[path = "../golden/mod.rs"]
mod golden;
mod interpreter;
mod linear;
#[path = "../generated/random.rs"]
mod random;
mod scalar;

use std::path::{Path, PathBuf};

use impel_compiler::front::{Front, Options, parse};
use impel_compiler::ir::Kernel;
use impel_compiler::lower::lower;
use impel_compiler::oracle::Oracle;
use impel_compiler::oracle::corpus::Case;
use impel_compiler::simplify::simplify;

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All WGSL files of the kernels and of the corpus, sorted.
fn shaders() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in ["shaders", "tests/shaders/in"] {
        let Ok(entries) = std::fs::read_dir(root().join(folder)) else {
            continue;
        };
        files.extend(
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|ext| ext == "wgsl")),
        );
    }
    files.sort();
    files
}

/// Where the KIR of a shader is kept: `kir/x.kir` for the corpus, `kir/kernels/x.kir` for the kernels.
fn golden_path(shader: &Path) -> PathBuf {
    let kir = root().join("tests/shaders/kir");
    let folder = if shader.parent().is_some_and(|parent| parent.ends_with("in")) {
        kir
    } else {
        kir.join("kernels")
    };
    folder.join(shader.with_extension("kir").file_name().unwrap())
}

fn front(path: &Path) -> Front {
    let source = std::fs::read_to_string(path).unwrap();
    parse(&source, &path.display().to_string(), &Options::default())
        .unwrap_or_else(|found| panic!("{found}"))
}

/// Corpus shaders whose KIR is kept as text: one for each hard part of lowering.
const SHOWN: &[&str] = &[
    "array_of_arrays",
    "atomics_compare_exchange",
    "const_array_dynamic",
    "early_return_function",
    "logic_short_circuit",
    "loop_continuing",
    "mat_multiply",
    "pointers_through_calls",
    "structs_in_private_arrays",
    "switch_in_loop",
    "vec_dynamic_index",
    "workgroup_uniform_load",
];

#[test]
fn kernels_and_chosen_shaders_lower_to_the_kir_they_did() {
    let is_shown = |path: &PathBuf| {
        !path.parent().unwrap().ends_with("in")
            || SHOWN.iter().any(|stem| path.file_stem().unwrap() == *stem)
    };
    let files: Vec<_> = shaders().into_iter().filter(is_shown).collect();
    assert!(files.len() >= SHOWN.len() + 8, "the kernels are there");
    for path in files {
        let front = front(&path);
        let mut text = String::new();
        for index in 0..front.module.entry_points.len() {
            let kernel = lower(&front, index).unwrap_or_else(|found| panic!("{found}"));
            kernel
                .verify()
                .unwrap_or_else(|broken| panic!("{broken}\n{kernel}"));
            let simple = simplify(&kernel);
            simple
                .verify()
                .unwrap_or_else(|broken| panic!("{broken}\n{simple}"));
            text += &simple.to_string();
        }
        golden::check(golden_path(&path), &text);
    }
}

/// Runs a kernel on the buffers of a case and compares them with what the oracle leaves there.
fn compare(case: &Case, front: &Front, kernel: &Kernel) -> Result<(), String> {
    let oracle =
        Oracle::new(&front.module, &front.info, &kernel.name).map_err(|error| error.to_string())?;
    let mut expected = case.buffers(&front.module, oracle.bindings());
    let mut actual: Vec<Vec<u32>> = expected
        .iter()
        .map(|bytes| {
            bytes
                .chunks_exact(4)
                .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
                .collect()
        })
        .collect();
    oracle
        .run(case.dispatch, &mut expected)
        .map_err(|error| error.to_string())?;
    interpreter::run(kernel, case.dispatch, &mut actual)?;
    let actual: Vec<Vec<u8>> = actual
        .iter()
        .map(|words| words.iter().flat_map(|word| word.to_le_bytes()).collect())
        .collect();
    case.compare(&front.module, oracle.bindings(), &expected, &actual)
        .map_err(|mismatch| mismatch.to_string())
}

/// Every case whose KIR, chosen by `prepare`, does not do what the oracle says.
fn disagreements(prepare: impl Fn(Kernel) -> Kernel) -> Vec<String> {
    let mut found = Vec::new();
    for path in shaders()
        .iter()
        .filter(|path| path.parent().unwrap().ends_with("in"))
    {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let source = std::fs::read_to_string(path).unwrap();
        found.extend(disagreement(name, &source, &prepare));
    }
    found
}

/// How the KIR of one shader differs from the oracle, if it does.
fn disagreement(name: &str, source: &str, prepare: impl Fn(Kernel) -> Kernel) -> Option<String> {
    let case = Case::parse(name, source).unwrap();
    let options = Options {
        overrides: case.overrides.clone(),
        ..Options::default()
    };
    let front = parse(source, name, &options).unwrap_or_else(|error| panic!("{error}"));
    let kernel = prepare(lower(&front, 0).unwrap_or_else(|error| panic!("{error}")));
    compare(&case, &front, &kernel).err()
}

/// Programs that nobody wrote; `IMPEL_TEST_LONG=1` tries many more of them.
#[test]
fn random_programs_do_what_the_oracle_says() {
    let seeds = if std::env::var_os("IMPEL_TEST_LONG").is_some() {
        0..5_000
    } else {
        0..60
    };
    for seed in seeds {
        let source = random::program(seed);
        let name = format!("random{seed}");
        for prepare in [|kernel| kernel, |kernel| simplify(&kernel)] {
            if let Some(found) = disagreement(&name, &source, prepare) {
                panic!("{found}\n{source}");
            }
        }
    }
}

/// Expressions that are WGSL but not supported, or that naga takes beyond WGSL.
const REFUSED: &[&str] = &[
    "modf(x).fract",
    "frexp(x).fract",
    "ldexp(x, 2)",
    "asinh(x)",
    "acosh(x)",
    "atanh(x)",
    "refract(vec2f(x), vec2f(1.0), x).x",
    "quantizeToF16(x)",
    "f32(pack4x8snorm(vec4f(x)))",
    "unpack4x8unorm(u32(x)).x",
    "f32(dot4U8Packed(u32(x), 1u))",
    "outerProduct(vec2f(x), vec2f(x))[0].x",
    "inverse(mat2x2f(x, x, x, x))[0].x",
    "dpdx(x)",
    "f32(subgroupAdd(u32(x)))",
];

#[test]
fn unsupported_functions_are_refused_by_name_and_place() {
    let mut transcript = String::new();
    for expression in REFUSED {
        let source = format!(
            "@group(0) @binding(0) var<storage, read_write> a: array<f32>;\n@compute @workgroup_size(1)\nfn main() {{\n  let x = a[1];\n  a[0] = {expression};\n}}\n"
        );
        let outcome = parse(&source, "shader.wgsl", &Options::default());
        let found = match outcome {
            Ok(front) => lower(&front, 0)
                .map(|_| ())
                .expect_err(expression)
                .to_string(),
            Err(found) => found.to_string(),
        };
        transcript.extend([found.as_str(), "\n\n"]);
    }
    golden::check(
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/refused.txt"),
        &transcript,
    );
}

#[test]
fn lowered_kernels_do_what_the_oracle_says() {
    let found = disagreements(|kernel| kernel);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn zeroing_a_part_of_a_variable_keeps_the_rest() {
    let source = "// buffer 0: 8\n
        struct S { v: vec2u, w: u32, t: array<u32, 20> }
        @group(0) @binding(0) var<storage, read_write> a: array<vec4u>;
        @compute @workgroup_size(8) fn main(@builtin(local_invocation_index) i: u32) {
            var s = S(vec2u(i, 2u), 3u, array<u32, 20>());
            s.t[i] = 7u;
            s.v = vec2u();
            a[i] = vec4u(s.v, s.w, s.t[1]);
            s.t = array<u32, 20>();
            s.v.x = s.t[i] + 1u;
            a[i] += vec4u(s.v, s.w, s.t[1]);
        }";
    for prepare in [|kernel| kernel, |kernel| simplify(&kernel)] {
        assert_eq!(disagreement("zeroing", source, prepare), None);
    }
}

#[test]
fn functions_beyond_the_corpus_do_what_the_oracle_says() {
    let source = "// tolerance: ulp 2\n// buffer 1: 64\n
        @group(0) @binding(0) var<storage, read> a: array<vec3f>;
        @group(0) @binding(1) var<storage, read_write> b: array<vec4f>;
        @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
            let n = a[63u - i];
            b[i] = vec4f(reflect(a[i], n), degrees(n.x)) + vec4f(radians(a[i].y), faceForward(a[i], n, a[0]));
        }";
    let case = Case::parse("beyond", source).unwrap();
    let front =
        parse(source, "beyond", &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    compare(&case, &front, &lower(&front, 0).unwrap()).unwrap();
}

#[test]
fn simplified_kernels_do_what_the_oracle_says() {
    let found = disagreements(|kernel| simplify(&kernel));
    assert!(found.is_empty(), "{}", found.join("\n"));
}
