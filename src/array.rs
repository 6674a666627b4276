//! What is computed on? Arrays that live wherever they were last written, and come home only when and as far as they are read.

mod placement;

pub(crate) use placement::{Placed, Placement};

use std::any::Any;
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::ops::{Bound, Deref, DerefMut, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use bytemuck::Pod;

use crate::device::cpu::{HostMemory, Lending, Loan};
use crate::error::ArrayError;
use crate::execute::Shared;
use crate::graph::{Access, ArrayId};
use crate::region::{Span, SpanSet};
use crate::trace::{ArrayNo, Event};

/// Most words of an array: kernels index with 32 bits.
const WORDS_MAX: u64 = i32::MAX as u64;

/// What an [`Array`] can hold: any [`Pod`] type that consists of whole, aligned 32-bit words, as all WGSL types in buffers do.
pub trait Element: Pod {
    #[doc(hidden)]
    const WORDS: u64 = {
        assert!(
            size_of::<Self>() > 0 && size_of::<Self>().is_multiple_of(4),
            "an element is a whole number of 32-bit words"
        );
        assert!(align_of::<Self>() >= 4, "an element is aligned to 4 bytes");
        (size_of::<Self>() / 4) as u64
    };
}

impl<T: Pod> Element for T {}

/// An array of `T` that kernels read and write on any device.
///
/// It is a handle: [`Runtime`](crate::Runtime) keeps track of which memory holds which part of it. Reading and writing from the host
/// wait for the launches that they depend on, and move only the bytes asked for.
#[derive(Debug)]
pub struct Array<T: Element> {
    core: Arc<ArrayCore>,
    element: PhantomData<fn() -> T>,
}

/// What all handles of an array share.
#[derive(Debug)]
pub struct ArrayCore {
    id: ArrayId,
    shared: Arc<Shared>,
    host: Arc<HostMemory>,
    placement: Mutex<Placement>,
}

impl ArrayCore {
    pub(crate) fn new(shared: &Arc<Shared>, host: HostMemory) -> Arc<Self> {
        let placement = Placement::at_home(host.words());
        let (id, shared) = (shared.next_array(), Arc::clone(shared));
        shared.trace.record(|| Event::ArrayMade {
            array: ArrayNo(id.0),
            words: host.words(),
        });
        Arc::new(Self {
            id,
            shared,
            host: Arc::new(host),
            placement: Mutex::new(placement),
        })
    }

    pub(crate) fn id(&self) -> ArrayId {
        self.id
    }

    pub(crate) fn runtime_id(&self) -> u64 {
        self.shared.id()
    }

    pub(crate) fn words(&self) -> u64 {
        self.host.words()
    }

    /// Whether it begins at a cache line's border of main memory.
    pub(crate) fn begins_at_a_cache_line(&self) -> bool {
        self.host.begins_at_a_cache_line()
    }

    pub(crate) fn placement(&self) -> MutexGuard<'_, Placement> {
        self.placement
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The placement, unless another thread has it.
    pub(crate) fn try_placement(&self) -> Option<MutexGuard<'_, Placement>> {
        match self.placement.try_lock() {
            Ok(placement) => Some(placement),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Lends host words; an error if a guard or launch has them.
    pub(crate) fn lend(&self, span: Span, lending: Lending) -> Result<Loan, ArrayError> {
        let busy = |held: Span| ArrayError::Busy {
            lo: held.lo,
            hi: held.hi,
            by: "a guard or a launch".to_owned(),
        };
        self.host.lend(span, lending).map_err(busy)
    }

    /// Lends some host words of a window; an error if a guard or launch has them.
    pub(crate) fn lend_spans(
        &self,
        window: Span,
        spans: &[Span],
        lending: Lending,
    ) -> Result<Loan, ArrayError> {
        let busy = |held: Span| ArrayError::Busy {
            lo: held.lo,
            hi: held.hi,
            by: "a guard or a launch".to_owned(),
        };
        self.host.lend_spans(window, spans, lending).map_err(busy)
    }

    /// Waits for earlier launches, brings the words home and lends them.
    fn host_words(&self, span: Span, lending: Lending) -> Result<Loan, ArrayError> {
        let write = lending == Lending::Exclusive;
        self.shared.wait_to_read(&Access {
            array: self.id,
            span,
            write,
        });
        self.shared.bring_home(self, span)?;
        let _loans = self.shared.loans();
        let (mut placement, loan) = self.lend_settled(span, lending)?;
        self.shared.record_host_read(self, span);
        if write {
            placement.written(span);
            self.shared.log_host_write(self, span);
            self.shared.record_host_write(self, span);
        }
        Ok(loan)
    }

    /// Waits for earlier launches and lends the words, which are about to be overwritten.
    fn host_words_overwritten(&self, span: Span) -> Result<Loan, ArrayError> {
        self.shared.wait_for(&Access {
            array: self.id,
            span,
            write: true,
        });
        let _loans = self.shared.loans();
        let (mut placement, loan) = self.lend_settled(span, Lending::Exclusive)?;
        placement.written(span);
        self.shared.log_host_write(self, span);
        self.shared.record_host_write(self, span);
        Ok(loan)
    }

    /// Lends words with the placement locked: copies under way may hold words between those that they are for.
    fn lend_settled(
        &self,
        span: Span,
        lending: Lending,
    ) -> Result<(MutexGuard<'_, Placement>, Loan), ArrayError> {
        let placement = self.placement();
        if lending == Lending::Exclusive {
            self.shared.before_overwrite(self, &SpanSet::from(span))?;
        }
        let loan = self.lend(span, lending)?;
        Ok((placement, loan))
    }
}

/// An array whatever its elements are.
pub(crate) trait ErasedArray: Any {
    fn core(&self) -> &Arc<ArrayCore>;

    /// Makes it another array of the same elements and length.
    fn set_core(&mut self, core: Arc<ArrayCore>);
}

impl<T: Element> ErasedArray for Array<T> {
    fn core(&self) -> &Arc<ArrayCore> {
        &self.core
    }

    fn set_core(&mut self, core: Arc<ArrayCore>) {
        self.core = core;
    }
}

impl<T: Element> Array<T> {
    pub(crate) fn zeroed(shared: &Arc<Shared>, len: usize) -> Result<Self, ArrayError> {
        let words = Self::words_of(len)?;
        let host = HostMemory::zeroed(words).ok_or(ArrayError::OutOfMemory { bytes: words * 4 })?;
        Ok(Self {
            core: ArrayCore::new(shared, host),
            element: PhantomData,
        })
    }

    pub(crate) fn adopt(shared: &Arc<Shared>, vec: Vec<T>) -> Result<Self, ArrayError> {
        Self::words_of(vec.len())?;
        Ok(Self {
            core: ArrayCore::new(shared, HostMemory::adopt(vec)),
            element: PhantomData,
        })
    }

    fn words_of(len: usize) -> Result<u64, ArrayError> {
        let words = (len as u64)
            .checked_mul(T::WORDS)
            .filter(|&words| words <= WORDS_MAX);
        words.ok_or(ArrayError::TooLarge {
            elements: len,
            element_bytes: size_of::<T>(),
        })
    }

    pub(crate) fn core_ref(&self) -> &Arc<ArrayCore> {
        &self.core
    }

    pub(crate) fn span(&self) -> Span {
        Span {
            lo: 0,
            hi: self.core.words(),
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        (self.core.words() / T::WORDS) as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All elements. Waits for the launches that write the array and brings home what is missing.
    ///
    /// # Errors
    /// [`ArrayError::Failed`] if such a launch failed, [`ArrayError::Lost`] if the content was lost with a GPU.
    pub fn read(&self) -> Result<ReadGuard<'_, T>, ArrayError> {
        self.view(..)?.read()
    }

    /// Some elements: only these come home.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`ArrayError::Range`] if the range leaves the array.
    pub fn read_range(
        &self,
        range: impl RangeBounds<usize>,
    ) -> Result<ReadGuard<'_, T>, ArrayError> {
        self.view(range)?.read()
    }

    /// All elements, once they are there, without blocking a thread on the launches before.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn read_async(&self) -> Result<ReadGuard<'_, T>, ArrayError> {
        let access = Access {
            array: self.core.id,
            span: self.span(),
            write: false,
        };
        self.core.shared.fetch(Arc::clone(&self.core), access).await;
        self.read()
    }

    /// A copy of all elements.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn to_vec(&self) -> Result<Vec<T>, ArrayError> {
        Ok(self.read()?.to_vec())
    }

    /// The elements as a `Vec`: the adopted one where the array was made from a `Vec`, without a copy.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn into_vec(self) -> Result<Vec<T>, ArrayError> {
        self.core.shared.wait_to_read(&Access {
            array: self.core.id,
            span: self.span(),
            write: true,
        });
        drop(self.read()?);
        let host = match Arc::try_unwrap(self.core) {
            Ok(core) => core.host,
            Err(core) => Arc::clone(&core.host),
        };
        let host = match Arc::try_unwrap(host).map(HostMemory::into_vec::<T>) {
            Ok(Ok(vec)) => return Ok(vec),
            Ok(Err(host)) => Arc::new(host),
            Err(host) => host,
        };
        let all = Span {
            lo: 0,
            hi: host.words(),
        };
        let busy = |held: Span| ArrayError::Busy {
            lo: held.lo,
            hi: held.hi,
            by: "a guard or a launch".to_owned(),
        };
        Ok(host
            .lend(all, Lending::Shared)
            .map_err(busy)?
            .elements()
            .to_vec())
    }

    /// All elements, to be changed in place. Waits for the launches that use the array and brings home what is missing.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn write(&mut self) -> Result<WriteGuard<'_, T>, ArrayError> {
        self.view_mut(..)?.into_write()
    }

    /// Some elements, to be changed in place.
    ///
    /// # Errors
    /// As [`read_range`](Self::read_range).
    pub fn write_range(
        &mut self,
        range: impl RangeBounds<usize>,
    ) -> Result<WriteGuard<'_, T>, ArrayError> {
        self.view_mut(range)?.into_write()
    }

    /// Overwrites the elements from `start` on; nothing needs to come home for it.
    ///
    /// # Errors
    /// [`ArrayError::Range`] if they do not fit.
    pub fn copy_from_slice(&mut self, start: usize, elements: &[T]) -> Result<(), ArrayError> {
        let end = start.saturating_add(elements.len());
        let span = self.elements(start, end)?;
        let mut loan = self.core.host_words_overwritten(span)?;
        loan.elements_mut::<T>().copy_from_slice(elements);
        Ok(())
    }

    /// A part of the array as an argument of a kernel.
    ///
    /// # Errors
    /// [`ArrayError::Range`] if the range leaves the array.
    pub fn view(&self, range: impl RangeBounds<usize>) -> Result<View<'_, T>, ArrayError> {
        View::of(&self.core, range)
    }

    /// A part of the array as an argument that a kernel writes.
    ///
    /// # Errors
    /// [`ArrayError::Range`] if the range leaves the array.
    pub fn view_mut(
        &mut self,
        range: impl RangeBounds<usize>,
    ) -> Result<ViewMut<'_, T>, ArrayError> {
        ViewMut::of(&self.core, range)
    }

    /// Two disjoint parts, the second starting at element `middle`, that launches may use at the same time.
    ///
    /// # Errors
    /// [`ArrayError::Range`] if `middle` is past the end.
    pub fn split_at_mut(
        &mut self,
        middle: usize,
    ) -> Result<(ViewMut<'_, T>, ViewMut<'_, T>), ArrayError> {
        let first = self.elements(0, middle)?;
        let second = self.elements(middle, self.len())?;
        let part = |span| ViewMut {
            core: &self.core,
            span,
            element: PhantomData,
        };
        Ok((part(first), part(second)))
    }

    fn elements(&self, start: usize, end: usize) -> Result<Span, ArrayError> {
        elements::<T>(&self.core, start, end)
    }
}

