//! How does AVX-512 carry out the operations? Sixteen lanes, masks in mask registers.

#![allow(
    clippy::wildcard_imports,
    reason = "a hundred intrinsics, told by their prefix"
)]
#![allow(clippy::unused_self, reason = "the token witnesses the features")]

use std::arch::x86_64::*;

use crate::avx2::{self, Avx2};
use crate::body::{Body, Launch, Tile, align_frame};
use crate::buffer::Buffer;
use crate::by_lane::strided;
use crate::isa::{Isa, sealed::Sealed};

/// Sixteen lanes of AVX-512. That the value exists is the proof that this machine has AVX-512 F, BW, CD, DQ and VL.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(Avx2);

impl Avx512 {
    /// The token, if this machine has the instructions.
    #[must_use]
    pub fn detect() -> Option<Avx512> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512cd")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        Avx2::detect().filter(|_| has).map(Avx512)
    }
}

/// Runs `body` with the instructions of AVX-512, or of AVX2 if it can use fewer than sixteen lanes.
pub(crate) fn enter<B: Body>(s: Avx512, body: &B, launch: &Launch<'_>, tile: Tile) {
    #[target_feature(
        enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,bmi1,bmi2,lzcnt,popcnt"
    )]
    fn with_features<B: Body>(s: Avx512, body: &B, launch: &Launch<'_>, tile: Tile) {
        align_frame();
        body.run(s, launch, tile);
    }
    if B::LANES_MAX >= Avx512::LANES {
        // SAFETY: the token proves the features, and those of AVX2.
        unsafe { with_features(s, body, launch, tile) }
    } else {
        avx2::enter(s.0, body, launch, tile);
    }
}

// SAFETY: vectors of sixteen words.
unsafe impl Sealed for Avx512 {}

macro_rules! define {
    ($self:ident: $($op:ident($($arg:ident: $ty:ty),*) -> $ret:ty = $value:expr;)*) => {
        $(#[inline(always)]
        #[allow(unused_unsafe, reason = "some operations need no intrinsic")]
        fn $op($self, $($arg: $ty),*) -> $ret {
            // SAFETY: the token proves the features, and nothing but registers is touched.
            unsafe { $value }
        })*
    };
}

const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
const DOWN: i32 = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
const UP: i32 = _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC;
const TO_ZERO: i32 = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;

impl Avx512 {
    define! { self:
        low(a: __m512i) -> __m256i = _mm512_castsi512_si256(a);
        high(a: __m512i) -> __m256i = _mm512_extracti64x4_epi64::<1>(a);
        join(low: __m256i, high: __m256i) -> __m512i = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high);
        i32_div_half(a: __m256i, b: __m256i) -> __m256i =
            _mm512_cvttpd_epi32(_mm512_div_pd(_mm512_cvtepi32_pd(a), _mm512_cvtepi32_pd(b)));
        u32_div_half(a: __m256i, b: __m256i) -> __m256i =
            _mm512_cvttpd_epu32(_mm512_div_pd(_mm512_cvtepu32_pd(a), _mm512_cvtepu32_pd(b)));
        one_for_zero(b: __m512i) -> __m512i = _mm512_mask_mov_epi32(b, _mm512_testn_epi32_mask(b, b), _mm512_set1_epi32(1));
        permute(lanes: __m512i, from: __m512i) -> __m512i = _mm512_permutexvar_epi32(lanes, from);
        permute2(low: __m512i, lanes: __m512i, high: __m512i) -> __m512i = _mm512_permutex2var_epi32(low, lanes, high);
        blend(m: __mmask16, on: __m512i, off: __m512i) -> __m512i = _mm512_mask_blend_epi32(m, off, on);
    }

    /// The lanes of a linear access that are on and in the buffer, and the address of lane 0, which may lie outside of it.
    #[inline(always)]
    fn clip(self, buf: Buffer<'_>, addr: u32, mask: __mmask16) -> (__mmask16, *mut i32) {
        let inside = self.u32_lt(strided(self, addr, 1), self.u32_splat(buf.words()));
        (
            mask & inside,
            buf.base()
                .wrapping_offset(addr.cast_signed() as isize)
                .cast(),
        )
    }

    /// `n` words from `addr` on, sixteen at a time; the caller has checked that they are in the buffer.
    ///
    /// # Safety
    /// `buf.holds(addr, 16 * (n + 1))`.
    #[inline(always)]
    unsafe fn load_nth(self, buf: Buffer<'_>, addr: u32, n: usize) -> __m512i {
        // SAFETY: the words are in the buffer, as the caller vouches, and readable, as the buffer's maker vouches.
        unsafe { _mm512_loadu_si512(buf.base().add(addr as usize + 16 * n).cast()) }
    }
}

