//! impel's compiler: what does this WGSL mean?
//!
//! Pure passes from naga's IR to the typed signature, the access map, SIMD Rust for the CPU and a module for the GPU; and the
//! scalar oracle that says what every kernel must compute.

pub mod access;
mod compile;
pub mod diagnostic;
pub mod emit;
pub mod fission;
pub mod front;
pub mod gpu;
pub mod ir;
pub mod lower;
pub mod oracle;
pub mod signature;
pub mod simplify;
mod stack;
pub mod tree;
pub mod variance;

pub use compile::{Compiled, CompiledKernel, compile};
