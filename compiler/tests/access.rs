//! Does the access map of every kernel and corpus shader read as it did?

mod golden;

use std::path::{Path, PathBuf};

use impel_compiler::access::{AccessMap, analyse};
use impel_compiler::front::{Options, parse};
use impel_compiler::lower::lower;
use impel_compiler::simplify::simplify;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn maps(path: &Path) -> Vec<AccessMap> {
    let source = std::fs::read_to_string(path).unwrap();
    let front = parse(&source, &path.display().to_string(), &Options::default())
        .unwrap_or_else(|found| panic!("{found}"));
    let entries = 0..front.module.entry_points.len();
    let map = |index| {
        let kernel = lower(&front, index).unwrap_or_else(|found| panic!("{found}"));
        analyse(&simplify(&kernel), &front.source)
    };
    entries.map(map).collect()
}

fn shaders(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "wgsl"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_access_map_reads_as_it_did() {
    let folders = [
        ("shaders", "access/kernels"),
        ("tests/shaders/in", "access"),
    ];
    for (folder, golden) in folders {
        for path in shaders(folder) {
            let text: String = maps(&path).iter().map(ToString::to_string).collect();
            let name = path.with_extension("txt");
            let name = name.file_name().unwrap();
            golden::check(root().join("tests/shaders").join(golden).join(name), &text);
        }
    }
}
