//! Does the executor move the fewest bytes there can be through a whole program? Random programs on imagined and emulated GPUs, their
//! reports compared with a search over every choice of copies.

#[path = "../devices/mod.rs"]
mod devices;
mod kernels;
mod search;

use impel::machine::MemoryId;
use impel::sim::{Gpu, Machine};
use impel::trace::Ending;
use impel::{Array, DeviceId, Runtime};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

use kernels::{Launched, Use, WORDS};
use search::{Event, fewest_copies};

/// Arrays of a program.
const ARRAYS: usize = 3;

/// What a program does next.
#[derive(Clone, Debug)]
enum Step {
    Launch(Launched),
    HostRead { array: usize, lo: usize, hi: usize },
    HostWrite { array: usize, lo: usize, hi: usize },
}

fn any_by_host() -> impl Strategy<Value = Step> {
    (any::<bool>(), 0..ARRAYS, 0..=WORDS, 0..=WORDS).prop_map(|(write, array, a, b)| {
        let (lo, hi) = (a.min(b), a.max(b));
        if write {
            Step::HostWrite { array, lo, hi }
        } else {
            Step::HostRead { array, lo, hi }
        }
    })
}

/// Up to six launches on machines with so many GPUs, with the host reading and writing between them.
fn any_program(gpus: u8) -> impl Strategy<Value = Vec<Step>> {
    let beside = proptest::collection::vec(any_by_host(), 0..2);
    proptest::collection::vec((kernels::any_launch(gpus), beside), 1..=6).prop_map(|steps| {
        steps
            .into_iter()
            .flat_map(|(launched, beside)| [vec![Step::Launch(launched)], beside].concat())
            .collect()
    })
}

/// What happens to one word of one array, step by step.
fn events(program: &[Step], array: usize, word: usize) -> Vec<Event> {
    let event = |step: &Step| match step {
        Step::Launch(launched) => {
            let mut event = Event::default();
            for part in &launched.parts {
                let Use {
                    needed,
                    written,
                    at_home,
                } = launched.usage(part, array, word);
                let memory = if at_home { 0 } else { part.device };
                event.needed |= usize::from(needed) << memory;
                if written {
                    event.writer = Some(memory.into());
                }
            }
            event
        }
        Step::HostRead { array: own, lo, hi } => Event {
            needed: usize::from(*own == array && (*lo..*hi).contains(&word)),
            writer: None,
        },
        Step::HostWrite { array: own, lo, hi } => Event {
            needed: 0,
            writer: (*own == array && (*lo..*hi).contains(&word)).then_some(0),
        },
    };
    program.iter().map(event).collect()
}

/// The fewest words that a program can move, and those of private copies that are combined, which each device sends home once.
fn least_words(program: &[Step], gpus: u8) -> u64 {
    let every_word = (0..ARRAYS).flat_map(|array| (0..WORDS).map(move |word| (array, word)));
    let moved = every_word
        .map(|(array, word)| fewest_copies(&events(program, array, word), usize::from(gpus) + 1));
    let gathered = program.iter().map(|step| match step {
        Step::Launch(launched) => launched.gathered_words(),
        _ => 0,
    });
    moved.sum::<u64>() + gathered.sum::<u64>()
}

/// A program's arrays: in the runtime, and as they must be.
struct Arrays {
    own: [Array<u32>; ARRAYS],
    expected: [Vec<u32>; ARRAYS],
}

impl Arrays {
    fn new(rt: &Runtime) -> Self {
        let start = |array: usize| {
            let value = |word: usize| (word as u32 * 7 + array as u32).wrapping_mul(2_654_435_761);
            (0..WORDS).map(value).collect::<Vec<u32>>()
        };
        let expected = [0, 1, 2].map(start);
        let own = [0, 1, 2].map(|at: usize| rt.array_from_slice(&expected[at]).unwrap());
        Self { own, expected }
    }

    fn step(&mut self, rt: &Runtime, number: usize, step: &Step) {
        match step {
            Step::Launch(launched) => {
                launched.launch(rt, &mut self.own);
                launched.compute(&mut self.expected);
            }
            Step::HostRead { array, lo, hi } => {
                let read = self.own[*array].read_range(*lo..*hi).unwrap();
                assert_eq!(*read, self.expected[*array][*lo..*hi], "step {number}");
            }
            Step::HostWrite { array, lo, hi } => {
                let words: Vec<u32> = (*lo..*hi).map(|word| (word * 31 + number) as u32).collect();
                self.own[*array].copy_from_slice(*lo, &words).unwrap();
                self.expected[*array][*lo..*hi].copy_from_slice(&words);
            }
        }
    }
}

