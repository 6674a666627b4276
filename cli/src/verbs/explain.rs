//! `impel explain`: who would do which part of a launch, and why?

use lexopt::ValueExt as _;

use super::{Asked, Verb, Word, read};
use crate::builtin::builtin;
use crate::runtime::Devices;
use crate::{Failure, devices_help, table};

pub(super) const VERB: Verb = Verb {
    name: "explain",
    summary: "shows the plan of a ready-made kernel at some size, and why",
    help: concat!(
        "usage: impel explain KERNEL [SIZE] [OPTION …]

Shows who would do which part of a launch of a ready-made kernel, how long that
should take, what would move, and why the others do nothing. Nothing runs, but
devices that were never measured are measured first.

",
        devices_help!()
    ),
    run,
};

fn run(arguments: &mut lexopt::Parser) -> Result<(), Failure> {
    let (mut devices, mut kernel, mut size) = (Devices::default(), None, None);
    let asked = read(&VERB, arguments, |word, arguments| {
        match word {
            Word::Option(name) => return devices.take(name, arguments),
            Word::Value(value) if kernel.is_none() => kernel = Some(value.string()?),
            Word::Value(value) if size.is_none() => size = Some(value.parse::<usize>()?),
            Word::Value(_) => return Ok(false),
        }
        Ok(true)
    })?;
    if asked == Asked::Help {
        return Ok(());
    }
    let kernel = kernel.ok_or_else(|| Failure::Usage("`explain` needs a kernel".to_owned()))?;
    let builtin = builtin(&kernel)?;
    let rt = devices.runtime()?;
    let mut prepared = builtin.prepare(&rt, size.unwrap_or(builtin.size))?;
    let launch = prepared.launch()?;
    let plan = rt.explain(&launch).map_err(Failure::of)?;
    let size = table::grouped(size.unwrap_or(builtin.size) as u64);
    table::say(&format!("{kernel} of {size} {}\n{plan}", builtin.size_of));
    Ok(())
}
