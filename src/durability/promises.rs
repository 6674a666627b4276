//! Does the log hold its promises? A toy machine runs random programs beside it: whatever only a GPU holds at any moment can be made
//! again, with the contents that it had, and by no more launches than brute force finds.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::graph::ArrayId;
use crate::region::{Span, SpanSet};

const ARRAYS: u64 = 3;
const WORDS: u64 = 8;

type Memory = [[u64; WORDS as usize]; ARRAYS as usize];

/// Something that a program does.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// A launch that reads two ranges and writes one; the CPU does what lies before `cut`, and a GPU the rest.
    Launch {
        reads: [(u64, Span); 2],
        writes: (u64, Span),
        cut: u64,
        fails: bool,
    },
    HostWrites(u64, Span),
    Fetches(u64, Span),
    Prunes,
    /// The array is dropped: nobody will read it again.
    Drops(u64),
}

fn any_span() -> impl Strategy<Value = Span> {
    (0..WORDS, 1..=WORDS).prop_map(|(lo, len)| Span::new(lo, (lo + len).min(WORDS)))
}

fn any_action() -> impl Strategy<Value = Action> {
    let range = || (0..ARRAYS, any_span());
    prop_oneof![
        8 => (range(), range(), range(), 0..=2 * WORDS, 0..12).prop_map(|(a, b, writes, cut, luck)| {
            Action::Launch { reads: [a, b], writes, cut: cut.min(WORDS), fails: luck == 0 }
        }),
        2 => range().prop_map(|(array, span)| Action::HostWrites(array, span)),
        2 => range().prop_map(|(array, span)| Action::Fetches(array, span)),
        2 => Just(Action::Prunes),
        1 => (0..ARRAYS).prop_map(Action::Drops),
    ]
}

/// A launch of the toy machine: what it writes depends on all that it reads.
#[derive(Clone, Copy, Debug)]
struct Toy {
    salt: u64,
    reads: [(u64, Span); 2],
    writes: (u64, Span),
}

impl Toy {
    fn run(&self, memory: &mut Memory) {
        let mut seen = self.salt;
        for (array, span) in self.reads {
            for word in span.lo..span.hi {
                seen = mixed(seen ^ memory[array as usize][word as usize]);
            }
        }
        let (array, span) = self.writes;
        for word in span.lo..span.hi {
            memory[array as usize][word as usize] = mixed(seen ^ word);
        }
    }
}

fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    value ^ (value >> 29)
}

/// The toy machine: what every word is, and what main memory holds of it.
struct Machine {
    log: Log<Toy, Vec<u64>>,
    truth: Memory,
    home: Memory,
    dropped: Vec<u64>,
    /// What failed launches should have written is not read before it is written anew.
    failed: BTreeMap<u64, SpanSet>,
    steps: u64,
}

impl Machine {
    fn new() -> Self {
        let start: Memory = std::array::from_fn(|array| {
            std::array::from_fn(|word| mixed((array * 100 + word) as u64))
        });
        Self {
            log: Log::default(),
            truth: start,
            home: start,
            dropped: Vec::new(),
            failed: BTreeMap::new(),
            steps: 0,
        }
    }