#[allow(clippy::inline_always)]
impl Isa for Avx512 {
    const LANES: usize = 16;
    type F32 = __m512;
    type I32 = __m512i;
    type Mask = __mmask16;

    define! { self:
        mask_splat(value: bool) -> __mmask16 = if value { !0 } else { 0 };
        any(m: __mmask16) -> bool = m != 0;
        all(m: __mmask16) -> bool = m == !0;
        mask_bits(m: __mmask16) -> u64 = u64::from(m);
        mask_from_bits(bits: u64) -> __mmask16 = bits as __mmask16;
        first_lanes(n: u32) -> __mmask16 = ((1u32 << n.min(16)) - 1) as __mmask16;
        f32_splat(value: f32) -> __m512 = _mm512_set1_ps(value);
        i32_splat(value: i32) -> __m512i = _mm512_set1_epi32(value);
        i32_iota() -> __m512i = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        uniform_contract(a: f32, b: f32, c: f32) -> f32 = a.mul_add(b, c);

        mask_and(a: __mmask16, b: __mmask16) -> __mmask16 = a & b;
        mask_or(a: __mmask16, b: __mmask16) -> __mmask16 = a | b;
        mask_xor(a: __mmask16, b: __mmask16) -> __mmask16 = a ^ b;
        mask_not(a: __mmask16) -> __mmask16 = !a;
        mask_and_not(a: __mmask16, b: __mmask16) -> __mmask16 = a & !b;

        f32_add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
        f32_sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
        f32_mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        f32_div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
        f32_neg(a: __m512) -> __m512 = _mm512_xor_ps(a, _mm512_set1_ps(-0.0));
        f32_abs(a: __m512) -> __m512 = _mm512_abs_ps(a);
        f32_min(a: __m512, b: __m512) -> __m512 = _mm512_min_ps(b, a);
        f32_max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(b, a);
        f32_mul_add(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        f32_contract(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        f32_lt(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b);
        f32_le(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b);
        f32_gt(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, b);
        f32_ge(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(a, b);
        f32_eq(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b);
        f32_ne(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(a, b);
        f32_select(m: __mmask16, a: __m512, b: __m512) -> __m512 = _mm512_mask_blend_ps(m, b, a);
        f32_sqrt(a: __m512) -> __m512 = _mm512_sqrt_ps(a);
        f32_scale(a: __m512, n: __m512) -> __m512 = _mm512_scalef_ps(a, n);
        f32_ldexp(a: __m512, b: __m512i) -> __m512 = _mm512_scalef_ps(a, _mm512_cvtepi32_ps(b));
        f32_floor(a: __m512) -> __m512 = _mm512_roundscale_ps::<DOWN>(a);
        f32_ceil(a: __m512) -> __m512 = _mm512_roundscale_ps::<UP>(a);
        f32_round(a: __m512) -> __m512 = _mm512_roundscale_ps::<NEAREST>(a);
        f32_trunc(a: __m512) -> __m512 = _mm512_roundscale_ps::<TO_ZERO>(a);

        i32_add(a: __m512i, b: __m512i) -> __m512i = _mm512_add_epi32(a, b);
        i32_sub(a: __m512i, b: __m512i) -> __m512i = _mm512_sub_epi32(a, b);
        i32_mul(a: __m512i, b: __m512i) -> __m512i = _mm512_mullo_epi32(a, b);
        i32_and(a: __m512i, b: __m512i) -> __m512i = _mm512_and_si512(a, b);
        i32_or(a: __m512i, b: __m512i) -> __m512i = _mm512_or_si512(a, b);
        i32_xor(a: __m512i, b: __m512i) -> __m512i = _mm512_xor_si512(a, b);
        i32_shl(a: __m512i, b: __m512i) -> __m512i = _mm512_sllv_epi32(a, _mm512_and_si512(b, _mm512_set1_epi32(31)));
        i32_shr(a: __m512i, b: __m512i) -> __m512i = _mm512_srav_epi32(a, _mm512_and_si512(b, _mm512_set1_epi32(31)));
        u32_shr(a: __m512i, b: __m512i) -> __m512i = _mm512_srlv_epi32(a, _mm512_and_si512(b, _mm512_set1_epi32(31)));
        i32_min(a: __m512i, b: __m512i) -> __m512i = _mm512_min_epi32(a, b);
        i32_max(a: __m512i, b: __m512i) -> __m512i = _mm512_max_epi32(a, b);
        u32_min(a: __m512i, b: __m512i) -> __m512i = _mm512_min_epu32(a, b);
        u32_max(a: __m512i, b: __m512i) -> __m512i = _mm512_max_epu32(a, b);
        i32_lt(a: __m512i, b: __m512i) -> __mmask16 = _mm512_cmplt_epi32_mask(a, b);
        i32_le(a: __m512i, b: __m512i) -> __mmask16 = _mm512_cmple_epi32_mask(a, b);
        i32_gt(a: __m512i, b: __m512i) -> __mmask16 = _mm512_cmpgt_epi32_mask(a, b);
        i32_ge(a: __m512i, b: __m512i) -> __mmask16 = _mm512_cmpge_epi32_mask(a, b);
        u32_lt(a: __m512i, b: __m512i) -> __mmask16 = _mm512_cmplt_epu32_mask(a, b);
        u32_le(a: __m512i, b: __m512i) -> __mmask16 = _mm512_cmple_epu32_mask(a, b);
        u32_gt(a: __m512i, b: __m512i) -> __mmask16 = _mm512_cmpgt_epu32_mask(a, b);
        u32_ge(a: __m512i, b: __m512i) -> __mmask16 = _mm512_cmpge_epu32_mask(a, b);
        i32_eq(a: __m512i, b: __m512i) -> __mmask16 = _mm512_cmpeq_epi32_mask(a, b);
        i32_ne(a: __m512i, b: __m512i) -> __mmask16 = _mm512_cmpneq_epi32_mask(a, b);
        i32_select(m: __mmask16, a: __m512i, b: __m512i) -> __m512i = _mm512_mask_blend_epi32(m, b, a);
        i32_abs(a: __m512i) -> __m512i = _mm512_abs_epi32(a);
        i32_count_leading_zeros(a: __m512i) -> __m512i = _mm512_lzcnt_epi32(a);

        f32_from_i32(a: __m512i) -> __m512 = _mm512_cvtepi32_ps(a);
        f32_from_u32(a: __m512i) -> __m512 = _mm512_cvtepu32_ps(a);
        f32_bits(a: __m512) -> __m512i = _mm512_castps_si512(a);
        f32_from_bits(a: __m512i) -> __m512 = _mm512_castsi512_ps(a);
    }

    // The instruction gives the smallest integer for whatever does not fit.
    #[inline(always)]
    fn i32_from_f32(self, a: __m512) -> __m512i {
        // SAFETY: the token proves the features, and nothing but registers is touched.
        unsafe {
            let number = _mm512_cmp_ps_mask::<_CMP_ORD_Q>(a, a);
            let too_large = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(a, _mm512_set1_ps(2_147_483_648.0));
            let converted = _mm512_maskz_cvttps_epi32(number, a);
            _mm512_mask_mov_epi32(converted, too_large, _mm512_set1_epi32(i32::MAX))
        }
    }

    // The instruction gives all ones for whatever does not fit; `max` with zero second turns NaN into zero.
    #[inline(always)]
    fn u32_from_f32(self, a: __m512) -> __m512i {
        // SAFETY: the token proves the features, and nothing but registers is touched.
        unsafe { _mm512_cvttps_epu32(_mm512_max_ps(a, _mm512_setzero_ps())) }
    }

    // A double holds both operands, and its 53 bits tell a quotient of theirs from the next integer.
    #[inline(always)]
    fn i32_div(self, a: __m512i, b: __m512i) -> __m512i {
        let b = self.one_for_zero(b);
        let low = self.i32_div_half(self.low(a), self.low(b));
        self.join(low, self.i32_div_half(self.high(a), self.high(b)))
    }

    #[inline(always)]
    fn u32_div(self, a: __m512i, b: __m512i) -> __m512i {
        let b = self.one_for_zero(b);
        let low = self.u32_div_half(self.low(a), self.low(b));
        self.join(low, self.u32_div_half(self.high(a), self.high(b)))
    }

    // One Newton step on the estimate's 14 bits, its residual fused. Where the estimate is 0 or infinite the residual is no number
    // near 0, and the estimate stays.
    #[inline(always)]
    fn f32_inverse_sqrt(self, a: __m512) -> __m512 {
        // SAFETY: the token proves the features, and nothing but registers is touched.
        unsafe {
            let y = _mm512_rsqrt14_ps(a);
            let residual = _mm512_fnmadd_ps(_mm512_mul_ps(a, y), y, _mm512_set1_ps(1.0));
            let near = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(residual, _mm512_set1_ps(-1.0));
            _mm512_mask3_fmadd_ps(_mm512_mul_ps(y, _mm512_set1_ps(0.5)), residual, y, near)
        }
    }

    #[inline(always)]
    fn i32_to_slice(self, v: __m512i, out: &mut [i32]) {
        // SAFETY: the token proves the features; sixteen elements are there.
        unsafe { _mm512_storeu_si512(out[..16].as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn i32_from_slice(self, lanes: &[i32]) -> __m512i {
        // SAFETY: the token proves the features; sixteen elements are there.
        unsafe { _mm512_loadu_si512(lanes[..16].as_ptr().cast()) }
    }

    #[inline(always)]
    fn f32_to_slice(self, v: __m512, out: &mut [f32]) {
        // SAFETY: the token proves the features; sixteen elements are there.
        unsafe { _mm512_storeu_ps(out[..16].as_mut_ptr(), v) }
    }

    #[inline(always)]
    fn f32_from_slice(self, lanes: &[f32]) -> __m512 {
        // SAFETY: the token proves the features; sixteen elements are there.
        unsafe { _mm512_loadu_ps(lanes[..16].as_ptr()) }
    }

    #[inline(always)]
    fn load_linear_i32(self, buf: Buffer<'_>, addr: u32, mask: __mmask16) -> __m512i {
        if buf.holds(addr, 16) {
            // SAFETY: just checked.
            return unsafe { self.load_nth(buf, addr, 0) };
        }
        let (mask, base) = self.clip(buf, addr, mask);
        // SAFETY: the lanes that are on lie in the buffer, the others are not accessed.
        unsafe { _mm512_maskz_loadu_epi32(mask, base) }
    }

    #[inline(always)]
    fn store_linear_i32(self, buf: Buffer<'_>, addr: u32, mask: __mmask16, v: __m512i) {
        if self.all(mask) && buf.holds(addr, 16) {
            // SAFETY: the words are in the buffer, which its maker vouches for.
            unsafe { _mm512_storeu_si512(buf.base().add(addr as usize).cast(), v) }
        } else {
            let (mask, base) = self.clip(buf, addr, mask);
            // SAFETY: the lanes that are on lie in the buffer, the others are not accessed.
            unsafe { _mm512_mask_storeu_epi32(base, mask, v) }
        }
    }

    #[inline(always)]
    fn load_strided_i32(self, buf: Buffer<'_>, addr: u32, stride: u32, mask: __mmask16) -> __m512i {
        let near = matches!(stride, 2..=4) && buf.holds(addr, 16 * stride as usize);
        if !near {
            if stride == 1 {
                return self.load_linear_i32(buf, addr, mask);
            }
            return self.gather_i32(buf, strided(self, addr, stride), mask);
        }
        let from = strided(self, 0, stride);
        // SAFETY: the first `stride` vectors are in the buffer.
        unsafe {
            let (v0, v1) = (self.load_nth(buf, addr, 0), self.load_nth(buf, addr, 1));
            if stride == 2 {
                return self.permute2(v0, from, v1);
            }
            let v2 = self.load_nth(buf, addr, 2);
            if stride == 3 {
                // The wanted lanes of the three vectors lie at different places, and 3 l mod 16 lists them.
                let wanted = self.blend(0x4924, v1, self.blend(0x2492, v2, v0));
                return self.permute(from, wanted);
            }
            let low = self.permute2(v0, from, v1);
            let high = self.permute2(v2, from, self.load_nth(buf, addr, 3));
            self.join(self.low(low), self.low(high))
        }
    }

    #[inline(always)]
    fn store_strided_i32(
        self,
        buf: Buffer<'_>,
        addr: u32,
        stride: u32,
        mask: __mmask16,
        v: __m512i,
    ) {
        let spread: u64 = match stride {
            1 => return self.store_linear_i32(buf, addr, mask, v),
            2 => 0x5555_5555,
            4 => 0x1111_1111_1111_1111,
            _ => return self.scatter_i32(buf, strided(self, addr, stride), mask, v),
        };
        if !buf.holds(addr, 16 * stride as usize) {
            return self.scatter_i32(buf, strided(self, addr, stride), mask, v);
        }
        // SAFETY: the token proves the features, here BMI2.
        let on = unsafe { _pdep_u64(u64::from(mask), spread) };
        let mut n = 0;
        while n < stride {
            let lane = self.u32_shr(self.i32_iota(), self.u32_splat(stride.trailing_zeros()));
            let part = self.permute(self.i32_add(lane, self.u32_splat(n * 16 / stride)), v);
            let base = buf
                .base()
                .wrapping_add(addr as usize + 16 * n as usize)
                .cast();
            // SAFETY: the first `stride` vectors are in the buffer; lanes that are off are not accessed.
            unsafe { _mm512_mask_storeu_epi32(base, (on >> (16 * n)) as __mmask16, part) }
            n += 1;
        }
    }

    #[inline(always)]
    fn gather_i32(self, buf: Buffer<'_>, addr: __m512i, mask: __mmask16) -> __m512i {
        let inside = mask & self.u32_lt(addr, self.u32_splat(buf.words()));
        // SAFETY: the lanes that are on lie in the buffer, below 2^31, the others are not accessed.
        unsafe {
            _mm512_mask_i32gather_epi32::<4>(
                _mm512_setzero_si512(),
                inside,
                addr,
                buf.base().cast(),
            )
        }
    }

    // Lanes are written upwards: the instruction orders conflicting ones so.
    #[inline(always)]
    fn scatter_i32(self, buf: Buffer<'_>, addr: __m512i, mask: __mmask16, v: __m512i) {
        let inside = mask & self.u32_lt(addr, self.u32_splat(buf.words()));
        // SAFETY: the lanes that are on lie in the buffer, below 2^31, the others are not accessed.
        unsafe { _mm512_mask_i32scatter_epi32::<4>(buf.base().cast(), inside, addr, v) }
    }
}
