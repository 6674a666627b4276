//! How does an access map read? One line per pattern, in the terms of the WGSL.

use std::fmt::{self, Display, Formatter, Write as _};

use super::affine::{Affine, Last, Range, Variable};
use super::guard::{Check, Constraint};
use super::pattern::{Pattern, Reach, Words};
use super::poly::{Atom, Function, Poly};
use super::split::Split;
use super::work::Counts;
use super::{AccessMap, BufferAccess};

impl Display for AccessMap {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.workgroup_size;
        writeln!(f, "{} in workgroups of {x} × {y} × {z}", self.name)?;
        for buffer in &self.buffers {
            self.buffer(f, buffer)?;
        }
        match &self.split {
            Split::WhereDisjoint => writeln!(f, "split: where parts are disjoint")?,
            Split::No { reason, site } => writeln!(
                f,
                "split: no, {reason}\n    {}: {}",
                site.position, site.snippet
            )?,
        }
        self.work
            .counts
            .iter()
            .try_for_each(|counts| self.counts(f, counts))
    }
}

impl AccessMap {
    fn buffer(&self, f: &mut Formatter<'_>, buffer: &BufferAccess) -> fmt::Result {
        write!(f, "{}:", self.bindings[buffer.binding as usize])?;
        if buffer.reads.is_empty() && buffer.writes.is_empty() {
            f.write_str(" untouched")?;
        }
        if let Some(combine) = buffer.combine {
            write!(f, " combine by {combine}")?;
        }
        writeln!(f)?;
        for (verb, patterns) in [("reads", &buffer.reads), ("writes", &buffer.writes)] {
            for pattern in patterns {
                writeln!(f, "    {verb} {}", self.pattern(pattern))?;
            }
        }
        Ok(())
    }

    fn pattern(&self, pattern: &Pattern) -> String {
        let mut text = match &pattern.reach {
            Reach::Whole { reason } => format!("anything: {reason}"),
            Reach::Words(words) => self.words(words),
        };
        let site = &pattern.site;
        let _ = write!(text, "  // {}: {}", site.position, site.snippet);
        text
    }

    fn words(&self, words: &Words) -> String {
        let mut text = format!("[{}]", self.affine(&words.address));
        if words.width > 1 {
            let _ = write!(text, " × {}", words.width);
        }
        if words.exact {
            text.push_str(" surely");
        }
        for (index, constraint) in words.constraints.iter().enumerate() {
            text.push_str(if index == 0 { " where " } else { ", " });
            text.push_str(&self.constraint(constraint));
        }
        for (counter, last) in self.counters(words) {
            let _ = write!(text, "; {}", self.last(counter, last));
        }
        for check in &words.checks {
            let _ = write!(text, ", if {} fits", self.affine(&check.value));
        }
        text
    }

    fn constraint(&self, constraint: &Constraint) -> String {
        let negative = constraint.base.negated().unwrap_or_default();
        let variable = self.variable(constraint.variable);
        let text = match constraint.coefficient.constant() {
            Some(0) => format!("{} >= 0", self.poly(&constraint.base)),
            Some(1) => format!("{variable} >= {}", self.poly(&negative)),
            Some(-1) => format!("{variable} <= {}", self.poly(&constraint.base)),
            _ => format!(
                "{} · {variable} >= {}",
                self.factor(&constraint.coefficient),
                self.poly(&negative)
            ),
        };
        text + &self.fits(&constraint.checks)
    }