    fn act(&mut self, action: Action) {
        self.steps += 1;
        match action {
            Action::Launch {
                reads,
                writes,
                cut,
                fails,
            } => {
                let used = reads.map(|(array, _)| array).into_iter().chain([writes.0]);
                let unread = |(array, span): &(u64, Span)| {
                    let failed = self.failed.get(array);
                    failed.is_some_and(|failed| failed.meets(&SpanSet::from(*span)))
                };
                if used.into_iter().any(|array| self.dropped.contains(&array))
                    || reads.iter().any(unread)
                {
                    return;
                }
                let toy = Toy {
                    salt: self.steps,
                    reads,
                    writes,
                };
                self.launch(toy, cut, fails);
            }
            Action::HostWrites(array, span) if !self.dropped.contains(&array) => {
                self.overwrite(array, span);
                for word in span.lo..span.hi {
                    let value = mixed(self.steps * 1000 + word);
                    self.truth[array as usize][word as usize] = value;
                    self.home[array as usize][word as usize] = value;
                }
                self.log.host_wrote(ArrayId(array), &SpanSet::from(span));
                self.heal(array, span);
            }
            Action::Fetches(array, span) => {
                let exposed = self.log.exposed();
                let own = exposed.iter().find(|(id, _)| id.0 == array);
                let Some((_, spans)) = own else { return };
                for span in spans.within(span).iter() {
                    self.overwrite(array, span);
                    for word in span.lo..span.hi {
                        self.home[array as usize][word as usize] =
                            self.truth[array as usize][word as usize];
                    }
                    self.log.fetched(ArrayId(array), &SpanSet::from(span));
                }
            }
            Action::Prunes => {
                let dropped = self.dropped.clone();
                self.log.prune(|array| !dropped.contains(&array.0));
            }
            Action::Drops(array) => self.dropped.push(array),
            Action::HostWrites(..) => {}
        }
    }

    fn launch(&mut self, toy: Toy, cut: u64, fails: bool) {
        let touched = touched(&toy);
        let version = self.log.begin(toy, &touched, 1.0);
        let (array, span) = toy.writes;
        let by_cpu = Span::new(span.lo.min(cut), span.hi.min(cut));
        let mut truth = self.truth;
        toy.run(&mut truth);
        self.overwrite(array, by_cpu);
        for word in by_cpu.lo..by_cpu.hi {
            self.home[array as usize][word as usize] = truth[array as usize][word as usize];
        }
        if fails {
            self.log.abandon(version);
            let failed = self.failed.entry(array).or_default();
            failed.insert(span);
            return;
        }
        // A part that fails now is done again from what the launch has read.
        self.check_can_be_made_again(toy.reads.map(|(array, span)| (ArrayId(array), span.into())));
        self.truth = truth;
        self.log.finish(version, |_, writes| writes.within(by_cpu));
        self.heal(array, span);
    }

    fn heal(&mut self, array: u64, span: Span) {
        if let Some(failed) = self.failed.get_mut(&array) {
            failed.remove(span);
        }
    }

    /// Keeps what has to be kept, and spoils the rest.
    fn overwrite(&mut self, array: u64, span: Span) {
        let spans = SpanSet::from(span);
        for (span, version) in self.log.to_keep(ArrayId(array), &spans) {
            let words = &self.home[array as usize][span.lo as usize..span.hi as usize];
            self.log.keep(ArrayId(array), span, version, words.to_vec());
        }
        self.log.overwritten(ArrayId(array), &spans);
        for word in span.lo..span.hi {
            self.home[array as usize][word as usize] = 0xdead;
        }
    }

    /// Whatever main memory lacks comes out as it is, and what else is asked for, with as few launches as there can be.
    fn check_can_be_made_again(&self, more: impl IntoIterator<Item = (ArrayId, SpanSet)>) {
        let mut wanted = self.log.exposed();
        wanted.extend(more);
        wanted.retain(|(array, _)| !self.dropped.contains(&array.0));
        let replay = self
            .log
            .replay(&wanted)
            .expect("everything can be made again");
        let memory = self.replayed(&replay.steps);
        for (array, spans) in &wanted {
            let lost = spans.iter().flat_map(|span| span.lo..span.hi);
            for word in lost {
                let (array, word) = (array.0 as usize, word as usize);
                assert_eq!(memory[array][word], self.truth[array][word], "{replay}");
            }
        }
        let most = replay.launches();
        if most > 0 && most <= 4 {
            self.check_needs_all(&replay, &wanted);
        }
    }

