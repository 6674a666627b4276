//! Tests of what every schedule of copies promises, against a model that keeps a version number per word and memory.

mod least;

use proptest::prelude::*;

use super::*;
use crate::cost::{Link, Source};
use crate::lanes::Tile;
use crate::machine::{DeviceId, MemoryId};
use crate::plan::{Part, Plan, SplitVerdict};
use crate::region::{Footprint, Residency, Span, SpanSet, Touch};

const MEMORIES: usize = 4;
const ARRAYS: usize = 3;
const ROWS: u64 = 24;
const ROW: u64 = 4;
const WORDS: usize = (ROWS * ROW) as usize;

/// One array, word by word.
#[derive(Clone, Debug)]
struct Versions {
    latest: [u32; WORDS],
    held: [[u32; WORDS]; MEMORIES],
}

/// How a kernel treats one of its arrays.
#[derive(Clone, Copy, Debug)]
enum Use {
    Untouched,
    ReadRows,
    ReadHalo(u64),
    ReadWhole,
    /// Every fourth word of the rows.
    ReadSparse,
    Write,
    Update,
    /// Writes those of its rows' words that this seed picks.
    WriteSome(u64),
    Combine,
}

impl Use {
    fn touch(self, lo: u64, hi: u64) -> Touch {
        let rows = Span::new(lo * ROW, hi * ROW);
        match self {
            Self::Untouched => Touch::default(),
            Self::ReadRows => Touch::reading(rows),
            Self::ReadHalo(h) => Touch::reading(Span::new(
                lo.saturating_sub(h) * ROW,
                (hi + h).min(ROWS) * ROW,
            )),
            Self::ReadWhole => Touch::reading(Span::new(0, ROWS * ROW)),
            Self::ReadSparse => {
                let words = (rows.lo..rows.hi).filter(|word| word.is_multiple_of(4));
                Touch::reading(
                    words
                        .map(|word| Span::new(word, word + 1))
                        .collect::<SpanSet>(),
                )
            }
            Self::Write => Touch::writing(rows),
            Self::Update => Touch::updating(rows),
            Self::WriteSome(_) => Touch {
                exact: false,
                ..Touch::writing(rows)
            },
            Self::Combine => Touch {
                exact: false,
                combine: true,
                ..Touch::updating(Span::new(0, ROW))
            },
        }
    }

    fn surely_written(self, word: u64) -> bool {
        match self {
            Self::WriteSome(seed) => (seed >> (word % 64)) & 1 == 1,
            _ => true,
        }
    }
}

fn any_use() -> impl Strategy<Value = Use> {
    prop_oneof![
        Just(Use::Untouched),
        Just(Use::ReadRows),
        (1_u64..4).prop_map(Use::ReadHalo),
        Just(Use::ReadWhole),
        Just(Use::ReadSparse),
        Just(Use::Write),
        Just(Use::Update),
        any::<u64>().prop_map(Use::WriteSome),
        Just(Use::Combine),
    ]
}

/// A launch: what it does to each array, and its cuts with the device behind each.
#[derive(Clone, Debug)]
struct Launched {
    uses: [Use; ARRAYS],
    plan: Plan,
}

fn plan(shares: &[(u8, u64, u64)]) -> Plan {
    let part = |(device, lo, hi): &(u8, u64, u64)| Part {
        device: DeviceId(*device),
        tile: Tile {
            lo: [0, *lo as u32, 0],
            hi: [1, *hi as u32, 1],
        },
        predicted_ns: 0.0,
        transfer_ns: 0.0,
        bytes_in: 0,
        bytes_out: 0,
        source: Source::Prior,
    };
    let plan = Plan {
        grid: [1, ROWS as u32, 1],
        axis: Some(1),
        parts: shares.iter().map(part).collect(),
        rejected: Vec::new(),
        split: SplitVerdict::Policy,
    };
    plan.check(plan.grid).unwrap();
    plan
}

fn any_launch() -> impl Strategy<Value = Launched> {
    let cuts = proptest::array::uniform3(0..=ROWS);
    let devices = Just([0_u8, 1, 2, 3]).prop_shuffle();
    (proptest::array::uniform3(any_use()), cuts, devices).prop_map(|(uses, mut cuts, devices)| {
        cuts.sort_unstable();
        let ends = [0, cuts[0], cuts[1], cuts[2], ROWS];
        let shares: Vec<_> = (0..4)
            .map(|part| (devices[part], ends[part], ends[part + 1]))
            .filter(|(_, lo, hi)| lo < hi)
            .collect();
        Launched {
            uses,
            plan: plan(&shares),
        }
    })
}

