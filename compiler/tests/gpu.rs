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

/// Runs `part`: one at the launch's start in its own shape, any other in another shape, with a row of workgroups too many.
fn run_part(module: &GpuModule, grid: [u32; 3], part: Part, buffers: &mut Vec<Vec<u8>>) {
    run_text(&module.wgsl, module, (grid, part, &[]), buffers);
}

/// First element and length of each window.
type Windows<'a> = &'a [[u32; 2]];

fn run_text(
    wgsl: &str,
    module: &GpuModule,
    (grid, part, windows): ([u32; 3], Part, Windows<'_>),
    buffers: &mut Vec<Vec<u8>>,
) {
    let [_, extent] = part;
    let total: u32 = extent.iter().product();
    let launch = [part[0], extent, grid].map(|[x, y, z]| [x, y, z, 0]);
    let windows = windows.iter().map(|[first, len]| [*first, *len, 0, 0]);
    let words: Vec<[u32; 4]> = launch.into_iter().chain(windows).collect();
    let bytes = words
        .as_flattened()
        .iter()
        .flat_map(|word| word.to_le_bytes());
    buffers.push(bytes.collect());
    let front = front(wgsl, "part.wgsl", None);
    let (entry, dispatch) = if part[0] == [0; 3] {
        (&module.entry, extent)
    } else {
        (&module.folded, [2, total.div_ceil(2) + 1, 1])
    };
    let oracle = Oracle::new(&front.module, &front.info, entry).unwrap();
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

/// Bytes per element of each of the launch's bindings, in order; none for those that are bound whole.
fn strides(front: &Front, bindings: usize) -> Vec<Option<u32>> {
    let variables = front.module.global_variables.iter();
    let mut bound: Vec<_> = variables
        .filter_map(|(_, variable)| Some((variable.binding?, variable.ty)))
        .map(|(place, ty)| ((place.group, place.binding), ty))
        .collect();
    bound.sort_unstable_by_key(|(place, _)| *place);
    assert_eq!(bound.len(), bindings, "all buffers are used");
    let stride = |ty| match front.module.types[ty].inner {
        naga::TypeInner::Array {
            size: naga::ArraySize::Dynamic,
            stride,
            ..
        } => Some(stride),
        _ => None,
    };
    bound.into_iter().map(|(_, ty)| stride(ty)).collect()
}

#[test]
fn parts_whose_arrays_begin_elsewhere_make_up_the_launch_of_every_shader_of_the_corpus() {
    // Elements before the array in each buffer, whose window begins so many elements before 0.
    const BEFORE: u32 = 3;
    let mut windowed = 0;
    for path in shaders("tests/shaders/in") {
        let text = std::fs::read_to_string(&path).unwrap();
        let case = Case::parse(stem(&path), &text).unwrap();
        let original = front(&text, stem(&path), Some(&case));
        let module = gpu_module(&original, 0);
        let Some(wgsl) = &module.windowed else {
            continue;
        };
        windowed += 1;
        let oracle = Oracle::new(&original.module, &original.info, "main").unwrap();
        let mut expected = case.buffers(&original.module, oracle.bindings());
        let strides = strides(&original, expected.len());
        let (mut actual, mut windows) = (expected.clone(), Vec::new());
        for (buffer, stride) in actual.iter_mut().zip(&strides) {
            let Some(stride) = *stride else { continue };
            windows.push([BEFORE.wrapping_neg(), buffer.len() as u32 / stride]);
            buffer.splice(0..0, vec![0; (BEFORE * stride) as usize]);
        }
        oracle.run(case.dispatch, &mut expected).unwrap();
        for part in halves(case.dispatch) {
            let launch = (case.dispatch, part, windows.as_slice());
            run_text(wgsl, &module, launch, &mut actual);
        }
        for (buffer, stride) in actual.iter_mut().zip(&strides) {
            buffer.drain(0..(BEFORE * stride.unwrap_or(0)) as usize);
        }
        assert!(expected == actual, "{}:\n{wgsl}", case.name);
    }
    assert!(
        windowed > 60,
        "most shaders have runtime-sized arrays: {windowed}"
    );
}

#[test]
fn a_part_runs_with_nothing_but_the_range_that_it_touches() {
    let text = "
        @group(0) @binding(0) var<storage> x: array<f32>;
        @group(0) @binding(1) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
            let i = id.x;
            if (i > 0u && i + 1u < arrayLength(&x)) { y[i] = x[i - 1u] + 2.0 * x[i + 1u]; }
        }";
    let original = front(text, "stencil.wgsl", None);
    let oracle = Oracle::new(&original.module, &original.info, "main").unwrap();
    let bytes = |range: std::ops::Range<u32>| -> Vec<u8> {
        range.flat_map(|i| (i as f32).to_le_bytes()).collect()
    };
    let mut expected = vec![bytes(0..20), vec![0; 80]];
    oracle.run([5, 1, 1], &mut expected).unwrap();
    let module = gpu_module(&original, 0);
    // Workgroups 2 and 3: elements 8 to 15, and one more on either side.
    let mut buffers = vec![bytes(7..17), vec![0; 8 * 4]];
    let launch: (_, Part, Windows<'_>) = ([5, 1, 1], [[2, 0, 0], [2, 1, 1]], &[[7, 20], [8, 20]]);
    run_text(
        module.windowed.as_ref().unwrap(),
        &module,
        launch,
        &mut buffers,
    );
    assert_eq!(buffers[1], expected[1][8 * 4..16 * 4]);
}

#[test]
fn every_kernels_module_reads_as_it_did() {
    for path in shaders("shaders") {
        let text = std::fs::read_to_string(&path).unwrap();
        let original = front(&text, stem(&path), None);
        let module = gpu_module(&original, 0);
        let name = format!("tests/shaders/gpu/{}.wgsl", stem(&path));
        golden::check(root().join(name), &module.wgsl);
        if let Some(windowed) = &module.windowed {
            let name = format!("tests/shaders/gpu/{}.windowed.wgsl", stem(&path));
            golden::check(root().join(name), windowed);
        }
    }
}
