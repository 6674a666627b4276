//! Does every entry point of the kernels and the corpus lower to well-formed KIR that reads as it did?

mod golden;

use std::path::{Path, PathBuf};

use impel_compiler::front::{Front, Options, parse};
use impel_compiler::lower::lower;
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

#[test]
fn every_shader_lowers_to_the_kir_it_did() {
    let files = shaders();
    assert!(files.len() >= 9, "the kernels are there");
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
