//! Prints what the compiler makes of a WGSL file on its way to the CPU: the annotated tree, the plan and the Rust.
//!
//! `cargo run -p impel-compiler --example emit -- shaders/saxpy.wgsl [INTERLEAVE]`

use std::process::ExitCode;

use impel_compiler::emit::{self, Options};
use impel_compiler::simplify::simplify;
use impel_compiler::{front, lower};

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: emit FILE.wgsl [INTERLEAVE]");
        return ExitCode::FAILURE;
    };
    let interleave = std::env::args().nth(2).and_then(|count| count.parse().ok());
    match print(&path, interleave) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn print(path: &str, interleave: Option<usize>) -> Result<(), Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(path)?;
    let options = Options {
        interleave,
        ..Options::default()
    };
    let front = front::parse(&text, path, &front::Options::default())?;
    for index in 0..front.module.entry_points.len() {
        let kernel = simplify(&lower::lower(&front, index)?);
        println!("{}", emit::explain(&kernel));
        println!("{}", emit::emit(&kernel, &front.source, options)?.source);
    }
    Ok(())
}
