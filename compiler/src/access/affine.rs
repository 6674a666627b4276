//! How does an integer vary over the invocations? Sums of launch-uniform multiples of ids, loop counters and bounded values.

use std::collections::BTreeMap;

use super::guard::Check;
use super::poly::{Poly, greatest_common_divisor};
use crate::ir::Label;

/// 0 to 2: `global_invocation_id` along x, y, z; 3 to 5: `workgroup_id`; 6 to 8: `local_invocation_id`; 9 + i: entry i of
/// the map's [`Range`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(pub u32);

impl Variable {
    /// Number of variables that are builtin ids.
    pub const BUILTINS: u32 = 9;

    /// `global_invocation_id` along `axis`.
    pub fn global(axis: u8) -> Variable {
        Variable(u32::from(axis))
    }

    /// `workgroup_id` along `axis`.
    pub fn workgroup(axis: u8) -> Variable {
        Variable(3 + u32::from(axis))
    }

    /// `local_invocation_id` along `axis`.
    pub fn local(axis: u8) -> Variable {
        Variable(6 + u32::from(axis))
    }

    /// Index into the map's ranges; none for a builtin id.
    pub fn range(self) -> Option<usize> {
        self.0
            .checked_sub(Variable::BUILTINS)
            .map(|index| index as usize)
    }
}

/// `base + Σ coefficient · variable`, coefficients not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affine {
    /// The part that is the same for all invocations.
    pub base: Poly,
    /// The rest.
    pub terms: BTreeMap<Variable, Poly>,
}

/// What a variable that is no builtin id stands for. The operands of each are earlier variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range {
    /// Completed iterations of a loop, 0 and up.
    Counter {
        /// The loop.
        label: Label,
        /// Its greatest value, if that is known.
        last: Option<Last>,
    },
    /// Number of an access among several that lie a step apart, from 0.
    Member {
        /// Distinguishes the dimensions of a block.
        level: u32,
        /// How many there are.
        count: u32,
    },
    /// A sum that a guard compares as a whole.
    Sum(Affine),
    /// The lesser of two values.
    Min {
        /// One.
        a: Affine,
        /// The other.
        b: Affine,
        /// As `i32`, or else `u32`.
        signed: bool,
    },
    /// The greater of two values.
    Max {
        /// One.
        a: Affine,
        /// The other.
        b: Affine,
        /// As `i32`, or else `u32`.
        signed: bool,
    },
    /// One of two values.
    Either(Affine, Affine),
    /// `value / divisor`.
    Quotient {
        /// What is divided.
        value: Affine,
        /// By what.
        divisor: Poly,
        /// As `i32`, or else `u32`.
        signed: bool,
    },
    /// `value % divisor`.
    Remainder {
        /// What is divided.
        value: Affine,
        /// By what.
        divisor: Poly,
        /// As `i32`, or else `u32`.
        signed: bool,
    },
    /// Anything from `low` to `high`, both included.
    Within {
        /// Distinguishes values.
        index: u32,
        /// Least value.
        low: Poly,
        /// Greatest value.
        high: Poly,
        /// What it depends on.
        reason: String,
    },
}

/// Which iteration of a loop can be the last: the first one, or one with `step · counter <= distance`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// How far the counted value goes at most.
    pub distance: Affine,
    /// By how much it moves each time; not negative.
    pub step: Poly,
    /// What must not have wrapped around for that to hold.
    pub checks: Vec<Check>,
}

impl Last {
    /// The sums that it speaks of.
    pub(super) fn operands(&self) -> Vec<&Affine> {
        let checked = self.checks.iter().map(|check| &check.value);
        checked.chain([&self.distance]).collect()
    }
}

impl Range {
    /// The sums that it is a function of.
    pub fn operands(&self) -> Vec<&Affine> {
        match self {
            Range::Counter { last: None, .. } | Range::Member { .. } | Range::Within { .. } => {
                vec![]
            }
            Range::Counter {
                last: Some(last), ..
            } => last.operands(),
            Range::Sum(a) => vec![a],
            Range::Quotient { value, .. } | Range::Remainder { value, .. } => vec![value],
            Range::Min { a, b, .. } | Range::Max { a, b, .. } | Range::Either(a, b) => vec![a, b],
        }
    }
}

impl From<Poly> for Affine {
    fn from(base: Poly) -> Affine {
        Affine {
            base,
            terms: BTreeMap::new(),
        }
    }
}

impl From<i64> for Affine {
    fn from(constant: i64) -> Affine {
        Poly::from(constant).into()
    }
}

impl From<Variable> for Affine {
    fn from(variable: Variable) -> Affine {
        Affine {
            base: Poly::default(),
            terms: BTreeMap::from([(variable, Poly::from(1))]),
        }
    }
}

impl Affine {
    /// Its value, if that is the same for all invocations.
    pub fn uniform(&self) -> Option<&Poly> {
        self.terms.is_empty().then_some(&self.base)
    }

    /// Its value, if that is always the same.
    pub fn constant(&self) -> Option<i64> {
        self.uniform().and_then(Poly::constant)
    }

