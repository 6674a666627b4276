//! What becomes of a program when something goes wrong? Every fault in every phase, on imagined machines and on software GPUs: the
//! right result on what is left, or an error that names what was lost; never a panic, a hang or a silent difference.
//!
//! `docs/faults.md` is written by these tests: `UPDATE=1 cargo test --test faults` rewrites it.

// All numbers here are exact in f32, whatever computes them.
#![allow(clippy::float_cmp)]

#[path = "../devices/mod.rs"]
mod devices;

mod host;
mod outcome;
mod real;
mod scenario;
mod simulated;
mod table;

#[test]
fn every_fault_ends_in_the_right_result_or_an_error_that_names_what_was_lost() {
    table::check();
}
