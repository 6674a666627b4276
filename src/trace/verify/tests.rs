//! Is every mistake found? A right run, and the same run with one thing wrong.

use super::*;
use crate::lanes::Tile;
use crate::machine::DeviceId;
use crate::region::SpanSet;
use crate::trace::{Event, PartKind, Range, Use};
use crate::transfer::Reason;

const X: ArrayNo = ArrayNo(0);
const Y: ArrayNo = ArrayNo(1);
const GPU: MemoryId = MemoryId(1);

fn tile(lo: u32, hi: u32) -> Tile {
    Tile {
        lo: [lo, 0, 0],
        hi: [hi, 1, 1],
    }
}

fn uses(array: ArrayNo, memory: MemoryId, needs: (u64, u64), writes: (u64, u64)) -> Use {
    Use {
        array,
        memory,
        needs: SpanSet::from(Span::new(needs.0, needs.1)),
        writes: SpanSet::from(Span::new(writes.0, writes.1)),
        combine: false,
    }
}

fn copied(launch: Option<u64>, array: ArrayNo, span: (u64, u64), to: MemoryId) -> Event {
    Event::Copied {
        launch: launch.map(LaunchNo),
        array,
        span: Span::new(span.0, span.1),
        from: if to == GPU { MemoryId::HOST } else { GPU },
        to,
        reason: Reason::Read,
        gap_words: 0,
        ns: 1,
    }
}

fn queued(launch: u64, reads: ArrayNo, writes: ArrayNo) -> Event {
    let span = Span::new(0, 100);
    let range = |array, write| Range { array, span, write };
    Event::LaunchQueued {
        launch: LaunchNo(launch),
        kernel: "stencil".into(),
        grid: [10, 1, 1],
        accesses: vec![range(reads, false), range(writes, true)],
    }
}

fn part(number: u64, launch: u64, memory: MemoryId, tile: Tile, uses: Vec<Use>) -> Event {
    Event::PartStarted {
        launch: LaunchNo(launch),
        part: PartNo(number),
        kind: PartKind::Planned,
        device: DeviceId(memory.0),
        tile,
        uses,
        predicted_ns: 1.0,
    }
}

fn done(part: u64) -> Event {
    Event::PartDone {
        part: PartNo(part),
        ns: Some(1),
    }
}

fn started(launch: u64) -> Event {
    Event::LaunchStarted {
        launch: LaunchNo(launch),
    }
}

fn finished(launch: u64) -> Event {
    Event::LaunchFinished {
        launch: LaunchNo(launch),
        error: None,
    }
}

/// Two steps of a stencil with a halo of two words, split over the CPU (words 0..60) and a GPU, from X to Y and back.
fn stencil() -> Vec<Event> {
    let host = MemoryId::HOST;
    vec![
        Event::ArrayMade {
            array: X,
            words: 100,
        },
        Event::ArrayMade {
            array: Y,
            words: 100,
        },
        Event::HostWrote {
            array: X,
            span: Span::new(0, 100),
        },
        queued(0, X, Y),
        queued(1, Y, X),
        started(0),
        copied(Some(0), X, (58, 100), GPU),
        part(
            0,
            0,
            GPU,
            tile(6, 10),
            vec![
                uses(X, GPU, (58, 100), (0, 0)),
                uses(Y, GPU, (0, 0), (60, 100)),
            ],
        ),
        part(
            1,
            0,
            host,
            tile(0, 6),
            vec![
                uses(X, host, (0, 62), (0, 0)),
                uses(Y, host, (0, 0), (0, 60)),
            ],
        ),
        done(1),
        done(0),
        finished(0),
        started(1),
        copied(Some(1), Y, (60, 62), host),
        copied(Some(1), Y, (58, 60), GPU),
        part(
            2,
            1,
            GPU,
            tile(6, 10),
            vec![
                uses(Y, GPU, (58, 100), (0, 0)),
                uses(X, GPU, (0, 0), (60, 100)),
            ],
        ),
        part(
            3,
            1,
            host,
            tile(0, 6),
            vec![
                uses(Y, host, (0, 62), (0, 0)),
                uses(X, host, (0, 0), (0, 60)),
            ],
        ),
        done(3),
        done(2),
        finished(1),
        copied(None, X, (90, 95), host),
        Event::HostRead {
            array: X,
            span: Span::new(90, 95),
        },
    ]
}

fn verify(events: Vec<Event>) -> Result<(), Vec<Violation>> {
    let trace = Trace {
        events: (0..).zip(events).collect(),
        ..Trace::default()
    };
    trace.verify(Ending::Complete)
}

