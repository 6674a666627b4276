//! `contest KERNEL CONTESTANT`: how long do impel's kernels take, and the same WGSL handed to wgpu?
//!
//! Prints one line of JSON with the times of all runs in nanoseconds and a checksum of the result, as the program `rivals` does
//! for what a Rust programmer would write instead. `contest --list` prints every pair of kernel and contestant that this build
//! and machine can run. `cargo xtask bench` calls both programs in turns; built plainly, this one is what a user gets.

#[path = "../rivals/src/inputs.rs"]
mod inputs;
mod on_impel;
#[cfg(feature = "gpu")]
mod on_wgpu;
mod overheads;
#[cfg(feature = "gpu")]
mod problems;
mod subject;

use std::process::ExitCode;

use impel::Level;

use on_impel::Devices;
use overheads::OVERHEADS;
use subject::{Outcome, Subject, measure};

const USAGE: &str = "usage: contest KERNEL CONTESTANT [--threads N] [--iterations N] [--size N]\n       contest --list";

/// The kernels, in the order of the table.
const KERNELS: [&str; 9] = [
    "saxpy",
    "nbody",
    "mandelbrot",
    "black_scholes",
    "jacobi",
    "matmul_tiled",
    "matmul_blocked",
    "sum",
    "histogram",
];

/// Who competes in the kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contestant {
    /// Impel on some devices.
    Impel(Devices),
    /// The same WGSL through wgpu, by hand.
    #[cfg(feature = "gpu")]
    Wgpu,
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Call {
    kernel: String,
    contestant: String,
    /// CPU workers.
    threads: usize,
    /// Timed runs.
    iterations: usize,
    size: Option<usize>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        // Cargo runs every benchmark like this; nothing is measured without being asked for.
        None | Some("--bench") => println!("{USAGE}"),
        Some("--list") => list(),
        Some(_) => match parse(&arguments).and_then(|call| compete(&call)) {
            Ok(line) => println!("{line}"),
            Err(message) => {
                eprintln!("{message}\n{USAGE}");
                return ExitCode::FAILURE;
            }
        },
    }
    ExitCode::SUCCESS
}

/// Prints everything that this machine can run.
fn list() {
    let has_adapter = has_adapter();
    let runs_here = |name: &str, contestant: Option<Contestant>| match contestant {
        Some(Contestant::Impel(Devices::Cpu(level))) => level.is_available(),
        _ => has_adapter || !name.contains("gpu"),
    };
    for kernel in KERNELS {
        for (name, _) in contestants()
            .into_iter()
            .filter(|&(name, known)| runs_here(name, Some(known)))
        {
            println!("{kernel} {name}");
        }
    }
    for overhead in OVERHEADS
        .iter()
        .filter(|overhead| runs_here(overhead.contestant, None))
    {
        println!("{} {}", overhead.name, overhead.contestant);
    }
}

/// Who competes in the kernels, by name. Those with `gpu` in their names need an adapter.
fn contestants() -> Vec<(&'static str, Contestant)> {
    let cpu = |level| Contestant::Impel(Devices::Cpu(level));
    vec![
        ("impel_cpu", cpu(Level::detect())),
        ("impel_cpu_avx2", cpu(Level::Avx2)),
        ("impel_cpu_scalar", cpu(Level::Portable)),
        #[cfg(feature = "gpu")]
        ("wgpu_lavapipe", Contestant::Wgpu),
        #[cfg(feature = "gpu")]
        ("impel_gpu", Contestant::Impel(Devices::Gpu)),
        #[cfg(feature = "gpu")]
        ("impel_split_gpu", Contestant::Impel(Devices::Split)),
    ]
}

/// Whether wgpu finds anything to run on.
fn has_adapter() -> bool {
    #[cfg(feature = "gpu")]
    return on_wgpu::has_adapter();
    #[cfg(not(feature = "gpu"))]
    false
}

/// Reads the command line.
fn parse(arguments: &[String]) -> Result<Call, String> {
    let [kernel, contestant, rest @ ..] = arguments else {
        return Err("a kernel and a contestant are needed".to_owned());
    };
    let mut call = Call {
        kernel: kernel.clone(),
        contestant: contestant.clone(),
        threads: 2,
        iterations: 5,
        size: None,
    };
    for pair in rest.chunks(2) {
        let [option, value] = pair else {
            return Err(format!("{} needs a value", pair[0]));
        };
        let value = value.parse().ok().filter(|&value: &usize| value > 0);
        let value = value.ok_or(format!("{option} needs a number above 0"))?;
        match option.as_str() {
            "--threads" => call.threads = value,
            "--iterations" => call.iterations = value,
            "--size" => call.size = Some(value),
            _ => return Err(format!("{option} is no option")),
        }
    }
    Ok(call)
}

/// Runs one contestant and returns its line of JSON.
fn compete(call: &Call) -> Result<String, String> {
    let Call {
        kernel, contestant, ..
    } = call;
    let overhead = OVERHEADS
        .iter()
        .find(|known| known.name == kernel && known.contestant == contestant);
    if let Some(overhead) = overhead {
        let size = call.size.unwrap_or(overhead.size);
        return Ok(json(call, size, None, &(overhead.run)(call, size)?));
    }
    let unknown = || format!("{kernel} {contestant} is not among the contestants of this machine");
    let (_, known) = contestants()
        .into_iter()
        .find(|(name, _)| name == contestant)
        .ok_or_else(unknown)?;
    let size = call
        .size
        .or_else(|| inputs::standard_size(kernel))
        .ok_or_else(unknown)?;
    let isa = match known {
        Contestant::Impel(Devices::Cpu(level)) => Some(level),
        _ => None,
    };
    let mut subject = enter(known, kernel, call.threads, size)?.ok_or_else(unknown)?;
    Ok(json(
        call,
        size,
        isa,
        &measure(&mut *subject, call.iterations),
    ))
}

/// A contestant, ready to run; none if there is no such kernel.
fn enter(
    contestant: Contestant,
    kernel: &str,
    threads: usize,
    size: usize,
) -> Result<Option<Box<dyn Subject>>, String> {
    match contestant {
        Contestant::Impel(devices) => {
            Ok(on_impel::prepare(kernel, devices.runtime(threads)?, size))
        }
        #[cfg(feature = "gpu")]
        Contestant::Wgpu => problems::problem(kernel, size)
            .map(|problem| Ok(Box::new(on_wgpu::OnWgpu::prepare(problem)?) as Box<dyn Subject>))
            .transpose(),
    }
}

/// The line that `cargo xtask bench` reads.
fn json(call: &Call, size: usize, isa: Option<Level>, outcome: &Outcome) -> String {
    let Call {
        kernel,
        contestant,
        threads,
        ..
    } = call;
    let isa = isa.map_or(String::new(), |isa| format!(r#""isa":"{isa}","#));
    let ns: Vec<String> = outcome.ns.iter().map(u64::to_string).collect();
    format!(
        r#"{{"kernel":"{kernel}","contestant":"{contestant}","threads":{threads},"size":{size},"checksum":{:e},{isa}"ns":[{}]}}"#,
        outcome.checksum,
        ns.join(",")
    )
}
