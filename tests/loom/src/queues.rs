//! Do executors, waiters and the queue between them ever miss each other?

use crate::graph::{Access, ArrayId};
use crate::region::Span;
use crate::{every_order, with_mistake};

with_mistake!(sleepers_are_left_asleep);
with_mistake!(the_end_is_told_to_nobody);
with_mistake!(the_stop_is_told_before_it_is_set);
with_mistake!(the_last_piece_ends_for_one_executor_only);
with_mistake!(late_pollers_are_not_told);
with_mistake!(the_end_is_told_to_nobody_else);
with_mistake!(work_for_nobody);

fn writes(array: u64) -> Vec<Access> {
    vec![Access {
        array: ArrayId(array),
        span: Span { lo: 0, hi: 1 },
        write: true,
    }]
}

/// The scenarios, for a `Queue` of the module `$from`: the right one, or one with a mistake.
macro_rules! scenarios {
    ($from:path) => {
        use std::future::poll_fn;
        use std::task::Poll;
        use std::time::Duration;

        use from::{Next, Queue};
        use loom::sync::Arc;
        use loom::sync::atomic::{AtomicUsize, Ordering};
        use loom::thread;
        use $from as from;

        use crate::graph::TaskId;
        use crate::outcome::Outcome;
        use crate::queues::writes;

        /// A piece of work, with a place for its result.
        type Work = Outcome<usize>;

        /// The queue, and how many pieces of work were carried out.
        pub(super) struct Scene {
            queue: Queue<Work>,
            carried_out: AtomicUsize,
        }

        impl Scene {
            fn new() -> Arc<Self> {
                Arc::new(Self {
                    queue: Queue::default(),
                    carried_out: AtomicUsize::new(0),
                })
            }

            fn carry_out(&self, id: TaskId, work: &Work, stays: bool) {
                work.set(self.carried_out.fetch_add(1, Ordering::Relaxed));
                self.queue.finish(id, stays);
            }

            fn executor(scene: &Arc<Self>) -> thread::JoinHandle<()> {
                let scene = Arc::clone(scene);
                thread::spawn(move || {
                    while let Next::Work(id, work) = scene.queue.next(false, Duration::ZERO) {
                        scene.carry_out(id, &work, true);
                    }
                })
            }

            fn add(&self, array: u64) -> (TaskId, Work) {
                let work = Work::default();
                let own = work.clone();
                let (id, taken) = self.queue.add(move |_| own, writes(array), 1, 1, false);
                if let Some(work) = taken {
                    self.carry_out(id, &work, false);
                }
                (id, work)
            }

            fn help(&self, id: TaskId) {
                let obstacle =
                    |graph: &crate::graph::Graph<Work>| graph.is_pending(id).then_some(id);
                while let Some((id, work)) = self.queue.help(obstacle) {
                    self.carry_out(id, &work, true);
                }
            }

            fn wait(&self, id: TaskId) {
                let left = || Some(Duration::ZERO);
                let obstacle =
                    |graph: &crate::graph::Graph<Work>| graph.is_pending(id).then_some(id);
                assert!(self.queue.wait_while_time(obstacle, left));
            }

            fn end(&self, executors: Vec<thread::JoinHandle<()>>, pieces: usize) {
                self.queue.stop();
                for executor in executors {
                    executor.join().unwrap();
                }
                assert_eq!(self.carried_out.load(Ordering::Relaxed), pieces);
            }
        }

        /// Work is added, helped with and found finished, with its result.
        pub(super) fn a_helper_and_an_executor() {
            let scene = Scene::new();
            let executors = vec![Scene::executor(&scene)];
            scene.add(0);
            let (id, outcome) = scene.add(0);
            scene.help(id);
            assert!(outcome.get().is_some());
            scene.end(executors, 2);
        }

        /// Work is added and waited for without helping.
        pub(super) fn a_waiter_and_an_executor() {
            let scene = Scene::new();
            let executors = vec![Scene::executor(&scene)];
            let (id, outcome) = scene.add(0);
            scene.wait(id);
            assert!(outcome.get().is_some());
            scene.end(executors, 1);
        }

        /// Two executors carry out what is independent, and both end.
        pub(super) fn two_executors() {
            let scene = Scene::new();
            let executors = vec![Scene::executor(&scene), Scene::executor(&scene)];
            scene.add(0);
            scene.add(1);
            scene.end(executors, 2);
        }

        /// A future resolves whoever finishes the work, and whenever.
        pub(super) fn a_future_and_an_executor() {
            let scene = Scene::new();
            let executors = vec![Scene::executor(&scene)];
            let (id, outcome) = scene.add(0);
            loom::future::block_on(poll_fn(|context| {
                if scene.queue.poll(id, context.waker()) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }));
            assert!(outcome.get().is_some());
            scene.end(executors, 1);
        }

        /// Whoever finishes the last piece of work sends all executors home.
        pub(super) fn two_executors_and_a_last_helper() {
            let scene = Scene::new();
            let executors = vec![Scene::executor(&scene), Scene::executor(&scene)];
            let (id, _) = scene.add(0);
            scene.queue.stop();
            scene.help(id);
            for executor in executors {
                executor.join().unwrap();
            }
        }

        /// The owner of some work takes what is ready until nothing is left, and a guest takes some of it.
        pub(super) fn an_owner_and_a_guest() {
            let scene = Scene::new();
            let add = |array| {
                let work = |_| Work::default();
                scene.queue.add(work, writes(array), 1, 1, false);
            };
            add(0);
            add(1);
            add(1);
            let guest = {
                let scene = Arc::clone(&scene);
                thread::spawn(move || {
                    while let Some((id, work)) = scene.queue.take_ready() {
                        scene.carry_out(id, &work, false);
                    }
                })
            };
            while let Some((id, work)) = scene.queue.take_or_end() {
                scene.carry_out(id, &work, false);
            }
            assert_eq!(scene.carried_out.load(Ordering::Relaxed), 3);
            guest.join().unwrap();
        }

        /// Work that comes while the runtime ends is carried out by an executor or by whoever brings it.
        pub(super) fn work_while_it_ends() {
            let scene = Scene::new();
            let executors = vec![Scene::executor(&scene)];
            let late = {
                let scene = Arc::clone(&scene);
                thread::spawn(move || {
                    let (id, outcome) = scene.add(0);
                    scene.wait(id);
                    assert!(outcome.get().is_some());
                })
            };
            scene.queue.stop();
            late.join().unwrap();
            scene.end(executors, 1);
        }
    };
}

