//! Every shader of the corpus runs, and gives what its snapshot says.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use impel_compiler::front::{Options, parse};
use impel_compiler::oracle::corpus::{Case, Number, Tolerance, leaves};
use impel_compiler::oracle::{Bound, Oracle};
use naga::Module;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/shaders")
}

/// The corpus, by name.
pub(crate) fn cases() -> Vec<Case> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder().join("in"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        Case::parse(&name, &fs::read_to_string(path).unwrap())
            .unwrap_or_else(|error| panic!("{error}"))
    };
    paths.into_iter().map(read).collect()
}

/// Runs a case on the oracle; the result as text, or what is wrong with the case.
fn result(case: &Case) -> Result<String, String> {
    let options = Options {
        overrides: case.overrides.clone(),
        ..Options::default()
    };
    let front = parse(&case.source, &case.name, &options).map_err(|error| error.to_string())?;
    let oracle =
        Oracle::new(&front.module, &front.info, "main").map_err(|error| error.to_string())?;
    let inputs = case.buffers(&front.module, oracle.bindings());
    let mut buffers = inputs.clone();
    oracle
        .run(case.dispatch, &mut buffers)
        .map_err(|error| error.to_string())?;
    let mut text = String::new();
    for ((bound, before), after) in oracle.bindings().iter().zip(&inputs).zip(&buffers) {
        if before != after {
            text += &summary(&front.module, case, bound, after);
        }
    }
    if text.is_empty() {
        Err("it writes nothing".to_owned())
    } else {
        Ok(text)
    }
}

/// Length, digest and first values of a buffer.
fn summary(module: &Module, case: &Case, bound: &Bound, bytes: &[u8]) -> String {
    let (leaves, _) = leaves(module, bound.ty, case.count(bound.binding));
    let mut text = format!(
        "{}: {} scalars, digest {:016x}\n",
        bound.name,
        leaves.len(),
        digest(
            &leaves
                .iter()
                .map(|leaf| leaf.word(bytes))
                .collect::<Vec<_>>()
        )
    );
    for row in leaves[..leaves.len().min(32)].chunks(8) {
        let values: Vec<String> = row
            .iter()
            .map(|leaf| leaf.number.text(leaf.word(bytes)))
            .collect();
        let _ = writeln!(text, "  {}", values.join(" "));
    }
    text
}