    /// The sum; none on overflow.
    pub fn plus(&self, other: &Affine) -> Option<Affine> {
        let mut sum = Affine {
            base: self.base.plus(&other.base)?,
            terms: self.terms.clone(),
        };
        for (variable, coefficient) in &other.terms {
            let entry = sum.terms.entry(*variable).or_default();
            *entry = entry.plus(coefficient)?;
        }
        sum.terms.retain(|_, coefficient| !coefficient.is_zero());
        Some(sum)
    }

    /// `factor` times it; none on overflow.
    pub fn scaled(&self, factor: &Poly) -> Option<Affine> {
        if factor.is_zero() {
            return Some(Affine::from(0));
        }
        let scale = |(variable, coefficient): (&Variable, &Poly)| {
            Some((*variable, coefficient.times(factor)?))
        };
        Some(Affine {
            base: self.base.times(factor)?,
            terms: self.terms.iter().map(scale).collect::<Option<_>>()?,
        })
    }

    /// The difference; none on overflow.
    pub fn minus(&self, other: &Affine) -> Option<Affine> {
        self.plus(&other.scaled(&Poly::from(-1))?)
    }

    /// `constant` more; none on overflow.
    pub fn offset(&self, constant: i64) -> Option<Affine> {
        self.plus(&Affine::from(constant))
    }

    /// The same with `workgroup_id · size + local_invocation_id` written as `global_invocation_id`, along each axis and in any
    /// multiple.
    pub fn with_global_ids(mut self, workgroup_size: [u32; 3]) -> Affine {
        for (axis, size) in (0_u8..3).zip(workgroup_size) {
            let (workgroup, local) = (Variable::workgroup(axis), Variable::local(axis));
            let (Some(of_workgroup), Some(of_local)) =
                (self.terms.get(&workgroup), self.terms.get(&local))
            else {
                continue;
            };
            if of_local.times(&Poly::from(i64::from(size))).as_ref() != Some(of_workgroup) {
                continue;
            }
            let as_global = Affine {
                base: Poly::default(),
                terms: BTreeMap::from([(Variable::global(axis), of_local.clone())]),
            };
            let mut rest = self.clone();
            rest.terms.remove(&workgroup);
            rest.terms.remove(&local);
            if let Some(joined) = rest.plus(&as_global) {
                self = joined;
            }
        }
        self
    }

    /// The varying part, divided by the greatest constant that divides it, and that constant with the sign of the
    /// first coefficient that is a constant: two guards on the same sum find the same one.
    pub fn primitive_part(&self) -> Option<(Affine, i64)> {
        let content = self
            .terms
            .values()
            .fold(0, |gcd, poly| greatest_common_divisor(gcd, poly.content()));
        let negative = self
            .terms
            .values()
            .filter_map(Poly::constant)
            .next_back()
            .is_some_and(|first| first < 0);
        let factor = if negative { -content } else { content };
        let divide = |(variable, coefficient): (&Variable, &Poly)| {
            Some((*variable, coefficient.divided(factor)?))
        };
        let part = Affine {
            base: Poly::default(),
            terms: self.terms.iter().map(divide).collect::<Option<_>>()?,
        };
        Some((part, factor))
    }

    /// The factor `c` such that the terms of `sum` times `c` are among the terms; and what else there is.
    pub fn split_off(&self, sum: &Affine) -> Option<(Poly, Affine)> {
        let quotient = |(variable, divisor): (&Variable, &Poly)| {
            let divisor = divisor.constant()?;
            self.terms.get(variable)?.divided(divisor)
        };
        let factor = sum.terms.iter().find_map(quotient)?;
        let rest = self.minus(&Affine {
            base: Poly::default(),
            terms: sum.scaled(&factor)?.terms,
        })?;
        let gone = sum
            .terms
            .keys()
            .all(|variable| !rest.terms.contains_key(variable));
        gone.then_some((factor, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(terms: &[(Variable, i64)]) -> Affine {
        terms
            .iter()
            .fold(Affine::from(0), |sum, (variable, factor)| {
                let term = Affine::from(*variable)
                    .scaled(&Poly::from(*factor))
                    .unwrap();
                sum.plus(&term).unwrap()
            })
    }

    #[test]
    fn ids_in_the_workgroups_ratio_become_global_ids() {
        let (workgroup, local) = (Variable::workgroup(1), Variable::local(1));
        let mixed = sum(&[(workgroup, 48), (local, 3)]).with_global_ids([16, 16, 1]);
        assert_eq!(mixed, sum(&[(Variable::global(1), 3)]));
        let other = sum(&[(workgroup, 48), (local, 4)]);
        assert_eq!(other.clone().with_global_ids([16, 16, 1]), other);
    }

    #[test]
    fn a_guarded_sum_is_found_inside_an_address() {
        let (workgroup, local) = (Variable::workgroup(0), Variable::local(0));
        let guard = sum(&[(workgroup, -64), (local, -4)]);
        let (part, factor) = guard.primitive_part().unwrap();
        assert_eq!(
            (part.clone(), factor),
            (sum(&[(workgroup, 16), (local, 1)]), -4)
        );
        let address = sum(&[(workgroup, 160), (local, 10), (Variable::global(1), 7)]);
        let (times, rest) = address.split_off(&part).unwrap();
        assert_eq!(
            (times, rest),
            (Poly::from(10), sum(&[(Variable::global(1), 7)]))
        );
        assert_eq!(sum(&[(workgroup, 160), (local, 9)]).split_off(&part), None);
    }
}