/// The first violation of the right run after a change.
fn first(change: impl FnOnce(&mut Vec<Event>)) -> String {
    let mut events = stencil();
    change(&mut events);
    verify(events).expect_err("the change is found")[0].to_string()
}

#[test]
fn a_right_run_passes() {
    assert_eq!(verify(stencil()), Ok(()));
}

#[test]
fn no_event_may_be_missing_but_a_write_that_nobody_could_tell() {
    for at in 0..stencil().len() {
        let mut events = stencil();
        let removed = events.remove(at);
        // The array is at home and new anyway.
        let harmless = matches!(removed, Event::HostWrote { .. });
        assert_eq!(verify(events).is_ok(), harmless, "without {removed:?}");
    }
}

#[test]
fn no_event_may_happen_twice_but_for_what_the_host_does() {
    for at in 0..stencil().len() {
        let mut events = stencil();
        events.insert(at, events[at].clone());
        let harmless = matches!(events[at], Event::HostWrote { .. } | Event::HostRead { .. });
        assert_eq!(
            verify(events.clone()).is_ok(),
            harmless,
            "twice {:?}",
            events[at]
        );
    }
}

#[test]
fn a_copy_that_is_left_out_is_found_where_its_words_are_read() {
    assert_eq!(
        first(|events| drop(events.remove(14))),
        "event 14 reads words 58..60 of array 1 in GPU 1, where nothing is; what event 9 wrote is the last"
    );
}

#[test]
fn stale_words_are_named_with_who_wrote_them_and_who_wrote_over_them() {
    let change = |events: &mut Vec<Event>| drop(events.remove(20));
    assert_eq!(
        first(change),
        "event 20 reads words 90..95 of array 0 in host, where what event 2 wrote is; what event 18 wrote is the last"
    );
}

#[test]
fn a_launch_that_starts_too_early_is_found() {
    assert_eq!(
        first(|events| {
            let start = events.remove(12);
            events.insert(11, start);
        }),
        "event 11 uses array 1 before launch 0, which conflicts with it, has finished"
    );
}

#[test]
fn parts_that_leave_a_gap_or_overlap_are_found() {
    let shrink = |events: &mut Vec<Event>| {
        let Event::PartStarted { tile: own, .. } = &mut events[8] else {
            panic!("a part starts")
        };
        *own = tile(0, 5);
    };
    assert_eq!(
        first(shrink),
        "event 11 ends launch 0, whose parts did 9 of 10 workgroups"
    );
    let grow = |events: &mut Vec<Event>| {
        let Event::PartStarted { tile: own, .. } = &mut events[8] else {
            panic!("a part starts")
        };
        *own = tile(0, 7);
    };
    assert_eq!(
        first(grow),
        "event 11 ends launch 0, whose parts did some workgroups twice: [6..10, 0..1, 0..1] and [0..7, 0..1, 0..1]"
    );
}

#[test]
fn parts_that_write_what_others_use_are_found() {
    let widen = |events: &mut Vec<Event>| {
        let Event::PartStarted { uses: own, .. } = &mut events[8] else {
            panic!("a part starts")
        };
        own[1] = uses(Y, MemoryId::HOST, (0, 0), (0, 61));
    };
    assert_eq!(
        first(widen),
        "event 8 starts part 1, which uses words of array 1 that part 0 of the same launch writes, or the other way round"
    );
}

#[test]
fn copies_of_what_is_there_or_of_what_nobody_needs_are_found_unless_they_are_gaps() {
    let again = |events: &mut Vec<Event>| events.insert(14, copied(Some(1), X, (58, 60), GPU));
    assert_eq!(
        first(again),
        "event 14 copies words of array 0 to GPU 1, which holds 2 of them already"
    );
    let more = |events: &mut Vec<Event>| events[20] = copied(None, X, (85, 95), MemoryId::HOST);
    assert_eq!(
        first(more),
        "event 20 copies 5 words of array 0 to host that nobody used there"
    );
    let mut events = stencil();
    events[20] = copied(None, X, (85, 95), MemoryId::HOST);
    let Event::Copied { gap_words, .. } = &mut events[20] else {
        panic!("a copy")
    };
    *gap_words = 5;
    assert_eq!(verify(events), Ok(()));
}

