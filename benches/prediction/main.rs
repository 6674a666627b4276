//! How wrong are predictions? Each kernel at four sizes on the CPU: the first launch, predicted from the device's limits alone, and
//! the fourth, predicted from three launches before it.
//!
//! `cargo bench --bench prediction [-- REPEATS]` prints a table with the median errors of some repeats, each in a runtime that knows
//! nothing but limits measured once.

#[path = "../rivals/src/inputs.rs"]
#[allow(dead_code, reason = "the contest uses the rest")]
mod inputs;
mod launches;

use std::path::{Path, PathBuf};

use impel::cost::Costs;
use impel::{DeviceId, Runtime};

use launches::{Again, KERNELS};

/// Launches of a case: the first is predicted from limits, the last from the others.
const LAUNCHES: usize = 4;

/// Relative errors of one case in one repeat.
#[derive(Clone, Copy, Debug)]
struct Errors {
    first: f64,
    fourth: f64,
}

fn main() {
    let repeats = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(5);
    let directory = std::env::temp_dir().join(format!("impel-prediction-{}", std::process::id()));
    let limits = measured_limits(&directory);
    print!("{limits}");
    println!(
        "{:<15} {:>9} {:>12} {:>12} {:>7} {:>12} {:>7}",
        "kernel", "size", "forecast µs", "first µs", "error", "fourth µs", "error"
    );
    let (mut first, mut fourth) = (Vec::new(), Vec::new());
    for (kernel, sizes, prepare) in KERNELS {
        for size in sizes {
            let runs: Vec<_> = (0..repeats)
                .map(|_| case(kernel, &directory, &limits, |rt| prepare(rt, size)))
                .collect();
            let errors: Vec<Errors> = runs.iter().map(|run| errors(run)).collect();
            let middle = Errors {
                first: median(errors.iter().map(|errors| errors.first)),
                fourth: median(errors.iter().map(|errors| errors.fourth)),
            };
            let us = |launch: usize, which: fn(&(f64, f64)) -> f64| {
                median(runs.iter().map(|run| which(&run[launch]) / 1e3))
            };
            println!(
                "{kernel:<15} {size:>9} {:>12.1} {:>12.1} {:>5.0} % {:>12.1} {:>5.0} %",
                us(0, |run| run.0),
                us(0, |run| run.1),
                middle.first * 100.0,
                us(LAUNCHES - 1, |run| run.1),
                middle.fourth * 100.0
            );
            first.push(middle.first);
            fourth.push(middle.fourth);
        }
    }
    println!(
        "median error over {} cases, {repeats} repeats each: first launch {:.0} %, fourth {:.0} %",
        first.len(),
        median(first) * 100.0,
        median(fourth) * 100.0
    );
    // Nothing depends on what is left there.
    drop(std::fs::remove_dir_all(directory));
}

/// What a runtime measures of the CPU, and nothing else.
fn measured_limits(directory: &Path) -> Costs {
    let rt = runtime(directory);
    let mut launch = (KERNELS[0].2)(&rt, 1 << 10);
    launch(&rt, Again::Explain);
    drop(launch);
    drop(rt);
    costs(directory)
}

/// Predicted and measured times of a few launches in a runtime that knows `limits`.
fn case(
    kernel: &str,
    directory: &Path,
    limits: &Costs,
    prepare: impl FnOnce(&Runtime) -> launches::Launches,
) -> Vec<(f64, f64)> {
    std::fs::write(file(directory), limits.to_text()).expect("the temporary folder can be written");
    let rt = runtime(directory);
    let mut launch = prepare(&rt);
    let mut before = rt.report().runs(kernel, DeviceId::CPU);
    (0..LAUNCHES)
        .map(|_| {
            launch(&rt, Again::Launch);
            let runs = rt.report().runs(kernel, DeviceId::CPU);
            let times = (
                runs.predicted_ns - before.predicted_ns,
                (runs.measured_ns - before.measured_ns) as f64,
            );
            before = runs;
            times
        })
        .collect()
}

fn runtime(directory: &Path) -> Runtime {
    let builder = Runtime::builder().cache_directory(directory);
    #[cfg(feature = "gpu")]
    let builder = builder.gpus(false);
    builder.build().expect("a CPU is enough")
}

fn file(directory: &Path) -> PathBuf {
    directory.join("costs")
}

fn costs(directory: &Path) -> Costs {
    let text = std::fs::read_to_string(file(directory)).expect("the runtime has kept its costs");
    text.parse().expect("the runtime has written them")
}

fn errors(run: &[(f64, f64)]) -> Errors {
    let error = |(predicted, measured): (f64, f64)| (predicted / measured - 1.0).abs();
    Errors {
        first: error(run[0]),
        fourth: error(run[LAUNCHES - 1]),
    }
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
