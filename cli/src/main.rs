//! What does the user of the command line want? One verb, each in a file of its own in [`verbs`].

mod builtin;
mod runtime;
mod simulate;
mod table;
mod verbs;

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use lexopt::{Arg, Parser};
use verbs::VERBS;

/// Why a verb did not do what it was asked for.
#[derive(Debug)]
enum Failure {
    /// It was asked wrongly: exit code 2.
    Usage(String),
    /// It could not do it, or found something wrong: exit code 1. The text may be empty if all has been said.
    Failed(String),
}

impl Failure {
    /// A failure with the error's text.
    fn of(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.to_string())
    }
}

/// Where to find out more.
const HINT: &str = "`impel --help` lists what there is";

fn main() -> ExitCode {
    let mut arguments = Parser::from_env();
    match run(&mut arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(message)) => {
            if !message.is_empty() {
                complain(&message);
            }
            ExitCode::from(1)
        }
        Err(Failure::Usage(message)) => {
            complain(&message);
            ExitCode::from(2)
        }
    }
}

/// Says on standard error why there is no more; to a terminal in lines that fit it.
fn complain(message: &str) {
    let line = format!("impel: {message}");
    if std::io::stderr().is_terminal() {
        eprintln!("{}", table::wrapped(&line, 2));
    } else {
        eprintln!("{line}");
    }
}

fn run(arguments: &mut Parser) -> Result<(), Failure> {
    let word = match arguments.next()? {
        Some(Arg::Short('h') | Arg::Long("help")) => {
            table::say(&overview());
            return Ok(());
        }
        Some(Arg::Short('V') | Arg::Long("version")) => {
            table::say(&format!("impel {}\n", env!("CARGO_PKG_VERSION")));
            return Ok(());
        }
        Some(Arg::Value(word)) => word.to_string_lossy().into_owned(),
        Some(other) => return Err(other.unexpected().into()),
        None => return Err(Failure::Usage(format!("a verb is missing; {HINT}"))),
    };
    if word == "help" {
        table::say(&overview());
        return Ok(());
    }
    let verb = VERBS.iter().find(|verb| verb.name == word);
    let verb = verb.ok_or_else(|| Failure::Usage(format!("`{word}` is no verb; {HINT}")))?;
    (verb.run)(arguments)
}

/// What there is to ask for.
fn overview() -> String {
    let mut text = String::from(
        "impel runs WGSL kernels on every core and every GPU of a machine, at once.\n\nusage: impel VERB …\n\n",
    );
    for verb in VERBS {
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {:<10} {}", verb.name, verb.summary);
    }
    text += "\n`impel VERB --help` tells more about a verb; `impel --version` its version.\n";
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overview_fits_a_terminal_and_names_every_verb() {
        let text = overview();
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        assert!(VERBS.iter().all(|verb| text.contains(verb.name)));
    }

    #[test]
    fn every_verb_has_help_that_fits_a_terminal() {
        for verb in VERBS {
            assert!(
                verb.help
                    .starts_with(&format!("usage: impel {}", verb.name))
            );
            let longest = verb.help.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(80), "{}", verb.help);
        }
    }
}
