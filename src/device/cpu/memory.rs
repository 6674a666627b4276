//! How is main memory lent to guards and workers? One array's host storage, and a ledger of who uses which words.
//!
//! A [`Loan`] is a borrow checked when it is made: any number of shared loans, or one exclusive loan, may cover a word. A part of a
//! launch sees the whole window that is bound, but borrows only its footprint in it. The
//! scheduler orders launches so that no conflict arises; the ledger turns a mistake in it into an error instead of a data race.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;
use std::sync::Arc;

use bytemuck::Pod;
use smallvec::SmallVec;

use super::ledger::{Ledger, Lending};
use crate::lanes::Buffer;
use crate::region::Span;

/// Alignment of storage that impel allocates: a cache line, and the widest vector.
const ALIGNMENT: usize = 64;

/// Alignment up to which the system's allocator hands out pages that are zero already, instead of clearing them.
const ALIGNMENT_OF_PAGES: usize = 16;

/// The host's copy of an array.
pub(crate) struct HostMemory {
    base: NonNull<u32>,
    words: u64,
    owner: Owner,
    ledger: Ledger,
}

/// Who frees the storage.
enum Owner {
    /// [`alloc_zeroed`] with this layout.
    Allocated(Layout),
    /// An adopted `Vec`, as raw parts behind a function that knows its type.
    Adopted {
        len: usize,
        capacity: usize,
        drop: unsafe fn(NonNull<u32>, usize, usize),
        element: std::any::TypeId,
    },
    /// Nothing to free.
    Empty,
}

// SAFETY: the storage is plain words without ties to a thread, and every access goes through a `Loan`, which the ledger
// keeps exclusive of writers.
unsafe impl Send for HostMemory {}
// SAFETY: as above; the ledger is behind a mutex.
unsafe impl Sync for HostMemory {}

impl std::fmt::Debug for HostMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostMemory")
            .field("words", &self.words)
            .finish_non_exhaustive()
    }
}

/// Rebuilds and drops the `Vec<T>` that was adopted.
///
/// # Safety
/// The arguments are the raw parts of a leaked `Vec<T>`.
unsafe fn drop_vec<T>(base: NonNull<u32>, len: usize, capacity: usize) {
    // SAFETY: promised by the caller.
    drop(unsafe { Vec::from_raw_parts(base.as_ptr().cast::<T>(), len, capacity) });
}

impl HostMemory {
    /// `words` zeros at a cache line's border, or nothing if main memory is exhausted.
    pub(crate) fn zeroed(words: u64) -> Option<Self> {
        Self::zeroed_at(ALIGNMENT, words)
    }

    /// As [`zeroed`](Self::zeroed), at any border: where it is long, only what is touched takes time and memory.
    pub(crate) fn zeroed_in_part(words: u64) -> Option<Self> {
        Self::zeroed_at(ALIGNMENT_OF_PAGES, words)
    }

    fn zeroed_at(alignment: usize, words: u64) -> Option<Self> {
        if words == 0 {
            return Some(Self::new(NonNull::dangling(), 0, Owner::Empty));
        }
        let bytes = usize::try_from(words.checked_mul(4)?).ok()?;
        let layout = Layout::from_size_align(bytes, alignment).ok()?;
        // SAFETY: the layout has a size greater than zero.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) })?.cast();
        Some(Self::new(base, words, Owner::Allocated(layout)))
    }

    /// Takes over `vec` without a copy. The size of `T` is a multiple of 4 and its alignment at least 4.
    pub(crate) fn adopt<T: Pod>(vec: Vec<T>) -> Self {
        assert!(
            size_of::<T>().is_multiple_of(4) && align_of::<T>() >= 4,
            "elements are whole words"
        );
        if vec.is_empty() {
            return Self::new(NonNull::dangling(), 0, Owner::Empty);
        }
        let mut vec = std::mem::ManuallyDrop::new(vec);
        let words = (vec.len() * size_of::<T>() / 4) as u64;
        let base =
            NonNull::new(vec.as_mut_ptr().cast::<u32>()).expect("a Vec's pointer is not null");
        let element = std::any::TypeId::of::<T>();
        Self::new(
            base,
            words,
            Owner::Adopted {
                len: vec.len(),
                capacity: vec.capacity(),
                drop: drop_vec::<T>,
                element,
            },
        )
    }

