//! Do rewritten modules compute on a GPU what the oracle computes? Every shader of the corpus and every adapter, whole and in parts.

use std::fs;
use std::path::Path;

use impel_compiler::front::{Front, Options, parse};
use impel_compiler::gpu::gpu_module;
use impel_compiler::oracle::corpus::Case;
use impel_compiler::oracle::{Bound, Oracle};
use naga::{AddressSpace, StorageAccess};

use super::kernels::kernel;
use super::on_each_gpu;
use crate::device::gpu::{Argument, Buffer, DeviceError, Gpu, Timing};
use crate::kernel::{Binding, Kernel, Space};
use crate::lanes::Tile;
use crate::region::Span;

/// A shader, what it is given, and what must come out.
struct Sample {
    case: Case,
    front: Front,
    bindings: Vec<Bound>,
    given: Vec<Vec<u8>>,
    expected: Vec<Vec<u8>>,
    kernel: &'static Kernel,
}

fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shaders/in");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().filter_map(|path| sample(path)).collect()
}

/// None for a shader whose result WGSL leaves open to GPUs.
fn sample(path: &Path) -> Option<Sample> {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let text = fs::read_to_string(path).unwrap();
    let case = Case::parse(name, &text).unwrap();
    if case.cpu_only.is_some() || case.strict_only.is_some() {
        return None;
    }
    let options = Options {
        overrides: case.overrides.clone(),
        ..Options::default()
    };
    let front = parse(&text, name, &options).unwrap_or_else(|found| panic!("{found}"));
    let oracle = Oracle::new(&front.module, &front.info, "main").unwrap();
    let bindings = oracle.bindings().to_vec();
    let given = case.buffers(&front.module, &bindings);
    let mut expected = given.clone();
    oracle.run(case.dispatch, &mut expected).unwrap();
    drop(oracle);
    let kernel = static_kernel(&case.name, &front, &bindings, &given);
    Some(Sample {
        case,
        front,
        bindings,
        given,
        expected,
        kernel,
    })
}

/// Kernels are static in programs; here they live as long as the test.
fn static_kernel(
    name: &str,
    front: &Front,
    bindings: &[Bound],
    given: &[Vec<u8>],
) -> &'static Kernel {
    fn forever(text: String) -> &'static str {
        Box::leak(text.into_boxed_str())
    }
    let module = gpu_module(front, 0);
    let bindings: Vec<Binding> = bindings
        .iter()
        .zip(given)
        .map(|(bound, given)| {
            let space = match bound.space {
                AddressSpace::Uniform => Space::Uniform,
                AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => {
                    Space::StorageReadWrite
                }
                _ => Space::StorageRead,
            };
            let fixed_words = if space == Space::Uniform {
                given.len() as u32 / 4
            } else {
                0
            };
            Binding {
                name: forever(bound.name.clone()),
                group: bound.group,
                binding: bound.binding,
                space,
                fixed_words,
                stride_words: 0,
            }
        })
        .collect();
    let mut kernel = kernel(
        forever(name.to_owned()),
        bindings.leak(),
        forever(module.wgsl),
    );
    kernel.gpu.entry = forever(module.entry);
    kernel.gpu.folded = forever(module.folded);
    assert_eq!(kernel.gpu.launch_binding, module.launch_binding);
    Box::leak(Box::new(kernel))
}

/// The grid cut across its longest dimension, about a third of the way.
fn parts(grid: [u32; 3]) -> Vec<Tile> {
    let axis = (0..3).max_by_key(|axis| grid[*axis]).unwrap();
    let cut = grid[axis].div_ceil(3);
    let (mut first, mut second) = (
        Tile {
            lo: [0; 3],
            hi: grid,
        },
        Tile {
            lo: [0; 3],
            hi: grid,
        },
    );
    first.hi[axis] = cut;
    second.lo[axis] = cut;
    [second, first]
        .into_iter()
        .filter(|part| part.lo[axis] < part.hi[axis])
        .collect()
}

fn words(bytes: &[u8]) -> Vec<u32> {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(4), 0);
    bytemuck::pod_collect_to_vec(&padded)
}

/// Runs the parts one after the other, and returns what the buffers hold then.
fn run(gpu: &Gpu, sample: &Sample, parts: &[Tile]) -> Result<Vec<Vec<u8>>, DeviceError> {
    let given: Vec<Vec<u32>> = sample.given.iter().map(|bytes| words(bytes)).collect();
    let buffers: Vec<Buffer> = given
        .iter()
        .map(|words| gpu.allocate(words.len() as u64))
        .collect::<Result<_, _>>()?;
    for (buffer, words) in buffers.iter().zip(&given) {
        gpu.upload(buffer, 0, words)?;
    }
    let arguments: Vec<Argument<'_>> = buffers
        .iter()
        .zip(&given)
        .zip(sample.kernel.bindings)
        .map(|((buffer, words), binding)| match binding.space {
            Space::Uniform => Argument::Uniform(words),
            _ => Argument::Storage {
                buffer,
                bound: Span::new(0, buffer.words()),
            },
        })
        .collect();
    for part in parts {
        gpu.dispatch(
            sample.kernel,
            &arguments,
            sample.case.dispatch,
            *part,
            Timing::Off,
        )?;
    }
    let mut results = Vec::new();
    for (buffer, given) in buffers.iter().zip(&sample.given) {
        let mut bytes: Vec<u8> = Vec::new();
        gpu.download(buffer, &[Span::new(0, buffer.words())], &mut |_, words| {
            bytes.extend_from_slice(bytemuck::cast_slice(words));
        })?;
        bytes.truncate(given.len());
        results.push(bytes);
    }
    Ok(results)
}

#[test]
fn every_shader_gives_the_oracles_results_whole_and_in_parts() {
    let samples = samples();
    assert!(samples.len() > 50, "the corpus is here");
    on_each_gpu(
        "every_shader_gives_the_oracles_results_whole_and_in_parts",
        |gpu| {
            let mut wrong = Vec::new();
            for sample in &samples {
                let whole = Tile {
                    lo: [0; 3],
                    hi: sample.case.dispatch,
                };
                for tiles in [vec![whole], parts(sample.case.dispatch)] {
                    match run(&gpu, sample, &tiles) {
                        Err(error) => wrong.push(format!("{}: {error}", sample.case.name)),
                        Ok(actual) => {
                            let compared = sample.case.compare(
                                &sample.front.module,
                                &sample.bindings,
                                &sample.expected,
                                &actual,
                            );
                            wrong.extend(
                                compared
                                    .err()
                                    .map(|mismatch| format!("{} parts: {mismatch}", tiles.len())),
                            );
                        }
                    }
                }
            }
            assert!(
                wrong.is_empty(),
                "{}:\n{}",
                gpu.about().name,
                wrong.join("\n")
            );
        },
    );
}
