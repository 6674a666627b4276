//! What was checked, what came of it, and how long did it take? The protocol of a test run.

use std::fmt;
use std::time::{Duration, Instant};

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is well; a remark may say more.
    Passed(String),
    /// Something is wrong.
    Failed(String),
    /// The step could not be taken here.
    Skipped(String),
}

impl Verdict {
    /// One word for the table, and the remark.
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Verdict::Passed(remark) => ("passed", remark),
            Verdict::Failed(remark) => ("FAILED", remark),
            Verdict::Skipped(remark) => ("skipped", remark),
        }
    }
}

/// A step that was taken.
#[derive(Clone, Debug)]
struct Step {
    name: &'static str,
    verdict: Verdict,
    took: Duration,
}

/// The steps taken so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Protocol {
    steps: Vec<Step>,
}

impl Protocol {
    /// Takes a step, with its name shown before and its verdict after.
    pub(crate) fn take(&mut self, name: &'static str, step: impl FnOnce() -> Verdict) {
        println!("\n=== {name}");
        let start = Instant::now();
        let verdict = step();
        let took = start.elapsed();
        let (word, remark) = verdict.parts();
        println!("=== {name}: {word} in {:.1} s {remark}", took.as_secs_f64());
        self.steps.push(Step {
            name,
            verdict,
            took,
        });
    }

    /// Whether no step failed.
    pub(crate) fn is_clean(&self) -> bool {
        !self
            .steps
            .iter()
            .any(|step| matches!(step.verdict, Verdict::Failed(_)))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .steps
            .iter()
            .map(|step| step.name.len())
            .max()
            .unwrap_or(0);
        for Step {
            name,
            verdict,
            took,
        } in &self.steps
        {
            let (word, remark) = verdict.parts();
            let line = format!(
                "{name:width$}  {word:7}  {:7.1} s  {remark}",
                took.as_secs_f64()
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        let count = |word| {
            self.steps
                .iter()
                .filter(|step| step.verdict.parts().0 == word)
                .count()
        };
        let total: Duration = self.steps.iter().map(|step| step.took).sum();
        write!(
            f,
            "{} steps passed, {} failed, {} skipped in {:.0} s",
            count("passed"),
            count("FAILED"),
            count("skipped"),
            total.as_secs_f64()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Protocol, Verdict};

    #[test]
    fn a_protocol_is_clean_until_a_step_fails() {
        let mut protocol = Protocol::default();
        protocol.take("one", || Verdict::Passed(String::new()));
        protocol.take("two", || Verdict::Skipped("no GPU".into()));
        assert!(protocol.is_clean());
        protocol.take("three", || Verdict::Failed("broken".into()));
        assert!(!protocol.is_clean());
        let text = protocol.to_string();
        assert!(
            text.contains("1 steps passed, 1 failed, 1 skipped"),
            "{text}"
        );
        assert!(text.contains("no GPU") && text.contains("broken"), "{text}");
    }
}
