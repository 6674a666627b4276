//! How do several gangs become one? [`X`] widens a token.

use crate::buffer::Buffer;
use crate::isa::{Isa, LANES_MAX, sealed::Sealed};
use crate::ops::lane_ops;

/// `U` gangs of `S` as one with `U` times as many lanes: independent instructions that keep the machine's units busy.
#[derive(Clone, Copy, Debug)]
pub struct X<S, const U: usize>(S);

impl<S: Isa, const U: usize> X<S, U> {
    /// Widens a token. `U` is at least 1 and the result has at most [`LANES_MAX`] lanes; anything else does not compile.
    #[inline(always)]
    #[must_use]
    pub fn new(s: S) -> X<S, U> {
        const { assert!(U >= 1 && S::LANES * U <= LANES_MAX) };
        X(s)
    }
}

// SAFETY: arrays of `U` values of `LANES / U` words each; `new` bounds the lanes.
unsafe impl<S: Isa, const U: usize> Sealed for X<S, U> {}

/// Every operation of the table, gang after gang.
macro_rules! each_gang {
    ($($(#[$doc:meta])* fn $op:ident($($arg:ident: $ty:ident),*) -> $ret:ident $(= $definition:path)?;)*) => {
        $(#[inline(always)]
        fn $op(self, $($arg: Self::$ty),*) -> Self::$ret {
            let mut out = [self.0.$op($($arg[0]),*); U];
            let mut g = 1;
            while g < U {
                out[g] = self.0.$op($($arg[g]),*);
                g += 1;
            }
            out
        })*
    };
}

/// The words that gang `g` accesses linearly start here.
#[inline(always)]
fn gang_addr<S: Isa>(addr: u32, g: usize, stride: u32) -> u32 {
    addr.wrapping_add(((g * S::LANES) as u32).wrapping_mul(stride))
}

#[allow(clippy::inline_always)]
impl<S: Isa, const U: usize> Isa for X<S, U> {
    const LANES: usize = S::LANES * U;
    type F32 = [S::F32; U];
    type I32 = [S::I32; U];
    type Mask = [S::Mask; U];

    lane_ops!(each_gang);

    #[inline(always)]
    fn mask_splat(self, value: bool) -> Self::Mask {
        [self.0.mask_splat(value); U]
    }

    #[inline(always)]
    fn any(self, m: Self::Mask) -> bool {
        let mut or = m[0];
        let mut g = 1;
        while g < U {
            or = self.0.mask_or(or, m[g]);
            g += 1;
        }
        self.0.any(or)
    }

    #[inline(always)]
    fn all(self, m: Self::Mask) -> bool {
        let mut and = m[0];
        let mut g = 1;
        while g < U {
            and = self.0.mask_and(and, m[g]);
            g += 1;
        }
        self.0.all(and)
    }

    #[inline(always)]
    fn mask_bits(self, m: Self::Mask) -> u64 {
        let mut bits = 0;
        let mut g = 0;
        while g < U {
            bits |= self.0.mask_bits(m[g]) << (g * S::LANES);
            g += 1;
        }
        bits
    }

    #[inline(always)]
    fn mask_from_bits(self, bits: u64) -> Self::Mask {
        let mut m = [self.0.mask_from_bits(bits); U];
        let mut g = 1;
        while g < U {
            m[g] = self.0.mask_from_bits(bits >> (g * S::LANES));
            g += 1;
        }
        m
    }

    #[inline(always)]
    fn first_lanes(self, n: u32) -> Self::Mask {
        let mut m = [self.0.first_lanes(n); U];
        let mut g = 1;
        while g < U {
            m[g] = self.0.first_lanes(n.saturating_sub((g * S::LANES) as u32));
            g += 1;
        }
        m
    }

    #[inline(always)]
    fn f32_splat(self, value: f32) -> Self::F32 {
        [self.0.f32_splat(value); U]
    }

    #[inline(always)]
    fn i32_splat(self, value: i32) -> Self::I32 {
        [self.0.i32_splat(value); U]
    }

    #[inline(always)]
    fn i32_iota(self) -> Self::I32 {
        let mut out = [self.0.i32_iota(); U];
        let mut g = 1;
        while g < U {
            out[g] = self
                .0
                .i32_add(out[0], self.0.i32_splat((g * S::LANES) as i32));
            g += 1;
        }
        out
    }

    #[inline(always)]
    fn uniform_contract(self, a: f32, b: f32, c: f32) -> f32 {
        self.0.uniform_contract(a, b, c)
    }

    #[inline(always)]
    fn i32_to_slice(self, v: Self::I32, out: &mut [i32]) {
        let mut g = 0;
        while g < U {
            self.0.i32_to_slice(v[g], &mut out[g * S::LANES..]);
            g += 1;
        }
    }

    #[inline(always)]
    fn i32_from_slice(self, lanes: &[i32]) -> Self::I32 {
        let mut v = [self.0.i32_from_slice(lanes); U];
        let mut g = 1;
        while g < U {
            v[g] = self.0.i32_from_slice(&lanes[g * S::LANES..]);
            g += 1;
        }
        v
    }

    #[inline(always)]
    fn f32_to_slice(self, v: Self::F32, out: &mut [f32]) {
        let mut g = 0;
        while g < U {
            self.0.f32_to_slice(v[g], &mut out[g * S::LANES..]);
            g += 1;
        }
    }

    #[inline(always)]
    fn f32_from_slice(self, lanes: &[f32]) -> Self::F32 {
        let mut v = [self.0.f32_from_slice(lanes); U];
        let mut g = 1;
        while g < U {
            v[g] = self.0.f32_from_slice(&lanes[g * S::LANES..]);
            g += 1;
        }
        v
    }

    #[inline(always)]
    fn load_linear_i32(self, buf: Buffer<'_>, addr: u32, mask: Self::Mask) -> Self::I32 {
        let mut v = [self.0.load_linear_i32(buf, addr, mask[0]); U];
        let mut g = 1;
        while g < U {
            v[g] = self
                .0
                .load_linear_i32(buf, gang_addr::<S>(addr, g, 1), mask[g]);
            g += 1;
        }
        v
    }

    #[inline(always)]
    fn store_linear_i32(self, buf: Buffer<'_>, addr: u32, mask: Self::Mask, v: Self::I32) {
        let mut g = 0;
        while g < U {
            self.0
                .store_linear_i32(buf, gang_addr::<S>(addr, g, 1), mask[g], v[g]);
            g += 1;
        }
    }

    #[inline(always)]
    fn load_strided_i32(
        self,
        buf: Buffer<'_>,
        addr: u32,
        stride: u32,
        mask: Self::Mask,
    ) -> Self::I32 {
        let mut v = [self.0.load_strided_i32(buf, addr, stride, mask[0]); U];
        let mut g = 1;
        while g < U {
            v[g] = self
                .0
                .load_strided_i32(buf, gang_addr::<S>(addr, g, stride), stride, mask[g]);
            g += 1;
        }
        v
    }

    #[inline(always)]
    fn store_strided_i32(
        self,
        buf: Buffer<'_>,
        addr: u32,
        stride: u32,
        mask: Self::Mask,
        v: Self::I32,
    ) {
        let mut g = 0;
        while g < U {
            self.0
                .store_strided_i32(buf, gang_addr::<S>(addr, g, stride), stride, mask[g], v[g]);
            g += 1;
        }
    }

    #[inline(always)]
    fn gather_i32(self, buf: Buffer<'_>, addr: Self::I32, mask: Self::Mask) -> Self::I32 {
        let mut v = [self.0.gather_i32(buf, addr[0], mask[0]); U];
        let mut g = 1;
        while g < U {
            v[g] = self.0.gather_i32(buf, addr[g], mask[g]);
            g += 1;
        }
        v
    }

    #[inline(always)]
    fn scatter_i32(self, buf: Buffer<'_>, addr: Self::I32, mask: Self::Mask, v: Self::I32) {
        let mut g = 0;
        while g < U {
            self.0.scatter_i32(buf, addr[g], mask[g], v[g]);
            g += 1;
        }
    }
}
