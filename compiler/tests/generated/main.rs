//! Does emitted code compute what the oracle computes? Every kernel of the corpus, on every instruction set of this machine.
//!
//! The emitted Rust of all kernels becomes one program in a temporary crate, which is compiled and handed the corpus' inputs.

mod random;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use impel_compiler::emit::{self, Options};
use impel_compiler::front::{self, Front};
use impel_compiler::lower::lower;
use impel_compiler::oracle::Oracle;
use impel_compiler::oracle::corpus::Case;
use impel_compiler::simplify::simplify;

/// A way of emitting a kernel.
struct Variant {
    name: &'static str,
    strict: bool,
    /// After simplification, or as lowered.
    simple: bool,
    interleave: Option<usize>,
}

const VARIANTS: [Variant; 2] = [
    Variant {
        name: "plain",
        strict: false,
        simple: true,
        interleave: None,
    },
    Variant {
        name: "strict2",
        strict: true,
        simple: false,
        interleave: Some(2),
    },
];

struct Kernel {
    case: Case,
    front: Front,
}

fn kernel(name: &str, text: &str) -> Kernel {
    let case = Case::parse(name, text).unwrap();
    let options = front::Options {
        overrides: case.overrides.clone(),
        ..front::Options::default()
    };
    let front =
        front::parse(text, name, &options).unwrap_or_else(|found| panic!("{found}\n{text}"));
    Kernel { case, front }
}

fn corpus() -> Vec<Kernel> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/shaders/in");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "wgsl"));
    files.sort();
    let load = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap();
        kernel(name, &std::fs::read_to_string(&path).unwrap())
    };
    let lowers = |kernel: &Kernel| match lower(&kernel.front, 0) {
        Ok(_) => true,
        Err(refused) => {
            println!("not compiled: {refused}");
            false
        }
    };
    files.into_iter().map(load).filter(lowers).collect()
}

/// The program: one module a kernel and variant, and `main`, which runs the inputs it finds in its folder.
fn program(kernels: &[Kernel]) -> String {
    let mut modules = String::new();
    let mut arms = String::new();
    for (at, kernel) in kernels.iter().enumerate() {
        let lowered = lower(&kernel.front, 0).unwrap_or_else(|found| panic!("{found}"));
        let simple = simplify(&lowered);
        for variant in VARIANTS
            .iter()
            .filter(|variant| variant.strict || kernel.case.strict_only.is_none())
        {
            let options = Options {
                lanes: "impel_lanes",
                strict: variant.strict,
                interleave: variant.interleave,
            };
            let code = emit::emit(
                if variant.simple { &simple } else { &lowered },
                &kernel.front.source,
                options,
            )
            .unwrap_or_else(|found| panic!("{}: {found}", kernel.case.name));
            let module = format!("k{at}_{}", variant.name);
            writeln!(modules, "mod {module} {{\n{}}}", code.source).unwrap();
            writeln!(
                arms,
                "    job(\"{}\", \"{}\", &{module}::{});",
                kernel.case.name, variant.name, code.body_type
            )
            .unwrap();
        }
    }
    format!(
        "{}\n{modules}\nfn main() {{\n    // Without optimisation every temporary has its own place on the stack.\n    let jobs = std::thread::Builder::new().stack_size(1 << 29).spawn(jobs).unwrap();\n    jobs.join().unwrap();\n}}\n\nfn jobs() {{\n{arms}}}\n",
        include_str!("runner.rs")
    )
}

fn words(bytes: &[u8]) -> Vec<u8> {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(4), 0);
    padded
}

/// Grid, number of buffers, and each buffer's words with their number before them.
fn input(dispatch: [u32; 3], buffers: &[Vec<u8>]) -> Vec<u8> {
    let mut file: Vec<u8> = dispatch
        .iter()
        .flat_map(|count| count.to_le_bytes())
        .collect();
    file.extend((buffers.len() as u32).to_le_bytes());
    for buffer in buffers {
        let buffer = words(buffer);
        file.extend((buffer.len() as u32 / 4).to_le_bytes());
        file.extend(buffer);
    }
    file
}

fn buffers_of(mut file: &[u8], like: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut buffers = Vec::new();
    for buffer in like {
        buffers.push(file[..buffer.len()].to_vec());
        file = &file[words(buffer).len()..];
    }
    buffers
}

fn compile(folder: &Path, source: &str) -> PathBuf {
    let lanes = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../lanes")
        .canonicalize()
        .unwrap();
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = \"generated\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\nimpel-lanes = {{ path = '{}' }}\n[profile.dev]\nopt-level = 0\ndebug = 0\n",
        lanes.display()
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.join("src/main.rs"), source).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--quiet"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    folder.join("target/debug/generated")
}

#[test]
fn emitted_code_agrees_with_the_oracle_on_every_instruction_set() {
    let mut kernels = corpus();
    kernels.push(kernel("ids_of_strips", include_str!("ids_of_strips.wgsl")));
    agree("corpus", &kernels);
}

/// Programs to make; more with `RANDOM_PROGRAMS`, from the seed `RANDOM_SEED` on.
const RANDOM_PROGRAMS: u64 = 16;

#[test]
fn emitted_code_of_random_programs_agrees_with_the_oracle() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |text| text.parse().unwrap())
    };
    let first = number("RANDOM_SEED", 1);
    let seeds = first..first + number("RANDOM_PROGRAMS", RANDOM_PROGRAMS);
    let kernels: Vec<Kernel> = seeds
        .map(|seed| kernel(&format!("random_{seed}"), &random::program(seed)))
        .collect();
    agree("random", &kernels);
}

/// Compiles the kernels in a folder of this name and compares what they compute with the oracle.
fn agree(folder: &str, kernels: &[Kernel]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("generated")
        .join(folder);
    let binary = compile(&folder, &program(kernels));
    let data = folder.join("data");
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(&data).unwrap();
    let mut expected = Vec::new();
    for kernel in kernels {
        let oracle = Oracle::new(&kernel.front.module, &kernel.front.info, "main").unwrap();
        let mut buffers = kernel.case.buffers(&kernel.front.module, oracle.bindings());
        std::fs::write(
            data.join(format!("{}.in", kernel.case.name)),
            input(kernel.case.dispatch, &buffers),
        )
        .unwrap();
        oracle.run(kernel.case.dispatch, &mut buffers).unwrap();
        expected.push((oracle.bindings().to_vec(), buffers));
    }
    let status = Command::new(binary).arg(&data).status().unwrap();
    assert!(status.success(), "the emitted program ends with {status}");
    let (mut failures, mut compared) = (Vec::new(), 0);
    for (kernel, (bindings, want)) in kernels.iter().zip(&expected) {
        for entry in std::fs::read_dir(&data)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let file = entry.file_name().unwrap().to_str().unwrap().to_owned();
            let Some(("", way)) = file.split_once(&format!("{}.out.", kernel.case.name)) else {
                continue;
            };
            let got = buffers_of(&std::fs::read(&entry).unwrap(), want);
            compared += 1;
            if let Err(found) = kernel
                .case
                .compare(&kernel.front.module, bindings, want, &got)
            {
                failures.push(format!("{way}: {found}"));
            }
        }
    }
    assert!(
        compared >= kernels.len() * VARIANTS.len(),
        "every kernel ran"
    );
    assert!(
        failures.is_empty(),
        "{} of {compared} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
