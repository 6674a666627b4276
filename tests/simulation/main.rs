//! Do plans keep their promises on ten thousand imagined machines? A thousand of them in every test run; all with
//! `IMPEL_TEST_LONG=1`. `-- --nocapture` prints the distributions.

mod cases;
mod search;
mod study;

use cases::Case;
use study::{Distribution, Finding, study};

/// Launches by how many times the fixed overheads of their devices they take.
const SCALES: [(f64, f64); 4] = [(0.0, 3.0), (3.0, 10.0), (10.0, 30.0), (30.0, 100.0)];
/// How many of the worst cases are shown.
const WORST: usize = 10;

/// Shows the worst cases, with their machines.
fn show_worst(what: &str, findings: &[Finding], value: impl Fn(&Finding) -> Option<f64>) {
    let valued = findings.iter().zip(0..);
    let mut cases: Vec<(f64, u64)> = valued
        .filter_map(|(finding, seed)| Some((value(finding)?, seed)))
        .collect();
    cases.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("worst of {what}:");
    for (ratio, seed) in cases.into_iter().take(WORST) {
        println!("  {ratio:.3}, seed {seed}: {}", Case::new(seed));
    }
}

fn is_long() -> bool {
    std::env::var_os("IMPEL_TEST_LONG").is_some_and(|value| value == "1")
}

fn findings() -> Vec<Finding> {
    let count = if is_long() { 10_000 } else { 1_000 };
    (0..count).map(|seed| study(&Case::new(seed))).collect()
}

#[test]
fn plans_keep_their_promises() {
    let findings = findings();
    let all = |value: fn(&Finding) -> f64| Distribution::new(findings.iter().map(value));
    let large = |value: fn(&Finding) -> f64| {
        Distribution::new(findings.iter().filter(|own| own.large).map(value))
    };
    let joint =
        |value: fn(&Finding) -> Option<f64>| Distribution::new(findings.iter().filter_map(value));
    let plan = all(|own| own.plan_over_best);
    let single = all(|own| own.over_single);
    let large_single = large(|own| own.over_single);
    let mistaken = large(|own| own.mistaken_simple);
    let efficiency = joint(|own| Some(own.efficiency?.min(1.0)));
    println!("time / time, unless said otherwise; large: 100 times the fixed overheads");
    for (what, distribution) in [
        ("plan / best split by search", &plan),
        ("balanced / best single device", &single),
        ("balanced / best single device, large", &large_single),
        (
            "obeyed / best single device",
            &all(|own| own.obeyed_over_single),
        ),
        ("best joint time / balanced, at most 1, large", &efficiency),
        (
            "best joint time / balanced, large",
            &joint(|own| own.efficiency),
        ),
        (
            "best joint time / obeyed, large",
            &joint(|own| own.efficiency_static),
        ),
        ("costs 4x wrong: balanced / true plan, large", &mistaken),
        (
            "costs 4x wrong: obeyed / true plan, large",
            &large(|own| own.mistaken_simple_static),
        ),
        (
            "costs 4x wrong: balanced / true plan, large, world",
            &large(|own| own.mistaken),
        ),
        (
            "costs 4x wrong: balanced / true plan",
            &all(|own| own.mistaken_simple),
        ),
        (
            "costs 4x wrong: balanced / best single device",
            &all(|own| own.mistaken_over_single),
        ),
        ("chunks per device", &all(|own| own.chunks)),
    ] {
        println!("{what:50} {distribution}");
    }
    for (lo, hi) in SCALES {
        let own = findings
            .iter()
            .filter(|own| (lo..hi).contains(&own.overheads));
        let what = format!("costs 4x wrong: {lo} to {hi} overheads");
        let ratios = own.map(|own| own.mistaken_simple);
        println!("{what:50} {}", Distribution::new(ratios));
    }
    for (what, distribution, bound) in [
        ("plan / best split by search", &plan, 1.02),
        ("balanced / best single device", &single, 1.03),
        ("balanced / best single device, large", &large_single, 1.03),
        (
            "costs 4x wrong: balanced / true plan, large",
            &mistaken,
            1.1,
        ),
    ] {
        let part = distribution.up_to(bound) * 100.0;
        println!("{what:50} {part:.2} % up to {bound}; goal: 100 %");
    }
    let mean = efficiency.mean();
    println!("best joint time / balanced, at most 1, large: mean {mean:.3}; goal: 0.97");
    show_worst("plan / best split by search", &findings, |own| {
        Some(own.plan_over_best)
    });
    show_worst("costs 4x wrong, large", &findings, |own| {
        own.large.then_some(own.mistaken_simple)
    });
    show_worst("balanced / best single device, large", &findings, |own| {
        own.large.then_some(own.over_single)
    });
    // Fewer cases scatter more.
    let least = if is_long() {
        [0.999, 0.975, 0.935, 0.97]
    } else {
        [0.999, 0.95, 0.92, 0.96]
    };
    assert!(plan.up_to(1.02) >= least[0] && plan.at(1.0) < 1.1, "{plan}");
    assert!(mistaken.up_to(1.1) > least[1], "{mistaken}");
    assert!(single.up_to(1.03) > least[2], "{single}");
    assert!(large_single.up_to(1.03) > least[3], "{large_single}");
    assert!(efficiency.mean() > 0.97, "{efficiency}");
}