mod right {
    scenarios!(crate::queue);
}

#[test]
fn work_is_carried_out_once_and_its_helper_finds_it_finished() {
    every_order(2, right::a_helper_and_an_executor);
}

#[test]
fn whoever_waits_is_told() {
    every_order(3, right::a_waiter_and_an_executor);
}

#[test]
fn two_executors_share_and_both_end() {
    every_order(2, right::two_executors);
}

#[test]
fn the_last_helper_sends_everybody_home() {
    every_order(2, right::two_executors_and_a_last_helper);
}

#[test]
fn an_owner_comes_to_the_end_of_work_that_it_shares() {
    every_order(3, right::an_owner_and_a_guest);
}

#[test]
fn a_future_resolves() {
    every_order(3, right::a_future_and_an_executor);
}

#[test]
fn what_comes_while_the_runtime_ends_is_carried_out() {
    every_order(2, right::work_while_it_ends);
}

/// A test that a scenario fails on a queue with a mistake: some thread waits for ever, or not all work is carried out.
macro_rules! finds {
    ($mistake:ident, $scenario:ident, $saying:literal) => {
        mod $mistake {
            #[allow(dead_code)]
            mod wrong {
                scenarios!(crate::queues::$mistake);
            }

            #[test]
            fn is_found() {
                let test = concat!("queues::finds::", stringify!($mistake), "::is_found");
                crate::fails(test, $saying, wrong::$scenario);
            }
        }
    };
}

mod finds {
    finds!(
        sleepers_are_left_asleep,
        a_waiter_and_an_executor,
        "deadlock"
    );
    finds!(
        the_end_is_told_to_nobody,
        a_waiter_and_an_executor,
        "deadlock"
    );
    finds!(
        the_stop_is_told_before_it_is_set,
        a_waiter_and_an_executor,
        "deadlock"
    );
    finds!(
        the_last_piece_ends_for_one_executor_only,
        two_executors_and_a_last_helper,
        "deadlock"
    );
    finds!(
        late_pollers_are_not_told,
        a_future_and_an_executor,
        "deadlock"
    );
    finds!(
        the_end_is_told_to_nobody_else,
        an_owner_and_a_guest,
        "deadlock"
    );
    finds!(work_for_nobody, work_while_it_ends, "deadlock");
}
