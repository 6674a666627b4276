//! The `shader!` macro of impel.
