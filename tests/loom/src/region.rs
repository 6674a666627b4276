//! Which words? What the graph and the ledger need of `src/region`.

#[path = "../../../src/region/span.rs"]
#[allow(dead_code)]
mod span;

pub(crate) use span::Span;
