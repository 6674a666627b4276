//! `cargo xtask`: how is impel tested and measured? `test` runs everything that has to pass, `bench` and `compile-time`
//! everything that is claimed about speed.

mod bench;
mod command;
mod compile_time;
mod drivers;
mod host;
mod record;
mod scoreboard;
mod steps;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask test [--long]
           Runs every check: format, lints, documentation, tests, packaging. Installs software Vulkan drivers where it
           runs as root on Debian or Ubuntu and none is there. --long adds the long, seeded test sets.
       cargo xtask bench [--quick] [--kernel NAME]... [--threads N] [--output DIR]
           Times impel beside its rivals, prints the table, and keeps the raw data in DIR (benches/runs/DATE-MACHINE).
           --quick runs each contestant once a round, for a first look; --kernel NAME runs that kernel only;
           --threads N uses N threads instead of 2.
       cargo xtask compile-time
           Times release builds with and without each shader: what a kernel adds to the build of the crate that holds it.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => test::run(test::Extent::Quick),
        ["test", "--long"] => test::run(test::Extent::Long),
        ["bench", options @ ..] => match bench::Options::parse(options) {
            Ok(options) => bench::run(&options),
            Err(message) => refuse(&message),
        },
        ["compile-time"] => compile_time::run(),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        [] => refuse("what is to be done?"),
        [first, ..] => refuse(&format!("`{first}` with these options is no task")),
    }
}

/// Says what is wrong with the command line, and what would be right.
fn refuse(message: &str) -> ExitCode {
    eprintln!("{message}\n{USAGE}");
    ExitCode::FAILURE
}

/// The folder of the workspace, as it was when this program was built.
fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask
        .parent()
        .expect("xtask lies in the workspace")
        .to_owned()
}