/// The words of a range of elements.
fn bounded<T: Element>(
    core: &ArrayCore,
    range: impl RangeBounds<usize>,
) -> Result<Span, ArrayError> {
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&end) => end.saturating_add(1),
        Bound::Excluded(&end) => end,
        Bound::Unbounded => (core.words() / T::WORDS) as usize,
    };
    elements::<T>(core, start, end)
}

fn elements<T: Element>(core: &ArrayCore, start: usize, end: usize) -> Result<Span, ArrayError> {
    let len = (core.words() / T::WORDS) as usize;
    if start > end || end > len {
        return Err(ArrayError::Range { start, end, len });
    }
    Ok(Span {
        lo: start as u64 * T::WORDS,
        hi: end as u64 * T::WORDS,
    })
}

/// A part of an [`Array`], to be read.
#[derive(Debug)]
pub struct View<'a, T: Element> {
    core: &'a Arc<ArrayCore>,
    span: Span,
    element: PhantomData<&'a T>,
}

impl<T: Element> Clone for View<'_, T> {
    fn clone(&self) -> Self {
        View {
            core: self.core,
            span: self.span,
            element: PhantomData,
        }
    }
}

impl<'a, T: Element> View<'a, T> {
    pub(crate) fn of(
        core: &'a Arc<ArrayCore>,
        range: impl RangeBounds<usize>,
    ) -> Result<Self, ArrayError> {
        Ok(View {
            core,
            span: bounded::<T>(core, range)?,
            element: PhantomData,
        })
    }

