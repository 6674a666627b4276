//! What does a kernel mean?
//!
//! A slow, obvious interpreter of naga IR: one invocation at a time, one scalar operation at a time. CPU and GPU
//! results are compared with it, so it follows the WGSL specification to the letter and takes no short cut that the
//! compiler takes:
//!
//! - f32 operations are each rounded once, never fused; transcendental functions are computed in f64 and rounded once.
//! - Integers wrap; `x / 0 = x`, `x % 0 = 0`, `MIN / -1 = MIN`, `MIN % -1 = 0`; shifts are modulo 32; conversions
//!   from float saturate and take NaN to 0.
//! - An access with any index out of its bounds reads zero, and its write is dropped; an atomic operation there does
//!   nothing and results in zero.
//! - Workgroups run one after another, x fastest. In a workgroup each invocation runs until the next barrier, in order
//!   of `local_invocation_index`; so atomic operations happen in that order too.
//!
//! ```
//! use impel_compiler::oracle::Oracle;
//! let module = naga::front::wgsl::parse_str(
//!     "@group(0) @binding(0) var<storage, read_write> x: array<u32>;
//!      @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] += id.x; }",
//! )?;
//! let info = naga::valid::Validator::new(Default::default(), naga::valid::Capabilities::all()).validate(&module)?;
//! let mut buffers = vec![[7u32; 4].map(u32::to_le_bytes).concat()];
//! Oracle::new(&module, &info, "main")?.run([1, 1, 1], &mut buffers)?;
//! assert_eq!(buffers[0], [7u32, 8, 9, 10].map(u32::to_le_bytes).concat());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arithmetic;
mod bits;
mod builtins;
mod control;
pub mod corpus;
mod error;
mod eval;
mod frame;
mod invocation;
mod math;
mod memory;
mod pack;
mod record;
mod setup;
mod support;
mod types;
mod workgroup;

use naga::valid::ModuleInfo;
use naga::{BuiltIn, EntryPoint, Module};

pub use error::OracleError;
pub use record::{Touched, WordSet};
pub use setup::Bound;

use frame::Frame;
use memory::Memory;
use types::Types;
use workgroup::Workgroup;

/// Loop iterations that one invocation may make unless [`Oracle::loop_limit`] says otherwise.
pub const LOOP_LIMIT: u64 = 1 << 28;

/// A compute entry point, ready to be interpreted.
#[derive(Debug)]
pub struct Oracle<'m> {
    module: &'m Module,
    entry: usize,
    types: Types,
    /// By function index, then the entry point's; functions that the entry point never calls have none.
    frames: Vec<Option<Frame<'m>>>,
    bindings: Vec<Bound>,
    inputs: Vec<BuiltIn>,
    private_init: Vec<u32>,
    workgroup_words: u32,
    loop_limit: u64,
}

impl<'m> Oracle<'m> {
    /// Prepares the compute entry point `entry` of a validated module whose overrides are resolved.
    ///
    /// # Errors
    /// [`OracleError::NoEntryPoint`], or [`OracleError::Unsupported`] naming what it does not interpret.
    pub fn new(module: &'m Module, info: &ModuleInfo, entry: &str) -> Result<Self, OracleError> {
        setup::prepare(module, info, entry)
    }

    /// Sets how often one invocation may go round its loops before the run fails.
    #[must_use]
    pub fn loop_limit(mut self, turns: u64) -> Self {
        self.loop_limit = turns;
        self
    }

    /// The buffers that the entry point uses, in order of (group, binding): the order `run` takes them in.
    pub fn bindings(&self) -> &[Bound] {
        &self.bindings
    }

    /// The entry point's workgroup size.
    pub fn workgroup_size(&self) -> [u32; 3] {
        self.entry_point().workgroup_size
    }

    /// Runs the whole grid of `num_workgroups`. `buffers` are the bytes of [`Oracle::bindings`], in that order.
    ///
    /// # Errors
    /// Buffers that do not fit, barriers in divergent control flow, endless loops. The buffers then hold what had
    /// been written so far.
    pub fn run(
        &self,
        num_workgroups: [u32; 3],
        buffers: &mut [Vec<u8>],
    ) -> Result<(), OracleError> {
        self.run_tile(num_workgroups, [0; 3], num_workgroups, buffers)
    }

    /// Runs the workgroups of the box from `lo` to `hi` (exclusive) of a grid of `num_workgroups`.
    ///
    /// # Errors
    /// As [`Oracle::run`].
    pub fn run_tile(
        &self,
        num_workgroups: [u32; 3],
        lo: [u32; 3],
        hi: [u32; 3],
        buffers: &mut [Vec<u8>],
    ) -> Result<(), OracleError> {
        self.execute(num_workgroups, [lo, hi], buffers, None)
            .map(|_| ())
    }

    /// As [`Oracle::run_tile`], and tells for each buffer which 32-bit words were touched.
    ///
    /// # Errors
    /// As [`Oracle::run`].
    pub fn run_recorded(
        &self,
        num_workgroups: [u32; 3],
        lo: [u32; 3],
        hi: [u32; 3],
        buffers: &mut [Vec<u8>],
    ) -> Result<Vec<Touched>, OracleError> {
        let touched = vec![Touched::default(); buffers.len()];
        self.execute(num_workgroups, [lo, hi], buffers, Some(touched))
            .map(Option::unwrap_or_default)
    }

    fn execute(
        &self,
        num_workgroups: [u32; 3],
        [lo, hi]: [[u32; 3]; 2],
        buffers: &mut [Vec<u8>],
        touched: Option<Vec<Touched>>,
    ) -> Result<Option<Vec<Touched>>, OracleError> {
        self.check_buffers(buffers)?;
        let extents = buffers
            .iter()
            .map(|bytes| (bytes.len() / 4) as u32)
            .collect();
        let mut memory = Memory {
            workgroup: vec![0; self.workgroup_words as usize],
            buffers,
            touched,
        };
        let mut workgroup = Workgroup::new(self, num_workgroups, extents);
        for z in lo[2]..hi[2] {
            for y in lo[1]..hi[1] {
                for x in lo[0]..hi[0] {
                    workgroup.run([x, y, z], &mut memory)?;
                }
            }
        }
        Ok(memory.touched)
    }

    fn check_buffers(&self, buffers: &[Vec<u8>]) -> Result<(), OracleError> {
        if buffers.len() != self.bindings.len() {
            return Err(OracleError::BufferCount {
                expected: self.bindings.len(),
                given: buffers.len(),
            });
        }
        for (bound, bytes) in self.bindings.iter().zip(buffers) {
            let (needed, given) = (bound.size_bytes_min as usize, bytes.len());
            if given < needed || given % 4 != 0 {
                return Err(OracleError::BufferSize {
                    name: bound.name.clone(),
                    needed,
                    given,
                });
            }
        }
        Ok(())
    }

    fn entry_point(&self) -> &'m EntryPoint {
        &self.module.entry_points[self.entry]
    }

    fn entry_frame(&self) -> usize {
        self.frames.len() - 1
    }

    fn inputs(&self) -> &[BuiltIn] {
        &self.inputs
    }

    fn frame(&self, id: usize) -> &Frame<'m> {
        self.frames[id]
            .as_ref()
            .expect("every function that is called has a frame")
    }
}
