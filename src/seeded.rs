//! Which random cases do tests try? The same in every run, and files of past failures beside the sources in none.

use proptest::test_runner::{Config, RngSeed};

/// So many cases, which follow from `seed`.
pub(crate) fn cases(cases: u32, seed: u64) -> Config {
    Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..Config::default()
    }
}
