//! `impel simulate`: what would a recorded program do on a machine that is not here?

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use impel::plan::Objective;
use impel::trace::Trace;
use lexopt::ValueExt as _;

use super::{Asked, Verb, Word, read, trace};
use crate::simulate::machine;
use crate::simulate::on::On;
use crate::simulate::own::Own;
use crate::simulate::program::{Launch, Program};
use crate::simulate::run::{Run, run as simulated};
use crate::{Failure, table};

pub(super) const VERB: Verb = Verb {
    name: "simulate",
    summary: "runs a recorded program on an imagined machine",
    help: "usage: impel simulate --program FILE [--machine FILE] [OPTION …]

Runs a program from its trace (see `impel trace`) on the machine of a machine
file, in virtual time: the real planner plans every launch, the real balance
shares it out, the real transfer scheduler says what moves; launches that do
not depend on each other overlap. Nothing is computed, no hardware is needed.
Prints the plans, the time until the end, the bytes that move, and the energy.

Without a machine, it is the one that the program was recorded on, as the
trace shows it, with the recorded plans, to compare with the recorded times.

  --like FILE       the machine is as this other trace shows it
  --objective WHAT  plan for `time`, `energy` or `energy-delay` (with --machine)
  --timeline FILE   write the page that `impel trace` makes of the run
  --trace FILE      write the trace of the run

Machine files for five kinds of machine are in the folder `machines` of impel.
",
    run,
};

fn run(arguments: &mut lexopt::Parser) -> Result<(), Failure> {
    let (mut program, mut file, mut like) = (None, None, None);
    let (mut page, mut out) = (None, None);
    let mut objective = Objective::Time;
    let asked = read(&VERB, arguments, |word, arguments| {
        let place = match word {
            Word::Option("objective") => {
                objective = objective_of(&arguments.value()?.string()?)?;
                return Ok(true);
            }
            Word::Option("program") => &mut program,
            Word::Option("machine") => &mut file,
            Word::Option("like") => &mut like,
            Word::Option("timeline") => &mut page,
            Word::Option("trace") => &mut out,
            _ => return Ok(false),
        };
        *place = Some(PathBuf::from(arguments.value()?));
        Ok(true)
    })?;
    if asked == Asked::Help {
        return Ok(());
    }
    let needed = || Failure::Usage("`simulate` needs `--program FILE`".to_owned());
    let recorded = trace::read(&program.ok_or_else(needed)?)?;
    let program = Program::of(&recorded)?;
    let run = if let Some(file) = file {
        let machine = machine::read(&file)?;
        table::say(&format!("on {}\n\n", machine.name));
        simulated(&program, &On::Machine(&machine), objective)?
    } else {
        let own = match like {
            None => learned(&recorded, &program)?,
            Some(file) => {
                let other = trace::read(&file)?;
                learned(&other, &Program::of(&other)?)?
            }
        };
        table::say("on the machine of the trace, as recorded\n\n");
        simulated(
            &program,
            &On::Own(&own, recorded.devices.clone()),
            Objective::Time,
        )?
    };
    table::say(&told(&program, &run));
    let write = |file: PathBuf, text: String| {
        let shown = file.display();
        fs::write(&file, text).map_err(|error| Failure::of(format!("{shown}: {error}")))
    };
    if let Some(file) = page {
        write(file, trace::page(&run.trace))?;
    }
    out.map_or(Ok(()), |file| write(file, run.trace.to_text()))
}

fn objective_of(name: &str) -> Result<Objective, Failure> {
    match name {
        "time" => Ok(Objective::Time),
        "energy" => Ok(Objective::Energy),
        "energy-delay" => Ok(Objective::EnergyDelay),
        _ => {
            let what = format!("`{name}` is no objective: `time`, `energy` or `energy-delay`");
            Err(Failure::Usage(what))
        }
    }
}

/// The machine of a recorded run, learned from it.
fn learned(recorded: &Trace, program: &Program) -> Result<Own, Failure> {
    let mut own = Own::of(recorded, program);
    let on = On::Own(&own, recorded.devices.clone());
    let bare = simulated(program, &on, Objective::Time)?;
    let lacking = program.launches().zip(&bare.launches_ns);
    let lacking: Vec<f64> = lacking
        .map(|(launch, ns)| launch.took_ns as f64 - ns)
        .collect();
    own.learn_overheads(program, &lacking);
    Ok(own)
}

/// The plans, the times and the bytes.
fn told(program: &Program, run: &Run) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    for (kernel, (count, plan)) in &run.plans {
        let own = |launch: &&Launch| launch.kernel == *kernel;
        let times = program.launches().zip(&run.launches_ns);
        let times = times.filter(|(launch, _)| own(launch));
        let (recorded_ns, ns) = times.fold((0.0, 0.0), |(recorded, simulated), (launch, ns)| {
            (recorded + launch.took_ns as f64, simulated + ns)
        });
        let all = program.launches().filter(own).count().max(*count as usize);
        let _ = write!(
            text,
            "{kernel}: {all} launches in {}, recorded in {}; the last as\n{plan}\n",
            table::time(ns),
            table::time(recorded_ns)
        );
    }
    let recorded_ns: u64 = program.launches().map(|launch| launch.took_ns).sum();
    let simulated_ns: f64 = run.launches_ns.iter().sum();
    let percent = 100.0 * (simulated_ns / recorded_ns.max(1) as f64 - 1.0);
    let _ = write!(
        text,
        "launches: {}, recorded {} ({percent:+.1} %)\nuntil the end: {}\n",
        table::time(simulated_ns),
        table::time(recorded_ns as f64),
        table::time(run.end_ns)
    );
    for ((from, to, reason), bytes) in &run.moved {
        let megabytes = *bytes as f64 / 1e6;
        let _ = writeln!(text, "{megabytes:>12.3} MB from {from} to {to}, {reason}");
    }
    if run.moved.is_empty() {
        text += "no bytes move between memories\n";
    }
    for (name, joules) in &run.drawn {
        let _ = writeln!(text, "{joules:.3} J drawn by {name}");
    }
    text
}
