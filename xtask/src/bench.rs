//! How fast is impel beside what people would write instead? Builds both sides, runs them in turns, and keeps the results.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::Value;

use crate::command::{self, Failure, cargo};
use crate::drivers::Drivers;
use crate::host::Host;
use crate::record::{self, Record};
use crate::root;
use crate::scoreboard::{self, Scoreboard};

/// Rounds in which every contestant runs once, in turns, so that a slow spell of the machine meets them all.
const ROUNDS: usize = 5;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Options {
    quick: bool,
    threads: usize,
    /// The only kernels to run; all if there are none.
    kernels: Vec<String>,
    output: Option<PathBuf>,
}

impl Options {
    /// Reads the words after `bench`.
    pub(crate) fn parse(words: &[&str]) -> Result<Options, String> {
        let mut options = Options {
            quick: false,
            threads: 2,
            kernels: Vec::new(),
            output: None,
        };
        let mut words = words.iter();
        while let Some(&word) = words.next() {
            let mut value = || words.next().copied().ok_or(format!("{word} needs a value"));
            match word {
                "--quick" => options.quick = true,
                "--output" => options.output = Some(value()?.into()),
                "--kernel" => options.kernels.push(value()?.to_owned()),
                "--threads" => {
                    options.threads = value()?
                        .parse()
                        .map_err(|_| "--threads needs a number".to_owned())?;
                }
                _ => return Err(format!("bench knows no option {word}")),
            }
        }
        Ok(options)
    }

    /// Timed runs of a contestant in one round: fewer for those that take seconds.
    fn iterations(&self, contestant: &str) -> usize {
        let slow = contestant.contains("gpu") || contestant.ends_with("scalar");
        if self.quick || slow { 1 } else { 5 }
    }
}

/// One who runs.
#[derive(Clone, Debug)]
struct Entrant {
    program: PathBuf,
    kernel: String,
    contestant: String,
}

/// What was run: the pooled times, every line that was printed, and what went wrong.
#[derive(Debug, Default)]
struct Results {
    records: Vec<Record>,
    lines: Vec<String>,
    problems: Vec<String>,
}

