//! `impel trace`: what happened in a recorded run? A page that draws it, or the same for Perfetto; and whether it was right.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use impel::trace::{Ending, Lane, Trace};

use super::{Asked, Verb, Word};
use crate::{Failure, table};

pub(super) const VERB: Verb = Verb {
    name: "trace",
    summary: "draws a recorded run as a page, and checks that it was right",
    help: "usage: impel trace FILE [OPTION …]

Reads the trace of a run, as `IMPEL_TRACE=FILE` makes any program write it, and
writes FILE.html: a page that needs nothing else, with a lane for every device
and for the copies into and out of it, to be zoomed, moved and pointed at.

  --output FILE   write the page there
  --chrome FILE   write Chrome's trace format instead, for ui.perfetto.dev
  --verify        check every read, copy and part of the run, and write nothing;
                  exit code 1 if anything was wrong
",
    run,
};

/// The page, with a place for the trace.
const PAGE: &str = include_str!("../timeline.html");
/// The place for the trace.
const PLACE: &str = "@TRACE@";

fn run(arguments: &mut lexopt::Parser) -> Result<(), Failure> {
    let (mut file, mut output, mut chrome, mut verify) = (None::<PathBuf>, None, None, false);
    let asked = super::read(&VERB, arguments, |word, arguments| {
        match word {
            Word::Option("output") => output = Some(PathBuf::from(arguments.value()?)),
            Word::Option("chrome") => chrome = Some(PathBuf::from(arguments.value()?)),
            Word::Option("verify") => verify = true,
            Word::Value(value) if file.is_none() => file = Some(value.into()),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if asked == Asked::Help {
        return Ok(());
    }
    let file = file.ok_or_else(|| Failure::Usage("`trace` needs a file".to_owned()))?;
    let trace = read(&file)?;
    if verify {
        return check(&trace);
    }
    let (path, text) = if let Some(path) = chrome {
        (path, trace.to_chrome_json())
    } else {
        let beside = || PathBuf::from(format!("{}.html", file.display()));
        (output.unwrap_or_else(beside), page(&trace))
    };
    let shown = path.display();
    fs::write(&path, text).map_err(|error| Failure::of(format!("{shown}: {error}")))?;
    table::say(&format!("{}{shown}\n", summary(&trace)));
    Ok(())
}

/// The trace in a file.
pub(super) fn read(file: &PathBuf) -> Result<Trace, Failure> {
    let shown = file.display();
    let text = fs::read_to_string(file);
    let text = text.map_err(|error| Failure::of(format!("{shown}: {error}")))?;
    text.parse()
        .map_err(|error| Failure::of(format!("{shown}: {error}")))
}

/// The page of a trace.
pub(super) fn page(trace: &Trace) -> String {
    PAGE.replacen(PLACE, &trace.to_chrome_json(), 1)
}

/// Says that the run was right, or what was wrong.
fn check(trace: &Trace) -> Result<(), Failure> {
    match trace.verify(Ending::Complete) {
        Ok(()) => {
            let events = table::grouped(trace.events.len() as u64);
            table::say(&format!("{events} events, all right\n"));
            Ok(())
        }
        Err(violations) => {
            let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
            Err(Failure::Failed(format!(
                "the run was not right:\n{}",
                lines.join("\n")
            )))
        }
    }
}

/// A line for every lane: how long it was busy.
fn summary(trace: &Trace) -> String {
    let line = trace.timeline();
    let all_ns = line.end_ns().saturating_sub(line.start_ns());
    let mut text = String::new();
    for lane in line.lanes() {
        let busy_ns = line.busy_ns(lane);
        let share = 100.0 * busy_ns as f64 / all_ns.max(1) as f64;
        let what = match lane {
            Lane::Launches => "under way",
            Lane::Device(_) => "busy",
            Lane::Link(..) => "copying",
        };
        let time = table::time(busy_ns as f64);
        // Writing to a string does not fail, here and below.
        let _ = writeln!(
            text,
            "{:<44} {time:>9} {what:<9} {share:>5.1} %",
            table::fitted(&trace.lane_name(lane), 44)
        );
    }
    if trace.dropped > 0 {
        let _ = writeln!(text, "{} events came too late for the trace", trace.dropped);
    }
    text
}
