//! How are the tables written in Rust? As one constant expression that names the types of `impel::kernel::access`.

use std::fmt::{self, Display, Write as _};

use super::{
    AffineRow, BufferRow, CheckRow, ConstraintRow, CountsRow, PatternRow, RangeRow, Tables,
    TripsRow, UniformRow,
};
use crate::access::{AccessMap, Combine, CombineOp, Function};

impl AccessMap {
    /// A Rust expression of type `impel::kernel::AccessMap`, fit for a constant.
    pub fn to_rust(&self) -> String {
        self.tables().to_rust("::impel::kernel::access")
    }
}

impl Tables {
    /// A Rust expression for these tables; `path` is that of the module that defines their types.
    pub fn to_rust(&self, path: &str) -> String {
        let mut out = String::new();
        let _ = write!(
            out,
            "{{ #[allow(unused_imports)] use {path} as a; a::AccessMap {{ uniforms: {}, ranges: {}, constraints: {}, sites: {}, buffers: {}, split: {}, work: a::Work {{ loops: {}, counts: {} }} }} }}",
            List(&self.uniforms, uniform),
            List(&self.ranges, range),
            List(&self.constraints, constraint),
            List(&self.sites, |(line, column, snippet), f| write!(
                f,
                "a::Site {{ line: {line}, column: {column}, snippet: {snippet:?} }}"
            )),
            List(&self.buffers, buffer),
            shown(|f| match &self.split {
                Ok(()) => f.write_str("a::Split::WhereDisjoint"),
                Err((reason, site)) => write!(
                    f,
                    "a::Split::No {{ reason: {reason:?}, site: a::SiteId({site}) }}"
                ),
            }),
            List(&self.loops, trips),
            List(&self.counts, counts),
        );
        out
    }
}

/// A reference to an array of rows.
struct List<'a, T>(&'a [T], fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result);

impl<T> Display for List<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("&[")?;
        for (index, row) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            (self.1)(row, f)?;
        }
        f.write_str("]")
    }
}

/// Something written by a closure.
struct Shown<F>(F);

/// Names the closure's type, so that its argument's is known.
fn shown<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result>(write: F) -> Shown<F> {
    Shown(write)
}

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> Display for Shown<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)(f)
    }
}

struct Id(u16);

impl Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a::UniformId({})", self.0)
    }
}

fn uniform(row: &UniformRow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("a::Uniform::")?;
    match row {
        UniformRow::Const(value) => write!(f, "Const({value})"),
        UniformRow::Word {
            binding,
            word,
            signed,
        } => write!(
            f,
            "Word {{ binding: {binding}, word: {word}, signed: {signed} }}"
        ),
        UniformRow::ArrayLength {
            binding,
            offset,
            stride,
        } => write!(
            f,
            "ArrayLength {{ binding: {binding}, offset: {offset}, stride: {stride} }}"
        ),
        UniformRow::NumWorkgroups(axis) => write!(f, "NumWorkgroups({axis})"),
        UniformRow::Add(a, b) => write!(f, "Add({}, {})", Id(*a), Id(*b)),
        UniformRow::Multiply(a, b) => write!(f, "Multiply({}, {})", Id(*a), Id(*b)),
        UniformRow::Function(function, a, b) => {
            let name = match function {
                Function::Divide => "Divide",
                Function::Remainder => "Remainder",
                Function::Min => "Min",
                Function::Max => "Max",
                Function::ShiftLeft => "ShiftLeft",
                Function::ShiftRight => "ShiftRight",
                Function::And => "And",
            };
            write!(f, "{name}({}, {})", Id(*a), Id(*b))
        }
        UniformRow::Fits { value, signed } => {
            write!(f, "Fits {{ value: {}, signed: {signed} }}", Id(*value))
        }
    }
}

impl Display for AffineRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a::Affine {{ base: {}, terms: {} }}",
            Id(self.base),
            List(&self.terms, |term, f| write!(
                f,
                "a::Term {{ variable: a::Variable({}), coefficient: {} }}",
                term.variable,
                Id(term.coefficient)
            ))
        )
    }
}

