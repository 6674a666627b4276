//! The tasks of developers.
fn main() {}
