//! `impel check`: is this WGSL something that impel can run, and what will become of it?

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::{Asked, Verb, Word, read};
use crate::{Failure, table};
use impel_compiler::front::Options;
use impel_compiler::{Compiled, compile};

pub(super) const VERB: Verb = Verb {
    name: "check",
    summary: "checks WGSL files, with what is wrong and where",
    help: "usage: impel check FILE.wgsl …

Compiles WGSL files as `impel::shader!` does and says what is wrong with them,
with file, line and column; for those that are right, their entry points and
whether a launch can be split over devices. Exit code 1 if any is wrong.

  --strict      no operation is fused with another
  --quiet       say nothing about files that are right
",
    run,
};

fn run(arguments: &mut lexopt::Parser) -> Result<(), Failure> {
    let (mut files, mut options, mut quiet) = (Vec::<PathBuf>::new(), Options::default(), false);
    let asked = read(&VERB, arguments, |word, _| {
        match word {
            Word::Value(file) => files.push(file.into()),
            Word::Option("strict") => options.strict = true,
            Word::Option("quiet") => quiet = true,
            Word::Option(_) => return Ok(false),
        }
        Ok(true)
    })?;
    if asked == Asked::Help {
        return Ok(());
    }
    if files.is_empty() {
        return Err(Failure::Usage("`check` needs a WGSL file".to_owned()));
    }
    let mut wrong = 0;
    for file in &files {
        let path = file.display().to_string();
        let source = fs::read_to_string(file);
        let source = source.map_err(|error| Failure::of(format!("{path}: {error}")))?;
        match compile(&source, &path, &options) {
            Ok(compiled) if !quiet => table::say(&praise(&path, &compiled)),
            Ok(_) => {}
            Err(diagnostics) => {
                wrong += 1;
                eprintln!("{diagnostics}");
            }
        }
    }
    match wrong {
        0 => Ok(()),
        _ if files.len() == 1 => Err(Failure::Failed(String::new())),
        _ => Err(Failure::Failed(format!(
            "{wrong} of {} files are wrong",
            files.len()
        ))),
    }
}

/// What became of a file that is right.
fn praise(path: &str, compiled: &Compiled) -> String {
    let mut text = format!("{path}: right\n");
    for (kernel, signature) in compiled.kernels.iter().zip(&compiled.signature.kernels) {
        let [x, y, z] = signature.workgroup_size;
        let name = &signature.name;
        // Writing to a string does not fail.
        let _ = write!(text, "  {name} in workgroups of {x} × {y} × {z}");
        text += match &kernel.access.split {
            impel_compiler::access::Split::WhereDisjoint => ", can be split over devices\n",
            impel_compiler::access::Split::No { .. } => ", runs whole on one device\n",
        };
    }
    text
}