fn range(row: &RangeRow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("a::Range::")?;
    match row {
        RangeRow::Counter => f.write_str("Counter"),
        RangeRow::CounterTo {
            distance,
            step,
            checks,
        } => write!(
            f,
            "CounterTo {{ distance: {distance}, step: {}, checks: {} }}",
            Id(*step),
            List(checks, check)
        ),
        RangeRow::Sum(sum) => write!(f, "Sum({sum})"),
        RangeRow::Min { a, b, signed } => write!(f, "Min {{ a: {a}, b: {b}, signed: {signed} }}"),
        RangeRow::Max { a, b, signed } => write!(f, "Max {{ a: {a}, b: {b}, signed: {signed} }}"),
        RangeRow::Either(a, b) => write!(f, "Either({a}, {b})"),
        RangeRow::Quotient {
            value,
            divisor,
            signed,
        } => write!(
            f,
            "Quotient {{ value: {value}, divisor: {}, signed: {signed} }}",
            Id(*divisor)
        ),
        RangeRow::Remainder {
            value,
            divisor,
            signed,
        } => write!(
            f,
            "Remainder {{ value: {value}, divisor: {}, signed: {signed} }}",
            Id(*divisor)
        ),
        RangeRow::Within { low, high } => {
            write!(f, "Within {{ low: {}, high: {} }}", Id(*low), Id(*high))
        }
    }
}

fn check(row: &CheckRow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "a::Check {{ value: {}, signed: {} }}",
        row.value, row.signed
    )
}

fn constraint(row: &ConstraintRow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "a::Constraint {{ variable: a::Variable({}), coefficient: {}, base: {}, checks: {} }}",
        row.variable,
        Id(row.coefficient),
        Id(row.base),
        List(&row.checks, check)
    )
}

fn buffer(row: &BufferRow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "a::BufferAccess {{ binding: {}, reads: {}, writes: {}, combine: {} }}",
        row.binding,
        List(&row.reads, pattern),
        List(&row.writes, pattern),
        shown(|f| match row.combine {
            None => f.write_str("None"),
            Some(combine) => combined(combine, f),
        })
    )
}

fn combined(combine: Combine, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let op = match combine.op {
        CombineOp::Add => "Add",
        CombineOp::Min => "Min",
        CombineOp::Max => "Max",
        CombineOp::And => "And",
        CombineOp::Or => "Or",
        CombineOp::ExclusiveOr => "ExclusiveOr",
    };
    write!(
        f,
        "Some(a::Combine {{ op: a::CombineOp::{op}, signed: {} }})",
        combine.signed
    )
}

fn pattern(row: &PatternRow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("a::Pattern { reach: ")?;
    match &row.reach {
        Err(reason) => write!(f, "a::Reach::Whole {{ reason: {reason:?} }}")?,
        Ok(words) => write!(
            f,
            "a::Reach::Words {{ address: {}, width: {}, variables: {}, constraints: {}, checks: {}, exact: {} }}",
            words.address,
            words.width,
            List(&words.variables, |variable, f| write!(
                f,
                "a::Variable({variable})"
            )),
            List(&words.constraints, |id, f| write!(
                f,
                "a::ConstraintId({id})"
            )),
            List(&words.checks, check),
            words.exact
        )?,
    }
    write!(f, ", site: a::SiteId({}) }}", row.site)
}

fn trips(row: &TripsRow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match row {
        TripsRow::Unknown => f.write_str("a::Trips::Unknown"),
        TripsRow::Counted { first, limit, step } => write!(
            f,
            "a::Trips::Counted {{ first: {first}, limit: {limit}, step: {} }}",
            Id(*step)
        ),
    }
}

fn counts(row: &CountsRow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "a::Counts {{ loops: {}, flops: {}, int_ops: {}, special: {}, bytes_read: {}, bytes_written: {} }}",
        List(&row.loops, |index, f| write!(f, "{index}")),
        row.flops,
        row.int_ops,
        row.special,
        row.bytes_read,
        row.bytes_written
    )
}
