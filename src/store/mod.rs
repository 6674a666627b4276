//! What is kept on disk? The only module of the library that touches files.

mod costs;

pub(crate) use costs::CostStore;
