//! Is every verdict of `WGSL.md` true? Each example of its tables is compiled as far as the verdict says.

use impel_compiler::diagnostic::Diagnostics;
use impel_compiler::front::Options;
use impel_compiler::{Compiled, compile};

const TABLE: &str = include_str!("../WGSL.md");

/// Where the example goes in the program at the top of the page.
const MARK: &str = "// the example";

/// A row of a table.
#[derive(Debug)]
struct Row<'a> {
    construct: &'a str,
    example: String,
    verdict: &'a str,
    /// Stands at module scope, not in the function.
    module: bool,
}

/// The program between the first fences.
fn program() -> &'static str {
    let (_, after) = TABLE.split_once("```wgsl\n").unwrap();
    after.split_once("```").unwrap().0
}

fn rows() -> Vec<Row<'static>> {
    let mut module = false;
    let mut rows = Vec::new();
    for line in TABLE.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            module = heading.ends_with("(module)");
        }
        let cells = line
            .strip_prefix("| ")
            .and_then(|line| line.strip_suffix(" |"));
        let Some((construct, rest)) = cells.and_then(|cells| cells.split_once(" | `")) else {
            continue;
        };
        let (example, verdict) = rest
            .rsplit_once("` | ")
            .unwrap_or_else(|| panic!("not a row: {line}"));
        rows.push(Row {
            construct,
            example: example.replace("\\|", "|"),
            verdict,
            module,
        });
    }
    rows
}

fn text_of(row: &Row<'_>) -> String {
    match row.module {
        false => program().replace(MARK, &row.example),
        true if row.example.starts_with("enable ") => format!("{}\n{}", row.example, program()),
        true => format!("{}\n{}", program(), row.example),
    }
}

fn compiled(text: &str) -> Result<Compiled, Diagnostics> {
    compile(text, "example.wgsl", &Options::default())
}

#[test]
fn the_table_covers_the_language() {
    let rows = rows();
    assert!(rows.len() > 80, "only {} rows were found", rows.len());
    for verdict in ["supported", "refused", "later"] {
        assert!(rows.iter().any(|row| row.verdict == verdict));
    }
    assert!(program().contains(MARK));
    compiled(program()).unwrap();
}

#[test]
fn every_verdict_is_what_the_compiler_says() {
    let mut wrong = Vec::new();
    for row in rows() {
        let outcome = compiled(&text_of(&row));
        match (row.verdict, outcome) {
            ("supported", Err(diagnostics)) => {
                wrong.push(format!("{}: supported, but\n{diagnostics}", row.construct));
            }
            ("refused" | "later", Ok(_)) => wrong.push(format!(
                "{}: {}, but it compiles",
                row.construct, row.verdict
            )),
            ("supported" | "refused" | "later", _) => {}
            (verdict, _) => wrong.push(format!("{}: `{verdict}` is no verdict", row.construct)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What is wrong with the messages about the mistake in `row`, if anything.
fn complaint(row: &Row<'_>) -> Option<&'static str> {
    let Err(Diagnostics(found)) = compiled(&text_of(row)) else {
        return Some("it compiles");
    };
    let [diagnostic] = found.as_slice() else {
        return Some("more than one message");
    };
    let words = row
        .example
        .split(|c: char| !c.is_alphanumeric() && c != '_');
    let mut telling = words.filter(|word| !word.is_empty() && !program().contains(word));
    if !telling.any(|word| diagnostic.snippet.contains(word)) {
        return Some("the message points elsewhere");
    }
    let explained = diagnostic.advice.is_some()
        || diagnostic.message.contains("not supported")
        || diagnostic.message.contains("recursive");
    (!explained)
        .then_some("the message does not say that it is not supported, nor what to write instead")
}

#[test]
fn what_is_refused_is_named_where_it_stands() {
    let rows = rows().into_iter().filter(|row| row.verdict != "supported");
    let wrong: Vec<String> = rows
        .filter_map(|row| {
            let complaint = complaint(&row)?;
            let messages = compiled(&text_of(&row))
                .err()
                .map(|messages| messages.to_string());
            Some(format!(
                "{}: {complaint}\n{}",
                row.construct,
                messages.unwrap_or_default()
            ))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
