//! Ready-made kernels for [impel](https://docs.rs/impel): one Rust file per WGSL shader, with the same stem.
//!
//! Each module holds a function that checks the shapes of its arrays and launches, and `wgsl`, what `impel::shader!` made of the
//! shader, for those who want to build the launch themselves (to explain it, say).
//!
//! ```
//! let rt = impel::Runtime::new()?;
//! let x = rt.array_from_vec(vec![1.0_f32, 2.0, 3.0])?;
//! let mut y = rt.array_from_vec(vec![10.0_f32, 20.0, 30.0])?;
//! impel_kernels::saxpy::saxpy(&rt, 2.0, &x, &mut y)?;
//! assert_eq!(*y.read()?, [12.0, 24.0, 36.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod black_scholes;
pub mod histogram;
pub mod jacobi;
pub mod mandelbrot;
pub mod matmul_blocked;
pub mod matmul_tiled;
pub mod nbody;
pub mod nbody_step;
pub mod saxpy;
pub mod sum;

mod shape;

pub use shape::KernelError;
