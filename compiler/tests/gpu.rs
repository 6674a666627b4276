//! Does the module for GPUs do, part by part and in any shape of dispatch, what the shader does in one launch? The oracle runs
//! both, over the kernels and the corpus.

mod golden;

use std::path::{Path, PathBuf};

use impel_compiler::front::{Front, Options, parse};
use impel_compiler::gpu::{GpuModule, gpu_module};
use impel_compiler::oracle::Oracle;
use impel_compiler::oracle::corpus::Case;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
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

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

fn front(text: &str, name: &str, case: Option<&Case>) -> Front {
    let options = Options {
        overrides: case.map_or_else(Default::default, |case| case.overrides.clone()),
        ..Options::default()
    };
    parse(text, name, &options).unwrap_or_else(|found| panic!("{found}"))
}

/// A part of a launch: first workgroup and extent.
type Part = [[u32; 3]; 2];

/// The launch in two parts, cut in the middle of the longest axis.
fn halves(grid: [u32; 3]) -> [Part; 2] {
    let axis = (0..3).max_by_key(|axis| grid[*axis]).unwrap();
    let at = grid[axis] / 2;
    let (mut first, mut second, mut start) = (grid, grid, [0; 3]);
    first[axis] = at;
    second[axis] -= at;
    start[axis] = at;
    [[[0; 3], first], [start, second]]
}

/// Runs `part` as a dispatch of another shape, with a row of workgroups too many.
fn run_part(module: &GpuModule, grid: [u32; 3], part: Part, buffers: &mut Vec<Vec<u8>>) {
    let [_, extent] = part;
    let total: u32 = extent.iter().product();
    let launch = [part[0], extent, grid].map(|[x, y, z]| [x, y, z, 0]);
    buffers.push(
        launch
            .as_flattened()
            .iter()
            .flat_map(|word| word.to_le_bytes())
            .collect(),
    );
    let front = front(&module.wgsl, "part.wgsl", None);
    let oracle = Oracle::new(&front.module, &front.info, &module.entry).unwrap();
    let dispatch = [2, total.div_ceil(2) + 1, 1];
    oracle.run(dispatch, buffers).unwrap();
    buffers.pop();
}

#[test]
fn parts_make_up_the_launch_of_every_shader_of_the_corpus() {
    let files = shaders("tests/shaders/in");
    assert!(files.len() > 80, "the corpus is there");
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let case = Case::parse(stem(&path), &text).unwrap();
        let original = front(&text, stem(&path), Some(&case));
        let oracle = Oracle::new(&original.module, &original.info, "main").unwrap();
        let mut expected = case.buffers(&original.module, oracle.bindings());
        let mut actual = expected.clone();
        oracle.run(case.dispatch, &mut expected).unwrap();

        let module = gpu_module(&original, 0);
        assert_eq!(
            module.launch_binding as usize,
            actual.len(),
            "{}",
            case.name
        );
        for part in halves(case.dispatch) {
            run_part(&module, case.dispatch, part, &mut actual);
        }
        assert!(expected == actual, "{}:\n{}", case.name, module.wgsl);
    }
}

#[test]
fn every_kernels_module_reads_as_it_did() {
    for path in shaders("shaders") {
        let text = std::fs::read_to_string(&path).unwrap();
        let original = front(&text, stem(&path), None);
        let module = gpu_module(&original, 0);
        let name = format!("tests/shaders/gpu/{}.wgsl", stem(&path));
        golden::check(root().join(name), &module.wgsl);
    }
}
