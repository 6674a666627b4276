//! How does AVX2 with FMA carry out the operations? Eight lanes, a mask is a vector of all ones and zeros.

#![allow(
    clippy::wildcard_imports,
    reason = "a hundred intrinsics, told by their prefix"
)]
#![allow(clippy::unused_self, reason = "the token witnesses the features")]

use std::arch::x86_64::*;

use crate::body::{Body, Launch, Tile, align_frame};
use crate::buffer::Buffer;
use crate::by_lane::strided;
use crate::isa::{Isa, sealed::Sealed};
use crate::single::Single;

/// Eight lanes of AVX2. That the value exists is the proof that this machine has AVX2, FMA, BMI1, BMI2, LZCNT and POPCNT.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

impl Avx2 {
    /// The token, if this machine has the instructions.
    #[must_use]
    pub fn detect() -> Option<Avx2> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        has.then_some(Avx2(()))
    }
}

/// Runs `body` with the instructions of AVX2, on one lane if it can use fewer than eight.
pub(crate) fn enter<B: Body>(s: Avx2, body: &B, launch: &Launch<'_>, tile: Tile) {
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,lzcnt,popcnt")]
    fn with_features<B: Body, S: Isa>(s: S, body: &B, launch: &Launch<'_>, tile: Tile) {
        align_frame();
        body.run(s, launch, tile);
    }
    // SAFETY: the token proves the features.
    unsafe {
        if B::LANES_MAX >= Avx2::LANES {
            with_features(s, body, launch, tile);
        } else {
            with_features(Single, body, launch, tile);
        }
    }
}

// SAFETY: vectors of eight words.
unsafe impl Sealed for Avx2 {}

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

impl Avx2 {
    define! { self:
        mask(m: __m256) -> __m256i = _mm256_castps_si256(m);
        float(v: __m256i) -> __m256 = _mm256_castsi256_ps(v);
        low(a: __m256i) -> __m128i = _mm256_castsi256_si128(a);
        high(a: __m256i) -> __m128i = _mm256_extracti128_si256::<1>(a);
        join(low: __m128i, high: __m128i) -> __m256i = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high);
        flip_sign(a: __m256i) -> __m256i = _mm256_xor_si256(a, _mm256_set1_epi32(i32::MIN));
        shift(b: __m256i) -> __m256i = _mm256_and_si256(b, _mm256_set1_epi32(31));
        one_for_zero(b: __m256i) -> __m256i = _mm256_sub_epi32(b, _mm256_cmpeq_epi32(b, _mm256_setzero_si256()));
        i32_div_half(a: __m128i, b: __m128i) -> __m128i =
            _mm256_cvttpd_epi32(_mm256_div_pd(_mm256_cvtepi32_pd(a), _mm256_cvtepi32_pd(b)));
        sign_of(a: __m256i) -> __m256i = _mm256_srai_epi32::<31>(a);
        permute(lanes: __m256i, from: __m256i) -> __m256i = _mm256_permutevar8x32_epi32(from, lanes);
    }

    /// Unsigned numbers as doubles: with the sign bit flipped they are 2^31 below.
    #[inline(always)]
    fn f64_from_u32(self, a: __m128i) -> __m256d {
        // SAFETY: the token proves the features, and nothing but registers is touched.
        unsafe {
            let below = _mm256_cvtepi32_pd(_mm_xor_si128(a, _mm_set1_epi32(i32::MIN)));
            _mm256_add_pd(below, _mm256_set1_pd(2_147_483_648.0))
        }
    }

    #[inline(always)]
    fn u32_div_half(self, a: __m128i, b: __m128i) -> __m128i {
        // SAFETY: the token proves the features, and nothing but registers is touched.
        unsafe {
            let quotient =
                _mm256_floor_pd(_mm256_div_pd(self.f64_from_u32(a), self.f64_from_u32(b)));
            let below = _mm256_sub_pd(quotient, _mm256_set1_pd(2_147_483_648.0));
            _mm_xor_si128(_mm256_cvttpd_epi32(below), _mm_set1_epi32(i32::MIN))
        }
    }

    /// The lanes of a linear access that are on and in the buffer, and the address of lane 0, which may lie outside of it.
    #[inline(always)]
    fn clip(self, buf: Buffer<'_>, addr: u32, mask: __m256i) -> (__m256i, *mut i32) {
        let inside = self.u32_lt(strided(self, addr, 1), self.u32_splat(buf.words()));
        (
            self.mask_and(mask, inside),
            buf.base()
                .wrapping_offset(addr.cast_signed() as isize)
                .cast(),
        )
    }

    /// Eight words from `addr + 8 * n` on.
    ///
    /// # Safety
    /// `buf.holds(addr, 8 * (n + 1))`.
    #[inline(always)]
    unsafe fn load_nth(self, buf: Buffer<'_>, addr: u32, n: usize) -> __m256i {
        // SAFETY: the words are in the buffer, as the caller vouches, and readable, as the buffer's maker vouches.
        unsafe { _mm256_loadu_si256(buf.base().add(addr as usize + 8 * n).cast()) }
    }
}