    /// Leaving out any set of the launches spoils something.
    fn check_needs_all(&self, replay: &Replay, wanted: &[(ArrayId, SpanSet)]) {
        for left_out in 1_u32..1 << replay.launches() {
            let mut number = 0;
            let mut steps = replay.steps.clone();
            steps.retain(|step| {
                let is_launch = matches!(step, Step::Run(_));
                let stays = !is_launch || left_out >> number & 1 == 0;
                number += u32::from(is_launch);
                stays
            });
            let memory = self.replayed(&steps);
            let right = wanted.iter().all(|(array, spans)| {
                let mut words = spans.iter().flat_map(|span| span.lo..span.hi);
                let array = array.0 as usize;
                words.all(|word| memory[array][word as usize] == self.truth[array][word as usize])
            });
            assert!(!right, "fewer launches would do:\n{replay}");
        }
    }

    fn replayed(&self, steps: &[Step]) -> Memory {
        let mut memory = [[0xbad; WORDS as usize]; ARRAYS as usize];
        for step in steps {
            match *step {
                Step::Run(version) => self.log.work(version).run(&mut memory),
                Step::Load { need, from } => {
                    let array = need.array.0 as usize;
                    let kept = self.log.kept(need.array, need.version, need.span);
                    for word in need.span.lo..need.span.hi {
                        memory[array][word as usize] = match from {
                            Source::Home => self.home[array][word as usize],
                            Source::Kept => {
                                let (lo, words) = kept.expect("the copy is kept");
                                words[(word - lo) as usize]
                            }
                        };
                    }
                }
            }
        }
        memory
    }
}

fn touched(toy: &Toy) -> Vec<Touched> {
    let touch = |(array, span): (u64, Span), write: bool| Touched {
        array: ArrayId(array),
        words: WORDS,
        reads: if write { SpanSet::EMPTY } else { span.into() },
        writes: if write { span.into() } else { SpanSet::EMPTY },
    };
    let [first, second] = toy.reads;
    vec![
        touch(first, false),
        touch(second, false),
        touch(toy.writes, true),
    ]
}

proptest! {
    #![proptest_config(crate::seeded::cases(2000, 0x5eed))]

    #[test]
    fn whatever_only_gpus_hold_can_be_made_again_at_any_moment(
        actions in proptest::collection::vec(any_action(), 1..24),
    ) {
        let mut machine = Machine::new();
        for action in actions {
            machine.act(action);
            machine.check_can_be_made_again([]);
        }
    }
}

#[test]
fn a_chain_is_replayed_from_what_main_memory_held_before_it() {
    let mut machine = Machine::new();
    let all = Span::new(0, WORDS);
    let step = |from, to| Action::Launch {
        reads: [(from, all), (from, all)],
        writes: (to, all),
        cut: 0,
        fails: false,
    };
    machine.act(step(0, 1));
    machine.act(step(1, 2));
    let replay = machine.log.replay(&machine.log.exposed()).unwrap();
    assert_eq!(
        replay.to_string(),
        "load words 0..8 of array 0, version 0, from main memory\n\
         repeat the launch that made version 1\n\
         repeat the launch that made version 2\n"
    );
    machine.act(Action::HostWrites(0, Span::new(0, 4)));
    let replay = machine.log.replay(&machine.log.exposed()).unwrap();
    let told = replay.to_string();
    assert!(
        told.contains("words 0..4 of array 0, version 0, from a kept copy"),
        "{told}"
    );
    assert_eq!((machine.log.len(), machine.log.kept_words()), (2, 4));

    machine.act(Action::Fetches(1, all));
    machine.act(Action::Prunes);
    assert_eq!((machine.log.len(), machine.log.kept_words()), (1, 0));
    machine.act(Action::Fetches(2, all));
    assert_eq!(machine.log.exposed_words(), 0);
    machine.act(Action::Prunes);
    assert!(machine.log.is_empty() && machine.log.arrays.is_empty());
    assert!(machine.log.recompute_ns().abs() < f64::EPSILON);
}
