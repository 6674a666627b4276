//! What does a kernel cost at compile time? Builds a crate that holds one kernel, and the same crate without it, and prints the
//! difference for every shader.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::command::{Failure, cargo, show};
use crate::root;

/// Builds whose fastest counts: whatever else the machine does can only add to a build.
const BUILDS: usize = 3;

/// A kernel may add this much to a release build.
const GOAL: Duration = Duration::from_secs(3);

/// Measures every shader and prints the table. Fails if a build fails, or a kernel takes longer than the goal.
pub(crate) fn run() -> ExitCode {
    match measure(&root()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("a kernel adds more than {} s", GOAL.as_secs());
            ExitCode::FAILURE
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Prints a row for each shader; whether all stay below the goal.
fn measure(root: &Path) -> Result<bool, String> {
    let probe = root.join("target/compile-time");
    let failed = |error: std::io::Error| format!("{}: {error}", probe.display());
    fs::create_dir_all(probe.join("src")).map_err(failed)?;
    fs::write(probe.join("Cargo.toml"), manifest(root)).map_err(failed)?;
    fs::copy(root.join("Cargo.lock"), probe.join("Cargo.lock")).map_err(failed)?;
    let build = |source: &str| -> Result<Duration, String> {
        let mut best = Duration::MAX;
        for _ in 0..BUILDS {
            fs::write(probe.join("src/lib.rs"), source).map_err(failed)?;
            best = best.min(timed(root, &probe).map_err(|failure| failure.to_string())?);
        }
        Ok(best)
    };
    // The first builds are those of impel itself.
    build("")?;
    let without = build("")?;
    println!("| kernel | added to a release build |\n|---|---|");
    let mut good = true;
    for name in copied_shaders(root, &probe).map_err(failed)? {
        let with = build(&format!(
            "impel::shader!(pub mod kernel = \"shaders/{name}\");\n"
        ))?;
        let added = with.saturating_sub(without);
        println!(
            "| {} | {:.2} s |",
            name.trim_end_matches(".wgsl"),
            added.as_secs_f64()
        );
        good &= added <= GOAL;
    }
    Ok(good)
}

/// The crate that is built: a workspace of its own.
fn manifest(root: &Path) -> String {
    format!(
        "[workspace]\n[package]\nname = \"compile-time\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\nimpel = {{ path = \"{}\", default-features = false }}\n",
        root.display()
    )
}

/// How long a release build takes in which nothing but the crate itself is new.
fn timed(root: &Path, probe: &Path) -> Result<Duration, Failure> {
    let target = root.join("target").display().to_string();
    let start = Instant::now();
    show(&mut cargo(
        probe,
        &["build", "--release", "--quiet", "--target-dir", &target],
    ))?;
    Ok(start.elapsed())
}

/// Copies all shaders into the crate, where `shader!` looks for them; their file names in order.
fn copied_shaders(root: &Path, probe: &Path) -> std::io::Result<Vec<String>> {
    fs::create_dir_all(probe.join("shaders"))?;
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("shaders"))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "wgsl")
        {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            fs::copy(&path, probe.join("shaders").join(&name))?;
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
