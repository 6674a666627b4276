//! What happens when a worker panics, or when nothing can be read from or written to the disk?

use std::path::PathBuf;

use impel::kernel::{AccessMap, Kernel};
use impel::{ArrayError, LaunchError, Runtime};
use impel_kernels::saxpy::wgsl as saxpy;

use crate::scenario;

/// What happens, in words, when, and how the program ends.
pub(crate) const ROWS: [(&str, &str, &str); 4] = [
    (
        "a worker panics",
        "in any part on the CPU",
        "error that names the kernel and the panic",
    ),
    ("stored costs are damaged", "at the start", "right"),
    (
        "the folder of costs cannot be made",
        "at the start and at the end",
        "right",
    ),
    ("stored costs are a folder", "at the start", "right"),
];

#[test]
fn a_panic_of_a_worker_is_the_error_of_its_launch_and_of_no_other() {
    let Kernel {
        bindings,
        access,
        gpu,
        ..
    } = &saxpy::SAXPY_KERNEL;
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel {
        name: "panics",
        path: "panics.wgsl",
        fingerprint: 2,
        workgroup_size: saxpy::SAXPY_KERNEL.workgroup_size,
        bindings,
        access: AccessMap { ..*access },
        cpu: |_, _, _| panic!("on purpose"),
        gpu: *gpu,
    }));
    let rt = Runtime::builder().threads(2).without_cache();
    let rt = rt.build().expect("a runtime");
    let mut y = rt.zeros::<u32>(1000).unwrap();
    let x = rt.zeros::<u32>(1000).unwrap();
    let parameters = scenario::parameters(1000);
    let launch = scenario::axpy(kernel, &parameters, &x, &mut y);
    let error = rt.launch(launch).unwrap().wait().expect_err("it panics");
    let told = error.to_string();
    assert!(
        matches!(*error, LaunchError::WorkerPanicked { .. }),
        "{told}"
    );
    assert!(
        told.contains("panics") && told.contains("on purpose"),
        "{told}"
    );
    assert!(matches!(y.read(), Err(ArrayError::Failed { .. })));
    scenario::goes_on(&rt);
}

/// A folder that nobody else uses.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("impel-faults-{name}-{}", std::process::id()));
    // What a killed run left behind.
    drop(std::fs::remove_dir_all(&folder));
    drop(std::fs::remove_file(&folder));
    folder
}

/// Runs the program with costs in a folder.
fn run_with_costs_in(folder: &std::path::Path) {
    let rt = crate::devices::builder()
        .gpus(false)
        .cache_directory(folder);
    let rt = rt.build().expect("costs are no condition");
    scenario::goes_on(&rt);
}

#[test]
fn costs_that_cannot_be_read_are_learned_anew() {
    let folder = folder("damaged");
    run_with_costs_in(&folder);
    let files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder was made")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert!(!files.is_empty(), "costs are kept");
    for file in &files {
        std::fs::write(file, [0xff; 100]).expect("it is damaged");
    }
    run_with_costs_in(&folder);
    for file in &files {
        drop(std::fs::remove_file(file));
        std::fs::create_dir_all(file.join("inside")).expect("a folder in its place");
    }
    run_with_costs_in(&folder);
    std::fs::remove_dir_all(&folder).expect("it can go");
}

#[test]
fn costs_that_cannot_be_kept_are_forgotten() {
    let file = folder("file");
    std::fs::write(&file, "no folder").expect("a file");
    run_with_costs_in(&file.join("costs"));
    std::fs::remove_file(&file).expect("it can go");
}
