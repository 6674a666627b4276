//! Tests of what every balance promises, whatever the devices really do.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A device: what is believed of it, and what is true.
#[derive(Clone, Debug)]
struct Actor {
    terms: Terms,
    true_unit_ns: f64,
    /// Number of the chunk in which it fails.
    fails_at: Option<usize>,
}

/// What came of a launch.
#[derive(Debug)]
struct Ran {
    end_ns: f64,
    chunks: Vec<(Chunk, f64)>,
    left: Vec<Units>,
    taken: Vec<(DeviceId, Units)>,
}

impl Ran {
    /// The chunks, in the order in which they were done.
    fn list(&self) -> String {
        let line = |(chunk, end_ns): &(Chunk, f64)| {
            let Units { lo, hi } = chunk.units;
            format!(
                "{} {lo}..{hi}, {:.0} ns predicted, done at {end_ns:.0}\n",
                chunk.device, chunk.predicted_ns
            )
        };
        self.chunks.iter().map(line).collect()
    }
}

/// Carries a launch out in virtual time, `ahead` chunks queued per device, density 1 along the axis.
fn run(extent: u64, multiple: u64, actors: &[Actor], ahead: usize) -> Ran {
    let terms = actors.iter().map(|actor| actor.terms.clone()).collect();
    let mut balance = Balance::new(extent, multiple, terms);
    let mut queues: BTreeMap<u8, Vec<(Chunk, f64)>> = BTreeMap::new();
    let mut counts = vec![0; actors.len()];
    let mut ran = Ran {
        end_ns: 0.0,
        chunks: Vec::new(),
        left: Vec::new(),
        taken: Vec::new(),
    };
    let mut now_ns = 0.0;
    for _ in 0..100_000 {
        let mut done = true;
        for actor in actors {
            let device = actor.terms.device;
            let queue = queues.entry(device.0).or_default();
            while queue.len() < ahead {
                let Turn::Take(chunk) = balance.next(device, now_ns) else {
                    break;
                };
                let start_ns = queue.last().map_or(now_ns, |last| last.1);
                let takes_ns = actor.terms.chunk_ns + actor.true_unit_ns * chunk.units.len() as f64;
                queue.push((chunk, start_ns + takes_ns));
            }
            done &= balance.next_is_done(device, now_ns);
        }
        let first = queues
            .iter()
            .filter_map(|(device, queue)| Some((*device, queue.first()?.1)));
        let Some((device, end_ns)) = first.min_by(|a, b| a.1.total_cmp(&b.1)) else {
            assert!(done, "nothing is under way, so everybody must be done");
            ran.left = balance.left().to_vec();
            ran.taken = balance.taken();
            return ran;
        };
        now_ns = end_ns;
        let at = actors
            .iter()
            .position(|actor| actor.terms.device.0 == device)
            .unwrap();
        counts[at] += 1;
        let queue = queues.get_mut(&device).unwrap();
        if actors[at].fails_at == Some(counts[at]) {
            queue.clear();
            ran.chunks.retain(|(chunk, _)| chunk.device.0 != device);
            balance.failed(DeviceId(device));
            continue;
        }
        let (chunk, _) = queue.remove(0);
        let takes_ns =
            actors[at].terms.chunk_ns + actors[at].true_unit_ns * chunk.units.len() as f64;
        let took = Took {
            copies_ns: 0.0,
            work_ns: takes_ns,
        };
        balance.finished(DeviceId(device), took, now_ns);
        ran.end_ns = now_ns;
        ran.chunks.push((chunk, now_ns));
    }
    panic!("a launch of {extent} units does not end");
}

impl Balance {
    /// Whether `device` has nothing more to do; takes nothing.
    fn next_is_done(&self, device: DeviceId, now_ns: f64) -> bool {
        matches!(self.clone().next(device, now_ns), Turn::Done)
    }
}

fn terms(device: u8, planned: Units, chunk_ns: f64, unit_ns: f64, doubt: f64) -> Terms {
    Terms {
        device: DeviceId(device),
        planned,
        ready_ns: 0.0,
        enter_ns: 0.0,
        chunk_ns,
        unit_ns,
        copies: Vec::new(),
        chunk_ns_max: f64::INFINITY,
        doubt,
        spread: 0.0,
    }
}

prop_compose! {
    fn any_launch()(
        extent in 2_u64..5000, multiple in 1_u64..9, devices in 1_usize..=9,
    )(
        extent in Just(extent), multiple in Just(multiple),
        cuts in proptest::collection::vec(0..=extent, devices - 1),
        each in proptest::collection::vec(
            (0.1_f64..100.0, 0.25_f64..4.0, 0.0_f64..5e4, 1.0_f64..8.0, proptest::option::weighted(0.15, 1_usize..4)),
            devices,
        ),
    ) -> (u64, u64, Vec<Actor>) {
        let mut cuts: Vec<u64> = cuts.iter().map(|cut| cut / multiple * multiple).collect();
        cuts.sort_unstable();
        let ends = [vec![0], cuts, vec![extent]].concat();
        let actor = |(number, own): (usize, &(f64, f64, f64, f64, Option<usize>))| {
            let (unit_ns, wrong, chunk_ns, doubt, fails_at) = *own;
            let planned = Units { lo: ends[number], hi: ends[number + 1] };
            Actor {
                terms: terms(number as u8, planned, chunk_ns, unit_ns, doubt),
                true_unit_ns: unit_ns * wrong,
                // The first device stays, so that somebody does.
                fails_at: fails_at.filter(|_| number > 0),
            }
        };
        (extent, multiple, each.iter().enumerate().map(actor).collect())
    }
}

