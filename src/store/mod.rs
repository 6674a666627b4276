//! What is kept on disk? Learned costs, plans, checkpoints and traces. The only module of the library that touches files.

pub(crate) mod checkpoint;
mod costs;
pub(crate) mod plans;
pub(crate) mod trace;

pub use costs::CostStore;
