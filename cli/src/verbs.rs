//! Which verbs are there? A table; each verb is a file.

mod bench;
mod calibrate;
mod check;
mod costs;
mod devices;
mod explain;
mod simulate;
mod trace;

use std::ffi::OsString;

use lexopt::{Arg, Parser};

use crate::{Failure, table};

/// Something that can be asked for.
pub(crate) struct Verb {
    pub(crate) name: &'static str,
    /// One line for the overview.
    pub(crate) summary: &'static str,
    /// What `--help` says.
    pub(crate) help: &'static str,
    pub(crate) run: fn(&mut Parser) -> Result<(), Failure>,
}

/// All verbs, in the order of the overview.
pub(crate) const VERBS: &[Verb] = &[
    devices::VERB,
    check::VERB,
    explain::VERB,
    bench::VERB,
    calibrate::VERB,
    costs::VERB,
    trace::VERB,
    simulate::VERB,
];

/// An argument of a verb.
enum Word<'a> {
    /// A long option, without its dashes; its value is still to be taken.
    Option(&'a str),
    /// Anything else.
    Value(OsString),
}

/// What is left to do once the arguments have been read.
#[derive(PartialEq, Eq)]
enum Asked {
    /// What the verb is for.
    Deed,
    /// Nothing: its help was asked for, and has been printed.
    Help,
}

/// Hands each argument of a verb to `take`, which returns whether it means anything to the verb.
fn read(
    verb: &Verb,
    arguments: &mut Parser,
    mut take: impl FnMut(Word<'_>, &mut Parser) -> Result<bool, Failure>,
) -> Result<Asked, Failure> {
    while let Some(argument) = arguments.next()? {
        let (known, shown) = match argument {
            Arg::Short('h') | Arg::Long("help") => {
                table::say(verb.help);
                return Ok(Asked::Help);
            }
            Arg::Long(name) => {
                let name = name.to_owned();
                (take(Word::Option(&name), arguments)?, format!("--{name}"))
            }
            Arg::Value(value) => {
                let shown = value.to_string_lossy().into_owned();
                (take(Word::Value(value), arguments)?, shown)
            }
            short @ Arg::Short(_) => return Err(short.unexpected().into()),
        };
        if !known {
            return Err(unknown(verb, &shown));
        }
    }
    Ok(Asked::Deed)
}

/// The failure of an option or value that the verb does not know.
fn unknown(verb: &Verb, what: &str) -> Failure {
    Failure::Usage(format!(
        "`{what}` means nothing to `impel {0}`; `impel {0} --help` tells what does",
        verb.name
    ))
}
