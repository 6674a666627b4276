//! Do plans keep their promises on ten thousand imagined machines? A thousand of them in every test run; all with
//! `IMPEL_TEST_LONG=1`. `-- --nocapture` prints the distributions.

mod cases;
mod search;
mod study;

use cases::Case;
use study::{Distribution, Finding, study};

fn findings() -> Vec<Finding> {
    let long = std::env::var_os("IMPEL_TEST_LONG").is_some_and(|value| value == "1");
    let count = if long { 10_000 } else { 1_000 };
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
    let mistaken = large(|own| own.mistaken_simple);
    let efficiency = joint(|own| own.efficiency);
    for (what, distribution) in [
        ("plan / best split by search", &plan),
        ("end / best single device", &single),
        (
            "large: costs wrong by 4x, balanced / plan with true costs",
            &mistaken,
        ),
        (
            "the same, not balanced",
            &large(|own| own.mistaken_simple_static),
        ),
        ("the same, whole world", &large(|own| own.mistaken)),
        ("large: best joint time / balanced", &efficiency),
        (
            "the same, not balanced",
            &joint(|own| own.efficiency_static),
        ),
        (
            "costs wrong by 4x, balanced / plan with true costs",
            &all(|own| own.mistaken_simple),
        ),
        (
            "costs wrong by 4x, balanced / best single device",
            &all(|own| own.mistaken_over_single),
        ),
        ("chunks per device", &all(|own| own.chunks)),
    ] {
        println!("{what:58} {distribution}");
    }
    assert!(plan.up_to(1.02) > 0.98, "{plan}");
    assert!(
        mistaken.at(0.5) < 1.02 && mistaken.up_to(1.1) > 0.9,
        "{mistaken}"
    );
    assert!(efficiency.at(0.5) > 0.97, "{efficiency}");
    assert!(single.up_to(1.03) > 0.85, "{single}");
}
