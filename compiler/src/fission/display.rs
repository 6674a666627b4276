//! The cut kernel as text.

use std::fmt;

use super::{Fission, Step, Turn};
use crate::tree::{Jump, Kind};

impl fmt::Display for Fission<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = |ids: Vec<u32>, prefix: &str| {
            let names: Vec<String> = ids.iter().map(|id| format!(" {prefix}{id}")).collect();
            names.concat()
        };
        writeln!(
            f,
            "one for the workgroup:{}",
            ids(self.workgroup_vars.iter().map(|id| id.0).collect(), "x")
        )?;
        writeln!(
            f,
            "kept per gang:{}{}{}",
            ids(self.kept_vars.iter().map(|id| id.0).collect(), "x"),
            ids(self.kept_arrays.iter().map(|id| id.0).collect(), "a"),
            ids(self.kept_values.iter().map(|id| id.0).collect(), "v")
        )?;
        list(f, &self.steps, 1)
    }
}

fn list(f: &mut fmt::Formatter<'_>, steps: &[Step<'_>], depth: usize) -> fmt::Result {
    steps.iter().try_for_each(|step| display(f, step, depth))
}

fn display(f: &mut fmt::Formatter<'_>, step: &Step<'_>, depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    match step {
        Step::Once(node) => match &node.kind {
            Kind::Leaf(stmt) => writeln!(f, "{indent}once {stmt:?}"),
            _ => Ok(()),
        },
        Step::Turn(turn) => display_turn(f, turn, &indent),
        Step::Barrier => writeln!(f, "{indent}barrier"),
        Step::If {
            condition,
            accept,
            reject,
        } => {
            writeln!(f, "{indent}if v{}", condition.0)?;
            list(f, accept, depth + 1)?;
            writeln!(f, "{indent}else")?;
            list(f, reject, depth + 1)
        }
        Step::Loop {
            label,
            body,
            continuing,
            break_if,
        } => {
            writeln!(f, "{indent}loop l{}", label.0)?;
            list(f, body, depth + 1)?;
            writeln!(f, "{indent}continuing")?;
            list(f, continuing, depth + 1)?;
            break_if.map_or(Ok(()), |condition| {
                writeln!(f, "{indent}  break if v{}", condition.0)
            })
        }
        Step::Block { label, body } => {
            writeln!(f, "{indent}block l{}", label.0)?;
            list(f, body, depth + 1)
        }
        Step::Jump(Jump::Break(label)) => writeln!(f, "{indent}break l{}", label.0),
        Step::Jump(Jump::Continue(label)) => writeln!(f, "{indent}continue l{}", label.0),
    }
}

fn display_turn(f: &mut fmt::Formatter<'_>, turn: &Turn<'_>, indent: &str) -> fmt::Result {
    let (first, last) = (turn.nodes[0].id.0, turn.nodes[turn.nodes.len() - 1].id.0);
    write!(f, "{indent}turn {}: n{first}..=n{last}", turn.id.0)?;
    for (what, ids) in [
        ("anew", &turn.recompute),
        ("fetch", &turn.fetch),
        ("keep", &turn.keep),
    ] {
        if !ids.is_empty() {
            let ids: Vec<String> = ids.iter().map(|id| format!("v{}", id.0)).collect();
            write!(f, "; {what} {}", ids.join(" "))?;
        }
    }
    for (var, transfer) in &turn.vars {
        let how = match (transfer.fetch, transfer.keep) {
            (true, true) => "updates",
            (true, false) => "reads",
            (false, true) => "sets",
            (false, false) => "mentions",
        };
        write!(f, "; {how} x{}", var.0)?;
    }
    writeln!(f)
}