    /// The loop counters in an address of which the last value is known.
    fn counters<'a>(&'a self, words: &'a Words) -> impl Iterator<Item = (Variable, &'a Last)> {
        let variables = words.address.terms.keys();
        variables.filter_map(|variable| match &self.ranges[variable.range()?] {
            Range::Counter { last, .. } => Some((*variable, last.as_ref()?)),
            _ => None,
        })
    }

    fn last(&self, counter: Variable, last: &Last) -> String {
        let mut text = match last.step.constant() {
            Some(1) => self.variable(counter),
            _ => format!("{} · {}", self.factor(&last.step), self.variable(counter)),
        };
        let _ = write!(text, " <= max({}, 0)", self.affine(&last.distance));
        text + &self.fits(&last.checks)
    }

    fn fits(&self, checks: &[Check]) -> String {
        let values: Vec<String> = checks
            .iter()
            .map(|check| self.affine(&check.value))
            .collect();
        if values.is_empty() {
            String::new()
        } else {
            format!(" (if {} fit)", values.join("; "))
        }
    }

    fn counts(&self, f: &mut Formatter<'_>, counts: &Counts) -> fmt::Result {
        f.write_str("work")?;
        for index in &counts.loops {
            match &self.work.loops[*index] {
                Some(trips) => write!(
                    f,
                    " × ⌈({} - {}) / {}⌉",
                    self.grouped(&trips.limit),
                    self.grouped(&trips.first),
                    self.factor(&trips.step)
                )?,
                None => f.write_str(" × ?")?,
            }
        }
        let Counts {
            flops,
            int_ops,
            special,
            bytes_read,
            bytes_written,
            ..
        } = counts;
        writeln!(
            f,
            ": {flops} flops, {int_ops} integer operations, {special} special functions, {bytes_read} bytes read, {bytes_written} bytes written"
        )
    }

    fn affine(&self, affine: &Affine) -> String {
        let mut terms: Vec<String> = affine
            .terms
            .iter()
            .map(|(variable, coefficient)| match coefficient.constant() {
                Some(1) => self.variable(*variable),
                Some(-1) => format!("-{}", self.variable(*variable)),
                _ => format!("{}·{}", self.factor(coefficient), self.variable(*variable)),
            })
            .collect();
        if !affine.base.is_zero() || terms.is_empty() {
            terms.push(self.poly(&affine.base));
        }
        terms.join(" + ").replace("+ -", "- ")
    }

    fn grouped(&self, affine: &Affine) -> String {
        let text = self.affine(affine);
        if text.contains(' ') {
            format!("({text})")
        } else {
            text
        }
    }

    fn factor(&self, poly: &Poly) -> String {
        let text = self.poly(poly);
        if text.contains(' ') {
            format!("({text})")
        } else {
            text
        }
    }

    fn variable(&self, variable: Variable) -> String {
        const AXES: [&str; 3] = ["x", "y", "z"];
        let Some(index) = variable.range() else {
            let name = ["gid", "wid", "lid"][variable.0 as usize / 3];
            return format!("{name}.{}", AXES[variable.0 as usize % 3]);
        };
        match &self.ranges[index] {
            Range::Counter { label, .. } => format!("t{}", label.0),
            Range::Member { count, .. } => format!("(0..={})", count - 1),
            Range::Sum(sum) => format!("({})", self.affine(sum)),
            Range::Min { a, b, .. } => format!("min({}, {})", self.affine(a), self.affine(b)),
            Range::Max { a, b, .. } => format!("max({}, {})", self.affine(a), self.affine(b)),
            Range::Either(a, b) => format!("({} or {})", self.affine(a), self.affine(b)),
            Range::Quotient { value, divisor, .. } => {
                format!("({} / {})", self.grouped(value), self.factor(divisor))
            }
            Range::Remainder { value, divisor, .. } => {
                format!("({} % {})", self.grouped(value), self.factor(divisor))
            }
            Range::Within {
                low, high, reason, ..
            } => format!("({}..={}, {reason})", self.poly(low), self.poly(high)),
        }
    }

    fn poly(&self, poly: &Poly) -> String {
        let mut monomials: Vec<String> = poly
            .monomials()
            .map(|(atoms, factor)| {
                let names: Vec<String> = atoms
                    .iter()
                    .map(|atom| self.atom(self.atoms.get(*atom)))
                    .collect();
                match (factor, names.is_empty()) {
                    (factor, true) => factor.to_string(),
                    (1, false) => names.join("·"),
                    (-1, false) => format!("-{}", names.join("·")),
                    (factor, false) => format!("{factor}·{}", names.join("·")),
                }
            })
            .collect();
        // The constant comes first in the normal form and reads better last.
        if monomials.is_empty() {
            return "0".to_owned();
        }
        if poly.has_constant() {
            monomials.rotate_left(1);
        }
        monomials.join(" + ").replace("+ -", "- ")
    }

    fn atom(&self, atom: &Atom) -> String {
        const AXES: [&str; 3] = ["x", "y", "z"];
        match atom {
            Atom::Word { binding, word, .. } => {
                format!("{}[{word}]", self.bindings[*binding as usize])
            }
            Atom::ArrayLength { binding, .. } => {
                format!("length({})", self.bindings[*binding as usize])
            }
            Atom::NumWorkgroups(axis) => format!("num_workgroups.{}", AXES[usize::from(*axis)]),
            Atom::Function { function, a, b, .. } => {
                let (a, b) = (self.factor(a), self.factor(b));
                match function {
                    Function::Divide => format!("({a} / {b})"),
                    Function::Remainder => format!("({a} % {b})"),
                    Function::Min => format!("min({a}, {b})"),
                    Function::Max => format!("max({a}, {b})"),
                    Function::ShiftLeft => format!("({a} << {b})"),
                    Function::ShiftRight => format!("({a} >> {b})"),
                    Function::And => format!("({a} & {b})"),
                }
            }
        }
    }
}
