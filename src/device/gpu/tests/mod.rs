//! Does a GPU do as it is told, and fail as it should? On every adapter of the machine, software ones included.

mod corpus;
mod faults;
mod kernels;
mod work;

#[path = "../../../../tests/adapters/mod.rs"]
mod adapters;

use super::{Discovery, Gpu, discover};

/// Runs a test on each adapter of the machine.
fn on_each_gpu(test: &str, mut run: impl FnMut(Gpu)) {
    let candidates = discover(Discovery { software: true });
    adapters::on_each(
        test,
        candidates,
        |candidate| candidate.about.name.clone(),
        |candidate| {
            run(Gpu::open(&candidate).expect("the adapter opens"));
        },
    );
}
