//! `impel devices`: what hardware is here?

use super::{Asked, Verb, Word, read};
use crate::runtime::Devices;
use crate::{Failure, devices_help, table};

pub(super) const VERB: Verb = Verb {
    name: "devices",
    summary: "shows the CPU and the GPUs that impel would use",
    help: concat!(
        "usage: impel devices [OPTION …]

Shows the CPU and the GPUs that impel would use.

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
    table::say(&format!("{}\n", rt.machine()));
    Ok(())
}
