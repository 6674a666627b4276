//! What does a condition that holds say about the ids and counters? Linear constraints, and whether they say all of it.

use super::Analysis;
use super::affine::{Affine, Last, Range, Variable};
use super::form::{Condition, Relation};
use super::poly::{Atom, Poly, in_type};

/// Deepest nesting of a condition that is looked into.
const DEPTH_MAX: u32 = 16;

/// `coefficient · variable + base >= 0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// What it bounds; meaningless if the coefficient is 0.
    pub variable: Variable,
    /// Factor of the variable.
    pub coefficient: Poly,
    /// The rest.
    pub base: Poly,
    /// What must not have wrapped around for the guard to say so.
    pub checks: Vec<Check>,
}

/// The claim that a value fits its type for every invocation of a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The value.
    pub value: Affine,
    /// `i32`, or else `u32`.
    pub signed: bool,
}

/// What dominates a statement.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    /// What is known to hold.
    pub(super) constraints: Vec<Constraint>,
    /// Whether they are all there is to it.
    pub(super) complete: bool,
    /// Innermost scope at whose end it ends to hold.
    pub(super) until: u32,
}

/// How often a loop goes round: as long as a counter that starts at `first` stays below `limit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trips {
    /// The loop's counter.
    pub counter: Variable,
    /// First value.
    pub first: Affine,
    /// Exclusive end.
    pub limit: Affine,
    /// Increment.
    pub step: Poly,
}

/// A test that every iteration of a loop comes to, unless the loop is left before, and that it must pass to go on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exit {
    /// The loop's counter.
    pub(super) counter: Variable,
    /// Whether an iteration may touch words before it comes to the test.
    pub(super) late: bool,
    /// Whether nothing is left of an iteration behind the test.
    pub(super) at_end: bool,
}

/// A comparison of a value that moves by the same step each time with a limit, at an [`Exit`].
struct Header<'a> {
    counter: Variable,
    first: Affine,
    step: &'a Poly,
    limit: &'a Affine,
    upward: bool,
    /// Least distance to the limit.
    least: i64,
}

impl<'a> Header<'a> {
    fn of(
        counter: Variable,
        (lesser, greater): (&'a Affine, &'a Affine),
        least: i64,
    ) -> Option<Header<'a>> {
        let (counted, limit, upward) = match (
            lesser.terms.contains_key(&counter),
            greater.terms.contains_key(&counter),
        ) {
            (true, false) => (lesser, greater, true),
            (false, true) => (greater, lesser, false),
            _ => return None,
        };
        let mut first = counted.clone();
        first.terms.remove(&counter);
        Some(Header {
            counter,
            first,
            step: &counted.terms[&counter],
            limit,
            upward,
            least,
        })
    }

    /// If these fit their type, then no iteration's value wraps around: it starts in range, and goes on from within the limit
    /// by one step at a time.
    fn bounds(&self) -> Option<[Affine; 3]> {
        let margin = if self.upward { -self.least } else { self.least };
        let last = self.limit.offset(margin)?;
        let beyond = last.plus(&Affine::from(self.step.clone()))?;
        Some([self.first.clone(), self.limit.clone(), beyond])
    }

    /// The last iteration in which words are touched; none where the guard that the test makes says the same.
    fn last(&self, exit: Exit, checks: &[Check]) -> Option<Last> {
        let (lesser, greater, step) = if self.upward {
            (&self.first, self.limit, self.step.clone())
        } else {
            (self.limit, &self.first, self.step.negated()?)
        };
        let mut distance = greater.minus(lesser)?.offset(-self.least)?;
        if !exit.late && distance.uniform().is_some() {
            return None;
        }
        if exit.late {
            // The test that fails comes one iteration after the last that succeeds.
            distance = distance.plus(&Affine::from(step.clone()))?;
        }
        Some(Last {
            distance,
            step,
            checks: checks.to_vec(),
        })
    }

    fn trips(self, exit: Exit) -> Option<Trips> {
        let (mut first, limit, step) = if self.upward {
            let limit = self.limit.offset(1 - self.least)?;
            (self.first, limit, self.step.clone())
        } else {
            let first = self.limit.offset(self.least - 1)?;
            (first, self.first, self.step.negated()?)
        };
        if exit.at_end {
            first = first.minus(&Affine::from(step.clone()))?;
        }
        Some(Trips {
            counter: self.counter,
            first,
            limit,
            step,
        })
    }
}

