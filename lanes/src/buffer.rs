//! What is memory? Bounded blocks of 32-bit words: out-of-range reads give 0, out-of-range writes are dropped.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// An atomic read-modify-write operation, for [`Isa::atomic_rmw`](crate::Isa::atomic_rmw) and [`Buffer::atomic_rmw`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rmw {
    /// Wrapping sum.
    Add,
    /// Wrapping difference.
    Sub,
    /// Smaller of two signed numbers.
    MinI32,
    /// Larger of two signed numbers.
    MaxI32,
    /// Smaller of two unsigned numbers.
    MinU32,
    /// Larger of two unsigned numbers.
    MaxU32,
    /// Bits of both.
    And,
    /// Bits of either.
    Or,
    /// Bits of one but not the other.
    Xor,
    /// The new value, whatever the old one.
    Exchange,
}

impl Rmw {
    #[inline(always)]
    const fn apply(self, old: u32, v: u32) -> u32 {
        match self {
            Rmw::Add => old.wrapping_add(v),
            Rmw::Sub => old.wrapping_sub(v),
            Rmw::MinI32 => {
                if v.cast_signed() < old.cast_signed() {
                    v
                } else {
                    old
                }
            }
            Rmw::MaxI32 => {
                if v.cast_signed() > old.cast_signed() {
                    v
                } else {
                    old
                }
            }
            Rmw::MinU32 => {
                if v < old {
                    v
                } else {
                    old
                }
            }
            Rmw::MaxU32 => {
                if v > old {
                    v
                } else {
                    old
                }
            }
            Rmw::And => old & v,
            Rmw::Or => old | v,
            Rmw::Xor => old ^ v,
            Rmw::Exchange => v,
        }
    }
}

/// A block of fewer than 2^31 words of 32 bits that a kernel reads and writes. Addresses are in words.
///
/// Copies of a buffer name the same memory, as in WGSL. A buffer is neither [`Send`] nor [`Sync`]: every worker makes its own from
/// the same memory and answers for it (see [`Buffer::from_raw`]).
///
/// ```
/// use impel_lanes::Buffer;
/// let mut words = [1, 2, 3];
/// let buf = Buffer::exclusive(&mut words);
/// buf.store_u32(1, 20);
/// buf.store_u32(3, 40);
/// assert_eq!((buf.load_u32(1), buf.load_u32(3)), (20, 0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Buffer<'a> {
    base: NonNull<u32>,
    words: u32,
    private: bool,
    memory: PhantomData<&'a mut [u32]>,
}