/// The machine's memories, and what the runtime believes about them.
#[derive(Clone, Debug)]
struct World {
    arrays: Vec<Versions>,
    residencies: Vec<Residency>,
    clock: u32,
}

fn links() -> [MemoryLinks; MEMORIES] {
    let link = |latency_ns: f64| Link {
        latency_ns,
        bytes_per_s: 1e9,
    };
    let gpu = |latency_ns: f64| MemoryLinks {
        up: link(latency_ns),
        down: link(latency_ns),
    };
    [MemoryLinks::HOST, gpu(12.0), gpu(20.0), gpu(40.0)]
}

impl World {
    fn new() -> Self {
        let mut held = [[0; WORDS]; MEMORIES];
        held[0] = [1; WORDS];
        let versions = Versions {
            latest: [1; WORDS],
            held,
        };
        Self {
            arrays: vec![versions; ARRAYS],
            residencies: vec![Residency::new(WORDS as u64, MemoryId::HOST); ARRAYS],
            clock: 1,
        }
    }

    fn footprints(launched: &Launched) -> Vec<Footprint> {
        let footprint = |part: &Part| {
            let (lo, hi) = (u64::from(part.tile.lo[1]), u64::from(part.tile.hi[1]));
            Footprint {
                arguments: launched.uses.iter().map(|how| how.touch(lo, hi)).collect(),
            }
        };
        launched.plan.parts.iter().map(footprint).collect()
    }

    fn schedule(&self, launched: &Launched, merging: Merging) -> Copies {
        let residencies: Vec<&Residency> = self.residencies.iter().collect();
        copies(
            &launched.plan,
            &Self::footprints(launched),
            &residencies,
            &links(),
            merging,
        )
        .unwrap()
    }

    fn make(&mut self, list: &Copies) {
        for copy in &list.list {
            assert!(
                copy.from == MemoryId::HOST || copy.to == MemoryId::HOST,
                "{copy}"
            );
            let array = &mut self.arrays[copy.argument];
            for word in copy.span.lo as usize..copy.span.hi as usize {
                let moved = array.held[usize::from(copy.from.0)][word];
                assert_eq!(moved, array.latest[word], "a stale word travels: {copy}");
                array.held[usize::from(copy.to.0)][word] = moved;
            }
            copy.commit(&mut self.residencies[copy.argument]);
        }
    }

    /// Runs all parts where they are placed, and commits what they wrote.
    fn run(&mut self, launched: &Launched) {
        let company = Company::of(launched.plan.parts.len());
        let footprints = Self::footprints(launched);
        for (part, footprint) in launched.plan.parts.iter().zip(&footprints) {
            for (array, touch) in self.arrays.iter().zip(&footprint.arguments) {
                let at = company.place(touch, part.device.memory());
                for word in words(&touch.contents()) {
                    assert_eq!(
                        array.held[usize::from(at.0)][word],
                        array.latest[word],
                        "a stale word is read"
                    );
                }
            }
        }
        self.clock += 1;
        for (part, footprint) in launched.plan.parts.iter().zip(&footprints) {
            for (argument, touch) in footprint.arguments.iter().enumerate() {
                let at = company.place(touch, part.device.memory());
                let array = &mut self.arrays[argument];
                for word in words(&touch.writes) {
                    if launched.uses[argument].surely_written(word as u64) {
                        array.latest[word] = self.clock;
                        array.held[usize::from(at.0)][word] = self.clock;
                    }
                }
                commit(
                    &mut self.residencies[argument],
                    touch,
                    part.device.memory(),
                    company,
                );
            }
        }
    }

    fn assert_beliefs_are_true(&self) {
        for (array, residency) in self.arrays.iter().zip(&self.residencies) {
            for (number, held) in (0_u8..).zip(&array.held) {
                for word in words(residency.valid(MemoryId(number))) {
                    assert_eq!(
                        held[word], array.latest[word],
                        "word {word} in memory {number}"
                    );
                }
            }
            assert!(residency.lost().is_empty());
        }
    }