    fn new(base: NonNull<u32>, words: u64, owner: Owner) -> Self {
        Self {
            base,
            words,
            owner,
            ledger: Ledger::default(),
        }
    }

    /// Size in words.
    pub(crate) fn words(&self) -> u64 {
        self.words
    }

    /// Whether it begins at a cache line's border.
    pub(crate) fn begins_at_a_cache_line(&self) -> bool {
        self.base.as_ptr().addr().is_multiple_of(ALIGNMENT)
    }

    /// Gives an adopted `Vec<T>` back without a copy; `self` again where the storage is none or is lent.
    pub(crate) fn into_vec<T: Pod>(self) -> Result<Vec<T>, Self> {
        let Owner::Adopted {
            len,
            capacity,
            element,
            ..
        } = self.owner
        else {
            return Err(self);
        };
        if element != std::any::TypeId::of::<T>() || !self.ledger.is_empty() {
            return Err(self);
        }
        let memory = std::mem::ManuallyDrop::new(self);
        // SAFETY: these are the raw parts of the `Vec<T>` that `adopt` leaked, of the same type, and `self` does not free them.
        Ok(unsafe { Vec::from_raw_parts(memory.base.as_ptr().cast::<T>(), len, capacity) })
    }

    /// Lends all words of `span`; the conflicting span if somebody has some of them already.
    ///
    /// # Panics
    /// If the span leaves the array.
    pub(crate) fn lend(self: &Arc<Self>, span: Span, lending: Lending) -> Result<Loan, Span> {
        self.lend_spans(span, &[span], lending)
    }

    /// Lends the words of `spans`, seen from the start of `window`; the conflicting span if somebody has some of them already.
    ///
    /// # Panics
    /// If a span leaves the window, or the window the array.
    pub(crate) fn lend_spans(
        self: &Arc<Self>,
        window: Span,
        spans: &[Span],
        lending: Lending,
    ) -> Result<Loan, Span> {
        assert!(
            window.lo <= window.hi && window.hi <= self.words,
            "{window} lies in {} words",
            self.words
        );
        assert!(
            spans
                .iter()
                .all(|span| window.lo <= span.lo && span.lo <= span.hi && span.hi <= window.hi),
            "spans lie in the window"
        );
        self.ledger.lend(spans, lending)?;
        Ok(Loan {
            memory: Arc::clone(self),
            window,
            spans: spans.into(),
            lending,
        })
    }
}

impl Drop for HostMemory {
    fn drop(&mut self) {
        match self.owner {
            // SAFETY: allocated in `zeroed_at` with this layout, and every loan holds an `Arc` of `self`, so none is left.
            Owner::Allocated(layout) => unsafe { dealloc(self.base.as_ptr().cast(), layout) },
            Owner::Adopted {
                len,
                capacity,
                drop,
                ..
            } => {
                // SAFETY: the raw parts of the leaked `Vec`, with the function made for its type.
                unsafe { drop(self.base, len, capacity) }
            }
            Owner::Empty => {}
        }
    }
}

/// The right to use some words of an array until dropped.
#[derive(Debug)]
pub(crate) struct Loan {
    memory: Arc<HostMemory>,
    window: Span,
    spans: SmallVec<[Span; 2]>,
    lending: Lending,
}

impl Loan {
    /// The words.
    ///
    /// # Panics
    /// If only some words of the window are lent.
    pub(crate) fn words(&self) -> &[u32] {
        self.assert_whole();
        // SAFETY: the ledger keeps writers out while this loan lives, the window lies in the storage, and words are always
        // initialised.
        unsafe { std::slice::from_raw_parts(self.start(), self.len()) }
    }

    /// The words, to be written.
    ///
    /// # Panics
    /// If the loan is shared, or covers only some words of the window.
    pub(crate) fn words_mut(&mut self) -> &mut [u32] {
        assert_eq!(
            self.lending,
            Lending::Exclusive,
            "only an exclusive loan can be written"
        );
        self.assert_whole();
        // SAFETY: as in `words`, and the ledger keeps everybody else out.
        unsafe { std::slice::from_raw_parts_mut(self.start(), self.len()) }
    }