macro_rules! atomics {
    ($($(#[$doc:meta])* $name:ident: $ty:ident = $op:ident;)*) => {
        $($(#[$doc])*
        #[inline(always)]
        pub fn $name(self, addr: u32, v: $ty) -> $ty {
            self.atomic_rmw(Rmw::$op, addr, v as u32) as $ty
        })*
    };
}

#[allow(clippy::inline_always)]
impl<'a> Buffer<'a> {
    /// Words that a buffer holds at most.
    pub const WORDS_MAX: usize = i32::MAX as usize;

    /// The words of `slice`, private to this thread while the buffer lives.
    ///
    /// # Panics
    /// If the slice is longer than [`Buffer::WORDS_MAX`].
    #[inline(always)]
    pub fn exclusive(slice: &'a mut [u32]) -> Buffer<'a> {
        assert!(
            slice.len() <= Self::WORDS_MAX,
            "a buffer holds fewer than 2^31 words, not {}",
            slice.len()
        );
        let words = slice.len() as u32;
        Buffer {
            base: NonNull::from(slice).cast(),
            words,
            private: true,
            memory: PhantomData,
        }
    }

    /// The `words` words at `base`, which other threads may hold buffers of as well.
    ///
    /// # Safety
    /// For the whole of `'a`:
    /// - `base` is aligned to 4 bytes, and valid for reads of `words` initialised words; also for writes if the kernel writes there;
    /// - no reference to a word that the kernel writes is used;
    /// - a word that one thread writes is accessed by no other thread, except that any number may use the `atomic_` methods on it.
    ///   (Vector reads may touch words next to those asked for and ignore what they find there.)
    ///
    /// # Panics
    /// If `words` is more than [`Buffer::WORDS_MAX`] or `base` is null.
    #[inline(always)]
    pub unsafe fn from_raw(base: *mut u32, words: u32) -> Buffer<'a> {
        assert!(
            words as usize <= Self::WORDS_MAX,
            "a buffer holds fewer than 2^31 words, not {words}"
        );
        let base = NonNull::new(base).expect("a buffer's base is not null");
        Buffer {
            base,
            words,
            private: false,
            memory: PhantomData,
        }
    }

    /// The same buffer with plain reads and writes for atomic operations.
    ///
    /// # Safety
    /// While the result is used, no other thread accesses these words.
    #[inline(always)]
    #[must_use]
    pub unsafe fn private(self) -> Buffer<'a> {
        Buffer {
            private: true,
            ..self
        }
    }

    /// Does only this thread access the buffer, so that atomic operations need not be atomic?
    #[inline(always)]
    pub fn is_private(self) -> bool {
        self.private
    }

    /// Asks for the cache line of the word `ahead` words behind `addr`, which need not be in the buffer. (Two numbers, which are
    /// added without wrapping: one instruction holds them both.)
    #[inline(always)]
    pub(crate) fn prefetch(self, addr: u32, ahead: usize) {
        #[cfg(target_arch = "x86_64")]
        {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let line = self
                .base
                .as_ptr()
                .wrapping_add(addr as usize)
                .wrapping_add(ahead);
            // SAFETY: a prefetch reads nothing and never faults, whatever the address is.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.cast()) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (addr, ahead);
    }

    /// Number of words.
    #[inline(always)]
    pub fn words(self) -> u32 {
        self.words
    }

    #[inline(always)]
    pub(crate) fn base(self) -> *mut u32 {
        self.base.as_ptr()
    }

    /// Is every one of the `n` words from `addr` on in the buffer?
    #[inline(always)]
    pub(crate) fn holds(self, addr: u32, n: usize) -> bool {
        // The right-hand side is the same at every turn of a loop.
        i64::from(addr) <= i64::from(self.words) - n as i64
    }

    /// The word at `addr`, or 0 outside the buffer.
    #[inline(always)]
    pub fn load_u32(self, addr: u32) -> u32 {
        if addr < self.words {
            // SAFETY: in range, and whoever made the buffer vouches for the memory.
            unsafe { self.base().add(addr as usize).read() }
        } else {
            0
        }
    }

    /// The word at `addr` as `i32`, or 0 outside the buffer.
    #[inline(always)]
    pub fn load_i32(self, addr: u32) -> i32 {
        self.load_u32(addr).cast_signed()
    }

    /// The word at `addr` as `f32`, or 0 outside the buffer.
    #[inline(always)]
    pub fn load_f32(self, addr: u32) -> f32 {
        f32::from_bits(self.load_u32(addr))
    }

    /// Writes the word at `addr`; dropped outside the buffer.
    #[inline(always)]
    pub fn store_u32(self, addr: u32, v: u32) {
        if addr < self.words {
            // SAFETY: in range, and whoever made the buffer vouches for the memory.
            unsafe { self.base().add(addr as usize).write(v) }
        }
    }

    /// Writes the word at `addr`; dropped outside the buffer.
    #[inline(always)]
    pub fn store_i32(self, addr: u32, v: i32) {
        self.store_u32(addr, v.cast_unsigned());
    }

    /// Writes the word at `addr`; dropped outside the buffer.
    #[inline(always)]
    pub fn store_f32(self, addr: u32, v: f32) {
        self.store_u32(addr, v.to_bits());
    }

    /// The word at `addr` as an atomic object.
    #[inline(always)]
    fn atomic(&self, addr: u32) -> Option<&AtomicU32> {
        // SAFETY: in range and aligned; other threads use this word atomically only, as whoever made the buffer vouches.
        (addr < self.words).then(|| unsafe { AtomicU32::from_ptr(self.base().add(addr as usize)) })
    }

    /// Replaces the word at `addr` by `op` of it and `v`; the old word, or 0 outside the buffer.
    #[inline(always)]
    pub fn atomic_rmw(self, op: Rmw, addr: u32, v: u32) -> u32 {
        if self.private {
            let old = self.load_u32(addr);
            self.store_u32(addr, op.apply(old, v));
            return old;
        }
        let Some(word) = self.atomic(addr) else {
            return 0;
        };
        match op {
            Rmw::Add => word.fetch_add(v, Relaxed),
            Rmw::Sub => word.fetch_sub(v, Relaxed),
            Rmw::MinU32 => word.fetch_min(v, Relaxed),
            Rmw::MaxU32 => word.fetch_max(v, Relaxed),
            Rmw::And => word.fetch_and(v, Relaxed),
            Rmw::Or => word.fetch_or(v, Relaxed),
            Rmw::Xor => word.fetch_xor(v, Relaxed),
            Rmw::Exchange => word.swap(v, Relaxed),
            Rmw::MinI32 | Rmw::MaxI32 => {
                let mut old = word.load(Relaxed);
                while let Err(seen) =
                    word.compare_exchange_weak(old, op.apply(old, v), Relaxed, Relaxed)
                {
                    old = seen;
                }
                old
            }
        }
    }

    atomics! {
        /// Wrapping sum; the old word.
        atomic_add_u32: u32 = Add;
        /// Wrapping sum; the old word.
        atomic_add_i32: i32 = Add;
        /// Wrapping difference; the old word.
        atomic_sub_u32: u32 = Sub;
        /// Wrapping difference; the old word.
        atomic_sub_i32: i32 = Sub;
        /// Minimum; the old word.
        atomic_min_u32: u32 = MinU32;
        /// Minimum; the old word.
        atomic_min_i32: i32 = MinI32;
        /// Maximum; the old word.
        atomic_max_u32: u32 = MaxU32;
        /// Maximum; the old word.
        atomic_max_i32: i32 = MaxI32;
        /// Bitwise and; the old word.
        atomic_and_u32: u32 = And;
        /// Bitwise and; the old word.
        atomic_and_i32: i32 = And;
        /// Bitwise or; the old word.
        atomic_or_u32: u32 = Or;
        /// Bitwise or; the old word.
        atomic_or_i32: i32 = Or;
        /// Bitwise exclusive or; the old word.
        atomic_xor_u32: u32 = Xor;
        /// Bitwise exclusive or; the old word.
        atomic_xor_i32: i32 = Xor;
        /// Replaces the word; the old word.
        atomic_exchange_u32: u32 = Exchange;
        /// Replaces the word; the old word.
        atomic_exchange_i32: i32 = Exchange;
    }

    /// The word at `addr`, or 0 outside the buffer.
    #[inline(always)]
    pub fn atomic_load_u32(self, addr: u32) -> u32 {
        if self.private {
            return self.load_u32(addr);
        }
        self.atomic(addr).map_or(0, |word| word.load(Relaxed))
    }

    /// The word at `addr`, or 0 outside the buffer.
    #[inline(always)]
    pub fn atomic_load_i32(self, addr: u32) -> i32 {
        self.atomic_load_u32(addr).cast_signed()
    }

    /// Writes the word at `addr`; dropped outside the buffer.
    #[inline(always)]
    pub fn atomic_store_u32(self, addr: u32, v: u32) {
        if self.private {
            self.store_u32(addr, v);
        } else if let Some(word) = self.atomic(addr) {
            word.store(v, Relaxed);
        }
    }

    /// Writes the word at `addr`; dropped outside the buffer.
    #[inline(always)]
    pub fn atomic_store_i32(self, addr: u32, v: i32) {
        self.atomic_store_u32(addr, v.cast_unsigned());
    }

    /// Replaces the word at `addr` by `v` if it is `compare`; the old word and whether it was replaced, 0 and `false` outside the
    /// buffer. Never fails spuriously.
    #[inline(always)]
    pub fn atomic_compare_exchange_u32(self, addr: u32, compare: u32, v: u32) -> (u32, bool) {
        if self.private {
            let old = self.load_u32(addr);
            let exchanged = addr < self.words && old == compare;
            if exchanged {
                self.store_u32(addr, v);
            }
            return (old, exchanged);
        }
        let Some(word) = self.atomic(addr) else {
            return (0, false);
        };
        match word.compare_exchange(compare, v, Relaxed, Relaxed) {
            Ok(old) => (old, true),
            Err(old) => (old, false),
        }
    }

    /// As [`Buffer::atomic_compare_exchange_u32`].
    #[inline(always)]
    pub fn atomic_compare_exchange_i32(self, addr: u32, compare: i32, v: i32) -> (i32, bool) {
        let (old, exchanged) =
            self.atomic_compare_exchange_u32(addr, compare.cast_unsigned(), v.cast_unsigned());
        (old.cast_signed(), exchanged)
    }
}