proptest! {
    #![proptest_config(crate::seeded::cases(400, 0x5eed))]

    #[test]
    fn chunks_that_did_not_fail_tile_the_launch_exactly_once(
        (extent, multiple, actors) in any_launch(), ahead in 1_usize..3,
    ) {
        let ran = run(extent, multiple, &actors, ahead);
        prop_assert!(ran.left.is_empty());
        let mut chunks: Vec<Units> = ran.chunks.iter().map(|(chunk, _)| chunk.units).collect();
        chunks.sort_by_key(|units| units.lo);
        let mut at = 0;
        for units in &chunks {
            prop_assert_eq!(units.lo, at);
            prop_assert!(!units.is_empty());
            prop_assert!(units.hi == extent || units.hi.is_multiple_of(multiple));
            at = units.hi;
        }
        prop_assert_eq!(at, extent);
        let done: u64 = ran.taken.iter().map(|(_, units)| units.len()).sum();
        prop_assert_eq!(done, extent);
    }

    #[test]
    fn two_devices_that_are_mispredicted_end_within_a_tenth_of_the_best(
        wrong in (0.25_f64..4.0, 0.25_f64..4.0), unit_ns in (10.0_f64..100.0, 10.0_f64..100.0), chunk_ns in 1e3_f64..2e4,
    ) {
        let extent = 200_000;
        let cut = (extent as f64 * unit_ns.1 / (unit_ns.0 + unit_ns.1)) as u64;
        let actor = |number: u8, planned: Units, unit_ns: f64, wrong: f64| Actor {
            terms: terms(number, planned, chunk_ns, unit_ns, 4.0),
            true_unit_ns: unit_ns * wrong,
            fails_at: None,
        };
        let actors = [
            actor(0, Units { lo: 0, hi: cut }, unit_ns.0, wrong.0),
            actor(1, Units { lo: cut, hi: extent }, unit_ns.1, wrong.1),
        ];
        let ran = run(extent, 1, &actors, 1);
        let speed: f64 = actors.iter().map(|actor| 1.0 / actor.true_unit_ns).sum();
        let best_ns = (extent as f64 + 2.0 * chunk_ns * speed / 2.0) / speed;
        prop_assert!(ran.end_ns < 1.1 * best_ns, "{} > {best_ns}: {}", ran.end_ns, ran.list());
        prop_assert_eq!(ran.taken.len(), 2, "two contiguous intervals");
    }
}

#[test]
fn a_sure_plan_costs_few_chunks_and_keeps_its_cut() {
    let actors: Vec<Actor> = [(0, 0, 3000), (1, 3000, 10_000)]
        .map(|(device, lo, hi)| {
            let unit_ns = 3e6 / (hi - lo) as f64;
            Actor {
                terms: terms(device, Units { lo, hi }, 5e3, unit_ns, 1.1),
                true_unit_ns: unit_ns,
                fails_at: None,
            }
        })
        .to_vec();
    let ran = run(10_000, 1, &actors, 1);
    assert!(ran.chunks.len() <= 10, "{}", ran.list());
    assert!(ran.chunks[0].0.units.len() > 2000, "{}", ran.list());
    let cut = ran.taken[0].1.hi;
    assert!((2950..3050).contains(&cut), "{}", ran.list());
}

#[test]
fn a_device_whose_fixed_cost_exceeds_the_time_left_gets_nothing() {
    let planned = [Units { lo: 0, hi: 1000 }, Units { lo: 1000, hi: 1000 }];
    let mut balance = Balance::new(
        1000,
        1,
        vec![
            terms(0, planned[0], 10.0, 10.0, 1.1),
            terms(1, planned[1], 20_000.0, 1.0, 1.1),
        ],
    );
    assert_eq!(balance.next(DeviceId(1), 0.0), Turn::Wait);
    assert!(matches!(balance.next(DeviceId(0), 0.0), Turn::Take(_)));
}

#[test]
fn what_everybody_failed_to_do_is_left() {
    let all = Units { lo: 0, hi: 64 };
    let mut balance = Balance::new(64, 4, vec![terms(0, all, 10.0, 10.0, 4.0)]);
    let Turn::Take(chunk) = balance.next(DeviceId(0), 0.0) else {
        panic!("the only device takes something");
    };
    assert!(!chunk.units.is_empty());
    balance.failed(DeviceId(0));
    assert_eq!(balance.next(DeviceId(0), 1.0), Turn::Done);
    assert_eq!(balance.left(), [all]);
    assert!(balance.taken().is_empty());
}
