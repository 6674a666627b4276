//! From symbolic expressions to rows: each expression once, only what is used, variables renumbered so that each comes after those it depends on.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    AffineRow, BufferRow, CheckRow, ConstraintRow, CountsRow, PatternRow, RangeRow, Tables,
    TermRow, TripsRow, UniformRow, WordsRow,
};
use crate::access::{
    AccessMap, Affine, Atom, BufferAccess, Check, Constraint, Function, Pattern, Poly, Range,
    Reach, Site, Split, Variable, Words,
};

impl AccessMap {
    /// The map as the runtime evaluates it.
    ///
    /// # Panics
    /// If the kernel has more than 65,535 different index expressions.
    pub fn tables(&self) -> Tables {
        let used = self.operands_first(&self.used_variables());
        let mut builder = Builder {
            map: self,
            numbers: used
                .iter()
                .filter(|variable| variable.range().is_some())
                .zip(Variable::BUILTINS as u16..)
                .map(|(variable, number)| (*variable, number))
                .collect(),
            uniforms: Vec::new(),
            constraints: Vec::new(),
            sites: Vec::new(),
        };
        let ranges = used
            .iter()
            .filter_map(|variable| variable.range())
            .map(|index| builder.range(&self.ranges[index]))
            .collect();
        let buffers = self
            .buffers
            .iter()
            .map(|buffer| builder.buffer(buffer))
            .collect();
        let loops = self
            .work
            .loops
            .iter()
            .map(|trips| match trips {
                None => TripsRow::Unknown,
                Some(trips) => TripsRow::Counted {
                    first: builder.affine(&trips.first),
                    limit: builder.affine(&trips.limit),
                    step: builder.poly(&trips.step),
                },
            })
            .collect();
        let split = match &self.split {
            Split::WhereDisjoint => Ok(()),
            Split::No { reason, site } => Err((reason.clone(), builder.site(site))),
        };
        Tables {
            ranges,
            buffers,
            split,
            loops,
            counts: self.counts_rows(),
            uniforms: builder.uniforms,
            constraints: builder.constraints,
            sites: builder.sites,
        }
    }

    fn counts_rows(&self) -> Vec<CountsRow> {
        self.work
            .counts
            .iter()
            .map(|counts| CountsRow {
                loops: counts.loops.iter().map(|index| row(*index)).collect(),
                flops: counts.flops,
                int_ops: counts.int_ops,
                special: counts.special,
                bytes_read: counts.bytes_read,
                bytes_written: counts.bytes_written,
            })
            .collect()
    }

    fn used_variables(&self) -> BTreeSet<Variable> {
        let mut used = BTreeSet::new();
        for pattern in self
            .buffers
            .iter()
            .flat_map(|buffer| buffer.reads.iter().chain(&buffer.writes))
        {
            if let Reach::Words(words) = &pattern.reach {
                used.extend(self.variables_of(words));
            }
        }
        for trips in self.work.loops.iter().flatten() {
            self.close_over([&trips.first, &trips.limit], &mut used);
        }
        used
    }

    /// The variables, each after those that it is a function of.
    fn operands_first(&self, used: &BTreeSet<Variable>) -> Vec<Variable> {
        let mut ordered = Vec::with_capacity(used.len());
        let mut seen = BTreeSet::new();
        for variable in used {
            self.order(*variable, &mut seen, &mut ordered);
        }
        ordered
    }

    fn order(
        &self,
        variable: Variable,
        seen: &mut BTreeSet<Variable>,
        ordered: &mut Vec<Variable>,
    ) {
        if !seen.insert(variable) {
            return;
        }
        if let Some(index) = variable.range() {
            for operand in self.ranges[index].operands() {
                for before in operand.terms.keys() {
                    self.order(*before, seen, ordered);
                }
            }
        }
        ordered.push(variable);
    }

    /// Everything that the words depend on.
    fn variables_of(&self, words: &Words) -> BTreeSet<Variable> {
        let mut used = BTreeSet::new();
        let checks = words.checks.iter().chain(
            words
                .constraints
                .iter()
                .flat_map(|constraint| &constraint.checks),
        );
        let affines = checks.map(|check| &check.value).chain([&words.address]);
        self.close_over(affines, &mut used);
        for constraint in &words.constraints {
            self.close_over([&Affine::from(constraint.variable)], &mut used);
        }
        used
    }

