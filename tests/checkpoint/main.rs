//! Does a checkpoint bring back exactly what was saved, or say why it cannot, whatever happened to the file, the disk or the process?

// Saved elements come back bit for bit.
#![allow(clippy::float_cmp)]

#[path = "../devices/mod.rs"]
mod devices;

mod damage;
mod disk;
mod folder;
mod killed;
mod python;
mod round_trip;

/// The example whose simulation is killed and resumed.
#[path = "../../examples/07_checkpoint.rs"]
#[allow(dead_code, reason = "its command line is not used here")]
mod lesson;