/// Measures, prints the table and writes the raw data. Fails if a contestant could not run or results differ.
pub(crate) fn run(options: &Options) -> ExitCode {
    let root = root();
    let entrants = match entrants(&root, options) {
        Ok(entrants) => entrants,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    let mut results = compete(&root, options, &entrants);
    results.records = record::pool(&results.records);
    let board = Scoreboard::new(&results.records);
    results.problems.extend(board.disagreements());

    let host = Host::describe(&root);
    let report = report(&host, options, &board);
    println!("\n{report}");
    let folder = options
        .output
        .clone()
        .unwrap_or_else(|| unused(&root.join("benches/runs"), &host.folder_name()));
    match keep(&folder, &host, &report, &results.lines) {
        Ok(()) => println!("raw data: {}", folder.display()),
        Err(error) => results
            .problems
            .push(format!("{}: {error}", folder.display())),
    }
    for problem in &results.problems {
        eprintln!("{problem}");
    }
    if results.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Builds both programs and lists who can run here, kernel by kernel, rivals beside impel.
fn entrants(root: &Path, options: &Options) -> Result<Vec<Entrant>, String> {
    let programs = [
        build_rivals(root).map_err(|failure| format!("the rivals cannot be built: {failure}"))?,
        build_contest(root)
            .map_err(|reason| format!("impel's contestants cannot be built: {reason}"))?,
    ];
    let mut entrants = Vec::new();
    for program in &programs {
        let list = command::capture(&mut command::program(program, root, &["--list"]))
            .map_err(|failure| failure.to_string())?;
        for (kernel, contestant) in list.lines().filter_map(|line| line.split_once(' ')) {
            let (kernel, contestant) = (kernel.to_owned(), contestant.trim().to_owned());
            entrants.push(Entrant {
                program: program.clone(),
                kernel,
                contestant,
            });
        }
    }
    if !options.kernels.is_empty() {
        entrants.retain(|entrant| options.kernels.contains(&entrant.kernel));
    }
    let order = scoreboard::kernels();
    entrants.sort_by_key(|entrant| {
        order
            .iter()
            .position(|kernel| *kernel == entrant.kernel)
            .unwrap_or(order.len())
    });
    Ok(entrants)
}

/// Builds the rivals for this machine's processor, into their own target folder.
fn build_rivals(root: &Path) -> Result<PathBuf, Failure> {
    let folder = root.join("benches/rivals");
    let mut build = cargo(
        &folder,
        &["build", "--release", "--locked", "--target-dir", "target"],
    );
    build.env("RUSTFLAGS", "-C target-cpu=native");
    command::show(&mut build)?;
    Ok(folder.join("target/release/rivals"))
}

/// Builds impel's contestants plainly, as a user of the crate would get them.
fn build_contest(root: &Path) -> Result<PathBuf, String> {
    let build = [
        "bench",
        "--locked",
        "--bench",
        "contest",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ];
    let mut executable = None;
    let mut build = cargo(root, &build);
    let built = command::watch(build.env_remove("RUSTFLAGS"), |line| {
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        if message["target"]["name"] == "contest" {
            executable = message["executable"]
                .as_str()
                .map(PathBuf::from)
                .or(executable.take());
        }
    });
    built.map_err(|failure| failure.to_string())?;
    executable.ok_or_else(|| "cargo named no executable".to_owned())
}

/// Runs everybody in turns. One who fails is named and runs no more.
fn compete(root: &Path, options: &Options, entrants: &[Entrant]) -> Results {
    let lavapipe = Drivers::find();
    let mut results = Results::default();
    let mut out = vec![false; entrants.len()];
    for round in 1..=ROUNDS {
        println!("round {round} of {ROUNDS}");
        for (entrant, out) in entrants.iter().zip(&mut out).filter(|(_, out)| !**out) {
            let Entrant {
                kernel, contestant, ..
            } = entrant;
            let printed = command::capture(&mut call(root, options, &lavapipe, entrant));
            let line = printed.map_err(|failure| failure.to_string());
            match line.and_then(|line| Ok((Record::parse(line.trim())?, line))) {
                Ok((record, line)) => {
                    println!(
                        "  {kernel:14} {contestant:16} {:10.3} ms",
                        record.median_ns() / 1e6
                    );
                    results.records.push(record);
                    results.lines.push(line.trim().replacen(
                        '{',
                        &format!("{{\"round\":{round},"),
                        1,
                    ));
                }
                Err(reason) => {
                    println!("  {kernel:14} {contestant:16} {reason}");
                    results
                        .problems
                        .push(format!("{kernel} {contestant}: {reason}"));
                    *out = true;
                }
            }
        }
    }
    results
}

/// The call of a contestant. Only those who go through wgpu see the software GPU.
fn call(root: &Path, options: &Options, drivers: &Drivers, entrant: &Entrant) -> Command {
    let threads = options.threads.to_string();
    let iterations = options.iterations(&entrant.contestant).to_string();
    let arguments = [
        &entrant.kernel,
        &entrant.contestant,
        "--threads",
        &threads,
        "--iterations",
        &iterations,
    ];
    let mut call = command::program(&entrant.program, root, &arguments);
    if entrant.contestant.contains("gpu") {
        call.env("IMPEL_SOFTWARE_GPU", "1")
            .env("LP_NUM_THREADS", &threads);
        if let Some(lavapipe) = &drivers.lavapipe {
            call.env("VK_DRIVER_FILES", lavapipe)
                .env("NODEVICE_SELECT", "1");
        }
    } else {
        call.env_remove("IMPEL_SOFTWARE_GPU");
    }
    call
}

/// The report of a run, in Markdown.
fn report(host: &Host, options: &Options, board: &Scoreboard<'_>) -> String {
    let bars = if host.has_avx512() {
        ""
    } else {
        " The goals are set for a machine with AVX-512, which this one lacks."
    };
    format!(
        "{cpu}, {cores} cores, {isa}; {memory} MiB; {system}; {rustc}; commit {commit}; {date}.\n\
         {threads} threads, {ROUNDS} rounds in turns, medians with quartiles.{bars}\n\n{table}\n{others}",
        cpu = host.cpu,
        cores = host.cores,
        isa = host.isa.join(" "),
        memory = host.memory_mib.unwrap_or(0),
        system = host.system,
        rustc = host.rustc,
        commit = host.commit,
        date = host.date,
        threads = options.threads,
        table = board.table(),
        others = board.other_measurements(),
    )
}

/// Writes the report, the machine and every printed line into a folder.
fn keep(folder: &Path, host: &Host, report: &str, lines: &[String]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(
        folder.join("machine.json"),
        format!("{:#}\n", host.to_json()),
    )?;
    fs::write(folder.join("table.md"), report)?;
    let mut raw = fs::File::create(folder.join("runs.jsonl"))?;
    lines.iter().try_for_each(|line| writeln!(raw, "{line}"))
}

/// The first folder of this name, or of this name and a number, that does not exist.
fn unused(parent: &Path, name: &str) -> PathBuf {
    let numbered = (2..).map(|number| parent.join(format!("{name}-{number}")));
    std::iter::once(parent.join(name))
        .chain(numbered)
        .find(|folder| !folder.exists())
        .expect("there is always another number")
}

#[cfg(test)]
mod tests {
    use super::Options;

    #[test]
    fn options_are_read_and_mistakes_named() {
        let options =
            Options::parse(&["--quick", "--kernel", "sum", "--output", "x"]).expect("good options");
        assert!(options.quick && options.kernels == ["sum"] && options.output == Some("x".into()));
        assert_eq!(options.iterations("impel_cpu"), 1);
        assert!(
            Options::parse(&["--output"])
                .expect_err("no value")
                .contains("--output")
        );
        assert!(
            Options::parse(&["--fast"])
                .expect_err("unknown")
                .contains("--fast")
        );
    }

    #[test]
    fn slow_contestants_run_less_often() {
        let options = Options::parse(&[]).expect("no options are good options");
        assert!(options.iterations("wgpu_lavapipe") < options.iterations("impel_cpu"));
    }
}
