//! How is contraction forbidden? [`Strict`] rounds every product before it is added to.

use crate::buffer::{Buffer, Rmw};
use crate::isa::{Isa, sealed::Sealed};
use crate::ops::lane_ops;

/// `S`, except that [`Isa::f32_contract`] and [`Isa::uniform_contract`] round twice, so that results are those of separate operations
/// on every machine.
#[derive(Clone, Copy, Debug)]
pub struct Strict<S>(S);

impl<S: Isa> Strict<S> {
    /// Restrains a token.
    #[inline(always)]
    #[must_use]
    pub fn new(s: S) -> Strict<S> {
        Strict(s)
    }
}

// SAFETY: the types and the number of lanes are those of `S`.
unsafe impl<S: Isa> Sealed for Strict<S> {}

/// Hands an operation to `S`; [`Isa::f32_contract`] is told apart.
macro_rules! forward {
    ($($(#[$doc:meta])* fn $op:ident($($arg:ident: $ty:ident),*) -> $ret:ident $(= $definition:path)?;)*) => {
        $(forward! { @one $op ($($arg: $ty),*) $ret })*
    };
    (@one f32_contract ($a:ident: F32, $b:ident: F32, $c:ident: F32) F32) => {
        #[inline(always)]
        fn f32_contract(self, $a: S::F32, $b: S::F32, $c: S::F32) -> S::F32 {
            self.0.f32_add(self.0.f32_mul($a, $b), $c)
        }
    };
    (@one $op:ident ($($arg:ident: $ty:ident),*) $ret:ident) => {
        #[inline(always)]
        fn $op(self, $($arg: S::$ty),*) -> S::$ret {
            self.0.$op($($arg),*)
        }
    };
}

macro_rules! forward_as_is {
    ($($op:ident($($arg:ident: $ty:ty),*) $(-> $ret:ty)?;)*) => {
        $(#[inline(always)]
        fn $op(self, $($arg: $ty),*) $(-> $ret)? {
            self.0.$op($($arg),*)
        })*
    };
}

#[allow(clippy::inline_always)]
impl<S: Isa> Isa for Strict<S> {
    const LANES: usize = S::LANES;
    type F32 = S::F32;
    type I32 = S::I32;
    type Mask = S::Mask;

    lane_ops!(forward);

    #[inline(always)]
    fn uniform_contract(self, a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }

    forward_as_is! {
        mask_splat(value: bool) -> S::Mask;
        any(m: S::Mask) -> bool;
        all(m: S::Mask) -> bool;
        mask_bits(m: S::Mask) -> u64;
        mask_from_bits(bits: u64) -> S::Mask;
        first_lanes(n: u32) -> S::Mask;
        f32_splat(value: f32) -> S::F32;
        i32_splat(value: i32) -> S::I32;
        i32_iota() -> S::I32;
        i32_to_slice(v: S::I32, out: &mut [i32]);
        i32_from_slice(lanes: &[i32]) -> S::I32;
        f32_to_slice(v: S::F32, out: &mut [f32]);
        f32_from_slice(lanes: &[f32]) -> S::F32;
        load_linear_i32(buf: Buffer<'_>, addr: u32, mask: S::Mask) -> S::I32;
        store_linear_i32(buf: Buffer<'_>, addr: u32, mask: S::Mask, v: S::I32);
        load_strided_i32(buf: Buffer<'_>, addr: u32, stride: u32, mask: S::Mask) -> S::I32;
        store_strided_i32(buf: Buffer<'_>, addr: u32, stride: u32, mask: S::Mask, v: S::I32);
        gather_i32(buf: Buffer<'_>, addr: S::I32, mask: S::Mask) -> S::I32;
        scatter_i32(buf: Buffer<'_>, addr: S::I32, mask: S::Mask, v: S::I32);
        atomic_rmw(buf: Buffer<'_>, op: Rmw, addr: S::I32, mask: S::Mask, v: S::I32) -> S::I32;
    }
}
