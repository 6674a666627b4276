//! How long does planning take? Plans of launches over two and eight devices, made anew each time: `cargo bench --bench planning`.

use std::hint::black_box;
use std::time::Instant;

use impel::DeviceId;
use impel::cost::{Link, Prediction, Source};
use impel::lanes::Tile;
use impel::machine::MemoryId;
use impel::plan::{Argument, Candidate, Objective, Plan, Policy, Situation, Splitting, choose};
use impel::region::{Footprint, Residency, Span, SpanSet, Touch};

/// Rows of the launches, and words of a row.
const ROWS: u64 = 4096;
const ROW: u64 = 4096;

/// Plans of which one time is the mean, and times of which the median is printed.
const PLANS: u32 = 200;
const TIMES: usize = 31;

/// A stencil: its own rows are written, and a neighbour on each side is read, too.
fn footprint(tile: Tile) -> Footprint {
    let (lo, hi) = (u64::from(tile.lo[1]), u64::from(tile.hi[1]));
    let read = Span::new(lo.saturating_sub(1) * ROW, (hi + 1).min(ROWS) * ROW);
    Footprint {
        arguments: vec![
            Touch::reading(SpanSet::from(read)),
            Touch::writing(SpanSet::from(Span::new(lo * ROW, hi * ROW))),
        ],
    }
}

/// The CPU, and GPUs each a little faster than the one before.
fn candidates(count: u8) -> Vec<Candidate> {
    let candidate = |number: u8| {
        let cpu = number == 0;
        let link = Link {
            latency_ns: 8000.0,
            bytes_per_s: 1.2e10,
        };
        let link = if cpu { Link::NONE } else { link };
        let (fixed_ns, work_ns) = (if cpu { 500.0 } else { 2e4 }, 4e7 / f64::from(2 + number));
        Candidate {
            device: DeviceId(number),
            unusable: None,
            ready_ns: 0.0,
            whole: Prediction {
                ns: fixed_ns + work_ns,
                fixed_ns,
                work_ns,
                spread: 0.05,
                confidence: 0.8,
                idle_launches: 0,
                source: Source::Measured(10),
            },
            up: link,
            down: link,
            dispatch_ns_max: f64::INFINITY,
            power: None,
        }
    };
    (0..count).map(candidate).collect()
}

/// Where the arrays are.
fn residencies(held: bool, previous: Option<&Plan>) -> [Residency; 2] {
    let mut both = [(); 2].map(|()| Residency::new(ROWS * ROW, MemoryId::HOST));
    let parts = previous.into_iter().flat_map(|plan| &plan.parts);
    for part in parts.filter(|_| held) {
        let touched = footprint(part.tile);
        for (residency, touch) in both.iter_mut().zip(&touched.arguments) {
            residency.read_into(part.device.memory(), &touch.needs());
        }
        both[1].write(part.device.memory(), &touched.arguments[1].writes);
    }
    both
}

fn time_us(candidates: &[Candidate], held: bool) -> (f64, usize) {
    let plan = |residencies: &[Residency; 2], previous: Option<&Plan>| {
        let arguments = residencies.each_ref().map(|residency| Argument {
            residency,
            next: None,
        });
        let situation = Situation {
            grid: [64, ROWS as u32, 1],
            splitting: Splitting::Along {
                axis: 1,
                multiple: 1,
            },
            candidates,
            arguments: &arguments,
            previous,
            horizon: 16.0,
            objective: Objective::Time,
        };
        choose(&situation, &Policy::Auto, footprint).expect("all devices can do it")
    };
    let first = plan(&residencies(false, None), None);
    let residencies = residencies(held, Some(&first));
    let previous = held.then_some(&first);
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..PLANS {
                black_box(plan(black_box(&residencies), previous));
            }
            start.elapsed().as_secs_f64() * 1e6 / f64::from(PLANS)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[TIMES / 2], first.parts.len())
}

fn main() {
    for count in [2, 8] {
        for (held, what) in [
            (false, "all arrays on the host"),
            (true, "repeated in place"),
        ] {
            let (us, parts) = time_us(&candidates(count), held);
            println!("{count} devices, {what:<22}: {us:6.2} µs ({parts} parts)");
        }
    }
}
