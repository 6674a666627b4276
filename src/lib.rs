//! impel runs one WGSL kernel on every core and every GPU of a machine, at once.

pub mod cost;
pub mod kernel;
pub mod machine;
pub mod region;

pub use impel_lanes as lanes;
