//! What runs where no vector instruction set is known? Arrays of lanes, which the compiler vectorises as far as its target allows.

use crate::buffer::Buffer;
use crate::isa::{Isa, sealed::Sealed};
use crate::ops::lane_ops;
use crate::single::{FUSED, Single};

const LANES: usize = 8;

/// Eight lanes in arrays; a truth value is a word, all ones where on, which vectorises better than `bool`.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

// SAFETY: arrays of eight words.
unsafe impl Sealed for Portable {}

/// How a lane is kept in an array.
trait Lane: Copy {
    type Kept: Copy;
    fn keep(self) -> Self::Kept;
    fn take(kept: Self::Kept) -> Self;
}

macro_rules! kept_as_is {
    ($($ty:ty)*) => {
        $(impl Lane for $ty {
            type Kept = $ty;
            #[inline(always)]
            fn keep(self) -> $ty {
                self
            }
            #[inline(always)]
            fn take(kept: $ty) -> $ty {
                kept
            }
        })*
    };
}
kept_as_is! { f32 i32 }

impl Lane for bool {
    type Kept = u32;
    #[inline(always)]
    fn keep(self) -> u32 {
        u32::from(self).wrapping_neg()
    }
    #[inline(always)]
    fn take(kept: u32) -> bool {
        kept != 0
    }
}

/// Every operation of the table, lane after lane.
macro_rules! each_lane {
    ($($(#[$doc:meta])* fn $op:ident($($arg:ident: $ty:ident),*) -> $ret:ident $(= $definition:path)?;)*) => {
        $(#[inline(always)]
        fn $op(self, $($arg: Self::$ty),*) -> Self::$ret {
            let mut out = [<<Single as Isa>::$ret as Lane>::keep(Default::default()); LANES];
            let mut l = 0;
            while l < LANES {
                $(let $arg = <<Single as Isa>::$ty as Lane>::take($arg[l]);)*
                out[l] = Lane::keep(Single.$op($($arg),*));
                l += 1;
            }
            out
        })*
    };
}

#[allow(clippy::inline_always)]
impl Isa for Portable {
    const LANES: usize = LANES;
    type F32 = [f32; LANES];
    type I32 = [i32; LANES];
    type Mask = [u32; LANES];

    lane_ops!(each_lane);

    #[inline(always)]
    fn mask_splat(self, value: bool) -> Self::Mask {
        [value.keep(); LANES]
    }

    #[inline(always)]
    fn any(self, m: Self::Mask) -> bool {
        let mut or = 0;
        let mut l = 0;
        while l < LANES {
            or |= m[l];
            l += 1;
        }
        or != 0
    }

    #[inline(always)]
    fn all(self, m: Self::Mask) -> bool {
        let mut and = u32::MAX;
        let mut l = 0;
        while l < LANES {
            and &= m[l];
            l += 1;
        }
        and != 0
    }

    #[inline(always)]
    fn mask_bits(self, m: Self::Mask) -> u64 {
        let mut bits = 0;
        let mut l = 0;
        while l < LANES {
            bits |= u64::from(m[l] & 1) << l;
            l += 1;
        }
        bits
    }

    #[inline(always)]
    fn mask_from_bits(self, bits: u64) -> Self::Mask {
        let mut m = [0; LANES];
        let mut l = 0;
        while l < LANES {
            m[l] = (bits >> l & 1 == 1).keep();
            l += 1;
        }
        m
    }

    #[inline(always)]
    fn first_lanes(self, n: u32) -> Self::Mask {
        let mut m = [0; LANES];
        let mut l = 0;
        while l < LANES {
            m[l] = ((l as u32) < n).keep();
            l += 1;
        }
        m
    }

    #[inline(always)]
    fn f32_splat(self, value: f32) -> Self::F32 {
        [value; LANES]
    }

    #[inline(always)]
    fn i32_splat(self, value: i32) -> Self::I32 {
        [value; LANES]
    }

    #[inline(always)]
    fn i32_iota(self) -> Self::I32 {
        [0, 1, 2, 3, 4, 5, 6, 7]
    }

    #[inline(always)]
    fn uniform_contract(self, a: f32, b: f32, c: f32) -> f32 {
        if FUSED { a.mul_add(b, c) } else { a * b + c }
    }

    #[inline(always)]
    fn i32_to_slice(self, v: Self::I32, out: &mut [i32]) {
        out[..LANES].copy_from_slice(&v);
    }

    #[inline(always)]
    fn i32_from_slice(self, lanes: &[i32]) -> Self::I32 {
        let mut v = [0; LANES];
        v.copy_from_slice(&lanes[..LANES]);
        v
    }

    #[inline(always)]
    fn f32_to_slice(self, v: Self::F32, out: &mut [f32]) {
        out[..LANES].copy_from_slice(&v);
    }

    #[inline(always)]
    fn f32_from_slice(self, lanes: &[f32]) -> Self::F32 {
        let mut v = [0.0; LANES];
        v.copy_from_slice(&lanes[..LANES]);
        v
    }

    #[inline(always)]
    fn load_linear_i32(self, buf: Buffer<'_>, addr: u32, mask: Self::Mask) -> Self::I32 {
        if buf.holds(addr, LANES) {
            // SAFETY: the words are in range, and whoever made the buffer vouches for the memory; words are aligned to four bytes.
            return unsafe { buf.base().add(addr as usize).cast::<[i32; LANES]>().read() };
        }
        self.gather_i32(buf, crate::by_lane::strided(self, addr, 1), mask)
    }

    #[inline(always)]
    fn store_linear_i32(self, buf: Buffer<'_>, addr: u32, mask: Self::Mask, v: Self::I32) {
        if self.all(mask) && buf.holds(addr, LANES) {
            // SAFETY: as for loads.
            return unsafe {
                buf.base()
                    .add(addr as usize)
                    .cast::<[i32; LANES]>()
                    .write(v);
            };
        }
        self.scatter_i32(buf, crate::by_lane::strided(self, addr, 1), mask, v);
    }
}
