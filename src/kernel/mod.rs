//! What does a compiled kernel promise? Its signature, how it touches its arrays, how it is entered on a CPU and what a GPU runs.
//!
//! Everything here is plain data that [`shader!`](crate::shader) writes into the program as constants.

pub mod access;
mod bounds;
mod disjoint;
mod evaluate;
mod gpu;
mod interval;
mod work;

pub use access::AccessMap;
pub use bounds::Overrun;
pub use disjoint::{Conflict, ConflictKind, disjoint};
pub use evaluate::{Bound, Environment, Resolved};
pub use gpu::{
    GpuModule, LAUNCH_WORDS, WINDOW_WORDS, Window, dispatch_size, launch_words, window_words,
};
pub use work::{TRIPS_GUESSED, WorkEstimate};

use crate::lanes;

/// One compute entry point, compiled: what [`shader!`](crate::shader) makes of it.
#[derive(Debug)]
pub struct Kernel {
    /// The entry point's name in WGSL.
    pub name: &'static str,
    /// Where the WGSL came from, as given to [`shader!`](crate::shader).
    pub path: &'static str,
    /// Fingerprint of the WGSL and of the compiler's options: the key of recorded costs.
    pub fingerprint: u64,
    /// Invocations per workgroup along x, y, z.
    pub workgroup_size: [u32; 3],
    /// The bound buffers, ordered by (group, binding).
    pub bindings: &'static [Binding],
    /// How the kernel touches its storage buffers, and how much work an invocation is.
    pub access: AccessMap,
    /// Entry on the CPU.
    pub cpu: CpuEntry,
    /// Module for GPUs.
    pub gpu: GpuModule,
}

/// Runs the workgroups of a tile on the calling thread.
pub type CpuEntry = fn(lanes::Level, &lanes::Launch<'_>, lanes::Tile);

/// A buffer that a kernel binds.
#[derive(Debug)]
pub struct Binding {
    /// WGSL name of the variable, and name of the launcher's field.
    pub name: &'static str,
    /// `@group` in WGSL.
    pub group: u32,
    /// `@binding` in WGSL.
    pub binding: u32,
    /// Address space and access.
    pub space: Space,
    /// Words before the runtime-sized array (0 for a plain array), or the size in words of a type of fixed size.
    pub fixed_words: u32,
    /// Words per element of the runtime-sized array; 0 for a type of fixed size.
    pub stride_words: u32,
}

impl Binding {
    /// Whether a part of a launch can do with a range of the array: it is runtime-sized, with nothing before it.
    pub const fn may_be_windowed(&self) -> bool {
        self.stride_words > 0 && self.fixed_words == 0
    }
}

/// Address space of a bound buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// `var<uniform>`: a few words that travel with the launch.
    Uniform,
    /// `var<storage, read>`: an [`Array`](crate::Array) behind `&`.
    StorageRead,
    /// `var<storage, read_write>`: an [`Array`](crate::Array) behind `&mut`.
    StorageReadWrite,
}
