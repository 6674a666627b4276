//! How is a part of a launch carried out? One folder per kind of device, discovery and measurement included.

pub(crate) mod cpu;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
