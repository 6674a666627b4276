//! Does the tree keep the promises of ARCHITECTURE.md? Reads the sources, every path in them, and names what breaks a rule.

mod names;
mod rules;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};

use names::{Module, named_in};
use rules::{BANS, CRATES, GENERATED, LINES_MAX, MAY_KNOW, UNSAFE_ALLOWED};
use tree::Crate;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All crates that the rules speak of.
fn crates() -> Vec<Crate> {
    let crates: Vec<Crate> = CRATES
        .iter()
        .map(|(name, lib)| Crate::read(&root(), name, lib))
        .collect();
    assert!(crates.iter().all(|krate| !krate.modules.is_empty()));
    crates
}

/// Fails with all `violations`, one a line.
fn assert_none(violations: Vec<String>) {
    let mut violations = violations;
    violations.sort();
    violations.dedup();
    assert!(
        violations.is_empty(),
        "{} violations:\n{}",
        violations.len(),
        violations.join("\n")
    );
}

/// Whether `file` is `place` or lies under it.
fn under(file: &str, place: &str) -> bool {
    file.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || place.ends_with('/'))
}

/// Uses of names that [`BANS`] forbids where they stand.
fn banned(module: &Module) -> Vec<String> {
    let mut violations = Vec::new();
    for ban in BANS {
        let file = module.file.as_str();
        let applies = ban.within.iter().any(|place| under(file, place));
        if !applies || ban.except.iter().any(|(place, _)| under(file, place)) {
            continue;
        }
        for named in &module.names {
            if let Some(name) = ban.names.iter().find(|name| named.reaches(name)) {
                violations.push(format!(
                    "{file}:{}: names `{name}` (as `{}`): {}",
                    named.line,
                    named.text(),
                    ban.because
                ));
            }
        }
    }
    violations
}

/// Modules of `impel` that a module names, be it through what `lib.rs` re-exports, but may not know.
fn unknown_neighbours(module: &Module, lib: &Module) -> Vec<String> {
    let Some(here) = module.path.first() else {
        return Vec::new();
    };
    let at = |line: usize| format!("{}:{line}", module.file);
    let Some((_, may_know)) = MAY_KNOW.iter().find(|(name, _)| name == here) else {
        let add = format!("`{here}` has no line in MAY_KNOW of tests/architecture/rules.rs");
        return vec![format!("{}: {add}", at(1))];
    };
    let mut violations = Vec::new();
    for named in &module.names {
        let Some(other) = named.neighbour() else {
            continue;
        };
        let exported = lib.imports.get(other).filter(|path| path[0] != "self");
        let other = exported.map_or(other, |path| path[0].as_str());
        if other != here
            && MAY_KNOW.iter().any(|(name, _)| *name == other)
            && !may_know.contains(&other)
        {
            violations.push(format!(
                "{}: `{here}` names `{}`, but may know only {may_know:?}",
                at(named.line),
                named.text()
            ));
        }
    }
    violations
}

#[test]
fn pure_modules_name_no_io_clock_thread_or_lock_and_backends_stay_in_device() {
    let crates = crates();
    let modules = crates.iter().flat_map(|krate| &krate.modules);
    assert_none(modules.flat_map(banned).collect());
}

#[test]
fn each_module_names_only_those_that_it_may_know() {
    let crates = crates();
    let impel = crates.iter().find(|krate| krate.name == "impel").unwrap();
    let lib = impel
        .modules
        .iter()
        .find(|module| module.path.is_empty())
        .unwrap();
    assert_none(
        impel
            .modules
            .iter()
            .flat_map(|module| unknown_neighbours(module, lib))
            .collect(),
    );
}

#[test]
fn unsafe_stands_only_where_it_is_allowed() {
    let crates = crates();
    let mut violations = Vec::new();
    for module in crates.iter().flat_map(|krate| &krate.modules) {
        if UNSAFE_ALLOWED
            .iter()
            .any(|(place, _)| under(&module.file, place))
        {
            continue;
        }
        let lines = module.unsafe_lines.iter();
        violations.extend(lines.map(|line| {
            format!(
                "{}:{line}: `unsafe` outside of lanes and src/device",
                module.file
            )
        }));
    }
    assert_none(violations);
}

#[test]
fn every_source_file_belongs_to_its_crate() {
    let mut violations = Vec::new();
    for krate in crates() {
        for file in tree::rust_files(&root(), &krate.folder) {
            if !krate.files.contains(&file) {
                violations.push(format!(
                    "{file}:1: no `mod` of crate {} leads to this file",
                    krate.name
                ));
            }
        }
    }
    assert_none(violations);
}

#[test]
fn every_file_says_what_it_answers_and_is_short() {
    let files = tree::rust_files(&root(), "");
    assert!(
        files.len() > 100,
        "the search for files found only {}",
        files.len()
    );
    let mut violations = Vec::new();
    for file in files {
        let text = fs::read_to_string(root().join(&file)).unwrap();
        let lines = text.lines().count();
        if lines > LINES_MAX {
            violations.push(format!("{file}:{lines}: more than {LINES_MAX} lines: split the file by the questions it answers"));
        }
        if !text.starts_with("//!") && !file.starts_with(GENERATED) {
            violations.push(format!(
                "{file}:1: does not begin with `//!` and the question that the file answers"
            ));
        }
    }
    assert_none(violations);
}

