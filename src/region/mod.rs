//! Which elements? Ranges of an array in 32-bit words, sets of them, and which memory validly holds which.
//!
//! An array is a row of 32-bit words, numbered from 0. Everything that moves, is read or is written is a [`SpanSet`] of such
//! words; bytes appear only in what is printed for people. [`Residency`] is the one truth about which copy of a word is valid.

mod footprint;
mod residency;
mod span;
mod span_set;

pub use footprint::{Footprint, Touch};
pub use residency::Residency;
pub use span::Span;
pub use span_set::SpanSet;

/// Bytes of a word, the unit of every range.
pub const WORD_BYTES: u64 = 4;