    pub(crate) fn core_ref(&self) -> &Arc<ArrayCore> {
        self.core
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        (self.span.words() / T::WORDS) as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements; see [`Array::read`].
    ///
    /// # Errors
    /// As [`Array::read`].
    pub fn read(self) -> Result<ReadGuard<'a, T>, ArrayError> {
        let loan = self.core.host_words(self.span, Lending::Shared)?;
        Ok(ReadGuard {
            loan,
            array: PhantomData,
        })
    }
}

/// A part of an [`Array`], to be written.
#[derive(Debug)]
pub struct ViewMut<'a, T: Element> {
    core: &'a Arc<ArrayCore>,
    span: Span,
    element: PhantomData<&'a mut T>,
}

impl<'a, T: Element> ViewMut<'a, T> {
    pub(crate) fn of(
        core: &'a Arc<ArrayCore>,
        range: impl RangeBounds<usize>,
    ) -> Result<Self, ArrayError> {
        Ok(ViewMut {
            core,
            span: bounded::<T>(core, range)?,
            element: PhantomData,
        })
    }

    pub(crate) fn core_ref(&self) -> &Arc<ArrayCore> {
        self.core
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        (self.span.words() / T::WORDS) as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The elements, to be changed in place; see [`Array::write`].
    ///
    /// # Errors
    /// As [`Array::write`].
    pub fn into_write(self) -> Result<WriteGuard<'a, T>, ArrayError> {
        let loan = self.core.host_words(self.span, Lending::Exclusive)?;
        Ok(WriteGuard {
            loan,
            array: PhantomData,
        })
    }
}

/// Elements of an array, at home and readable while this lives.
pub struct ReadGuard<'a, T: Element> {
    loan: Loan,
    array: PhantomData<&'a T>,
}

impl<T: Element> Deref for ReadGuard<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.loan.elements()
    }
}

/// Elements of an array, at home and changeable while this lives.
pub struct WriteGuard<'a, T: Element> {
    loan: Loan,
    array: PhantomData<&'a mut T>,
}

impl<T: Element> Deref for WriteGuard<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.loan.elements()
    }
}

impl<T: Element> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        self.loan.elements_mut()
    }
}

impl<T: Element + Debug> Debug for ReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Element + Debug> Debug for WriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
