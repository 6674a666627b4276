//! Which patterns are one, at places a step apart? A block of elements that every invocation writes becomes one pattern, with a
//! variable that numbers the elements: only together do they leave no gap.
//!
//! That is so where some id strides over just the whole run. Elsewhere, such as where both halves of an array are written, each
//! pattern may be without gaps by itself.

use super::Analysis;
use super::affine::{Affine, Range, Variable};
use super::guard::{Check, Constraint};
use super::pattern::{Pattern, Reach, Words};
use super::poly::Poly;

/// Most dimensions of a block.
const LEVELS_MAX: u32 = 4;

/// By how much a pattern lies behind another one.
#[derive(PartialEq)]
struct Steps {
    address: Poly,
    /// Of each constraint, and of each of its checks.
    constraints: Vec<(Poly, Vec<Poly>)>,
}

impl Analysis<'_> {
    /// The same words in fewer patterns: runs of them that lie a step apart are one, and so on with these.
    pub(super) fn folded(&mut self, mut patterns: Vec<Pattern>) -> Vec<Pattern> {
        for level in 0..LEVELS_MAX {
            let before = patterns.len();
            patterns = self.folded_once(&patterns, level);
            if patterns.len() == before {
                break;
            }
        }
        patterns
    }

    fn folded_once(&mut self, mut patterns: &[Pattern], level: u32) -> Vec<Pattern> {
        let mut folded = Vec::new();
        while let [first, ..] = patterns {
            let (run, rest) = patterns.split_at(run(patterns));
            match self.as_one(run, level) {
                Some(words) => folded.push(Pattern {
                    reach: Reach::Words(words),
                    site: first.site.clone(),
                }),
                None => folded.extend_from_slice(run),
            }
            patterns = rest;
        }
        folded
    }

    /// The words of a run; none if it is short, if no id strides over it, or if its members do not take place independently of each
    /// other.
    fn as_one(&mut self, run: &[Pattern], level: u32) -> Option<Words> {
        let [first, second, ..] = run else {
            return None;
        };
        let steps = Steps::between(first, second)?;
        let Reach::Words(words) = &first.reach else {
            return None;
        };
        let count = u32::try_from(run.len()).ok()?;
        let length = steps.address.times(&Poly::from(i64::from(count)))?;
        let start = self.spelled_out(&words.address)?;
        if !start.terms.values().any(|stride| *stride == length) {
            return None;
        }
        let member = self.range_variable(Range::Member { level, count });
        let mut constraints = Vec::new();
        for (constraint, (step, check_steps)) in words.constraints.iter().zip(&steps.constraints) {
            constraints.push(self.of_member(constraint, step, check_steps, member)?);
        }
        let address = start
            .plus(&times(member, &steps.address)?)?
            .with_global_ids(self.kernel.workgroup_size);
        let address = self.in_guarded_sums(address, &constraints);
        self.is_box(&address, &constraints).then(|| Words {
            address,
            constraints,
            ..words.clone()
        })
    }

    /// The constraint of any pattern of a run, of which `constraint` is the first one's.
    fn of_member(
        &mut self,
        constraint: &Constraint,
        step: &Poly,
        check_steps: &[Poly],
        member: Variable,
    ) -> Option<Constraint> {
        if step.is_zero() && check_steps.iter().all(Poly::is_zero) {
            return Some(constraint.clone());
        }
        let bounded = self.spelled_out(&Affine::from(constraint.variable))?;
        let difference = bounded
            .scaled(&constraint.coefficient)?
            .plus(&Affine::from(constraint.base.clone()))?
            .plus(&times(member, step)?)?;
        let checks = constraint.checks.iter().zip(check_steps);
        let checks = checks.map(|(check, step)| {
            Some(Check {
                value: check.value.plus(&times(member, step)?)?,
                ..check.clone()
            })
        });
        let checks = checks.collect::<Option<_>>()?;
        self.not_negative(difference, checks)
    }

    /// `affine` with sums written as what they are sums of.
    fn spelled_out(&self, affine: &Affine) -> Option<Affine> {
        let base = Affine::from(affine.base.clone());
        affine
            .terms
            .iter()
            .try_fold(base, |known, (variable, factor)| {
                let range = variable.range().map(|index| &self.ranges[index]);
                let term = match range {
                    Some(Range::Sum(sum)) => sum.scaled(factor)?,
                    _ => Affine::from(*variable).scaled(factor)?,
                };
                known.plus(&term)
            })
    }
}

impl Steps {
    /// From `a` to `b`, if they differ in constants of the launch only and both surely take place.
    fn between(a: &Pattern, b: &Pattern) -> Option<Steps> {
        let (Reach::Words(a), Reach::Words(b)) = (&a.reach, &b.reach) else {
            return None;
        };
        let alike = a.exact
            && b.exact
            && a.width == b.width
            && a.checks.is_empty()
            && b.checks.is_empty()
            && a.constraints.len() == b.constraints.len();
        if !alike {
            return None;
        }
        let address = step(&a.address, &b.address)?;
        let constraints = a.constraints.iter().zip(&b.constraints);
        let constraints = constraints.map(|(a, b)| {
            let alike = a.variable == b.variable
                && a.coefficient == b.coefficient
                && a.checks.len() == b.checks.len();
            let checks = a.checks.iter().zip(&b.checks).map(|(a, b)| {
                (a.signed == b.signed)
                    .then(|| step(&a.value, &b.value))
                    .flatten()
            });
            alike
                .then(|| Some((b.base.minus(&a.base)?, checks.collect::<Option<_>>()?)))
                .flatten()
        });
        Some(Steps {
            address,
            constraints: constraints.collect::<Option<_>>()?,
        })
    }
}

/// How far `b` lies behind `a`, if that is the same for all invocations.
fn step(a: &Affine, b: &Affine) -> Option<Poly> {
    (a.terms == b.terms)
        .then(|| b.base.minus(&a.base))
        .flatten()
}

fn times(member: Variable, step: &Poly) -> Option<Affine> {
    Affine::from(member).scaled(step)
}

/// Number of patterns from the first on that lie the same steps apart.
fn run(patterns: &[Pattern]) -> usize {
    let [first, second, ..] = patterns else {
        return patterns.len();
    };
    let Some(steps) = Steps::between(first, second) else {
        return 1;
    };
    let same = |pair: &&[Pattern]| Steps::between(&pair[0], &pair[1]).as_ref() == Some(&steps);
    1 + patterns.windows(2).take_while(same).count()
}