/// Runs a program, compares what it made, and returns how many words it moved.
fn moved_words(rt: &Runtime, program: &[Step]) -> u64 {
    let mut arrays = Arrays::new(rt);
    let before = rt.report().moved_bytes();
    for (number, step) in program.iter().enumerate() {
        arrays.step(rt, number, step);
    }
    rt.sync();
    let moved = rt.report().moved_bytes() - before;
    for (own, expected) in arrays.own.iter().zip(&arrays.expected) {
        assert_eq!(*own.read().unwrap(), **expected, "{program:#?}");
    }
    moved / 4
}

fn moves_the_least(rt: &Runtime, gpus: u8, program: &[Step]) {
    let moved = moved_words(rt, program);
    assert_eq!(moved, least_words(program, gpus), "{program:#?}");
}

/// Tries so many programs, each from the same seed in every run.
fn on_random_programs(cases: u32, gpus: u8, mut run: impl FnMut(&[Step])) {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x1ea5_7b17),
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    for _ in 0..cases {
        let program = any_program(gpus).new_tree(&mut runner).unwrap();
        run(&proptest::strategy::ValueTree::current(&program));
    }
}

#[test]
fn every_program_of_up_to_six_launches_and_three_arrays_moves_the_fewest_bytes_there_can_be() {
    let cases = if devices::long() { 5000 } else { 150 };
    let mut number = 0;
    on_random_programs(cases, 3, |program| {
        number += 1;
        let mut gpu = Gpu::card();
        gpu.overlap = number % 2 == 0;
        let machine = [gpu.clone(), gpu.clone(), gpu]
            .into_iter()
            .fold(Machine::desktop(), Machine::with);
        let builder = devices::builder().prefetch(false).trace(true);
        let rt = builder.simulated(machine).build().unwrap();
        moves_the_least(&rt, 3, program);
        rt.trace()
            .verify(Ending::Open)
            .expect("every read saw the last write");
    });
}

/// Copies over a link whose latency is worth hundreds of words: nearly everything near travels together.
#[test]
fn merged_copies_move_the_fewest_bytes_and_the_gaps_that_the_report_itemises() {
    let cases = if devices::long() { 5000 } else { 100 };
    let mut gaps = 0;
    on_random_programs(cases, 3, |program| {
        let mut gpu = Gpu::card();
        gpu.limits.up.latency_ns = 1e5;
        gpu.limits.down.latency_ns = 1e5;
        let machine = [gpu.clone(), gpu.clone(), gpu]
            .into_iter()
            .fold(Machine::desktop(), Machine::with);
        let builder = devices::builder().merging(true).prefetch(false).trace(true);
        let rt = builder.simulated(machine).build().unwrap();
        let moved = moved_words(&rt, program);
        rt.trace()
            .verify(Ending::Open)
            .expect("every read saw the last write");
        let memories = (0..4).map(MemoryId);
        let pairs = memories.clone().flat_map(|from| {
            let to = memories.clone();
            to.map(move |to| (from, to))
        });
        let own: u64 = pairs
            .map(|(from, to)| rt.report().moved(from, to).gap_words)
            .sum();
        assert!(moved - own <= least_words(program, 3), "{program:#?}");
        gaps += own;
    });
    assert!(gaps > 0);
}

#[test]
fn programs_on_the_gpus_of_this_machine_move_the_fewest_bytes_too() {
    let name = "programs_on_the_gpus_of_this_machine_move_the_fewest_bytes_too";
    devices::with_gpus(name, 1, |_, gpus| {
        let rt = devices::builder().prefetch(false).build().unwrap();
        let count = gpus.len().min(3) as u8;
        let cases = if devices::long() { 500 } else { 20 };
        on_random_programs(cases, count, |program| {
            moves_the_least(&rt, count, program);
        });
        assert!(gpus.contains(&DeviceId(1)));
    });
}

/// Memories that hold a few rows: launches run in windows, and several at once wait for room on several GPUs.
#[test]
fn programs_on_gpus_that_hold_next_to_nothing_end_and_are_right() {
    let cases = if devices::long() { 3000 } else { 200 };
    let mut number = 0;
    on_random_programs(cases, 3, |program| {
        number += 1;
        let mut gpu = Gpu::card().with_memory([300, 500, 700, 900, 1200][number % 5]);
        gpu.overlap = number % 2 == 0;
        let machine = [gpu.clone(), gpu.clone(), gpu]
            .into_iter()
            .fold(Machine::desktop(), Machine::with);
        let builder = devices::builder().merging(number % 3 != 0).trace(true);
        let rt = builder.simulated(machine).build().unwrap();
        moved_words(&rt, program);
        rt.trace()
            .verify(Ending::Open)
            .expect("every read saw the last write");
    });
}
