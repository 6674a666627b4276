//! How is memory accessed one lane after the other? Gathers, scatters, private arrays and atomics for any instruction set.

use crate::buffer::{Buffer, Rmw};
use crate::isa::{Isa, LANES_MAX};

/// Addresses `addr + lane * stride`.
#[inline(always)]
pub(crate) fn strided<S: Isa>(s: S, addr: u32, stride: u32) -> S::I32 {
    s.i32_add(
        s.u32_splat(addr),
        s.i32_mul(s.i32_iota(), s.u32_splat(stride)),
    )
}

#[inline(always)]
pub(crate) fn gather<S: Isa>(s: S, buf: Buffer<'_>, addr: S::I32, mask: S::Mask) -> S::I32 {
    let (mut lanes, on) = ([0; LANES_MAX], s.mask_bits(mask));
    s.i32_to_slice(addr, &mut lanes);
    let mut l = 0;
    while l < S::LANES {
        lanes[l] = if on >> l & 1 == 1 {
            buf.load_i32(lanes[l].cast_unsigned())
        } else {
            0
        };
        l += 1;
    }
    s.i32_from_slice(&lanes)
}

#[inline(always)]
pub(crate) fn scatter<S: Isa>(s: S, buf: Buffer<'_>, addr: S::I32, mask: S::Mask, v: S::I32) {
    let (mut addrs, mut lanes) = ([0; LANES_MAX], [0; LANES_MAX]);
    s.i32_to_slice(addr, &mut addrs);
    s.i32_to_slice(v, &mut lanes);
    let mut on = s.mask_bits(mask);
    while on != 0 {
        let l = on.trailing_zeros() as usize;
        buf.store_i32(addrs[l].cast_unsigned(), lanes[l]);
        on &= on - 1;
    }
}

/// The lanes of a value, in place.
#[inline(always)]
fn words<S: Isa>(_: S, v: &S::I32) -> &[i32] {
    // SAFETY: as `Sealed` demands, the value is `LANES` words, lane 0 first.
    unsafe { core::slice::from_raw_parts((&raw const *v).cast(), S::LANES) }
}

/// The lanes of a value, in place.
#[inline(always)]
fn words_mut<S: Isa>(_: S, v: &mut S::I32) -> &mut [i32] {
    // SAFETY: as `Sealed` demands, the value is `LANES` words, lane 0 first, and any bits are a value.
    unsafe { core::slice::from_raw_parts_mut((&raw mut *v).cast(), S::LANES) }
}

#[inline(always)]
pub(crate) fn atomic_rmw<S: Isa>(
    s: S,
    buf: Buffer<'_>,
    op: Rmw,
    addr: S::I32,
    mask: S::Mask,
    v: S::I32,
) -> S::I32 {
    let mut old = s.i32_splat(0);
    let (addrs, operands, results) = (words(s, &addr), words(s, &v), words_mut(s, &mut old));
    if s.all(mask) {
        // The usual case, without looking for the next lane.
        let mut l = 0;
        while l < S::LANES {
            results[l] = buf
                .atomic_rmw(op, addrs[l].cast_unsigned(), operands[l].cast_unsigned())
                .cast_signed();
            l += 1;
        }
        return old;
    }
    let mut on = s.mask_bits(mask);
    while on != 0 {
        let l = on.trailing_zeros() as usize;
        results[l] = buf
            .atomic_rmw(op, addrs[l].cast_unsigned(), operands[l].cast_unsigned())
            .cast_signed();
        on &= on - 1;
    }
    old
}

#[inline(always)]
pub(crate) fn atomic_each<S: Isa>(
    s: S,
    buf: Buffer<'_>,
    op: Rmw,
    addr: S::I32,
    mask: S::Mask,
    v: u32,
) {
    let addrs = words(s, &addr);
    if s.all(mask) {
        let mut l = 0;
        while l < S::LANES {
            buf.atomic_rmw(op, addrs[l].cast_unsigned(), v);
            l += 1;
        }
        return;
    }
    let mut on = s.mask_bits(mask);
    while on != 0 {
        let l = on.trailing_zeros() as usize;
        buf.atomic_rmw(op, addrs[l].cast_unsigned(), v);
        on &= on - 1;
    }
}

