//! What is ready, and what comes first? Pure: it holds no locks, threads or clocks.

mod order;
mod renaming;

#[cfg(test)]
pub(crate) use order::access;
pub(crate) use order::{Access, ArrayId, Graph, TaskId};
pub(crate) use renaming::Renaming;
