//! In how few copies can everything happen to a word that a program wants of it? Every choice of copies before every step is tried.

use std::collections::VecDeque;

/// A set of memories, a bit each; main memory is the lowest.
pub(crate) type Holders = usize;

/// What happens to one word: it must be valid in all of `needed`, and then only `writer` holds it, if there is one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Event {
    pub(crate) needed: Holders,
    pub(crate) writer: Option<usize>,
}

/// The fewest copies of one word in which all its events can happen, on a machine with so many memories. At first main memory holds it.
pub(crate) fn fewest_copies(events: &[Event], memories: usize) -> u64 {
    let mut least: Vec<Option<u64>> = vec![None; 1 << memories];
    least[1] = Some(0);
    for event in events {
        spread(&mut least, memories);
        let mut after = vec![None; least.len()];
        for (held, copies) in least.iter().enumerate() {
            let Some(copies) = *copies else { continue };
            if held & event.needed != event.needed {
                continue;
            }
            let then = event.writer.map_or(held, |writer| 1 << writer);
            let best: &mut Option<u64> = &mut after[then];
            *best = Some(best.map_or(copies, |best| best.min(copies)));
        }
        least = after;
    }
    let fewest = least.into_iter().flatten().min();
    fewest.expect("a word can always be copied to where it is needed")
}

/// Any copies, each by one link: between main memory and a GPU's.
fn spread(least: &mut [Option<u64>], memories: usize) {
    let mut open: VecDeque<Holders> = (0..least.len()).collect();
    while let Some(held) = open.pop_front() {
        let Some(copies) = least[held] else { continue };
        for to in (0..memories).filter(|to| held >> to & 1 == 0) {
            let reachable = if to == 0 { held != 0 } else { held & 1 == 1 };
            let more = held | 1 << to;
            if reachable && least[more].is_none_or(|known| known > copies + 1) {
                least[more] = Some(copies + 1);
                open.push_back(more);
            }
        }
    }
}

#[test]
fn a_word_goes_through_main_memory_and_no_further_than_it_must() {
    let event = |needed, writer| Event { needed, writer };
    // Written on GPU 1, read on GPU 2 and 3 and by the host: home once, and up twice.
    let shared = [event(0, Some(1)), event(0b1100, None), event(0b0001, None)];
    assert_eq!(fewest_copies(&shared, 4), 3);
    let updated = [event(0b0010, Some(1)), event(0b0010, None)];
    assert_eq!(fewest_copies(&updated, 4), 1);
    assert_eq!(fewest_copies(&[event(0b0001, None)], 2), 0);
}
