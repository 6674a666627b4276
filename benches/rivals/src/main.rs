//! `rivals KERNEL CONTESTANT`: how long does what a Rust programmer would write instead take?
//!
//! Prints one line of JSON with the times of all runs in nanoseconds and a checksum of the result. `rivals --list` prints
//! every pair of kernel and contestant.

mod contest;
mod inputs;
mod kernels;
mod machine;

use std::process::ExitCode;

use contest::{CONTESTANTS, Outcome, Run};

const USAGE: &str = "usage: rivals KERNEL CONTESTANT [--threads N] [--iterations N] [--warm-up N] [--size N]\n       rivals --list";

/// What the command line asks for.
#[derive(Debug)]
struct Request {
    kernel: String,
    contestant: String,
    threads: usize,
    iterations: usize,
    warm_up: usize,
    size: Option<usize>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["--list"] {
        for contestant in CONTESTANTS {
            println!("{} {}", contestant.kernel, contestant.name);
        }
        return ExitCode::SUCCESS;
    }
    match parse(&arguments).and_then(|request| compete(&request)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the command line.
fn parse(arguments: &[String]) -> Result<Request, String> {
    let [kernel, contestant, rest @ ..] = arguments else {
        return Err("a kernel and a contestant are needed".to_owned());
    };
    let mut request = Request {
        kernel: kernel.clone(),
        contestant: contestant.clone(),
        threads: 2,
        iterations: 5,
        warm_up: 2,
        size: None,
    };
    for pair in rest.chunks(2) {
        let [option, value] = pair else {
            return Err(format!("{} needs a value", pair[0]));
        };
        let value: usize = value
            .parse()
            .ok()
            .filter(|&value| value > 0)
            .ok_or(format!("{option} needs a number above 0"))?;
        match option.as_str() {
            "--threads" => request.threads = value,
            "--iterations" => request.iterations = value,
            "--warm-up" => request.warm_up = value,
            "--size" => request.size = Some(value),
            _ => return Err(format!("{option} is no option")),
        }
    }
    Ok(request)
}

/// Runs one contestant and returns its line of JSON.
fn compete(request: &Request) -> Result<String, String> {
    let Request {
        kernel, contestant, ..
    } = request;
    let known = CONTESTANTS
        .iter()
        .find(|known| known.kernel == kernel && known.name == contestant)
        .ok_or_else(|| format!("{kernel} {contestant} is not among the contestants"))?;
    if !(known.runs_here)() {
        return Err(format!("this machine cannot run {kernel} {contestant}"));
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(request.threads)
        .build_global()
        .map_err(|error| format!("the thread pool cannot be made: {error}"))?;
    let size = request
        .size
        .or_else(|| inputs::standard_size(kernel))
        .unwrap_or(1 << 24);
    let outcome = (known.run)(Run {
        size,
        warm_up: request.warm_up,
        iterations: request.iterations,
    });
    Ok(json(request, size, &outcome))
}

/// The line that `cargo xtask bench` reads.
fn json(request: &Request, size: usize, outcome: &Outcome) -> String {
    let Request {
        kernel,
        contestant,
        threads,
        ..
    } = request;
    let work = outcome.work.map_or(String::new(), |(amount, unit)| {
        format!(r#""work":{amount},"unit":"{unit}","#)
    });
    let ns: Vec<String> = outcome.ns.iter().map(u64::to_string).collect();
    format!(
        r#"{{"kernel":"{kernel}","contestant":"{contestant}","threads":{threads},"size":{size},"checksum":{:e},{work}"ns":[{}]}}"#,
        outcome.checksum,
        ns.join(",")
    )
}
