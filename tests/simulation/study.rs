//! What does one case show, and what do all of them together?

use std::fmt;

use impel::Policy;
use impel::plan::balance::Balance;
use impel::plan::{self, Candidate, Plan, Units};
use impel::simulate::{How, Launched, Outcome, run};

use crate::cases::{Case, number};
use crate::search::{best_split_ns, end_ns, part_ns};

/// A launch is large if it takes this many times the fixed overheads of the devices that share it.
const LARGE: f64 = 100.0;

/// What one case shows. All are ratios of times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Finding {
    /// The planner's end time over that of the best split, both under the costs that the planner was told.
    pub(crate) plan_over_best: f64,
    /// Costs wrong by up to 4×, balanced while it runs, over the plan made with true costs; in a world like the planner's model.
    pub(crate) mistaken_simple: f64,
    /// The same without balance.
    pub(crate) mistaken_simple_static: f64,
    /// The same as `mistaken_simple`, in the whole world.
    pub(crate) mistaken: f64,
    /// Of large launches on several devices: best joint time over achieved, plan obeyed to the letter.
    pub(crate) efficiency_static: Option<f64>,
    /// The same with balance.
    pub(crate) efficiency: Option<f64>,
    /// Achieved over the best single device, planner told the truth, balanced.
    pub(crate) over_single: f64,
    /// The same, the plan obeyed to the letter.
    pub(crate) obeyed_over_single: f64,
    /// The same as `over_single`, costs wrong by up to 4×.
    pub(crate) mistaken_over_single: f64,
    /// How many times the fixed overheads of its devices the launch takes.
    pub(crate) overheads: f64,
    /// Whether the launch is large.
    pub(crate) large: bool,
    /// Chunks of the balanced launch per device that took part.
    pub(crate) chunks: f64,
}

/// Plans and carries out one case in every way.
pub(crate) fn study(case: &Case) -> Finding {
    let simple = case.simple();
    let (true_simple, mistaken) = (simple.candidates(), simple.mistaken());
    let mut finding = Finding::default();
    let truth_ns = simple.situation(&true_simple, None, |launched| {
        let plan = plan_of(launched);
        finding.plan_over_best =
            priced_ns(launched, &plan) / best_split_ns(launched, &cuts_of(launched, &plan));
        run(launched, How::Obey(&plan)).end_ns
    });
    finding.mistaken_simple = simple.situation(&mistaken, None, balanced).end_ns / truth_ns;
    let obeyed_ns = simple.situation(&mistaken, None, |launched| obeyed(launched).end_ns);
    finding.mistaken_simple_static = obeyed_ns / truth_ns;

    let truth = case.candidates();
    let obeyed_ns = case.situation(&truth, None, |launched| obeyed(launched).end_ns);
    let achieved = case.situation(&truth, None, balanced);
    let wrong_ns = case.situation(&case.mistaken(), None, balanced).end_ns;
    finding.mistaken = wrong_ns / obeyed_ns;
    let singles: Vec<f64> = (0..truth.len())
        .map(|device| single_ns(case, &truth, device))
        .collect();
    let single_ns = singles.iter().copied().fold(f64::INFINITY, f64::min);
    finding.over_single = achieved.end_ns / single_ns;
    finding.obeyed_over_single = obeyed_ns / single_ns;
    finding.mistaken_over_single = wrong_ns / single_ns;
    let taking = (0..truth.len()).filter(|device| {
        achieved
            .steps
            .iter()
            .any(|step| number(step.device) == *device)
    });
    finding.chunks = achieved.steps.len() as f64 / taking.count().max(1) as f64;

    let joint_ns = 1.0 / singles.iter().map(|ns| 1.0 / ns).sum::<f64>();
    let overhead_ns = case.situation(&truth, None, overhead_ns);
    finding.overheads = joint_ns / overhead_ns;
    finding.large = finding.overheads >= LARGE;
    if finding.large && truth.len() > 1 && case.is_at_home() {
        let ideal_ns = ideal_ns(case, &singles);
        finding.efficiency_static = Some(ideal_ns / obeyed_ns);
        finding.efficiency = Some(ideal_ns / achieved.end_ns);
    }
    finding
}

fn plan_of(launched: &Launched<'_>) -> Plan {
    plan::choose(launched.situation, &Policy::Auto, launched.footprint)
        .expect("every device is usable")
}

fn obeyed(launched: &Launched<'_>) -> Outcome {
    run(launched, How::Obey(&plan_of(launched)))
}

