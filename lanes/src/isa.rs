//! What must an instruction set be able to do? The trait that generated code is generic over.

use crate::buffer::{Buffer, Rmw};
use crate::ops::lane_ops;
use crate::{by_lane, derived, math};

/// Most lanes that any token has: one bit each in [`Isa::mask_bits`].
pub const LANES_MAX: usize = 64;
/// How far ahead [`Isa::prefetch_linear`] looks, in words: 8 KiB, which one core streams in about half a microsecond.
pub const PREFETCH_WORDS: u32 = 2048;
/// Words of a cache line.
const LINE_WORDS: usize = 16;

pub(crate) mod sealed {
    /// Implemented by this crate's tokens only.
    ///
    /// # Safety
    /// `Isa::F32` and `Isa::I32` are laid out as `Isa::LANES` consecutive 32-bit words, lane 0 first, any bits are a value of
    /// theirs, and `Isa::LANES` is at most [`LANES_MAX`](crate::LANES_MAX).
    pub unsafe trait Sealed {}
}

macro_rules! declare {
    ($($(#[$doc:meta])* fn $op:ident($($arg:ident: $ty:ident),*) -> $ret:ident $(= $definition:path)?;)*) => {
        $(declare! { @one [$(#[$doc])*] $op ($($arg: $ty),*) $ret [$($definition)?] })*
    };
    (@one [$($doc:tt)*] $op:ident ($($arg:ident: $ty:ident),*) $ret:ident []) => {
        $($doc)*
        #[must_use]
        fn $op(self, $($arg: Self::$ty),*) -> Self::$ret;
    };
    (@one [$($doc:tt)*] $op:ident ($($arg:ident: $ty:ident),*) $ret:ident [$definition:path]) => {
        $($doc)*
        #[must_use]
        #[inline(always)]
        fn $op(self, $($arg: Self::$ty),*) -> Self::$ret {
            $definition(self, $($arg),*)
        }
    };
}

/// An instruction set, as the witness that this machine has it: a value exists only where detection made one, and the operations are
/// its methods. One lane is one invocation of the kernel.
///
/// Names are `<type>_<operation>`: `f32_`, `i32_`, `u32_` where the signedness matters and `i32_` where it does not (`I32` holds
/// both), `mask_` for truth values. Every operation works lane by lane unless it says otherwise.
#[allow(clippy::inline_always)]
pub trait Isa: Copy + sealed::Sealed + 'static {
    /// Number of lanes of a value.
    const LANES: usize;
    /// One `f32` per lane.
    type F32: Copy;
    /// One `i32` or `u32` per lane.
    type I32: Copy;
    /// One truth value per lane.
    type Mask: Copy;

    /// The same truth value in every lane.
    #[must_use]
    fn mask_splat(self, value: bool) -> Self::Mask;
    /// Is any lane on?
    #[must_use]
    fn any(self, m: Self::Mask) -> bool;
    /// Are all lanes on?
    #[must_use]
    fn all(self, m: Self::Mask) -> bool;
    /// Bit `l` is lane `l`; zeros above.
    #[must_use]
    fn mask_bits(self, m: Self::Mask) -> u64;
    /// Lane `l` is bit `l`; bits above are ignored.
    #[must_use]
    fn mask_from_bits(self, bits: u64) -> Self::Mask;
    /// The lanes below `n` are on; all of them if `n >= LANES`.
    #[must_use]
    fn first_lanes(self, n: u32) -> Self::Mask;

    /// The same number in every lane.
    #[must_use]
    fn f32_splat(self, value: f32) -> Self::F32;
    /// The same number in every lane.
    #[must_use]
    fn i32_splat(self, value: i32) -> Self::I32;
    /// The same number in every lane.
    #[must_use]
    #[inline(always)]
    fn u32_splat(self, value: u32) -> Self::I32 {
        self.i32_splat(value.cast_signed())
    }
    /// 0, 1, 2, … : the number of the lane.
    #[must_use]
    fn i32_iota(self) -> Self::I32;

    /// `a * b + c` of uniform values, rounded as often as [`Isa::f32_contract`] rounds.
    #[must_use]
    fn uniform_contract(self, a: f32, b: f32, c: f32) -> f32;

    lane_ops!(declare);

    /// Writes the lanes to the first [`Isa::LANES`] elements of `out`.
    ///
    /// # Panics
    /// If `out` is shorter.
    fn i32_to_slice(self, v: Self::I32, out: &mut [i32]);
    /// Makes a value of the first [`Isa::LANES`] elements of `lanes`.
    ///
    /// # Panics
    /// If `lanes` is shorter.
    #[must_use]
    fn i32_from_slice(self, lanes: &[i32]) -> Self::I32;
    /// Writes the lanes to the first [`Isa::LANES`] elements of `out`.
    ///
    /// # Panics
    /// If `out` is shorter.
    fn f32_to_slice(self, v: Self::F32, out: &mut [f32]);
    /// Makes a value of the first [`Isa::LANES`] elements of `lanes`.
    ///
    /// # Panics
    /// If `lanes` is shorter.
    #[must_use]
    fn f32_from_slice(self, lanes: &[f32]) -> Self::F32;
    /// Content of lane `lane`.
    ///
    /// # Panics
    /// If `lane >= LANES`.
    #[must_use]
    #[inline(always)]
    fn i32_lane(self, v: Self::I32, lane: usize) -> i32 {
        let mut lanes = [0; LANES_MAX];
        self.i32_to_slice(v, &mut lanes);
        lanes[..Self::LANES][lane]
    }
    /// Content of lane `lane`.
    ///
    /// # Panics
    /// If `lane >= LANES`.
    #[must_use]
    #[inline(always)]
    fn f32_lane(self, v: Self::F32, lane: usize) -> f32 {
        f32::from_bits(self.i32_lane(self.f32_bits(v), lane).cast_unsigned())
    }
    /// `v` with the content of lane `lane` replaced.
    ///
    /// # Panics
    /// If `lane >= LANES`.
    #[must_use]
    #[inline(always)]
    fn i32_with_lane(self, v: Self::I32, lane: usize, value: i32) -> Self::I32 {
        let mut lanes = [0; LANES_MAX];
        self.i32_to_slice(v, &mut lanes);
        lanes[..Self::LANES][lane] = value;
        self.i32_from_slice(&lanes)
    }
    /// `v` with the content of lane `lane` replaced.
    ///
    /// # Panics
    /// If `lane >= LANES`.
    #[must_use]
    #[inline(always)]
    fn f32_with_lane(self, v: Self::F32, lane: usize, value: f32) -> Self::F32 {
        self.f32_from_bits(self.i32_with_lane(
            self.f32_bits(v),
            lane,
            value.to_bits().cast_signed(),
        ))
    }

    /// Lane `l` reads the word `addr + l` (modulo 2^32): 0 outside the buffer, anything where `mask` is off.
    #[must_use]
    fn load_linear_i32(self, buf: Buffer<'_>, addr: u32, mask: Self::Mask) -> Self::I32;
    /// Lane `l` writes the word `addr + l` (modulo 2^32) where `mask` is on; dropped outside the buffer.
    fn store_linear_i32(self, buf: Buffer<'_>, addr: u32, mask: Self::Mask, v: Self::I32);
    /// Lane `l` reads the word `addr + l * stride` (modulo 2^32): 0 outside the buffer, anything where `mask` is off. Fastest for
    /// strides 1, 2 and 4 known when compiling.
    #[must_use]
    #[inline(always)]
    fn load_strided_i32(
        self,
        buf: Buffer<'_>,
        addr: u32,
        stride: u32,
        mask: Self::Mask,
    ) -> Self::I32 {
        if stride == 1 {
            return self.load_linear_i32(buf, addr, mask);
        }
        self.gather_i32(buf, by_lane::strided(self, addr, stride), mask)
    }
    /// Lane `l` writes the word `addr + l * stride` (modulo 2^32) where `mask` is on, lane by lane upwards; dropped outside the
    /// buffer.
    #[inline(always)]
    fn store_strided_i32(
        self,
        buf: Buffer<'_>,
        addr: u32,
        stride: u32,
        mask: Self::Mask,
        v: Self::I32,
    ) {
        if stride == 1 {
            return self.store_linear_i32(buf, addr, mask, v);
        }
        self.scatter_i32(buf, by_lane::strided(self, addr, stride), mask, v);
    }
    /// Lane `l` reads the word `addr[l]`: 0 outside the buffer, anything where `mask` is off.
    #[must_use]
    #[inline(always)]
    fn gather_i32(self, buf: Buffer<'_>, addr: Self::I32, mask: Self::Mask) -> Self::I32 {
        by_lane::gather(self, buf, addr, mask)
    }
    /// Lane `l` writes the word `addr[l]` where `mask` is on, lane by lane upwards, so the highest lane wins a conflict; dropped
    /// outside the buffer.
    #[inline(always)]
    fn scatter_i32(self, buf: Buffer<'_>, addr: Self::I32, mask: Self::Mask, v: Self::I32) {
        by_lane::scatter(self, buf, addr, mask, v);
    }
    /// As [`Isa::load_linear_i32`].
    #[must_use]
    #[inline(always)]
    fn load_linear_f32(self, buf: Buffer<'_>, addr: u32, mask: Self::Mask) -> Self::F32 {
        self.f32_from_bits(self.load_linear_i32(buf, addr, mask))
    }
    /// As [`Isa::store_linear_i32`].
    #[inline(always)]
    fn store_linear_f32(self, buf: Buffer<'_>, addr: u32, mask: Self::Mask, v: Self::F32) {
        self.store_linear_i32(buf, addr, mask, self.f32_bits(v));
    }
    /// As [`Isa::load_strided_i32`].
    #[must_use]
    #[inline(always)]
    fn load_strided_f32(
        self,
        buf: Buffer<'_>,
        addr: u32,
        stride: u32,
        mask: Self::Mask,
    ) -> Self::F32 {
        self.f32_from_bits(self.load_strided_i32(buf, addr, stride, mask))
    }
    /// As [`Isa::store_strided_i32`].
    #[inline(always)]
    fn store_strided_f32(
        self,
        buf: Buffer<'_>,
        addr: u32,
        stride: u32,
        mask: Self::Mask,
        v: Self::F32,
    ) {
        self.store_strided_i32(buf, addr, stride, mask, self.f32_bits(v));
    }
    /// As [`Isa::gather_i32`].
    #[must_use]
    #[inline(always)]
    fn gather_f32(self, buf: Buffer<'_>, addr: Self::I32, mask: Self::Mask) -> Self::F32 {
        self.f32_from_bits(self.gather_i32(buf, addr, mask))
    }
    /// As [`Isa::scatter_i32`].
    #[inline(always)]
    fn scatter_f32(self, buf: Buffer<'_>, addr: Self::I32, mask: Self::Mask, v: Self::F32) {
        self.scatter_i32(buf, addr, mask, self.f32_bits(v));
    }

    /// Lane `l` reads lane `l` of element `index[l]` of a private array: 0 outside the array, anything where `mask` is off.
    #[must_use]
    #[inline(always)]
    fn array_load_i32(self, array: &[Self::I32], index: Self::I32, mask: Self::Mask) -> Self::I32 {
        by_lane::array_load_i32(self, array, index, mask)
    }
    /// Lane `l` replaces lane `l` of element `index[l]` of a private array where `mask` is on; dropped outside the array.
    #[inline(always)]
    fn array_store_i32(
        self,
        array: &mut [Self::I32],
        index: Self::I32,
        mask: Self::Mask,
        v: Self::I32,
    ) {
        by_lane::array_store_i32(self, array, index, mask, v);
    }
    /// As [`Isa::array_load_i32`].
    #[must_use]
    #[inline(always)]
    fn array_load_f32(self, array: &[Self::F32], index: Self::I32, mask: Self::Mask) -> Self::F32 {
        by_lane::array_load_f32(self, array, index, mask)
    }
    /// As [`Isa::array_store_i32`].
    #[inline(always)]
    fn array_store_f32(
        self,
        array: &mut [Self::F32],
        index: Self::I32,
        mask: Self::Mask,
        v: Self::F32,
    ) {
        by_lane::array_store_f32(self, array, index, mask, v);
    }

    /// One atomic operation per lane that is on, in the order of the lanes; the old contents, 0 outside the buffer or where `mask`
    /// is off.
    #[inline(always)]
    fn atomic_rmw(
        self,
        buf: Buffer<'_>,
        op: Rmw,
        addr: Self::I32,
        mask: Self::Mask,
        v: Self::I32,
    ) -> Self::I32 {
        by_lane::atomic_rmw(self, buf, op, addr, mask, v)
    }
    /// As [`atomic_rmw`](Isa::atomic_rmw) with the same operand in all lanes, where nobody asks for the old contents.
    #[inline(always)]
    fn atomic_each(self, buf: Buffer<'_>, op: Rmw, addr: Self::I32, mask: Self::Mask, v: u32) {
        by_lane::atomic_each(self, buf, op, addr, mask, v);
    }
    /// Says that what lies [`PREFETCH_WORDS`] behind the words from `addr` on will be loaded soon: for loops that go through memory.
    /// A hint without effect on any result, whatever the address is.
    #[inline(always)]
    fn prefetch_linear(self, buf: Buffer<'_>, addr: u32) {
        let mut at = 0;
        while at < Self::LANES {
            buf.prefetch(addr, PREFETCH_WORDS as usize + at);
            at += LINE_WORDS;
        }
    }
    /// One compare-and-exchange per lane that is on, in the order of the lanes; the old contents and whether they were exchanged,
    /// 0 and off outside the buffer or where `mask` is off.
    #[inline(always)]
    fn atomic_compare_exchange(
        self,
        buf: Buffer<'_>,
        addr: Self::I32,
        mask: Self::Mask,
        compare: Self::I32,
        v: Self::I32,
    ) -> (Self::I32, Self::Mask) {
        by_lane::atomic_compare_exchange(self, buf, addr, mask, compare, v)
    }
}
