//! The compiler's tables as the runtime's constants, without a compilation in between: their slices live for ever.

use impel::kernel::access as a;
use impel_compiler::access::{
    AffineRow, BufferRow, CheckRow, CombineOp, Function, PatternRow, RangeRow, Tables, TripsRow,
    UniformRow,
};

fn slice<T, R>(rows: &[T], convert: impl Fn(&T) -> R) -> &'static [R] {
    rows.iter().map(convert).collect::<Vec<R>>().leak()
}

fn text(text: &str) -> &'static str {
    text.to_owned().leak()
}

/// The runtime's form of `tables`.
pub(crate) fn access_map(tables: &Tables) -> a::AccessMap {
    a::AccessMap {
        uniforms: slice(&tables.uniforms, uniform),
        ranges: slice(&tables.ranges, range),
        constraints: slice(&tables.constraints, |row| a::Constraint {
            variable: a::Variable(row.variable),
            coefficient: a::UniformId(row.coefficient),
            base: a::UniformId(row.base),
            checks: checks(&row.checks),
        }),
        sites: slice(&tables.sites, |(line, column, snippet)| a::Site {
            line: *line,
            column: *column,
            snippet: text(snippet),
        }),
        buffers: slice(&tables.buffers, buffer),
        split: match &tables.split {
            Ok(()) => a::Split::WhereDisjoint,
            Err((reason, site)) => a::Split::No {
                reason: text(reason),
                site: a::SiteId(*site),
            },
        },
        work: a::Work {
            loops: slice(&tables.loops, trips),
            counts: slice(&tables.counts, |row| a::Counts {
                loops: slice(&row.loops, |index| *index),
                flops: row.flops,
                int_ops: row.int_ops,
                special: row.special,
                bytes_read: row.bytes_read,
                bytes_written: row.bytes_written,
            }),
        },
    }
}

fn trips(row: &TripsRow) -> a::Trips {
    match row {
        TripsRow::Unknown => a::Trips::Unknown,
        TripsRow::Counted { first, limit, step } => a::Trips::Counted {
            first: affine(first),
            limit: affine(limit),
            step: a::UniformId(*step),
        },
    }
}

fn uniform(row: &UniformRow) -> a::Uniform {
    let id = a::UniformId;
    match *row {
        UniformRow::Const(value) => a::Uniform::Const(value),
        UniformRow::Word {
            binding,
            word,
            signed,
        } => a::Uniform::Word {
            binding,
            word,
            signed,
        },
        UniformRow::ArrayLength {
            binding,
            offset,
            stride,
        } => a::Uniform::ArrayLength {
            binding,
            offset,
            stride,
        },
        UniformRow::NumWorkgroups(axis) => a::Uniform::NumWorkgroups(axis),
        UniformRow::Add(left, right) => a::Uniform::Add(id(left), id(right)),
        UniformRow::Multiply(left, right) => a::Uniform::Multiply(id(left), id(right)),
        UniformRow::Fits { value, signed } => a::Uniform::Fits {
            value: id(value),
            signed,
        },
        UniformRow::Function(function, left, right) => {
            let (left, right) = (id(left), id(right));
            match function {
                Function::Divide => a::Uniform::Divide(left, right),
                Function::Remainder => a::Uniform::Remainder(left, right),
                Function::Min => a::Uniform::Min(left, right),
                Function::Max => a::Uniform::Max(left, right),
                Function::ShiftLeft => a::Uniform::ShiftLeft(left, right),
                Function::ShiftRight => a::Uniform::ShiftRight(left, right),
                Function::And => a::Uniform::And(left, right),
            }
        }
    }
}

fn affine(row: &AffineRow) -> a::Affine {
    a::Affine {
        base: a::UniformId(row.base),
        terms: slice(&row.terms, |term| a::Term {
            variable: a::Variable(term.variable),
            coefficient: a::UniformId(term.coefficient),
        }),
    }
}

fn range(row: &RangeRow) -> a::Range {
    match row {
        RangeRow::Counter => a::Range::Counter,
        RangeRow::CounterTo {
            distance,
            step,
            checks: rows,
        } => a::Range::CounterTo {
            distance: affine(distance),
            step: a::UniformId(*step),
            checks: checks(rows),
        },
        RangeRow::Sum(sum) => a::Range::Sum(affine(sum)),
        RangeRow::Min { a, b, signed } => a::Range::Min {
            a: affine(a),
            b: affine(b),
            signed: *signed,
        },
        RangeRow::Max { a, b, signed } => a::Range::Max {
            a: affine(a),
            b: affine(b),
            signed: *signed,
        },
        RangeRow::Either(a, b) => a::Range::Either(affine(a), affine(b)),
        RangeRow::Quotient {
            value,
            divisor,
            signed,
        } => a::Range::Quotient {
            value: affine(value),
            divisor: a::UniformId(*divisor),
            signed: *signed,
        },
        RangeRow::Remainder {
            value,
            divisor,
            signed,
        } => a::Range::Remainder {
            value: affine(value),
            divisor: a::UniformId(*divisor),
            signed: *signed,
        },
        RangeRow::Within { low, high } => a::Range::Within {
            low: a::UniformId(*low),
            high: a::UniformId(*high),
        },
    }
}

fn checks(rows: &[CheckRow]) -> &'static [a::Check] {
    slice(rows, |row| a::Check {
        value: affine(&row.value),
        signed: row.signed,
    })
}

fn buffer(row: &BufferRow) -> a::BufferAccess {
    a::BufferAccess {
        binding: row.binding,
        reads: slice(&row.reads, pattern),
        writes: slice(&row.writes, pattern),
        combine: row.combine.map(|combine| a::Combine {
            op: match combine.op {
                CombineOp::Add => a::CombineOp::Add,
                CombineOp::Min => a::CombineOp::Min,
                CombineOp::Max => a::CombineOp::Max,
                CombineOp::And => a::CombineOp::And,
                CombineOp::Or => a::CombineOp::Or,
                CombineOp::ExclusiveOr => a::CombineOp::ExclusiveOr,
            },
            signed: combine.signed,
        }),
    }
}

fn pattern(row: &PatternRow) -> a::Pattern {
    a::Pattern {
        reach: match &row.reach {
            Err(reason) => a::Reach::Whole {
                reason: text(reason),
            },
            Ok(words) => a::Reach::Words {
                address: affine(&words.address),
                width: words.width,
                variables: slice(&words.variables, |variable| a::Variable(*variable)),
                constraints: slice(&words.constraints, |id| a::ConstraintId(*id)),
                checks: checks(&words.checks),
                exact: words.exact,
            },
        },
        site: a::SiteId(row.site),
    }
}
