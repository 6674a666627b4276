//! The words that impel's generated CPU code is written in: SIMD lanes, masks, vector mathematics, bounded memory.
//!
//! One lane is one invocation of a WGSL kernel. Generated code is one function generic over [`Isa`], the instruction set; [`run`]
//! enters it with the best token that the machine and the caller allow:
//!
//! ```
//! use impel_lanes::{Body, Buffer, Isa, Launch, Level, Tile, run};
//!
//! /// `y[i] = 2 x[i]`, in workgroups of 64.
//! struct Double;
//!
//! impl Body for Double {
//!     const LANES_MAX: usize = 64;
//!
//!     #[inline(always)]
//!     fn run<S: Isa>(&self, s: S, launch: &Launch<'_>, tile: Tile) {
//!         let (x, y) = (launch.buffers[0], launch.buffers[1]);
//!         let (mut i, end) = (tile.lo[0] * 64, tile.hi[0] * 64);
//!         while i < end {
//!             let on = s.first_lanes(end - i);
//!             let twice = s.f32_mul(s.load_linear_f32(x, i, on), s.f32_splat(2.0));
//!             s.store_linear_f32(y, i, on, twice);
//!             i += S::LANES as u32;
//!         }
//!     }
//! }
//!
//! let (mut x, mut y) = ([1.5f32.to_bits(); 100], [0; 100]);
//! let buffers = [Buffer::exclusive(&mut x), Buffer::exclusive(&mut y)];
//! let launch = Launch { buffers: &buffers, num_workgroups: [2, 1, 1] };
//! run(Level::detect(), &Double, &launch, Tile { lo: [0; 3], hi: [2, 1, 1] });
//! assert_eq!(y, [3f32.to_bits(); 100]);
//! ```
//!
//! # Tokens
//!
//! A token is the proof that the machine has its instructions: [`Avx2`] and [`Avx512`] are made by detection only, so that no safe
//! code can run what is not there.
//!
//! | token | lanes | what it is |
//! |---|---|---|
//! | [`Avx512`] | 16 | AVX-512 F, BW, CD, DQ, VL; masks in mask registers |
//! | [`Avx2`] | 8 | AVX2, FMA, BMI1, BMI2, LZCNT, POPCNT; masks in full vectors |
//! | [`Portable`] | 8 | arrays, as good as the compiler's target |
//! | [`Single`] | 1 | plain Rust: what every operation means |
//! | [`X<S, U>`](X) | `U` times those of `S` | several gangs as one, to hide latency |
//! | [`Strict<S>`](Strict) | those of `S` | products are rounded before they are added to |
//!
//! # Operations
//!
//! All are methods of [`Isa`]; the lane-wise ones exist for uniform values in [`scalar`] too. Names are `<type>_<operation>`, with
//! `i32_` where the signedness does not matter.
//!
//! | | |
//! |---|---|
//! | `mask_` | `and or xor not and_not eq select splat bits from_bits`, and `any all first_lanes` |
//! | `f32_` arithmetic | `add sub mul div neg abs copysign min max clamp mul_add contract rem sqrt inverse_sqrt sign`, `uniform_contract` |
//! | `f32_` comparisons | `lt le gt ge eq ne select` |
//! | `f32_` parts | `floor ceil round trunc fract ldexp scale frexp_fract frexp_exp` |
//! | `f32_` functions | `exp exp2 log log2 pow sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh` |
//! | `i32_` arithmetic | `add sub mul neg abs sign`, `i32_` and `u32_` `min max clamp div rem` |
//! | `i32_` comparisons | `eq ne select`, `i32_` and `u32_` `lt le gt ge` |
//! | `i32_` bits | `and or xor not shl shr`, `u32_shr`, `count_one_bits count_leading_zeros count_trailing_zeros reverse_bits first_leading_bit first_trailing_bit extract_bits insert_bits`, `u32_` `first_leading_bit extract_bits` |
//! | conversions | `f32_from_i32 f32_from_u32 i32_from_f32 u32_from_f32 f32_bits f32_from_bits i32_from_mask f32_from_mask f16_from_f32 f32_from_f16` |
//! | making values | `f32_splat i32_splat u32_splat i32_iota`, `f32_` and `i32_` `from_slice to_slice lane with_lane` |
//! | memory | `load_linear_ store_linear_ load_strided_ store_strided_ gather_ scatter_ array_load_ array_store_` of `f32` and `i32`, `atomic_rmw atomic_each atomic_compare_exchange`, `prefetch_linear` |
//! | uniform memory | [`Buffer`]: `load_ store_` of `u32 i32 f32`, `atomic_` `load store add sub min max and or xor exchange compare_exchange` of `u32 i32` |
//!
//! # Accuracy
//!
//! The largest errors in units of the last place, over every 61st `f32` (functions of two arguments: ten million seeded pairs), as the
//! example `accuracy` prints them. All tokens and [`scalar`] give the same bits, but for the inverse square root. The limits are
//! those of the WGSL specification.
//!
//! | function | error | limit |
//! |---|---|---|
//! | `inverse_sqrt` | 1.49 portable, 1.00 AVX2, 1.04 AVX-512 | 2 |
//! | `div` `sqrt` | 0.5 | 2.5, that of `1 / inverse_sqrt` |
//! | `exp` `exp2` | 1.00 0.82 | 3 + 2 abs(x) |
//! | `log` `log2` | 0.82 0.94 | 3, or 2^-21 absolute between 0.5 and 2 |
//! | `pow` | 0.99 | that of `exp2(y * log2(x))` |
//! | `sin` `cos` `tan` | 1.54 1.52 3.04, for angles of any size | 2^-11 absolute between -pi and pi, that of `sin / cos` |
//! | `asin` `acos` `atan` `atan2` | 1.86 1.24 1.36 1.41 | 4096 or more |
//! | `sinh` `cosh` `tanh` | 1.58 1.42 1.32 | those of their formulas with `exp` |
//! | `asinh` `acosh` `atanh` | 1.69 2.17 2.03 | those of their formulas with `log` |
//!
//! Subnormal numbers are numbers like others, except that the inverse square root of one is infinite with AVX2.
//!
//! The crate needs `std`: `core` has neither the fused multiply-add and square root of `f32` nor the detection of instructions.
#![allow(
    clippy::inline_always,
    reason = "an operation that is not inlined loses its instruction set"
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod body;
mod buffer;
mod by_lane;
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
pub use isa::{Isa, LANES_MAX, PREFETCH_WORDS};
pub use portable::Portable;
pub use single::Single;
pub use strict::Strict;
pub use wide::X;
