//! `impel devices`: what hardware is here?

use super::{Verb, Word, next, unknown};
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
    loop {
        match next(&VERB, arguments)? {
            Word::Helped => return Ok(()),
            Word::End => break,
            Word::Option(name) if devices.take(&name, arguments)? => {}
            Word::Option(name) => return Err(unknown(&VERB, &format!("--{name}"))),
            Word::Value(value) => return Err(unknown(&VERB, &value.to_string_lossy())),
        }
    }
    let rt = devices.runtime()?;
    table::say(&format!("{}\n", rt.machine()));
    Ok(())
}
