//! Does anybody work on what its owner has taken back?

use crate::{every_order, with_mistake};

with_mistake!(workers_join_when_it_is_too_late);
with_mistake!(the_last_worker_leaves_in_silence);

macro_rules! scenario {
    ($from:path) => {
        use loom::cell::UnsafeCell;
        use loom::sync::Arc;
        use loom::thread;
        use $from as from;

        /// Two workers may join while the owner works; when the crew is closed the owner takes back what they worked on.
        pub(super) fn workers_come_early_and_late() {
            let scene = Arc::new((from::Crew::default(), UnsafeCell::new(true)));
            let workers: Vec<_> = (0..2)
                .map(|_| {
                    let scene = Arc::clone(&scene);
                    thread::spawn(move || {
                        let (crew, lent) = &*scene;
                        crew.join(|| {
                            // SAFETY: loom checks that nobody writes meanwhile.
                            let lent = lent.with(|lent| unsafe { *lent });
                            assert!(lent, "the owner has not taken it back");
                        });
                    })
                })
                .collect();
            let (crew, lent) = &*scene;
            assert!(crew.close().is_none(), "no worker panicked");
            // SAFETY: loom checks that nobody uses it meanwhile.
            lent.with_mut(|lent| unsafe { *lent = false });
            for worker in workers {
                worker.join().unwrap();
            }
            assert!(crew.close().is_none(), "no late worker panicked");
        }
    };
}

mod right {
    scenario!(crate::crew);
}

mod late {
    scenario!(crate::crews::workers_join_when_it_is_too_late);
}

mod silent {
    scenario!(crate::crews::the_last_worker_leaves_in_silence);
}

#[test]
fn workers_leave_before_the_owner_goes_on() {
    every_order(3, right::workers_come_early_and_late);
}

#[test]
fn a_worker_that_joins_too_late_is_found() {
    crate::fails(
        "crews::a_worker_that_joins_too_late_is_found",
        "no late worker panicked",
        late::workers_come_early_and_late,
    );
}

#[test]
fn an_owner_that_is_not_told_is_found() {
    crate::fails(
        "crews::an_owner_that_is_not_told_is_found",
        "deadlock",
        silent::workers_come_early_and_late,
    );
}