    /// Copies words to `span`, which is counted from the array's start.
    ///
    /// # Panics
    /// If the loan is shared or does not hold all of the span.
    pub(crate) fn copy_in(&mut self, span: Span, words: &[u32]) {
        assert_eq!(
            self.lending,
            Lending::Exclusive,
            "only an exclusive loan can be written"
        );
        assert!(
            self.spans
                .iter()
                .any(|lent| lent.lo <= span.lo && span.hi <= lent.hi),
            "the words are lent"
        );
        assert_eq!(
            words.len() as u64,
            span.words(),
            "as many words as the span has"
        );
        // SAFETY: the span is lent exclusively and lies in the storage.
        let target = unsafe {
            std::slice::from_raw_parts_mut(
                self.memory.base.as_ptr().add(span.lo as usize),
                words.len(),
            )
        };
        target.copy_from_slice(words);
    }

    /// Whether nobody else may use the words meanwhile.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.lending == Lending::Exclusive
    }

    /// The words as elements.
    pub(crate) fn elements<T: Pod>(&self) -> &[T] {
        bytemuck::cast_slice(self.words())
    }

    /// The words as elements, to be written.
    pub(crate) fn elements_mut<T: Pod>(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(self.words_mut())
    }

    /// The window as a kernel sees it.
    pub(crate) fn buffer(&self) -> Buffer<'_> {
        let words = u32::try_from(self.len()).expect("arrays have less than 2^31 words");
        // SAFETY: the window lives as long as the loan. The kernel uses only the words of its footprint, which are lent: exclusively,
        // or to be read only (a shared loan is for bindings that WGSL declares `read`, which have no stores).
        unsafe { Buffer::from_raw(self.start(), words) }
    }

    /// As [`buffer`](Self::buffer), where only this thread uses the words.
    ///
    /// # Panics
    /// If the loan is shared.
    pub(crate) fn private_buffer(&self) -> Buffer<'_> {
        assert_eq!(
            self.lending,
            Lending::Exclusive,
            "only an exclusive loan is private"
        );
        // SAFETY: the ledger keeps everybody else out, and a part that runs on one thread makes this buffer once.
        unsafe { self.buffer().private() }
    }

    fn start(&self) -> *mut u32 {
        // SAFETY: the window was checked to lie in the storage.
        unsafe { self.memory.base.as_ptr().add(self.window.lo as usize) }
    }

    fn assert_whole(&self) {
        let lent: u64 = self.spans.iter().map(|span| span.words()).sum();
        assert_eq!(
            lent,
            self.window.words(),
            "all words of the window are lent"
        );
    }

    /// Number of words of the window.
    pub(crate) fn len(&self) -> usize {
        self.window.words() as usize
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.memory.ledger.take_back(&self.spans, self.lending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(lo: u64, hi: u64) -> Span {
        Span { lo, hi }
    }

    #[test]
    fn a_writer_excludes_everybody_from_its_words_only() {
        let memory = Arc::new(HostMemory::zeroed(10).unwrap());
        let mut first = memory.lend(span(0, 5), Lending::Exclusive).unwrap();
        assert_eq!(
            memory.lend(span(4, 6), Lending::Shared).unwrap_err(),
            span(0, 5)
        );
        let second = memory.lend(span(5, 10), Lending::Shared).unwrap();
        first.words_mut()[4] = 7;
        assert_eq!(second.words(), [0; 5]);
        drop(first);
        assert_eq!(
            memory.lend(span(0, 10), Lending::Shared).unwrap().words()[4],
            7
        );
    }

    #[test]
    fn an_adopted_vec_comes_back_at_the_same_address() {
        let vec = vec![[1.0f32, 2.0], [3.0, 4.0]];
        let address = vec.as_ptr();
        let memory = HostMemory::adopt(vec);
        assert_eq!(memory.words(), 4);
        let back = memory.into_vec::<[f32; 2]>().unwrap();
        assert_eq!(
            (back.as_ptr(), back.as_slice()),
            (address, [[1.0f32, 2.0], [3.0, 4.0]].as_slice())
        );
    }

    #[test]
    fn an_adopted_vec_does_not_come_back_as_another_type() {
        let memory = HostMemory::adopt(vec![1u32, 2]);
        assert!(memory.into_vec::<f32>().is_err());
    }
}
