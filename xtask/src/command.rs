//! How is another program run? In a given folder, without standard input, with its output shown or kept.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// Why a program did not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It could not be started.
    Start(String, std::io::Error),
    /// What it printed could not be read.
    Output(String, std::io::Error),
    /// It ended without success; with what it wrote to standard error, where that was kept.
    Status(String, ExitStatus, String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Start(program, error) => write!(f, "{program} could not be started: {error}"),
            Failure::Output(program, error) => {
                write!(f, "the output of {program} could not be read: {error}")
            }
            Failure::Status(program, status, said) if said.trim().is_empty() => {
                write!(f, "{program}: {status}")
            }
            Failure::Status(program, status, said) => {
                write!(f, "{program}: {status}: {}", said.trim())
            }
        }
    }
}

/// A program to be run in `folder`, without standard input.
pub(crate) fn program(name: impl AsRef<OsStr>, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// The cargo that runs this program, to be run in `folder`.
pub(crate) fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    program(cargo, folder, arguments)
}

/// Runs a program to its end, its output shown.
pub(crate) fn show(command: &mut Command) -> Result<(), Failure> {
    let name = name(command);
    let status = command
        .status()
        .map_err(|error| Failure::Start(name.clone(), error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Status(name, status, String::new()))
    }
}

/// Runs a program to its end, and gives every line of its standard output to `see` as it comes.
pub(crate) fn watch(command: &mut Command, mut see: impl FnMut(&str)) -> Result<(), Failure> {
    let name = name(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::Start(name.clone(), error))?;
    let output = child
        .stdout
        .take()
        .expect("standard output was piped just above");
    for line in BufReader::new(output).split(b'\n') {
        let line = line.map_err(|error| Failure::Output(name.clone(), error))?;
        see(&String::from_utf8_lossy(&line));
    }
    let status = child
        .wait()
        .map_err(|error| Failure::Output(name.clone(), error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Status(name, status, String::new()))
    }
}

/// Runs a program to its end and returns what it wrote to standard output; standard error is part of a failure.
pub(crate) fn capture(command: &mut Command) -> Result<String, Failure> {
    let name = name(command);
    let output = command
        .output()
        .map_err(|error| Failure::Start(name.clone(), error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(Failure::Status(
            name,
            output.status,
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }
}

/// The program and its first arguments, as a reader would call it.
fn name(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words = command.get_args().take(3).map(OsStr::to_string_lossy);
    std::iter::once(program.to_string_lossy())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}