#[allow(clippy::inline_always)]
impl Isa for Avx2 {
    const LANES: usize = 8;
    type F32 = __m256;
    type I32 = __m256i;
    type Mask = __m256i;

    define! { self:
        mask_splat(value: bool) -> __m256i = _mm256_set1_epi32(if value { -1 } else { 0 });
        any(m: __m256i) -> bool = _mm256_movemask_ps(self.float(m)) != 0;
        all(m: __m256i) -> bool = _mm256_movemask_ps(self.float(m)) == 0xFF;
        mask_bits(m: __m256i) -> u64 = u64::from(_mm256_movemask_ps(self.float(m)).cast_unsigned());
        first_lanes(n: u32) -> __m256i = _mm256_cmpgt_epi32(_mm256_set1_epi32(n.min(8) as i32), self.i32_iota());
        f32_splat(value: f32) -> __m256 = _mm256_set1_ps(value);
        i32_splat(value: i32) -> __m256i = _mm256_set1_epi32(value);
        i32_iota() -> __m256i = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        uniform_contract(a: f32, b: f32, c: f32) -> f32 = a.mul_add(b, c);

        mask_and(a: __m256i, b: __m256i) -> __m256i = _mm256_and_si256(a, b);
        mask_or(a: __m256i, b: __m256i) -> __m256i = _mm256_or_si256(a, b);
        mask_xor(a: __m256i, b: __m256i) -> __m256i = _mm256_xor_si256(a, b);
        mask_not(a: __m256i) -> __m256i = _mm256_xor_si256(a, _mm256_set1_epi32(-1));
        mask_and_not(a: __m256i, b: __m256i) -> __m256i = _mm256_andnot_si256(b, a);

        f32_add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
        f32_sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
        f32_mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
        f32_div(a: __m256, b: __m256) -> __m256 = _mm256_div_ps(a, b);
        f32_neg(a: __m256) -> __m256 = _mm256_xor_ps(a, _mm256_set1_ps(-0.0));
        f32_abs(a: __m256) -> __m256 = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
        f32_min(a: __m256, b: __m256) -> __m256 = _mm256_min_ps(b, a);
        f32_max(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(b, a);
        f32_mul_add(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
        f32_contract(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
        f32_lt(a: __m256, b: __m256) -> __m256i = self.mask(_mm256_cmp_ps::<_CMP_LT_OQ>(a, b));
        f32_le(a: __m256, b: __m256) -> __m256i = self.mask(_mm256_cmp_ps::<_CMP_LE_OQ>(a, b));
        f32_gt(a: __m256, b: __m256) -> __m256i = self.mask(_mm256_cmp_ps::<_CMP_GT_OQ>(a, b));
        f32_ge(a: __m256, b: __m256) -> __m256i = self.mask(_mm256_cmp_ps::<_CMP_GE_OQ>(a, b));
        f32_eq(a: __m256, b: __m256) -> __m256i = self.mask(_mm256_cmp_ps::<_CMP_EQ_OQ>(a, b));
        f32_ne(a: __m256, b: __m256) -> __m256i = self.mask(_mm256_cmp_ps::<_CMP_NEQ_UQ>(a, b));
        f32_select(m: __m256i, a: __m256, b: __m256) -> __m256 = _mm256_blendv_ps(b, a, self.float(m));
        f32_sqrt(a: __m256) -> __m256 = _mm256_sqrt_ps(a);
        f32_floor(a: __m256) -> __m256 = _mm256_round_ps::<DOWN>(a);
        f32_ceil(a: __m256) -> __m256 = _mm256_round_ps::<UP>(a);
        f32_round(a: __m256) -> __m256 = _mm256_round_ps::<NEAREST>(a);
        f32_trunc(a: __m256) -> __m256 = _mm256_round_ps::<TO_ZERO>(a);

        i32_add(a: __m256i, b: __m256i) -> __m256i = _mm256_add_epi32(a, b);
        i32_sub(a: __m256i, b: __m256i) -> __m256i = _mm256_sub_epi32(a, b);
        i32_mul(a: __m256i, b: __m256i) -> __m256i = _mm256_mullo_epi32(a, b);
        i32_and(a: __m256i, b: __m256i) -> __m256i = _mm256_and_si256(a, b);
        i32_or(a: __m256i, b: __m256i) -> __m256i = _mm256_or_si256(a, b);
        i32_xor(a: __m256i, b: __m256i) -> __m256i = _mm256_xor_si256(a, b);
        i32_shl(a: __m256i, b: __m256i) -> __m256i = _mm256_sllv_epi32(a, self.shift(b));
        i32_shr(a: __m256i, b: __m256i) -> __m256i = _mm256_srav_epi32(a, self.shift(b));
        u32_shr(a: __m256i, b: __m256i) -> __m256i = _mm256_srlv_epi32(a, self.shift(b));
        i32_min(a: __m256i, b: __m256i) -> __m256i = _mm256_min_epi32(a, b);
        i32_max(a: __m256i, b: __m256i) -> __m256i = _mm256_max_epi32(a, b);
        u32_min(a: __m256i, b: __m256i) -> __m256i = _mm256_min_epu32(a, b);
        u32_max(a: __m256i, b: __m256i) -> __m256i = _mm256_max_epu32(a, b);
        i32_lt(a: __m256i, b: __m256i) -> __m256i = _mm256_cmpgt_epi32(b, a);
        i32_le(a: __m256i, b: __m256i) -> __m256i = self.mask_not(_mm256_cmpgt_epi32(a, b));
        i32_gt(a: __m256i, b: __m256i) -> __m256i = _mm256_cmpgt_epi32(a, b);
        i32_ge(a: __m256i, b: __m256i) -> __m256i = self.mask_not(_mm256_cmpgt_epi32(b, a));
        u32_lt(a: __m256i, b: __m256i) -> __m256i = _mm256_cmpgt_epi32(self.flip_sign(b), self.flip_sign(a));
        u32_le(a: __m256i, b: __m256i) -> __m256i = _mm256_cmpeq_epi32(_mm256_min_epu32(a, b), a);
        u32_gt(a: __m256i, b: __m256i) -> __m256i = _mm256_cmpgt_epi32(self.flip_sign(a), self.flip_sign(b));
        u32_ge(a: __m256i, b: __m256i) -> __m256i = _mm256_cmpeq_epi32(_mm256_max_epu32(a, b), a);
        i32_eq(a: __m256i, b: __m256i) -> __m256i = _mm256_cmpeq_epi32(a, b);
        i32_ne(a: __m256i, b: __m256i) -> __m256i = self.mask_not(_mm256_cmpeq_epi32(a, b));
        i32_select(m: __m256i, a: __m256i, b: __m256i) -> __m256i = _mm256_blendv_epi8(b, a, m);
        i32_abs(a: __m256i) -> __m256i = _mm256_abs_epi32(a);

        f32_from_i32(a: __m256i) -> __m256 = _mm256_cvtepi32_ps(a);
        f32_bits(a: __m256) -> __m256i = _mm256_castps_si256(a);
        f32_from_bits(a: __m256i) -> __m256 = _mm256_castsi256_ps(a);
    }

    #[inline(always)]
    fn mask_from_bits(self, bits: u64) -> __m256i {
        let bit = self.i32_shl(self.i32_splat(1), self.i32_iota());
        self.i32_eq(self.i32_and(self.i32_splat(bits as i32), bit), bit)
    }

    // Both halves of a word are exact as floats, and one fused operation joins them with one rounding.
    #[inline(always)]
    fn f32_from_u32(self, a: __m256i) -> __m256 {
        // SAFETY: the token proves the features, and nothing but registers is touched.
        unsafe {
            let high = _mm256_cvtepi32_ps(_mm256_srli_epi32::<16>(a));
            let low = _mm256_cvtepi32_ps(_mm256_and_si256(a, _mm256_set1_epi32(0xFFFF)));
            _mm256_fmadd_ps(high, _mm256_set1_ps(65536.0), low)
        }
    }

    // The instruction gives the smallest integer for whatever does not fit; flipping all bits makes the largest of it.
    #[inline(always)]
    fn i32_from_f32(self, a: __m256) -> __m256i {
        let too_large = self.f32_ge(a, self.f32_splat(2_147_483_648.0));
        let number = self.f32_eq(a, a);
        // SAFETY: the token proves the features, and nothing but registers is touched.
        unsafe {
            let converted = _mm256_cvttps_epi32(a);
            _mm256_and_si256(_mm256_xor_si256(converted, too_large), number)
        }
    }

    // Numbers from 2^31 on are converted 2^31 below, where doing so is exact.
    #[inline(always)]
    fn u32_from_f32(self, a: __m256) -> __m256i {
        let half = self.f32_splat(2_147_483_648.0);
        // SAFETY: the token proves the features, and nothing but registers is touched.
        unsafe {
            let positive = _mm256_max_ps(a, _mm256_setzero_ps());
            let large = self.f32_ge(positive, half);
            let low = _mm256_cvttps_epi32(_mm256_sub_ps(
                positive,
                _mm256_and_ps(self.float(large), half),
            ));
            let sum = _mm256_xor_si256(low, _mm256_and_si256(large, _mm256_set1_epi32(i32::MIN)));
            let too_large = self.f32_ge(positive, self.f32_splat(4_294_967_296.0));
            _mm256_or_si256(sum, too_large)
        }
    }

    // A double holds both operands, and its 53 bits tell a quotient of theirs from the next integer.
    #[inline(always)]
    fn i32_div(self, a: __m256i, b: __m256i) -> __m256i {
        let b = self.one_for_zero(b);
        let low = self.i32_div_half(self.low(a), self.low(b));
        self.join(low, self.i32_div_half(self.high(a), self.high(b)))
    }

    #[inline(always)]
    fn u32_div(self, a: __m256i, b: __m256i) -> __m256i {
        let b = self.one_for_zero(b);
        let low = self.u32_div_half(self.low(a), self.low(b));
        self.join(low, self.u32_div_half(self.high(a), self.high(b)))
    }

    // The exponent of the nearest float below, which clearing the bits under the top one makes sure of.
    #[inline(always)]
    fn i32_count_leading_zeros(self, a: __m256i) -> __m256i {
        // SAFETY: the token proves the features, and nothing but registers is touched.
        unsafe {
            let top = _mm256_andnot_si256(_mm256_srli_epi32::<1>(a), a);
            let exponent = _mm256_srli_epi32::<23>(_mm256_castps_si256(_mm256_cvtepi32_ps(top)));
            let zeros = _mm256_sub_epi32(_mm256_set1_epi32(158), exponent);
            // Zero has exponent 0; a set top bit makes the float negative.
            let at_most = _mm256_min_epi32(zeros, _mm256_set1_epi32(32));
            _mm256_andnot_si256(self.sign_of(a), at_most)
        }
    }

    // A step of third order on the estimate's 12 bits, its residual fused. Where the estimate is 0 or infinite the residual is no
    // number near 0, and the estimate stays.
    #[inline(always)]
    fn f32_inverse_sqrt(self, a: __m256) -> __m256 {
        // SAFETY: the token proves the features, and nothing but registers is touched.
        unsafe {
            let y = _mm256_rsqrt_ps(a);
            let residual = _mm256_fnmadd_ps(_mm256_mul_ps(a, y), y, _mm256_set1_ps(1.0));
            let step = _mm256_fmadd_ps(residual, _mm256_set1_ps(0.375), _mm256_set1_ps(0.5));
            let refined = _mm256_fmadd_ps(_mm256_mul_ps(y, residual), step, y);
            let near = _mm256_cmp_ps::<_CMP_GT_OQ>(residual, _mm256_set1_ps(-1.0));
            _mm256_blendv_ps(y, refined, near)
        }
    }

    #[inline(always)]
    fn i32_to_slice(self, v: __m256i, out: &mut [i32]) {
        // SAFETY: the token proves the features; eight elements are there.
        unsafe { _mm256_storeu_si256(out[..8].as_mut_ptr().cast(), v) }
    }

    #[inline(always)]
    fn i32_from_slice(self, lanes: &[i32]) -> __m256i {
        // SAFETY: the token proves the features; eight elements are there.
        unsafe { _mm256_loadu_si256(lanes[..8].as_ptr().cast()) }
    }

    #[inline(always)]
    fn f32_to_slice(self, v: __m256, out: &mut [f32]) {
        // SAFETY: the token proves the features; eight elements are there.
        unsafe { _mm256_storeu_ps(out[..8].as_mut_ptr(), v) }
    }

    #[inline(always)]
    fn f32_from_slice(self, lanes: &[f32]) -> __m256 {
        // SAFETY: the token proves the features; eight elements are there.
        unsafe { _mm256_loadu_ps(lanes[..8].as_ptr()) }
    }

    #[inline(always)]
    fn load_linear_i32(self, buf: Buffer<'_>, addr: u32, mask: __m256i) -> __m256i {
        if buf.holds(addr, 8) {
            // SAFETY: just checked.
            return unsafe { self.load_nth(buf, addr, 0) };
        }
        let (mask, base) = self.clip(buf, addr, mask);
        // SAFETY: the lanes that are on lie in the buffer, the others are not accessed.
        unsafe { _mm256_maskload_epi32(base, mask) }
    }

    #[inline(always)]
    fn store_linear_i32(self, buf: Buffer<'_>, addr: u32, mask: __m256i, v: __m256i) {
        if self.all(mask) && buf.holds(addr, 8) {
            // SAFETY: the words are in the buffer, which its maker vouches for.
            unsafe { _mm256_storeu_si256(buf.base().add(addr as usize).cast(), v) }
        } else {
            let (mask, base) = self.clip(buf, addr, mask);
            // SAFETY: the lanes that are on lie in the buffer, the others are not accessed.
            unsafe { _mm256_maskstore_epi32(base, mask, v) }
        }
    }

    #[inline(always)]
    fn load_strided_i32(self, buf: Buffer<'_>, addr: u32, stride: u32, mask: __m256i) -> __m256i {
        let near = matches!(stride, 2..=4) && buf.holds(addr, 8 * stride as usize);
        if !near {
            if stride == 1 {
                return self.load_linear_i32(buf, addr, mask);
            }
            return self.gather_i32(buf, strided(self, addr, stride), mask);
        }
        // SAFETY: the first `stride` vectors are in the buffer, and the token proves the features.
        unsafe {
            let (v0, v1) = (self.load_nth(buf, addr, 0), self.load_nth(buf, addr, 1));
            if stride == 2 {
                let pairs = self.f32_bits(_mm256_shuffle_ps::<0b10_00_10_00>(
                    self.float(v0),
                    self.float(v1),
                ));
                return _mm256_permute4x64_epi64::<0b11_01_10_00>(pairs);
            }
            let v2 = self.load_nth(buf, addr, 2);
            if stride == 3 {
                // The wanted lanes of the three vectors lie at different places, and 3 l mod 8 lists them.
                let wanted = _mm256_blend_epi32::<0b0010_0100>(
                    _mm256_blend_epi32::<0b1001_0010>(v0, v1),
                    v2,
                );
                return self.permute(_mm256_setr_epi32(0, 3, 6, 1, 4, 7, 2, 5), wanted);
            }
            let v3 = self.load_nth(buf, addr, 3);
            let v01 = _mm256_shuffle_ps::<0>(self.float(v0), self.float(v1));
            let v23 = _mm256_shuffle_ps::<0>(self.float(v2), self.float(v3));
            let wanted = self.f32_bits(_mm256_shuffle_ps::<0b10_00_10_00>(v01, v23));
            self.permute(_mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7), wanted)
        }
    }

    #[inline(always)]
    fn gather_i32(self, buf: Buffer<'_>, addr: __m256i, mask: __m256i) -> __m256i {
        let inside = self.mask_and(mask, self.u32_lt(addr, self.u32_splat(buf.words())));
        // SAFETY: the lanes that are on lie in the buffer, below 2^31, the others are not accessed.
        unsafe {
            _mm256_mask_i32gather_epi32::<4>(
                _mm256_setzero_si256(),
                buf.base().cast(),
                addr,
                inside,
            )
        }
    }
}
