//! What is kept on disk? Learned costs and checkpoints. The only module of the library that touches files.

pub(crate) mod checkpoint;
mod costs;

pub(crate) use costs::CostStore;
