//! How does a checkpoint lie on disk? As a safetensors file: eight bytes that count the header, the header in JSON, then the words of
//! each array behind one another, little-endian.
//!
//! ```text
//! ┌───────────┬───────────────────────────────────────────────┬──────────┬─────┬──────────┐
//! │ u64: H    │ H bytes of JSON, blanks at the end:           │ words of │  …  │ words of │
//! │           │  __metadata__: step, CRC-32 of every array    │ array 0  │     │ array n  │
//! │           │  per array: dtype, shape, where its words are │          │     │          │
//! └───────────┴───────────────────────────────────────────────┴──────────┴─────┴──────────┘
//! ```
//!
//! The header begins with its own CRC-32, and has one right spelling for what it says: a file is accepted only if its header is byte
//! for byte what [`header::Header::to_text`] makes of it. What other programs add or reorder is therefore refused and not guessed at.

#[cfg(target_endian = "big")]
compile_error!("checkpoints hold little-endian words, which this target does not have");

mod header;
mod open;
mod save;

pub(crate) use header::{Dtype, Tensor};
pub(crate) use open::Opened;
pub(crate) use save::{Source, save};

/// Bytes that are read or written at once.
const CHUNK_BYTES: usize = 1 << 20;