/// As the executor does it: balanced where that is worth it.
fn balanced(launched: &Launched<'_>) -> Outcome {
    let plan = plan_of(launched);
    match Balance::of(launched.situation, &plan, &mut |tile| {
        (launched.footprint)(tile)
    }) {
        Some(balance) => run(launched, How::Balance(balance)),
        None => run(launched, How::Obey(&plan)),
    }
}

/// End time of a plan by the search's own prices.
fn priced_ns(launched: &Launched<'_>, plan: &Plan) -> f64 {
    let cuts = cuts_of(launched, plan);
    if plan.parts.len() > 1 {
        return end_ns(launched, &cuts);
    }
    let parts = launched.situation.candidates.iter().zip(&cuts);
    let ends = parts.map(|(candidate, units)| part_ns(launched, candidate, *units, false));
    ends.fold(0.0, f64::max)
}

/// What each device has in a plan.
fn cuts_of(launched: &Launched<'_>, plan: &Plan) -> Vec<Units> {
    let mut at = 0;
    let own = |candidate: &Candidate| {
        let part = plan
            .parts
            .iter()
            .find(|part| part.device == candidate.device);
        let lo = at;
        at = part.map_or(at, |part| u64::from(part.tile.hi[launched.axis]));
        Units { lo, hi: at }
    };
    launched.situation.candidates.iter().map(own).collect()
}

/// The whole launch on one device.
fn single_ns(case: &Case, truth: &[Candidate], device: usize) -> f64 {
    case.situation(truth, None, |launched| {
        let policy = Policy::Split(vec![(truth[device].device, 1.0)]);
        let plan =
            plan::choose(launched.situation, &policy, launched.footprint).expect("a usable device");
        run(launched, How::Obey(&plan)).end_ns
    })
}

/// The largest fixed overhead of any device: launch, latencies, and copies that do not shrink with its part.
fn overhead_ns(launched: &Launched<'_>) -> f64 {
    let first = Units { lo: 0, hi: 1 };
    let of = |candidate: &Candidate| part_ns(launched, candidate, first, true);
    launched
        .situation
        .candidates
        .iter()
        .map(of)
        .fold(0.0, f64::max)
}

/// The best joint time: `1 / Σ 1/T`, with the share of devices on one bus no more than the bus can feed.
fn ideal_ns(case: &Case, singles: &[f64]) -> f64 {
    let bytes = case.load.bytes_per_unit * case.load.units as f64;
    let mut rate: f64 = 0.0;
    for bus in 0..case.machine.buses.len() {
        let on_bus = |device: &usize| case.machine.devices[*device].bus == Some(bus);
        let own: f64 = (0..singles.len())
            .filter(on_bus)
            .map(|device| 1.0 / singles[device])
            .sum();
        rate += own.min(bus_rate(case, bus, bytes));
    }
    let free = (0..singles.len()).filter(|device| case.machine.devices[*device].bus.is_none());
    rate += free.map(|device| 1.0 / singles[device]).sum::<f64>();
    1.0 / rate
}

/// Launches per ns that a bus could feed, if none of their words came from caches.
fn bus_rate(case: &Case, bus: usize, bytes: f64) -> f64 {
    let gain = case
        .machine
        .devices
        .iter()
        .filter(|device| device.bus == Some(bus));
    let cached = gain
        .clone()
        .any(|device| device.cache_gain > 1.0 && bytes <= device.cache_bytes);
    if cached {
        f64::INFINITY
    } else {
        case.machine.buses[bus] / bytes
    }
}

/// Some ratios of many cases.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    sorted: Vec<f64>,
}

impl Distribution {
    pub(crate) fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        Self { sorted }
    }

    pub(crate) fn at(&self, fraction: f64) -> f64 {
        let last = self.sorted.len() - 1;
        self.sorted[(last as f64 * fraction).round() as usize]
    }

    pub(crate) fn mean(&self) -> f64 {
        self.sorted.iter().sum::<f64>() / self.sorted.len() as f64
    }

    /// The fraction of values up to `bound`.
    pub(crate) fn up_to(&self, bound: f64) -> f64 {
        self.sorted.partition_point(|value| *value <= bound) as f64 / self.sorted.len() as f64
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sorted.is_empty() {
            return f.write_str("no cases");
        }
        write!(f, "{:6} cases, mean {:.3}", self.sorted.len(), self.mean())?;
        for (name, fraction) in [
            ("min", 0.0),
            ("1 %", 0.01),
            ("10 %", 0.1),
            ("50 %", 0.5),
            ("90 %", 0.9),
            ("95 %", 0.95),
            ("99 %", 0.99),
            ("99.9 %", 0.999),
            ("max", 1.0),
        ] {
            write!(f, ", {name} {:.3}", self.at(fraction))?;
        }
        Ok(())
    }
}
