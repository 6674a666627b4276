//! `impel calibrate`: what can each device do at best?

use std::fmt::Write as _;

use super::{Asked, Verb, Word, read};
use crate::runtime::Devices;
use crate::{Failure, devices_help, table};

pub(super) const VERB: Verb = Verb {
    name: "calibrate",
    summary: "measures all devices now, and keeps the outcome for later runs",
    help: concat!(
        "usage: impel calibrate [OPTION …]

Measures what each device can do at best and what it draws, prints that, and
keeps it where later runs find it. Devices are measured by themselves when they
are first used; this is for when something has changed, or when the machine was
busy then.

",
        devices_help!()
    ),
    run,
};

fn run(arguments: &mut lexopt::Parser) -> Result<(), Failure> {
    let mut devices = Devices::default();
    let asked = read(&VERB, arguments, |word, arguments| match word {
        Word::Option(name) => devices.take(name, arguments),
        Word::Value(_) => Ok(false),
    })?;
    if asked == Asked::Help {
        return Ok(());
    }
    let rt = devices.runtime()?;
    let names: Vec<String> = rt
        .machine()
        .devices()
        .map(|(id, name)| format!("{id}: {name}"))
        .collect();
    let (mut text, mut failed) = (String::new(), Vec::new());
    for (outcome, name) in rt.calibrate().into_iter().zip(names) {
        let _ = writeln!(text, "{name}");
        match outcome.limits {
            Some(limits) => {
                let _ = writeln!(
                    text,
                    "  memory      {} GB/s\n  arithmetic  {} Gop/s\n  functions   {} Gop/s\n  launch      {}\n  upload      {}\n  download    {}",
                    table::giga(limits.bandwidth_bytes_per_s),
                    table::giga(limits.ops_per_s),
                    table::giga(limits.special_ops_per_s),
                    table::time(limits.launch_ns),
                    limits.up,
                    limits.down
                );
            }
            None => failed.push(name),
        }
        let power = outcome.power.map(|power| power.to_string());
        let power = power.unwrap_or_else(|why| format!("unknown: {why}"));
        let power = table::wrapped(&format!("  power       {power}"), 14);
        let _ = writeln!(text, "{power}");
    }
    table::say(&text);
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::Failed(format!(
            "could not be measured: {}",
            failed.join(", ")
        )))
    }
}
