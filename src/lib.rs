//! impel runs one WGSL kernel on every core and every GPU of a machine, at once.
//!
//! Write a data-parallel kernel once, as an ordinary WGSL compute shader. At compile time [`shader!`] checks it, proves how it touches
//! its arrays, and emits a typed launcher and a SIMD version for the CPU. At run time a planner gives each device its share of every
//! launch, and arrays move no further than they must.
//!
//! ```
//! use impel::Runtime;
//!
//! impel::shader!(mod saxpy = "shaders/saxpy.wgsl");
//!
//! let rt = Runtime::new()?;
//! let n = 1000;
//! let x = rt.array_from_vec(vec![1.0_f32; 1000])?;
//! let mut y = rt.array_from_vec(vec![2.0_f32; 1000])?;
//! rt.launch(saxpy::saxpy { params: saxpy::Params { alpha: 3.0, n }, x: &x, y: &mut y }.over(n))?;
//! assert_eq!(y.read_range(0..1)?[0], 5.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! - [`Runtime`] discovers the devices, makes arrays and launches kernels.
//! - [`Array`] is data that lives where it was last written.
//! - [`shader!`] turns WGSL into typed launchers; [`Arguments`] are what it makes, [`Launch`] is what they become with a grid.
//! - [`Runtime::graph`] records launches once, as the step of a simulation, and replays them.
//! - [`Runtime::checkpoint`] keeps arrays on disk, and [`Runtime::restore`] brings them back.
//! - [`Policy`] overrides the planner; [`Runtime::explain`] shows its plan, [`Runtime::report`] what happened.
//!
//! The modules below are the runtime's parts; most programs need only what stands at the top.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `gpu` (on by default) | GPUs, through Vulkan, Metal or DX12 |
//! | `nvml` | energy counters of NVIDIA GPUs |
//! | `tracing` | [spans and events](trace#spans-of-tracing) of the crate `tracing` |
//!
//! # Environment
//!
//! | variable | meaning |
//! |---|---|
//! | `IMPEL_ISA` | instructions of CPU kernels: `scalar`, `avx2` or `avx512` |
//! | `IMPEL_THREADS` | number of CPU workers |
//! | `IMPEL_SOFTWARE_GPU` | `1` to use GPUs that are emulated on the CPU |
//! | `IMPEL_TRACE` | a file for the trace of what a runtime did, written when it is dropped; further runtimes of the process add `.1`, `.2`, … |
//! | `IMPEL_VERIFY` | `1` to record what a runtime does and check it when it is dropped, with a panic if anything was wrong |

// Documentation asks of every type whether it is `Sync`, and wgpu's are nested deeply.
#![recursion_limit = "512"]

// Generated code names this crate `::impel`, also in this crate.
extern crate self as impel;

mod array;
mod checkpoint;
pub mod cost;
mod device;
mod durability;
mod error;
mod execute;
mod graph;
pub mod kernel;
pub mod launch;
pub mod machine;
mod pending;
pub mod plan;
mod recording;
pub mod region;
mod runtime;
#[cfg(test)]
mod seeded;
pub mod simulate;
mod store;
mod sync;
mod timing;
pub mod trace;
pub mod transfer;
mod vec3;

#[doc(hidden)]
pub use bytemuck;
#[doc(hidden)]
pub use impel_lanes as lanes;
pub use impel_macros::shader;

pub use array::{Array, Element, ReadGuard, View, ViewMut, WriteGuard};
pub use checkpoint::{AnyArray, Checkpoint};
pub use device::{Pool, sim};
#[cfg(feature = "gpu")]
pub use device::{WgpuDevice, WgpuQueue};
pub use durability::Durability;
pub use error::{ArrayError, CheckpointError, GraphError, LaunchError, RuntimeError};
pub use lanes::Level;
pub use launch::{Arguments, Launch};
pub use machine::DeviceId;
pub use pending::Pending;
pub use plan::{Objective, Policy};
pub use recording::{Graph, GraphArray, GraphInput, Recorder, Replayed};
pub use runtime::{Runtime, RuntimeBuilder};
pub use store::CostStore;
pub use vec3::Vec3;

/// The README's program, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
