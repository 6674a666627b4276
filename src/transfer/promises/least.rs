//! Is there any way of copying that moves fewer words through a whole program? Every choice is tried, word by word.

use std::collections::VecDeque;

use super::*;

/// What a program does next.
#[derive(Clone, Debug)]
enum Step {
    Launch(Launched),
    HostRead { array: usize, span: Span },
    HostWrite { array: usize, span: Span },
}

/// Launches with the host reading and writing between them.
fn any_program() -> impl Strategy<Value = Vec<Step>> {
    let span =
        || (0..=WORDS as u64, 0..=WORDS as u64).prop_map(|(a, b)| Span::new(a.min(b), a.max(b)));
    let by_host = (any::<bool>(), 0..ARRAYS, span()).prop_map(|(write, array, span)| {
        if write {
            Step::HostWrite { array, span }
        } else {
            Step::HostRead { array, span }
        }
    });
    let beside = proptest::collection::vec(by_host, 0..2);
    proptest::collection::vec((any_launch(), beside), 1..7).prop_map(|steps| {
        steps
            .into_iter()
            .flat_map(|(launched, beside)| [vec![Step::Launch(launched)], beside].concat())
            .collect()
    })
}

/// A set of memories, a bit each.
type Holders = usize;

/// What happens to one word: it must be valid in all of `needed`, and then only `writer` holds it, if there is one.
struct Event {
    needed: Holders,
    writer: Option<usize>,
}

/// The events of one word of one array, in the order of the program.
fn events(program: &[Step], argument: usize, word: u64) -> Vec<Event> {
    let event = |step: &Step| match step {
        Step::Launch(launched) => {
            let company = Company::of(launched.plan.parts.len());
            let mut event = Event {
                needed: 0,
                writer: None,
            };
            let parts = launched.plan.parts.iter();
            for (part, footprint) in parts.zip(World::footprints(launched)) {
                let touch = &footprint.arguments[argument];
                let place = usize::from(company.place(touch, part.device.memory()).0);
                if touch.contents().contains(word) {
                    event.needed |= 1 << place;
                }
                if touch.writes.contains(word) {
                    event.writer = Some(place);
                }
            }
            event
        }
        Step::HostRead { array, span } => Event {
            needed: usize::from(*array == argument && span.contains(word)),
            writer: None,
        },
        Step::HostWrite { array, span } => Event {
            needed: 0,
            writer: (*array == argument && span.contains(word)).then_some(0),
        },
    };
    program.iter().map(event).collect()
}

/// The fewest copies of one word in which all its events can happen, over every choice of copies before each of them.
fn fewest_copies(events: &[Event]) -> u64 {
    const SETS: usize = 1 << MEMORIES;
    let mut least = [None; SETS];
    least[1] = Some(0_u64);
    for event in events {
        spread(&mut least);
        let mut after = [None; SETS];
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
    least
        .into_iter()
        .flatten()
        .min()
        .expect("a word can always be copied to where it is needed")
}

/// Any copies, each by one link: between main memory and a GPU's.
fn spread(least: &mut [Option<u64>]) {
    let mut open: VecDeque<usize> = (0..least.len()).collect();
    while let Some(held) = open.pop_front() {
        let Some(copies) = least[held] else { continue };
        for to in (0..MEMORIES).filter(|to| held >> to & 1 == 0) {
            let reachable = if to == 0 { held != 0 } else { held & 1 == 1 };
            let more = held | 1 << to;
            if reachable && least[more].is_none_or(|known| known > copies + 1) {
                least[more] = Some(copies + 1);
                open.push_back(more);
            }
        }
    }
}

fn least_words(program: &[Step]) -> u64 {
    let of = |argument| {
        (0..WORDS as u64).map(move |word| fewest_copies(&events(program, argument, word)))
    };
    (0..ARRAYS).flat_map(of).sum()
}

impl World {
    /// What the program moves with the production scheduler.
    fn totals(program: &[Step], merging: Merging) -> Totals {
        let mut world = Self::new();
        let mut totals = Totals::default();
        for step in program {
            match step {
                Step::Launch(launched) => {
                    let list = world.schedule(launched, merging);
                    totals += list.totals;
                    world.make(&list);
                    world.run(launched);
                }
                Step::HostRead { array, span } => {
                    let wanted = SpanSet::from(*span);
                    let residency = &world.residencies[*array];
                    let mut list = home(residency, &wanted, &links(), merging).unwrap();
                    list.list.iter_mut().for_each(|copy| copy.argument = *array);
                    totals += list.totals;
                    world.make(&list);
                }
                Step::HostWrite { array, span } => {
                    world.clock += 1;
                    for word in span.lo as usize..span.hi as usize {
                        world.arrays[*array].latest[word] = world.clock;
                        world.arrays[*array].held[0][word] = world.clock;
                    }
                    let touch = Touch::writing(*span);
                    let residency = &mut world.residencies[*array];
                    commit(residency, &touch, MemoryId::HOST, Company::Alone);
                }
            }
            world.assert_beliefs_are_true();
        }
        totals
    }
}

fn link_ns(list: &Copies) -> f64 {
    let ns = |copy: &Copy| {
        let link = if copy.to == MemoryId::HOST {
            links()[usize::from(copy.from.0)].down
        } else {
            links()[usize::from(copy.to.0)].up
        };
        link.copy_ns(copy.bytes() as f64)
    };
    list.list.iter().map(ns).sum()
}

proptest! {
    #![proptest_config(crate::seeded::cases(200, 0x1ea57))]

    #[test]
    fn no_choice_of_copies_moves_fewer_words_through_a_program(program in any_program()) {
        let totals = World::totals(&program, Merging::Off);
        prop_assert_eq!(totals.all_words(), least_words(&program));
        prop_assert_eq!(totals.gap_words, 0);
    }

    #[test]
    fn merging_moves_the_least_and_the_gaps_that_it_itemises(program in any_program()) {
        let totals = World::totals(&program, Merging::ByLink);
        prop_assert!(totals.all_words() - totals.gap_words <= least_words(&program), "{totals}");
    }

    #[test]
    fn a_gap_costs_no_more_than_the_copy_that_it_saves(
        before in proptest::collection::vec(any_launch(), 0..4),
        launched in any_launch(),
    ) {
        let mut world = World::new();
        for launched in &before {
            world.launch(launched);
        }
        let (plain, merged) = (world.schedule(&launched, Merging::Off), world.schedule(&launched, Merging::ByLink));
        prop_assert!(link_ns(&merged) <= link_ns(&plain) * (1.0 + 1e-9), "{merged}{plain}");
    }
}

#[test]
fn the_search_finds_the_way_through_main_memory() {
    let event = |needed, writer| Event { needed, writer };
    // Written on GPU 1, read on GPU 2 and 3: home once, and up twice.
    let shared = [event(0, Some(1)), event(0b1100, None), event(0b0001, None)];
    assert_eq!(fewest_copies(&shared), 3);
    assert_eq!(fewest_copies(&[event(0b0001, None)]), 0);
    assert_eq!(
        fewest_copies(&[event(0b0010, Some(1)), event(0b0010, None)]),
        1
    );
}