    /// The fewest words that can move before the launch: each once into host memory if it is nowhere nearer, and once into
    /// each memory that lacks it.
    fn least(&self, launched: &Launched) -> u64 {
        let company = Company::of(launched.plan.parts.len());
        let footprints = Self::footprints(launched);
        let mut moved = 0;
        for (argument, residency) in self.residencies.iter().enumerate() {
            for word in 0..WORDS as u64 {
                let wanted_in = |memory: u8| {
                    launched
                        .plan
                        .parts
                        .iter()
                        .zip(&footprints)
                        .any(|(part, footprint)| {
                            let touch = &footprint.arguments[argument];
                            company.place(touch, part.device.memory()) == MemoryId(memory)
                                && touch.contents().contains(word)
                        })
                };
                let lacks = |memory: u8| !residency.valid(MemoryId(memory)).contains(word);
                let into_gpus = (1..MEMORIES as u8)
                    .filter(|memory| wanted_in(*memory) && lacks(*memory))
                    .count();
                let home = lacks(0) && (wanted_in(0) || into_gpus > 0);
                moved += into_gpus as u64 + u64::from(home);
            }
        }
        moved
    }

    fn launch(&mut self, launched: &Launched) -> Totals {
        let list = self.schedule(launched, Merging::Off);
        self.make(&list);
        self.run(launched);
        list.totals
    }
}

fn words(set: &SpanSet) -> impl Iterator<Item = usize> + '_ {
    set.iter()
        .flat_map(|span| span.lo as usize..span.hi as usize)
}

proptest! {
    #![proptest_config(crate::seeded::cases(150, 0x5eed))]

    #[test]
    fn every_part_reads_the_latest_words_and_no_word_moves_in_vain(
        program in proptest::collection::vec(any_launch(), 1..7),
    ) {
        let mut world = World::new();
        for launched in &program {
            let list = world.schedule(launched, Merging::Off);
            prop_assert_eq!(list.totals.all_words(), world.least(launched));
            prop_assert_eq!(list.totals.gap_words, 0);
            let listed: u64 = list.list.iter().map(|copy| copy.span.words()).sum();
            prop_assert_eq!(listed, list.totals.all_words());
            world.make(&list);
            world.run(launched);
            world.assert_beliefs_are_true();
        }
    }

    #[test]
    fn merged_copies_are_as_right_and_itemise_their_gaps(
        program in proptest::collection::vec(any_launch(), 1..7),
    ) {
        let mut world = World::new();
        for launched in &program {
            let (plain, merged) = (world.schedule(launched, Merging::Off), world.schedule(launched, Merging::ByLink));
            prop_assert!(merged.list.len() <= plain.list.len());
            let listed: u64 = merged.list.iter().map(|copy| copy.span.words()).sum();
            prop_assert_eq!(listed, merged.totals.all_words());
            for reason in Reason::ALL {
                prop_assert!(merged.totals.words(reason) <= plain.totals.words(reason));
            }
            world.make(&merged);
            world.run(launched);
            world.assert_beliefs_are_true();
        }
    }
}

fn stencil(step: usize, shares: &[(u8, u64, u64)]) -> Launched {
    let mut uses = [Use::Untouched; ARRAYS];
    uses[step % 2] = Use::ReadHalo(1);
    uses[1 - step % 2] = Use::Write;
    Launched {
        uses,
        plan: plan(shares),
    }
}

#[test]
fn a_split_stencil_whose_cut_stays_moves_its_halo_rows_and_nothing_else() {
    let mut world = World::new();
    let shares = [(0, 0, 9), (1, 9, ROWS)];
    let first = world.launch(&stencil(0, &shares));
    assert_eq!(first.all_words(), (ROWS - 9 + 1) * ROW);
    for step in 1..20 {
        let totals = world.launch(&stencil(step, &shares));
        assert_eq!(totals.words(Reason::Halo), 2 * ROW);
        assert_eq!(totals.all_words(), 2 * ROW);
    }
}

#[test]
fn halos_between_two_gpus_go_through_host_memory_once_each() {
    let mut world = World::new();
    let shares = [(0, 0, 8), (1, 8, 16), (2, 16, ROWS)];
    world.launch(&stencil(0, &shares));
    for step in 1..20 {
        let totals = world.launch(&stencil(step, &shares));
        // CPU and GPU 1 exchange a row each way; GPU 1 and GPU 2 as well, in two hops.
        assert_eq!(totals.words(Reason::Halo), (2 + 4) * ROW);
        assert_eq!(totals.all_words(), 6 * ROW);
    }
}

#[test]
fn a_cut_that_moves_by_some_rows_moves_those_rows_besides_the_halo() {
    let mut world = World::new();
    let before = [(0, 0, 9), (1, 9, ROWS)];
    for step in 0..2 {
        world.launch(&stencil(step, &before));
    }
    let moved_by = 3;
    let after = [(0, 0, 9 + moved_by), (1, 9 + moved_by, ROWS)];
    let totals = world.launch(&stencil(2, &after));
    // The other halo row, that of the GPU, is one of those that it wrote itself.
    assert_eq!(totals.all_words(), (moved_by + 1) * ROW);
    let settled = world.launch(&stencil(3, &after));
    assert_eq!(settled.all_words(), 2 * ROW);
}

