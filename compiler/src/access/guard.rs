//! What does a condition that holds say about the ids and counters? Linear constraints, and whether they say all of it.

use super::Analysis;
use super::affine::{Affine, Range, Variable};
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

/// A comparison of a value that moves by the same step each time with a limit, which every iteration of a loop passes first.
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

    fn trips(self) -> Option<Trips> {
        let (first, limit, step) = if self.upward {
            let limit = self.limit.offset(1 - self.least)?;
            (self.first, limit, self.step.clone())
        } else {
            let first = self.limit.offset(self.least - 1)?;
            (first, self.first, self.step.negated()?)
        };
        Some(Trips {
            counter: self.counter,
            first,
            limit,
            step,
        })
    }
}

impl Analysis<'_> {
    /// What follows where `condition` has the value `truth`. `counter` is the counter of the loop whose first statement leaves
    /// it unless the condition holds.
    pub(super) fn guard(
        &mut self,
        condition: &Condition,
        truth: bool,
        counter: Option<Variable>,
        until: u32,
    ) -> Guard {
        let mut guard = Guard {
            constraints: Vec::new(),
            complete: true,
            until,
        };
        self.constrain(condition, truth, counter, &mut guard, 0);
        guard
    }

    fn constrain(
        &mut self,
        condition: &Condition,
        truth: bool,
        counter: Option<Variable>,
        guard: &mut Guard,
        depth: u32,
    ) {
        match condition {
            _ if depth > DEPTH_MAX => guard.complete = false,
            Condition::Known(known) if *known == truth => {}
            Condition::Not(inner) => self.constrain(inner, !truth, counter, guard, depth + 1),
            Condition::And(pair) if truth => {
                self.constrain(&pair.a, truth, counter, guard, depth + 1);
                self.constrain(&pair.b, truth, counter, guard, depth + 1);
            }
            Condition::Or(pair) if !truth => {
                self.constrain(&pair.a, truth, counter, guard, depth + 1);
                self.constrain(&pair.b, truth, counter, guard, depth + 1);
            }
            Condition::Compare {
                relation,
                a,
                b,
                signed,
            } => self.compare((*relation, truth), (a, b), *signed, counter, guard),
            _ => guard.complete = false,
        }
    }

    fn compare(
        &mut self,
        (relation, truth): (Relation, bool),
        (a, b): (&Affine, &Affine),
        signed: bool,
        counter: Option<Variable>,
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
            let header = counter.and_then(|counter| {
                let header = Header::of(counter, (lesser, greater), *least)?;
                self.leads_away(&header).then_some(header)
            });
            let checks = match header.as_ref().and_then(Header::bounds) {
                Some(values) => self.checks(values, signed),
                None => self.checks([(*lesser).clone(), (*greater).clone()], signed),
            };
            if let Some(trips) = header.and_then(Header::trips) {
                self.trips.entry(trips.counter).or_insert(trips);
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

    /// The constraint `difference >= 0`.
    fn not_negative(&mut self, difference: Affine, checks: Vec<Check>) -> Option<Constraint> {
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