#[inline(always)]
pub(crate) fn atomic_compare_exchange<S: Isa>(
    s: S,
    buf: Buffer<'_>,
    addr: S::I32,
    mask: S::Mask,
    compare: S::I32,
    v: S::I32,
) -> (S::I32, S::Mask) {
    let (mut addrs, mut expected, mut lanes) = ([0; LANES_MAX], [0; LANES_MAX], [0; LANES_MAX]);
    s.i32_to_slice(addr, &mut addrs);
    s.i32_to_slice(compare, &mut expected);
    s.i32_to_slice(v, &mut lanes);
    let (mut old, mut exchanged, mut on) = ([0; LANES_MAX], 0, s.mask_bits(mask));
    while on != 0 {
        let l = on.trailing_zeros() as usize;
        let (seen, done) =
            buf.atomic_compare_exchange_i32(addrs[l].cast_unsigned(), expected[l], lanes[l]);
        old[l] = seen;
        exchanged |= u64::from(done) << l;
        on &= on - 1;
    }
    (s.i32_from_slice(&old), s.mask_from_bits(exchanged))
}

/// Word of lane `l` in element `index[l]`, or an address outside of any buffer.
#[inline(always)]
fn element<S: Isa>(s: S, len: usize, index: S::I32) -> S::I32 {
    let inside = s.u32_lt(index, s.u32_splat(len as u32));
    let word = s.i32_add(s.i32_mul(index, s.i32_splat(S::LANES as i32)), s.i32_iota());
    s.i32_select(inside, word, s.i32_splat(-1))
}

/// The words of a private array of lane values, for reading.
#[inline(always)]
fn words_of<S: Isa, T>(array: &[T]) -> Buffer<'_> {
    const { assert!(size_of::<T>() == 4 * S::LANES) };
    let words =
        u32::try_from(array.len() * S::LANES).expect("a private array has fewer than 2^31 words");
    // SAFETY: a value is `LANES` words (`Sealed`), here shared with readers only, and no caller writes through the buffer.
    unsafe { Buffer::from_raw(array.as_ptr().cast_mut().cast(), words) }
}

/// The words of a private array of lane values.
#[inline(always)]
fn words_of_mut<S: Isa, T>(array: &mut [T]) -> Buffer<'_> {
    const { assert!(size_of::<T>() == 4 * S::LANES) };
    let words =
        u32::try_from(array.len() * S::LANES).expect("a private array has fewer than 2^31 words");
    // SAFETY: a value is `LANES` words of which any bits are valid (`Sealed`), and they are borrowed exclusively.
    unsafe { Buffer::from_raw(array.as_mut_ptr().cast(), words) }
}

#[inline(always)]
pub(crate) fn array_load_i32<S: Isa>(
    s: S,
    array: &[S::I32],
    index: S::I32,
    mask: S::Mask,
) -> S::I32 {
    s.gather_i32(
        words_of::<S, _>(array),
        element(s, array.len(), index),
        mask,
    )
}

#[inline(always)]
pub(crate) fn array_load_f32<S: Isa>(
    s: S,
    array: &[S::F32],
    index: S::I32,
    mask: S::Mask,
) -> S::F32 {
    s.gather_f32(
        words_of::<S, _>(array),
        element(s, array.len(), index),
        mask,
    )
}

#[inline(always)]
pub(crate) fn array_store_i32<S: Isa>(
    s: S,
    array: &mut [S::I32],
    index: S::I32,
    mask: S::Mask,
    v: S::I32,
) {
    let element = element(s, array.len(), index);
    s.scatter_i32(words_of_mut::<S, _>(array), element, mask, v);
}

#[inline(always)]
pub(crate) fn array_store_f32<S: Isa>(
    s: S,
    array: &mut [S::F32],
    index: S::I32,
    mask: S::Mask,
    v: S::F32,
) {
    let element = element(s, array.len(), index);
    s.scatter_f32(words_of_mut::<S, _>(array), element, mask, v);
}
