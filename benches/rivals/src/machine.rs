//! How fast are the machine's memory and arithmetic? The physical limits that the table of results is measured against.

use std::hint::black_box;

use rayon::prelude::*;

/// Bytes that one element of `y += alpha * x` moves: two reads and a write of four bytes.
pub(crate) const SAXPY_BYTES: u64 = 12;

/// Bytes that one element of `a = b + s * c` moves: two reads and a write, without the read that fills the written line.
pub(crate) const TRIAD_BYTES: u64 = 12;

/// Floating-point operations of one call of [`fma_avx2`] or [`fma_avx512`] on one thread, a lane.
pub(crate) const FMA_OPERATIONS_A_LANE: u64 = 2 * CHAINS as u64 * STEPS as u64;

/// Independent chains of multiply-adds: more than two units with a latency of four cycles need.
const CHAINS: usize = 12;
/// Multiply-adds in a chain.
const STEPS: usize = 1_000_000;

/// `a = b + s * c`, one contiguous part a thread.
pub(crate) fn triad(s: f32, a: &mut [f32], b: &[f32], c: &[f32]) {
    let part = a.len().div_ceil(rayon::current_num_threads()).max(1);
    a.par_chunks_mut(part)
        .zip(b.par_chunks(part))
        .zip(c.par_chunks(part))
        .for_each(|((a, b), c)| {
            for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
                *a = b + s * c;
            }
        });
}

/// Runs `chains` once on every thread of the pool; what they return keeps the compiler from leaving the work out.
#[cfg(target_arch = "x86_64")]
fn on_every_thread(chains: fn() -> f32) {
    rayon::broadcast(|_| black_box(chains()));
}

/// Whether the machine has AVX2 with FMA.
pub(crate) fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    let there = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    let there = false;
    there
}

/// Whether the machine has AVX-512.
pub(crate) fn has_avx512() -> bool {
    #[cfg(target_arch = "x86_64")]
    let there = is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    let there = false;
    there
}

/// Multiply-adds on 8 lanes of f32 on every thread.
///
/// # Panics
/// Where the machine has no AVX2 with FMA.
pub(crate) fn fma_avx2() {
    assert!(has_avx2(), "the machine has no AVX2 with FMA");
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the features that the function is compiled for were detected just above.
    on_every_thread(|| unsafe { x86::chains_avx2() });
}

/// Multiply-adds on 16 lanes of f32 on every thread.
///
/// # Panics
/// Where the machine has no AVX-512.
pub(crate) fn fma_avx512() {
    assert!(has_avx512(), "the machine has no AVX-512");
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the feature that the function is compiled for was detected just above.
    on_every_thread(|| unsafe { x86::chains_avx512() });
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        _mm256_add_ps, _mm256_cvtss_f32, _mm256_fmadd_ps, _mm256_set1_ps, _mm512_add_ps,
        _mm512_cvtss_f32, _mm512_fmadd_ps, _mm512_set1_ps,
    };
    use std::hint::black_box;

    use super::{CHAINS, STEPS};

    /// Chains of `v = v * factor + addend` on 8 lanes; the constants are opaque, so that nothing is known ahead.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn chains_avx2() -> f32 {
        let factor = _mm256_set1_ps(black_box(0.5));
        let addend = _mm256_set1_ps(black_box(1.0));
        let mut chains = [_mm256_set1_ps(black_box(0.0)); CHAINS];
        for _ in 0..STEPS {
            for chain in &mut chains {
                *chain = _mm256_fmadd_ps(*chain, factor, addend);
            }
        }
        let total = chains
            .into_iter()
            .fold(_mm256_set1_ps(0.0), |total, chain| {
                _mm256_add_ps(total, chain)
            });
        _mm256_cvtss_f32(total)
    }

    /// The same on 16 lanes.
    #[target_feature(enable = "avx512f")]
    pub(super) fn chains_avx512() -> f32 {
        let factor = _mm512_set1_ps(black_box(0.5));
        let addend = _mm512_set1_ps(black_box(1.0));
        let mut chains = [_mm512_set1_ps(black_box(0.0)); CHAINS];
        for _ in 0..STEPS {
            for chain in &mut chains {
                *chain = _mm512_fmadd_ps(*chain, factor, addend);
            }
        }
        let total = chains
            .into_iter()
            .fold(_mm512_set1_ps(0.0), |total, chain| {
                _mm512_add_ps(total, chain)
            });
        _mm512_cvtss_f32(total)
    }
}