#[test]
fn words_brought_ahead_for_a_launch_that_runs_elsewhere_as_well_may_be_of_no_use() {
    let ahead = copied(Some(0), X, (0, 58), GPU);
    let mut events = stencil();
    events.insert(5, ahead.clone());
    assert_eq!(
        verify(events).unwrap_err()[0].to_string(),
        "event 5 copies 58 words of array 0 to GPU 1 that nobody used there"
    );
    let prefetched = Event::Prefetched {
        launch: LaunchNo(0),
        memory: GPU,
        words: 58,
    };
    let mut events = stencil();
    events.splice(5..5, [prefetched, ahead]);
    assert_eq!(verify(events), Ok(()));
}

#[test]
fn only_what_is_elsewhere_too_may_be_evicted() {
    let evict = |span: (u64, u64)| Event::Evicted {
        array: X,
        spans: SpanSet::from(Span::new(span.0, span.1)),
        memory: GPU,
    };
    assert_eq!(
        first(|events| events.push(evict((60, 100)))),
        "event 22 evicts words 60..100 of array 0 from GPU 1, the only memory that has them"
    );
    let mut events = stencil();
    events.push(evict((90, 95)));
    assert_eq!(verify(events), Ok(()));
}

#[test]
fn a_failed_part_that_another_device_repairs_is_right() {
    let mut events = stencil();
    let repair = part(
        9,
        0,
        MemoryId::HOST,
        tile(6, 10),
        vec![
            uses(X, MemoryId::HOST, (58, 100), (0, 0)),
            uses(Y, MemoryId::HOST, (0, 0), (60, 100)),
        ],
    );
    events.truncate(12);
    events.remove(4);
    let failed = Event::PartFailed {
        part: PartNo(0),
        cause: "lost".into(),
    };
    events.splice(9..10, [failed, repair, done(9)]);
    assert_eq!(verify(events), Ok(()));
}

#[test]
fn parts_of_a_launch_that_was_undone_are_done_once_more() {
    let mut events = stencil();
    events.retain(|event| *event != queued(1, Y, X));
    let whole = vec![
        uses(X, MemoryId::HOST, (0, 100), (0, 0)),
        uses(Y, MemoryId::HOST, (0, 0), (0, 100)),
    ];
    let again = part(9, 0, MemoryId::HOST, tile(0, 10), whole);
    let finish = events.iter().position(|event| *event == finished(0));
    let at = finish.expect("the launch finishes");
    events.truncate(at + 1);
    let undone = Event::Undone {
        launch: LaunchNo(0),
    };
    let mut twice = events.clone();
    twice.splice(at..at, [again.clone(), done(9)]);
    let found = verify(twice).expect_err("it is done twice");
    let tells = |violation: &Violation| violation.to_string().contains("twice");
    assert!(found.iter().any(tells), "{found:?}");
    events.splice(at..at, [undone, again, done(9)]);
    assert_eq!(verify(events), Ok(()));
}

#[test]
fn a_device_is_retired_and_resumed_in_turns_and_keeps_what_it_holds_until_that_is_lost() {
    let retired = |device| Event::DeviceRetired {
        device: DeviceId(device),
        cause: "it failed".into(),
    };
    let resumed = Event::DeviceResumed {
        device: DeviceId(1),
    };
    let mut events = stencil();
    events.insert(12, retired(1));
    assert_eq!(
        verify(events.clone()),
        Ok(()),
        "what it holds is still of use"
    );
    events.extend([resumed.clone(), retired(1)]);
    assert_eq!(verify(events.clone()), Ok(()));
    for (wrong, what) in [
        (
            retired(1),
            "event 25 retires GPU 1, which cannot be retired now",
        ),
        (
            retired(0),
            "event 25 retires CPU, which cannot be retired now",
        ),
    ] {
        let with = events.iter().cloned().chain([wrong]).collect();
        assert_eq!(verify(with).expect_err("it is found")[0].to_string(), what);
    }
    assert_eq!(
        first(|events| events.push(resumed)),
        "event 22 resumes GPU 1, which was not retired"
    );
}

#[test]
fn what_a_failed_launch_should_have_written_may_not_be_read() {
    let mut events = stencil();
    events.truncate(9);
    events.remove(4);
    events.push(Event::LaunchFinished {
        launch: LaunchNo(0),
        error: Some("a worker panicked".into()),
    });
    assert_eq!(verify(events.clone()), Ok(()));
    events.push(Event::HostRead {
        array: Y,
        span: Span::new(4, 5),
    });
    assert_eq!(
        verify(events).expect_err("it is found")[0].to_string(),
        "event 9 reads words 4..5 of array 1 in host, where what event 1 wrote is; what event 8 wrote is the last"
    );
}
