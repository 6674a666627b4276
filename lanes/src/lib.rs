//! The words that impel's generated CPU code is written in: SIMD lanes, masks, vector mathematics, bounded memory.
#![allow(clippy::inline_always)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod body;
mod buffer;
mod derived;
mod isa;
mod math;
mod ops;
mod portable;
pub mod scalar;
mod single;
mod strict;
mod wide;

#[cfg(target_arch = "x86_64")]
pub use avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use avx512::Avx512;
pub use body::{Body, Launch, Level, Tile, UnknownLevel, run};
pub use buffer::{Buffer, Rmw};
pub use isa::{Isa, LANES_MAX};
pub use portable::Portable;
pub use single::Single;
pub use strict::Strict;
pub use wide::X;