impl Analysis<'_> {
    /// What follows where `condition` has the value `truth`. `exit` is set where a loop is left unless the condition has it.
    pub(super) fn guard(
        &mut self,
        condition: &Condition,
        truth: bool,
        exit: Option<Exit>,
        until: u32,
    ) -> Guard {
        let mut guard = Guard {
            constraints: Vec::new(),
            complete: true,
            until,
        };
        self.constrain(condition, truth, exit, &mut guard, 0);
        guard
    }

    fn constrain(
        &mut self,
        condition: &Condition,
        truth: bool,
        exit: Option<Exit>,
        guard: &mut Guard,
        depth: u32,
    ) {
        match condition {
            _ if depth > DEPTH_MAX => guard.complete = false,
            Condition::Known(known) if *known == truth => {}
            Condition::Not(inner) => self.constrain(inner, !truth, exit, guard, depth + 1),
            Condition::And(pair) if truth => {
                self.constrain(&pair.a, truth, exit, guard, depth + 1);
                self.constrain(&pair.b, truth, exit, guard, depth + 1);
            }
            Condition::Or(pair) if !truth => {
                self.constrain(&pair.a, truth, exit, guard, depth + 1);
                self.constrain(&pair.b, truth, exit, guard, depth + 1);
            }
            Condition::Compare {
                relation,
                a,
                b,
                signed,
            } => self.compare((*relation, truth), (a, b), *signed, exit, guard),
            _ => guard.complete = false,
        }
    }

    fn compare(
        &mut self,
        (relation, truth): (Relation, bool),
        (a, b): (&Affine, &Affine),
        signed: bool,
        exit: Option<Exit>,
        guard: &mut Guard,
    ) {
        // Pairs (lesser, greater, least difference).
        let zero = |side: &Affine| !signed && side.constant() == Some(0);
        let orders: &[(&Affine, &Affine, i64)] = match (relation, truth) {
            (Relation::Less, true) => &[(a, b, 1)],
            (Relation::Less, false) => &[(b, a, 0)],
            (Relation::LessEqual, true) => &[(a, b, 0)],
            (Relation::LessEqual, false) => &[(b, a, 1)],
            (Relation::Equal, true) => &[(a, b, 0), (b, a, 0)],
            (Relation::Equal, false) if zero(a) => &[(a, b, 1)],
            (Relation::Equal, false) if zero(b) => &[(b, a, 1)],
            (Relation::Equal, false) => &[],
        };
        guard.complete &= !orders.is_empty();
        for (lesser, greater, least) in orders {
            let header = exit.and_then(|exit| {
                let header = Header::of(exit.counter, (lesser, greater), *least)?;
                let counts = self.leads_away(&header)
                    && self.is_fixed_in_loop(&header.first, header.counter);
                counts.then_some(header)
            });
            let checks = match header.as_ref().and_then(Header::bounds) {
                Some(values) => self.checks(values, signed),
                None => self.checks([(*lesser).clone(), (*greater).clone()], signed),
            };
            if let (Some(header), Some(exit)) = (header, exit) {
                self.left_at(exit, header, &checks);
            }
            let difference = greater
                .minus(lesser)
                .and_then(|difference| difference.offset(-least));
            match difference.and_then(|difference| self.not_negative(difference, checks)) {
                Some(constraint) => guard.constraints.push(constraint),
                None => guard.complete = false,
            }
        }
    }

    /// Notes how often a loop goes round that is left at `exit`. The first exit found counts.
    fn left_at(&mut self, exit: Exit, header: Header<'_>, checks: &[Check]) {
        let is_fixed = |sum: &&Affine| self.is_fixed_in_loop(sum, exit.counter);
        let found = header
            .last(exit, checks)
            .filter(|last| last.operands().iter().all(is_fixed));
        let range = exit.counter.range().map(|index| &mut self.ranges[index]);
        if let Some(Range::Counter {
            last: last @ None, ..
        }) = range
        {
            *last = found;
        }
        if let Some(trips) = header.trips(exit) {
            self.trips.entry(trips.counter).or_insert(trips);
        }
    }

    /// The constraint `difference >= 0`.
    pub(super) fn not_negative(
        &mut self,
        difference: Affine,
        checks: Vec<Check>,
    ) -> Option<Constraint> {
        let Affine { base, terms } = difference.with_global_ids(self.kernel.workgroup_size);
        let mut single = terms.iter();
        let (variable, coefficient) = match (single.next(), single.next()) {
            (None, _) => (Variable(0), Poly::default()),
            (Some((variable, coefficient)), None) => (*variable, coefficient.clone()),
            _ => {
                let sum = Affine {
                    base: Poly::default(),
                    terms,
                };
                let (part, factor) = sum.primitive_part()?;
                (self.range_variable(Range::Sum(part)), Poly::from(factor))
            }
        };
        Some(Constraint {
            variable,
            coefficient,
            base,
            checks,
        })
    }

    /// Checks of those values that need one.
    fn checks<const N: usize>(&self, values: [Affine; N], signed: bool) -> Vec<Check> {
        values
            .into_iter()
            .filter(|value| !self.always_fits(value, signed))
            .map(|value| Check { value, signed })
            .collect()
    }

    /// Whether a sum has the same value in all iterations of the loop of `counter`, as far as an invocation is concerned.
    fn is_fixed_in_loop(&self, sum: &Affine, counter: Variable) -> bool {
        sum.terms.keys().all(|variable| {
            let range = variable.range().map(|index| &self.ranges[index]);
            match range {
                _ if *variable < counter => true,
                Some(
                    Range::Sum(_)
                    | Range::Min { .. }
                    | Range::Max { .. }
                    | Range::Quotient { .. }
                    | Range::Remainder { .. },
                ) => {
                    let mut operands = range.into_iter().flat_map(Range::operands);
                    operands.all(|operand| self.is_fixed_in_loop(operand, counter))
                }
                _ => false,
            }
        })
    }

    /// Whether the counted value moves towards the limit.
    fn leads_away(&self, header: &Header<'_>) -> bool {
        match header.step.constant() {
            Some(step) => (step > 0) == header.upward && step != 0,
            None => header.upward && self.never_negative(header.step),
        }
    }

    /// Whether a polynomial is a sum of products of quantities that are never negative.
    fn never_negative(&self, poly: &Poly) -> bool {
        poly.monomials().all(|(atoms, factor)| {
            factor > 0
                && atoms.iter().all(|atom| match self.atoms.get(*atom) {
                    Atom::Word { signed, .. } | Atom::Function { signed, .. } => !signed,
                    Atom::ArrayLength { .. } | Atom::NumWorkgroups(_) => true,
                })
        })
    }

    /// Whether `affine` is a value of its type in every launch of at most 2³¹ invocations along each axis.
    pub(super) fn always_fits(&self, affine: &Affine, signed: bool) -> bool {
        if let Some(poly) = affine.uniform() {
            return self.atoms.always_fits(poly, signed);
        }
        let mut terms = affine.terms.iter();
        let (Some((variable, coefficient)), None, Some(base)) =
            (terms.next(), terms.next(), affine.base.constant())
        else {
            return false;
        };
        if coefficient.constant() != Some(1) {
            return false;
        }
        let half = 1_i64 << 31;
        match variable.range().map(|index| &self.ranges[index]) {
            None if signed => (-half..=0).contains(&base),
            None => (0..=half).contains(&base),
            Some(
                Range::Min { signed: own, .. }
                | Range::Max { signed: own, .. }
                | Range::Quotient { signed: own, .. }
                | Range::Remainder { signed: own, .. },
            ) => base == 0 && *own == signed,
            Some(Range::Within { low, high, .. }) => {
                let fits = |bound: &Poly| {
                    let value = bound.constant().and_then(|bound| bound.checked_add(base));
                    value.is_some_and(|value| in_type(value, signed))
                };
                fits(low) && fits(high)
            }
            Some(_) => false,
        }
    }
}
