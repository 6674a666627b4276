//! How does the CPU carry out a part?

pub(crate) mod discover;
