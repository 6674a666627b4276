//! Which devices does a test run on? Runtimes that see every GPU of the machine, emulated ones too, and note in the ledger what ran.
// Each test program uses its part of this.
#![allow(dead_code)]

#[path = "../adapters/mod.rs"]
mod adapters;

use impel::{DeviceId, Runtime, RuntimeBuilder};

/// Choices of all tests: every GPU, emulated ones too, no costs on disk, so that each run is like the first, and no merged copies, so that
/// the bytes that move can be told beforehand.
pub(crate) fn builder() -> RuntimeBuilder {
    Runtime::builder()
        .software_gpus(true)
        .without_cache()
        .merging(false)
        .threads(2)
}

/// A runtime with every GPU of the machine.
pub(crate) fn runtime() -> Runtime {
    builder().build().expect("a runtime needs no GPU")
}

/// A runtime on the CPU alone.
pub(crate) fn cpu_only() -> Runtime {
    builder().gpus(false).build().expect("a CPU is there")
}

/// The GPUs of a runtime.
pub(crate) fn gpus(rt: &Runtime) -> Vec<DeviceId> {
    rt.machine().devices().map(|(id, _)| id).skip(1).collect()
}

/// The name of a device.
pub(crate) fn name(rt: &Runtime, device: DeviceId) -> String {
    let mut devices = rt.machine().devices();
    devices
        .find(|(id, _)| *id == device)
        .map_or_else(|| device.to_string(), |(_, name)| name.to_owned())
}

/// Runs a test on each GPU, or says by name that it was skipped for want of one.
pub(crate) fn on_each_gpu(test: &str, mut run: impl FnMut(&Runtime, DeviceId)) {
    let rt = runtime();
    adapters::on_each(test, gpus(&rt), |id| name(&rt, *id), |id| run(&rt, id));
}

/// Runs a test with all GPUs of the machine at once, or says by name that it was skipped for want of `least`.
pub(crate) fn with_gpus(test: &str, least: usize, run: impl FnOnce(Runtime, &[DeviceId])) {
    let rt = runtime();
    let gpus = gpus(&rt);
    if gpus.len() < least {
        adapters::skipped(
            test,
            &format!("{least} adapters wanted, {} found", gpus.len()),
        );
        return;
    }
    let names: Vec<String> = gpus.iter().map(|id| name(&rt, *id)).collect();
    run(rt, &gpus);
    for name in names {
        adapters::executed(test, &name);
    }
}

/// Whether the long set was asked for.
pub(crate) fn long() -> bool {
    std::env::var_os("IMPEL_TEST_LONG").is_some_and(|value| value == "1")
}
