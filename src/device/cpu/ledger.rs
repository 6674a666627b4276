//! Who uses which words of main memory? Loans of ranges, any number of shared ones or one exclusive one to a word.

use crate::region::Span;
use crate::sync::{Mutex, lock};

/// Whether others may use the words at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lending {
    /// Any number of readers.
    Shared,
    /// One writer.
    Exclusive,
}

/// What of one array is lent.
#[derive(Debug)]
pub(super) struct Ledger(Mutex<Vec<(Span, Lending)>>);

impl Default for Ledger {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl Ledger {
    /// Enters a loan of all of `spans`, or of none; then the span that somebody has already.
    pub(super) fn lend(&self, spans: &[Span], lending: Lending) -> Result<(), Span> {
        let mut entries = lock(&self.0);
        let meets = |held: &Span| {
            spans
                .iter()
                .any(|span| held.lo < span.hi && span.lo < held.hi)
        };
        let conflict = entries.iter().find(|(held, how)| {
            (lending == Lending::Exclusive || *how == Lending::Exclusive) && meets(held)
        });
        if let Some((held, _)) = conflict {
            return Err(*held);
        }
        entries.extend(spans.iter().map(|&span| (span, lending)));
        Ok(())
    }

    /// Strikes a loan off.
    ///
    /// # Panics
    /// If there is no such loan.
    pub(super) fn take_back(&self, spans: &[Span], lending: Lending) {
        let mut entries = lock(&self.0);
        for span in spans {
            let at = entries.iter().position(|entry| *entry == (*span, lending));
            entries.swap_remove(at.expect("a loan stands in the ledger until it is taken back"));
        }
    }

    /// Whether nothing is lent.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.0).is_empty()
    }
}
