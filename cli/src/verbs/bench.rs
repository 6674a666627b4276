//! `impel bench`: how fast are the ready-made kernels on each device, and how well was that predicted?

use impel::{DeviceId, Policy, Runtime};
use lexopt::ValueExt as _;

use super::{Asked, Verb, Word, read};
use crate::builtin::{BUILTINS, Builtin, builtin};
use crate::runtime::Devices;
use crate::{Failure, devices_help, table};

pub(super) const VERB: Verb = Verb {
    name: "bench",
    summary: "times the ready-made kernels on every device and on all together",
    help: concat!(
        "usage: impel bench [KERNEL …] [OPTION …]

Times ready-made kernels (all, if none is named) on every device alone and on
all together as the planner wants it: the median of some runs after a first one,
with the arrays in place, and what was predicted for them.

  --size N      use this size instead of each kernel's own
  --runs N      take the median of so many runs (5)
",
        devices_help!()
    ),
    run,
};

/// What to time.
struct Choice {
    kernels: Vec<&'static Builtin>,
    size: Option<usize>,
    runs: usize,
}

fn run(arguments: &mut lexopt::Parser) -> Result<(), Failure> {
    let mut devices = Devices::default();
    let mut choice = Choice {
        kernels: Vec::new(),
        size: None,
        runs: 5,
    };
    let asked = read(&VERB, arguments, |word, arguments| {
        match word {
            Word::Option("size") => choice.size = Some(arguments.value()?.parse()?),
            Word::Option("runs") => choice.runs = arguments.value()?.parse::<usize>()?.max(1),
            Word::Option(name) => return devices.take(name, arguments),
            Word::Value(value) => choice.kernels.push(builtin(&value.string()?)?),
        }
        Ok(true)
    })?;
    if asked == Asked::Help {
        return Ok(());
    }
    if choice.kernels.is_empty() {
        choice.kernels = BUILTINS.iter().collect();
    }
    let rt = devices.runtime()?;
    table::say(&format!(
        "{:<15} {:<26} {:>11} {:>8} {:>10}\n",
        "kernel", "device", "median", "GB/s", "forecast"
    ));
    for kernel in &choice.kernels {
        for (place, policy) in places(&rt) {
            let line = time(&rt, kernel, &policy, &choice);
            let line = line.unwrap_or_else(|reason| reason);
            let place = table::fitted(&place, 26);
            table::say(&format!("{:<15} {place:<26} {line}\n", kernel.name));
        }
    }
    Ok(())
}

/// Every device alone, and all together.
fn places(rt: &Runtime) -> Vec<(String, Policy)> {
    let alone = rt.machine().devices().map(|(id, name)| {
        let policy = match id {
            DeviceId::CPU => Policy::CpuOnly,
            gpu => Policy::GpuOnly(gpu),
        };
        (name.to_owned(), policy)
    });
    let mut places: Vec<(String, Policy)> = alone.collect();
    if places.len() > 1 {
        places.push(("all, as planned".to_owned(), Policy::Auto));
    }
    places
}

/// The columns of one kernel in one place, or why there are none.
fn time(
    rt: &Runtime,
    kernel: &Builtin,
    policy: &Policy,
    choice: &Choice,
) -> Result<String, String> {
    let size = choice.size.unwrap_or(kernel.size);
    let text = |failure: Failure| match failure {
        Failure::Usage(text) | Failure::Failed(text) => text,
    };
    let mut prepared = kernel.prepare(rt, size).map_err(text)?;
    let (mut times, mut forecast_ns) = (Vec::new(), f64::NAN);
    for round in 0..=choice.runs {
        let launch = prepared.launch().map_err(text)?;
        let launch = launch.with_policy(policy.clone());
        if round == choice.runs {
            let plan = rt.explain(&launch).map_err(|error| error.to_string())?;
            forecast_ns = plan.makespan_ns();
        }
        let start = std::time::Instant::now();
        let pending = rt.launch(launch).map_err(|error| error.to_string())?;
        pending.wait().map_err(|error| error.to_string())?;
        if round > 0 {
            times.push(start.elapsed().as_nanos() as f64);
        }
    }
    times.sort_by(f64::total_cmp);
    let median_ns = times[times.len() / 2];
    Ok(format!(
        "{:>11} {:>8.2} {:>10}",
        table::time(median_ns),
        prepared.bytes() as f64 / median_ns,
        table::time(forecast_ns)
    ))
}
