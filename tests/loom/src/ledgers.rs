//! Do two threads ever have the same words, one of them to write?

use crate::{every_order, with_mistake};

with_mistake!(a_writer_does_not_exclude_readers);

macro_rules! scenario {
    ($from:path) => {
        use loom::cell::UnsafeCell;
        use loom::sync::Arc;
        use loom::thread;
        use $from as from;

        use crate::region::Span;

        /// A writer and two readers borrow overlapping words, and use those that they get.
        pub(super) fn loans_of_overlapping_words() {
            let scene = Arc::new((from::Ledger::default(), UnsafeCell::new(0_u32)));
            let words = |lo, hi| Span { lo, hi };
            let readers: Vec<_> = (0..2)
                .map(|_| {
                    let scene = Arc::clone(&scene);
                    thread::spawn(move || {
                        let (ledger, shared) = &*scene;
                        let spans = [words(3, 5)];
                        if ledger.lend(&spans, from::Lending::Shared).is_ok() {
                            // SAFETY: loom checks that nobody writes meanwhile.
                            shared.with(|word| unsafe { *word });
                            ledger.take_back(&spans, from::Lending::Shared);
                        }
                    })
                })
                .collect();
            let (ledger, shared) = &*scene;
            let spans = [words(0, 1), words(4, 8)];
            if ledger.lend(&spans, from::Lending::Exclusive).is_ok() {
                // SAFETY: loom checks that nobody uses it meanwhile.
                shared.with_mut(|word| unsafe { *word += 1 });
                ledger.take_back(&spans, from::Lending::Exclusive);
            }
            for reader in readers {
                reader.join().unwrap();
            }
            assert!(ledger.is_empty(), "every loan was struck off");
        }
    };
}

mod right {
    scenario!(crate::ledger);
}

mod wrong {
    scenario!(crate::ledgers::a_writer_does_not_exclude_readers);
}

#[test]
fn a_writer_is_alone_with_its_words() {
    every_order(3, right::loans_of_overlapping_words);
}

#[test]
fn a_ledger_that_lets_readers_in_is_found() {
    crate::fails(
        "ledgers::a_ledger_that_lets_readers_in_is_found",
        "Causality violation",
        wrong::loans_of_overlapping_words,
    );
}
