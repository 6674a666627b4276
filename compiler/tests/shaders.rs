//! Is every kernel in `shaders/` valid WGSL, one entry point a file, named after its file?

use std::fs;
use std::path::{Path, PathBuf};

use naga::ShaderStage;
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// The shaders of the project, sorted by name.
fn shaders() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shaders");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wgsl")
        })
        .collect();
    paths.sort();
    paths
}

/// The stem of a shader's file name.
fn stem(path: &Path) -> &str {
    path.file_stem()
        .and_then(|stem| stem.to_str())
        .expect("shader names are plain text")
}

#[test]
fn every_shader_is_valid_and_holds_the_entry_point_its_file_is_named_after() {
    let paths = shaders();
    assert!(paths.len() >= 10, "only {} shaders found", paths.len());
    for path in paths {
        let source = fs::read_to_string(&path).expect("a readable shader");
        let module = naga::front::wgsl::parse_str(&source).unwrap_or_else(|error| {
            panic!(
                "{}",
                error.emit_to_string_with_path(&source, &path.display().to_string())
            )
        });
        // No capability beyond what every WebGPU device has.
        Validator::new(ValidationFlags::all(), Capabilities::empty())
            .validate(&module)
            .unwrap_or_else(|error| {
                panic!(
                    "{}",
                    error.emit_to_string_with_path(&source, &path.display().to_string())
                )
            });

        let entries: Vec<(&str, ShaderStage)> = module
            .entry_points
            .iter()
            .map(|entry| (entry.name.as_str(), entry.stage))
            .collect();
        assert_eq!(
            entries,
            [(stem(&path), ShaderStage::Compute)],
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_kernels_people_are_promised_are_there() {
    let found: Vec<String> = shaders().iter().map(|path| stem(path).to_owned()).collect();
    for promised in [
        "saxpy",
        "nbody",
        "mandelbrot",
        "black_scholes",
        "jacobi",
        "matmul_tiled",
        "matmul_blocked",
        "sum",
        "histogram",
    ] {
        assert!(
            found.iter().any(|stem| stem == promised),
            "shaders/{promised}.wgsl is missing"
        );
    }
}
