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

/// What comes next in the arguments of a verb.
enum Word {
    /// A long option, without its dashes; its value is still to be taken.
    Option(String),
    /// Anything else.
    Value(OsString),
    /// Nothing.
    End,
    /// The verb's help was asked for, and has been printed.
    Helped,
}

/// The next argument of a verb.
fn next(verb: &Verb, arguments: &mut Parser) -> Result<Word, Failure> {
    Ok(match arguments.next()? {
        None => Word::End,
        Some(Arg::Short('h') | Arg::Long("help")) => {
            table::say(verb.help);
            Word::Helped
        }
        Some(Arg::Long(name)) => Word::Option(name.to_owned()),
        Some(Arg::Value(value)) => Word::Value(value),
        Some(short @ Arg::Short(_)) => return Err(short.unexpected().into()),
    })
}

/// The failure of an option or value that the verb does not know.
fn unknown(verb: &Verb, what: &str) -> Failure {
    Failure::Usage(format!(
        "`{what}` means nothing to `impel {0}`; `impel {0} --help` tells what does",
        verb.name
    ))
}