#[test]
fn generated_code_has_no_unsafe_and_names_only_lanes() {
    const ALLOWED: [&str; 5] = ["clippy", "f32", "i32", "u32", "usize"];
    let files = tree::rust_files(&root(), GENERATED);
    assert!(
        files.len() > 8,
        "the search for generated code found only {}",
        files.len()
    );
    let mut violations = Vec::new();
    for file in files {
        let text = fs::read_to_string(root().join(&file)).unwrap();
        for module in named_in(&text, &file, &[]) {
            let lines = module.unsafe_lines.iter();
            violations
                .extend(lines.map(|line| format!("{file}:{line}: `unsafe` in generated code")));
            for named in module
                .names
                .iter()
                .filter(|named| !named.reaches("impel::lanes"))
            {
                let text = named.text();
                let outside = text.split_once("::").is_some_and(|(root, _)| {
                    root.starts_with(|first: char| first.is_ascii_lowercase())
                        && !ALLOWED.contains(&root)
                });
                if outside {
                    violations.push(format!(
                        "{file}:{}: generated code names `{text}`",
                        named.line
                    ));
                }
            }
        }
    }
    assert_none(violations);
}

/// Names of the packages under `[workspace.dependencies]` that are not of this workspace.
fn dependencies(manifest: &str) -> Vec<&str> {
    let from = manifest
        .lines()
        .skip_while(|line| line.trim() != "[workspace.dependencies]")
        .skip(1);
    let lines = from
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.contains("path ="));
    lines
        .filter_map(|line| Some(line.split_once('=')?.0.trim()))
        .filter(|name| !name.starts_with('#'))
        .collect()
}

#[test]
fn every_dependency_has_its_reason_in_the_architecture() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let dependencies = dependencies(&manifest);
    assert!(dependencies.contains(&"rayon"));
    let without = dependencies
        .iter()
        .filter(|name| !architecture.contains(&format!("| `{name}` |")));
    assert_none(
        without
            .map(|name| format!("Cargo.toml: `{name}` has no line in the table of ARCHITECTURE.md"))
            .collect(),
    );
}

/// The violations of a module of `impel` with this text.
fn violations_of(file: &str, path: &[&str], text: &str) -> Vec<String> {
    let path: Vec<String> = path.iter().map(ToString::to_string).collect();
    let module = named_in(text, file, &path).pop().unwrap();
    let lib = named_in(
        "mod device; mod region; pub use device::Pool;",
        "src/lib.rs",
        &[],
    )
    .pop()
    .unwrap();
    [banned(&module), unknown_neighbours(&module, &lib)].concat()
}

#[test]
fn a_forbidden_name_is_found_however_it_is_written() {
    let texts = [
        "use std::sync::Mutex;",
        "fn f() { std::sync::Mutex::new(0); }",
        "use std::sync as s; fn f() { s::Mutex::new(0); }",
        "use std::{fmt, sync::{self, Arc}}; fn f(_: &sync::Mutex<u8>) {}",
        "use std::sync::*;",
        "fn f() { assert!(std::sync::Mutex::new(0).try_lock().is_ok()); }",
        "fn f() { use std::sync; sync::Mutex::new(0); }",
        "#[derive(std::sync::Mutex)] struct S;",
    ];
    let noted = "fn f() { residency.read_into(memory, &spans); }";
    let found = violations_of("src/execute/obey.rs", &["execute", "obey"], noted);
    assert!(found.iter().any(|line| line.contains("`.read_into`")));
    for text in texts {
        let found = violations_of("src/region/span.rs", &["region", "span"], text);
        assert!(
            found
                .iter()
                .any(|line| line.starts_with("src/region/span.rs:1: names `std::sync::Mutex`")),
            "{text}: {found:?}"
        );
    }
    let tested = "#[cfg(test)] mod tests { use std::sync::Mutex; }";
    assert_eq!(
        violations_of("src/region/span.rs", &["region", "span"], tested),
        [""; 0]
    );
}

#[test]
fn a_neighbour_that_may_not_be_known_is_found_however_it_is_named() {
    for text in [
        "use crate::device::cpu;",
        "fn f() { super::super::device::cpu(); }",
        "use crate::{region, device};",
        "use crate::Pool;",
    ] {
        let found = violations_of("src/region/span.rs", &["region", "span"], text);
        assert!(
            found
                .iter()
                .any(|line| line.contains("`region` names `crate::")),
            "{text}: {found:?}"
        );
    }
    for text in [
        "use crate::machine::MemoryId;",
        "use super::footprint::device;",
        "fn f(device: u8) { device.max(1); }",
    ] {
        assert_eq!(
            violations_of("src/region/span.rs", &["region", "span"], text),
            [""; 0],
            "{text}"
        );
    }
}

#[test]
fn unsafe_is_found_in_blocks_items_and_macros() {
    let texts = [
        "fn f() { unsafe {} }",
        "unsafe fn f() {}",
        "unsafe impl Send for S {}",
        "fn f() { vec![unsafe { g() }]; }",
        "unsafe extern \"C\" {}",
        "unsafe trait T {}",
        "struct S { f: unsafe fn() }",
    ];
    for text in texts {
        let lines = &named_in(text, "a.rs", &[]).pop().unwrap().unsafe_lines;
        assert_eq!(lines.as_slice(), [1], "{text}");
    }
    assert!(
        named_in("fn f() { \"unsafe\"; }", "a.rs", &[])[0]
            .unsafe_lines
            .is_empty()
    );
}

#[test]
fn places_are_whole_names() {
    assert!(under("src/graph.rs", "src/graph.rs") && under("src/plan/curve.rs", "src/plan"));
    assert!(!under("src/planet/curve.rs", "src/plan"));
    assert!(Path::new(&root()).join("Cargo.toml").exists());
}
