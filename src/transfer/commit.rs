//! What does a finished part change about where the words are?

use crate::machine::MemoryId;
use crate::region::{Residency, Span, SpanSet, Touch};

/// Whether a part has its launch to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// It is the whole launch: combined arguments are updated in place.
    Alone,
    /// Other devices do other parts: combined arguments are updated in host memory, from private copies.
    Shared,
}

impl Company {
    /// Of each part of a plan with this many.
    pub fn of(parts: usize) -> Self {
        if parts > 1 { Self::Shared } else { Self::Alone }
    }

    /// Where the present contents of an argument must be for a part that runs in `memory`, and where the new ones are afterwards.
    pub(crate) fn place(self, touch: &Touch, memory: MemoryId) -> MemoryId {
        if touch.combine && self == Self::Shared {
            MemoryId::HOST
        } else {
            memory
        }
    }
}

/// Notes in `residency`, that of one argument, what a finished part that ran in `memory` wrote of it: other copies are stale.
///
/// A part's writes are committed when it is done and not before, so that a part that failed leaves the old contents standing.
///
/// # Panics
/// If the part wrote past the end of the array.
pub fn commit(residency: &mut Residency, touch: &Touch, memory: MemoryId, company: Company) {
    if !touch.writes.is_empty() {
        residency.write(company.place(touch, memory), &touch.writes);
    }
}

/// Notes in `residency` that `memory` gives the words of `span` up, and returns those of them that it held.
///
/// # Panics
/// If it alone held some.
pub fn evict(residency: &mut Residency, memory: MemoryId, span: Span) -> SpanSet {
    let held = residency.valid(memory).within(span);
    let lost = residency.forget(memory, &held);
    assert!(lost.is_empty(), "{lost} is nowhere else");
    held
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_combined_from_several_devices_ends_in_host_memory() {
        let gpu = MemoryId(1);
        let bins = Touch {
            combine: true,
            exact: false,
            ..Touch::updating(Span::new(0, 8))
        };
        let mut residency = Residency::new(8, gpu);
        commit(&mut residency, &bins, gpu, Company::Alone);
        assert_eq!(residency, Residency::new(8, gpu));
        commit(&mut residency, &bins, gpu, Company::Shared);
        assert_eq!(residency.valid(MemoryId::HOST).words(), 8);
        assert!(residency.valid(gpu).is_empty());
    }
}
