//! How does a kernel start? The body that generated code implements, what it is handed, and the choice of the instruction set.

use std::fmt;
use std::str::FromStr;

use crate::buffer::Buffer;
use crate::isa::Isa;
#[cfg(target_arch = "x86_64")]
use crate::{avx2::Avx2, avx512::Avx512};
use crate::{portable::Portable, single::Single};

/// What all parts of a launch share.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// The bound buffers, in the order of the kernel's bindings.
    pub buffers: &'a [Buffer<'a>],
    /// Workgroups of the whole launch along x, y, z.
    pub num_workgroups: [u32; 3],
}

/// A box of workgroups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// First workgroup along x, y, z.
    pub lo: [u32; 3],
    /// One past the last workgroup along x, y, z.
    pub hi: [u32; 3],
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([x0, y0, z0], [x1, y1, z1]) = (self.lo, self.hi);
        write!(f, "[{x0}..{x1}, {y0}..{y1}, {z0}..{z1}]")
    }
}

/// One kernel, compiled for any instruction set.
pub trait Body: Sync {
    /// Most lanes that the kernel can use: [`run`] hands it a token with no more of them. (A body may widen it with
    /// [`X`](crate::X).)
    const LANES_MAX: usize;

    /// Runs the workgroups of `tile`. Implementations are `#[inline(always)]`, or they lose the instruction set.
    fn run<S: Isa>(&self, s: S, launch: &Launch<'_>, tile: Tile);
}

/// An instruction set that kernels are compiled for, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Arrays of lanes; whatever the compiler's target has.
    Portable,
    /// AVX2 with FMA and BMI2: x86-64-v3, Haswell and Zen onwards.
    Avx2,
    /// AVX-512 F, BW, CD, DQ and VL: x86-64-v4, Skylake-X and Zen 4 onwards.
    Avx512,
}

impl Level {
    /// All levels, the worst first.
    pub const ALL: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];

    /// The best level of this machine.
    pub fn detect() -> Level {
        Level::available().last().unwrap_or(Level::Portable)
    }

    /// The levels of this machine, the worst first.
    pub fn available() -> impl Iterator<Item = Level> {
        Level::ALL.into_iter().filter(|level| level.is_available())
    }

    /// Does this machine have it?
    pub fn is_available(self) -> bool {
        match self {
            Level::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => Avx2::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => Avx512::detect().is_some(),
            #[cfg(not(target_arch = "x86_64"))]
            Level::Avx2 | Level::Avx512 => false,
        }
    }

    /// Lanes of the level's widest token.
    pub const fn lanes(self) -> usize {
        match self {
            Level::Portable | Level::Avx2 => 8,
            Level::Avx512 => 16,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Portable => "scalar",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        })
    }
}

/// A name that is no instruction set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLevel(String);

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no instruction set is called `{}`; use one of `scalar`, `avx2`, `avx512`",
            self.0
        )
    }
}

impl std::error::Error for UnknownLevel {}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Level, UnknownLevel> {
        Level::ALL
            .into_iter()
            .find(|level| level.to_string() == name)
            .ok_or_else(|| UnknownLevel(name.to_owned()))
    }
}

/// Makes the compiler align the stack frame of the caller to cache lines. It would not do so for the vectors that it spills, and those
/// that straddle two lines take two accesses each.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn align_frame() {
    #[repr(align(64))]
    struct Line([u8; 64]);
    let mut line = Line([0; 64]);
    std::hint::black_box(&mut line.0);
}

/// Runs the workgroups of `tile` with the instructions of `level`, on this thread. The token handed to the body has the most lanes
/// that both the level and [`Body::LANES_MAX`] allow: 16, 8 or 1.
///
/// # Panics
/// If this machine does not have `level`, see [`Level::is_available`].
pub fn run<B: Body>(level: Level, body: &B, launch: &Launch<'_>, tile: Tile) {
    match level {
        Level::Portable => {
            if B::LANES_MAX >= Portable::LANES {
                body.run(Portable, launch, tile);
            } else {
                body.run(Single, launch, tile);
            }
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => {
            let s = Avx2::detect().expect("this machine has AVX2, FMA and BMI2");
            crate::avx2::enter(s, body, launch, tile);
        }
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => {
            let s = Avx512::detect().expect("this machine has AVX-512 F, BW, CD, DQ and VL");
            crate::avx512::enter(s, body, launch, tile);
        }
        #[cfg(not(target_arch = "x86_64"))]
        Level::Avx2 | Level::Avx512 => panic!("this machine is no x86-64 and has no {level}"),
    }
}