    fn close_over<'a>(
        &self,
        affines: impl IntoIterator<Item = &'a Affine>,
        used: &mut BTreeSet<Variable>,
    ) {
        for variable in affines.into_iter().flat_map(|affine| affine.terms.keys()) {
            if used.insert(*variable)
                && let Some(index) = variable.range()
            {
                self.close_over(self.ranges[index].operands(), used);
            }
        }
    }
}

struct Builder<'a> {
    map: &'a AccessMap,
    /// New numbers of variables that are no builtin ids.
    numbers: BTreeMap<Variable, u16>,
    uniforms: Vec<UniformRow>,
    constraints: Vec<ConstraintRow>,
    sites: Vec<(u32, u32, String)>,
}

/// The index of `row` in `rows`, where it is added if it is new.
fn intern<T: PartialEq>(rows: &mut Vec<T>, row: T) -> u16 {
    let index = rows
        .iter()
        .position(|known| *known == row)
        .unwrap_or_else(|| {
            rows.push(row);
            rows.len() - 1
        });
    self::row(index)
}

fn row(index: usize) -> u16 {
    u16::try_from(index).expect("a kernel has at most 65,535 different index expressions")
}

impl Builder<'_> {
    fn buffer(&mut self, buffer: &BufferAccess) -> BufferRow {
        BufferRow {
            binding: row(buffer.binding as usize),
            reads: buffer
                .reads
                .iter()
                .map(|pattern| self.pattern(pattern))
                .collect(),
            writes: buffer
                .writes
                .iter()
                .map(|pattern| self.pattern(pattern))
                .collect(),
            combine: buffer.combine,
        }
    }

    fn pattern(&mut self, pattern: &Pattern) -> PatternRow {
        PatternRow {
            reach: match &pattern.reach {
                Reach::Whole { reason } => Err(reason.clone()),
                Reach::Words(words) => Ok(self.words(words)),
            },
            site: self.site(&pattern.site),
        }
    }

    fn words(&mut self, words: &Words) -> WordsRow {
        let mut variables = self.map.variables_of(words);
        let mut constraints = Vec::new();
        let mut exact = words.exact;
        for constraint in &words.constraints {
            match self.constraint(constraint) {
                Some(constraint) => constraints.push(constraint),
                None => exact = false,
            }
        }
        if words
            .constraints
            .iter()
            .any(|constraint| constraint.coefficient.is_zero())
        {
            variables.insert(Variable(0));
        }
        constraints.sort_by_key(|id| self.constraints[usize::from(*id)].variable);
        constraints.dedup();
        let mut variables: Vec<u16> = variables
            .iter()
            .map(|variable| self.variable(*variable))
            .collect();
        variables.sort_unstable();
        WordsRow {
            address: self.affine(&words.address),
            width: words.width,
            variables,
            constraints,
            checks: self.checks(&words.checks),
            exact,
        }
    }

    /// A row for the constraint; none if a check needs a variable that is computed only after the one it bounds.
    fn constraint(&mut self, constraint: &Constraint) -> Option<u16> {
        let last_checked = constraint
            .checks
            .iter()
            .flat_map(|check| check.value.terms.keys())
            .map(|checked| self.variable(*checked))
            .max();
        let bounded = self.variable(constraint.variable);
        let variable = match last_checked {
            Some(last) if constraint.coefficient.is_zero() => last.max(bounded),
            Some(last) if last > bounded => return None,
            _ => bounded,
        };
        let built = ConstraintRow {
            variable,
            coefficient: self.poly(&constraint.coefficient),
            base: self.poly(&constraint.base),
            checks: self.checks(&constraint.checks),
        };
        Some(intern(&mut self.constraints, built))
    }

    fn checks(&mut self, checks: &[Check]) -> Vec<CheckRow> {
        checks
            .iter()
            .map(|check| CheckRow {
                value: self.affine(&check.value),
                signed: check.signed,
            })
            .collect()
    }

    fn site(&mut self, site: &Site) -> u16 {
        let position = site.position;
        intern(
            &mut self.sites,
            (position.line, position.column, site.snippet.clone()),
        )
    }

    fn variable(&self, variable: Variable) -> u16 {
        match variable.range() {
            None => variable.0 as u16,
            Some(_) => self.numbers[&variable],
        }
    }

    fn affine(&mut self, affine: &Affine) -> AffineRow {
        AffineRow {
            base: self.poly(&affine.base),
            terms: affine
                .terms
                .iter()
                .map(|(variable, coefficient)| TermRow {
                    variable: self.variable(*variable),
                    coefficient: self.poly(coefficient),
                })
                .collect(),
        }
    }

    fn range(&mut self, range: &Range) -> RangeRow {
        match range {
            Range::Counter { last: None, .. } => RangeRow::Counter,
            Range::Counter {
                last: Some(last), ..
            } => RangeRow::CounterTo {
                distance: self.affine(&last.distance),
                step: self.poly(&last.step),
                checks: self.checks(&last.checks),
            },
            Range::Member { count, .. } => RangeRow::CounterTo {
                distance: self.affine(&Affine::from(i64::from(*count) - 1)),
                step: self.poly(&Poly::from(1)),
                checks: Vec::new(),
            },
            Range::Sum(sum) => RangeRow::Sum(self.affine(sum)),
            Range::Min { a, b, signed } => RangeRow::Min {
                a: self.affine(a),
                b: self.affine(b),
                signed: *signed,
            },
            Range::Max { a, b, signed } => RangeRow::Max {
                a: self.affine(a),
                b: self.affine(b),
                signed: *signed,
            },
            Range::Either(a, b) => RangeRow::Either(self.affine(a), self.affine(b)),
            Range::Quotient {
                value,
                divisor,
                signed,
            } => RangeRow::Quotient {
                value: self.affine(value),
                divisor: self.fitting(divisor, *signed),
                signed: *signed,
            },
            Range::Remainder {
                value,
                divisor,
                signed,
            } => RangeRow::Remainder {
                value: self.affine(value),
                divisor: self.fitting(divisor, *signed),
                signed: *signed,
            },
            Range::Within { low, high, .. } => RangeRow::Within {
                low: self.poly(low),
                high: self.poly(high),
            },
        }
    }

    /// A row for the value if it is one of the type, else for an unknown.
    fn fitting(&mut self, poly: &Poly, signed: bool) -> u16 {
        let value = self.poly(poly);
        if self.map.atoms.always_fits(poly, signed) {
            return value;
        }
        intern(&mut self.uniforms, UniformRow::Fits { value, signed })
    }

    fn poly(&mut self, poly: &Poly) -> u16 {
        let mut sum = None;
        for (atoms, factor) in poly.monomials() {
            let mut product = None;
            for atom in atoms {
                let atom = self.atom(self.map.atoms.get(*atom));
                product = Some(self.combine(product, atom, UniformRow::Multiply));
            }
            let monomial = match product {
                Some(product) if factor == 1 => product,
                product => {
                    let factor = intern(&mut self.uniforms, UniformRow::Const(factor));
                    self.combine(product, factor, UniformRow::Multiply)
                }
            };
            sum = Some(self.combine(sum, monomial, UniformRow::Add));
        }
        sum.unwrap_or_else(|| intern(&mut self.uniforms, UniformRow::Const(0)))
    }

    fn combine(&mut self, left: Option<u16>, right: u16, with: fn(u16, u16) -> UniformRow) -> u16 {
        match left {
            None => right,
            Some(left) => intern(&mut self.uniforms, with(left, right)),
        }
    }

    fn atom(&mut self, atom: &Atom) -> u16 {
        let built = match atom {
            Atom::Word {
                binding,
                word,
                signed,
            } => UniformRow::Word {
                binding: row(*binding as usize),
                word: *word,
                signed: *signed,
            },
            Atom::ArrayLength {
                binding,
                offset,
                stride,
            } => UniformRow::ArrayLength {
                binding: row(*binding as usize),
                offset: *offset,
                stride: *stride,
            },
            Atom::NumWorkgroups(axis) => UniformRow::NumWorkgroups(*axis),
            Atom::Function {
                function,
                a,
                b,
                signed,
            } => {
                let count_is_unsigned =
                    matches!(function, Function::ShiftLeft | Function::ShiftRight);
                let a = self.fitting(a, *signed);
                let b = self.fitting(b, *signed && !count_is_unsigned);
                UniformRow::Function(*function, a, b)
            }
        };
        intern(&mut self.uniforms, built)
    }
}