#[test]
fn a_chain_of_launches_on_one_device_moves_nothing_between_them() {
    let mut world = World::new();
    let all = [(1, 0, ROWS)];
    world.launch(&stencil(0, &all));
    for step in 1..10 {
        let list = world.schedule(&stencil(step, &all), Merging::ByLink);
        assert!(list.is_empty(), "{list}");
        world.launch(&stencil(step, &all));
    }
}

#[test]
fn reading_a_slice_moves_the_slice() {
    let mut residency = Residency::new(1000, MemoryId::HOST);
    residency.write(MemoryId(1), &SpanSet::from(Span::new(100, 900)));
    let slice = SpanSet::from(Span::new(50, 150));
    let list = home(&residency, &slice, &links(), Merging::ByLink).unwrap();
    assert_eq!(
        list.to_string(),
        "200 B moved: host read 200 B\n  #0 words 100..150 from GPU 1 to host, 200 B, host read\n"
    );
    residency.drop_memory(MemoryId(1));
    let lost = home(&residency, &slice, &links(), Merging::Off).unwrap_err();
    assert_eq!(
        lost.to_string(),
        "words {100..150} of array argument 0 were lost with the device that held them"
    );
}

#[test]
fn the_cheapest_holder_is_asked() {
    let mut residency = Residency::new(8, MemoryId::HOST);
    let all = residency.all();
    residency.write(MemoryId(3), &all);
    residency.read_into(MemoryId(2), &all);
    let list = home(&residency, &all, &links(), Merging::ByLink).unwrap();
    assert_eq!(list.list[0].from, MemoryId(2));
}

#[test]
fn near_ranges_travel_together_only_where_the_gap_is_cheaper_and_still_valid() {
    let mut world = World::new();
    let sparse = Launched {
        uses: [Use::ReadSparse, Use::Write, Use::Untouched],
        plan: plan(&[(3, 0, ROWS)]),
    };
    let merged = world.schedule(&sparse, Merging::ByLink);
    assert_eq!(merged.list.len(), 1, "{merged}");
    assert_eq!(merged.totals.gap_words, 3 * (ROWS - 1));
    let near = Launched {
        plan: plan(&[(1, 0, ROWS)]),
        ..sparse.clone()
    };
    assert_eq!(world.schedule(&near, Merging::ByLink).list.len(), 1);
    world.residencies[0].write(MemoryId(2), &SpanSet::from(Span::new(41, 43)));
    let holed = world.schedule(&sparse, Merging::ByLink);
    assert_eq!(
        holed.list.len(),
        2,
        "the words between are stale in host memory: {holed}"
    );
}

#[test]
fn words_that_only_will_be_sent_to_a_gpu_do_not_come_home_from_it_in_a_gap() {
    let mut world = World::new();
    let read = |shares: &[(u8, u64, u64)]| Launched {
        uses: [Use::ReadWhole, Use::Untouched, Use::Untouched],
        plan: plan(shares),
    };
    let write = Launched {
        uses: [Use::Write, Use::Untouched, Use::Untouched],
        plan: plan(&[(3, 0, ROWS)]),
    };
    world.launch(&write);
    // The host overwrites four words, which the GPU is to get again in the launch for which the words around them go home.
    let overwritten = 40..44;
    world.clock += 1;
    for word in overwritten.clone() {
        world.arrays[0].latest[word] = world.clock;
        world.arrays[0].held[0][word] = world.clock;
    }
    let touch = Touch::writing(Span::new(overwritten.start as u64, overwritten.end as u64));
    commit(
        &mut world.residencies[0],
        &touch,
        MemoryId::HOST,
        Company::Alone,
    );
    let both = read(&[(3, 0, 3), (0, 3, ROWS)]);
    let list = world.schedule(&both, Merging::ByLink);
    world.make(&list);
    world.run(&both);
    world.assert_beliefs_are_true();
}

#[test]
fn two_views_of_one_array_share_what_has_arrived() {
    let residency = Residency::new(WORDS as u64, MemoryId::HOST);
    let whole = plan(&[(1, 0, ROWS)]);
    let read = Touch::reading(Span::new(0, 8));
    let footprint = Footprint {
        arguments: vec![read.clone(), read],
    };
    let list = copies(
        &whole,
        &[footprint],
        &[&residency, &residency],
        &links(),
        Merging::ByLink,
    )
    .unwrap();
    assert_eq!(list.totals.all_words(), 8, "{list}");
}