/// FNV-1a over the words.
fn digest(words: &[u32]) -> u64 {
    let bytes = words.iter().flat_map(|word| word.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[test]
fn every_shader_of_the_corpus_gives_its_snapshot() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let path = folder().join("oracle").join(format!("{}.txt", case.name));
        let found = match result(&case) {
            Ok(found) => found,
            Err(error) => {
                wrong.push(format!("{}: {error}", case.name));
                continue;
            }
        };
        if update {
            fs::write(&path, &found).unwrap();
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        if kept != found {
            wrong.push(format!("{}:\n{kept}--- now ---\n{found}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A cut of the grid in two along each axis in turn, run part by part with the accesses recorded.
#[test]
fn parts_of_the_grid_add_up_to_the_whole_and_the_record_has_every_change() {
    for case in cases() {
        let options = Options {
            overrides: case.overrides.clone(),
            ..Options::default()
        };
        let front = parse(&case.source, &case.name, &options).unwrap();
        let oracle = Oracle::new(&front.module, &front.info, "main").unwrap();
        let input = case.buffers(&front.module, oracle.bindings());
        let mut whole = input.clone();
        oracle.run(case.dispatch, &mut whole).unwrap();
        for axis in (0..3).filter(|axis| *axis == 0 || case.dispatch[*axis] > 1) {
            let mut parts = input.clone();
            let mut middle = case.dispatch;
            middle[axis] = case.dispatch[axis] / 2;
            let mut second_lo = [0; 3];
            second_lo[axis] = middle[axis];
            for (lo, hi) in [([0; 3], middle), (second_lo, case.dispatch)] {
                let before = parts.clone();
                let touched = oracle
                    .run_recorded(case.dispatch, lo, hi, &mut parts)
                    .unwrap();
                for ((before, after), touched) in before.iter().zip(&parts).zip(&touched) {
                    let changed = crate::words(before)
                        .into_iter()
                        .zip(crate::words(after))
                        .enumerate()
                        .filter(|(_, (before, after))| before != after);
                    for (word, _) in changed {
                        assert!(touched.written.contains(word as u32), "{}", case.name);
                    }
                }
            }
            assert_eq!(parts, whole, "{} cut along axis {axis}", case.name);
        }
    }
}

#[test]
fn every_snapshot_has_its_shader() {
    let names: Vec<String> = cases().into_iter().map(|case| case.name).collect();
    assert!(!names.is_empty());
    for entry in fs::read_dir(folder().join("oracle")).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(names.contains(&stem), "{} has no shader", path.display());
    }
}

#[test]
fn tolerances_accept_what_they_say() {
    let near = |tolerance: Tolerance, want: f32, got: f32| {
        tolerance.accepts(Number::F32, want.to_bits(), got.to_bits())
    };
    let exact = Tolerance::default();
    assert!(near(exact, 0.0, -0.0) && near(exact, f32::NAN, -f32::NAN));
    assert!(!near(exact, 1.0, 1.0 + f32::EPSILON) && !near(exact, f32::NAN, 1.0));
    let ulp = Tolerance { ulp: 2, ..exact };
    assert!(near(ulp, 1.0, 1.0 + 2.0 * f32::EPSILON) && !near(ulp, 1.0, 1.0 + 3.0 * f32::EPSILON));
    assert!(
        near(ulp, f32::from_bits(1), -f32::from_bits(1)),
        "across zero"
    );
    let part = Tolerance {
        rel: 0.1,
        abs: 0.5,
        ..exact
    };
    assert!(near(part, 10.0, 11.5) && !near(part, 10.0, 11.6) && !near(part, f32::INFINITY, 1.0));
    assert!(
        !part.accepts(Number::U32, 10, 11),
        "integers are exact always"
    );
}

#[test]
fn directives_shape_the_buffers() {
    let source = "\
        // about: a test\n// dispatch: 3 2 1\n// buffer 0: 5\n// fill 0: u32 7\n// fill 1.n: i32 -2..-1\n\
        // tolerance: ulp 4 abs 1e-6\n// override k: 3\n\
        struct P { n: i32, v: vec3f }\n\
        @group(0) @binding(0) var<storage, read_write> x: array<u32>;\n\
        @group(0) @binding(1) var<uniform> p: P;\n\
        override k: u32 = 1u;\n\
        @compute @workgroup_size(1) fn main() { x[0] = k + u32(p.n); }";
    let case = Case::parse("test", source).unwrap();
    assert_eq!(case.dispatch, [3, 2, 1]);
    assert_eq!(
        case.tolerance,
        Tolerance {
            ulp: 4,
            rel: 0.0,
            abs: 1e-6
        }
    );
    assert_eq!(case.overrides["k"], 3.0);
    let front = parse(source, "test", &Options::default()).unwrap();
    let oracle = Oracle::new(&front.module, &front.info, "main").unwrap();
    let buffers = case.buffers(&front.module, oracle.bindings());
    assert_eq!(buffers[0], crate::bytes(&[7; 5]));
    let params = crate::words(&buffers[1]);
    assert_eq!((params.len(), params[0]), (8, -2i32 as u32));
    assert_eq!(
        [params[1], params[2], params[3], params[7]],
        [0; 4],
        "padding"
    );
    assert!(
        params[4..7]
            .iter()
            .all(|bits| (-4.0..4.0).contains(&f32::from_bits(*bits)))
    );
    assert_eq!(
        buffers,
        case.buffers(&front.module, oracle.bindings()),
        "the same every time"
    );
    let mut other = buffers.clone();
    other[0][9] = 1;
    let mismatch = case
        .compare(&front.module, oracle.bindings(), &buffers, &other)
        .unwrap_err();
    assert_eq!(
        (
            mismatch.offset,
            mismatch.expected.as_str(),
            mismatch.actual.as_str()
        ),
        (8, "7", "263")
    );
}

#[test]
fn unknown_directives_are_refused() {
    let error = Case::parse("test", "// dispach: 1 1 1\nfn f() {}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "test: cannot read the directive `dispach: 1 1 1`"
    );
}

#[test]
fn every_library_kernel_can_be_interpreted() {
    let mut kernels = 0;
    for entry in fs::read_dir(folder().join("../../shaders")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "wgsl") {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let name = path.display().to_string();
        let front =
            parse(&source, &name, &Options::default()).unwrap_or_else(|error| panic!("{error}"));
        for point in &front.module.entry_points {
            let oracle = Oracle::new(&front.module, &front.info, &point.name);
            let oracle = oracle.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(
                !oracle.bindings().is_empty(),
                "{name}: `{}` uses no buffer",
                point.name
            );
            kernels += 1;
        }
    }
    assert!(kernels >= 8, "only {kernels} kernels");
}
