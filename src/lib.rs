//! impel runs one WGSL kernel on every core and every GPU of a machine, at once.

pub use impel_lanes as lanes;

pub mod cost;
// Not all that the devices offer is called on every machine and with every feature.
#[allow(dead_code, unused_imports)]
mod device;
pub mod kernel;
pub mod machine;
pub mod plan;
pub mod region;
pub mod transfer;
