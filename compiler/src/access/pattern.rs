//! Which words does this load or store touch? Its address as an affine form, narrowed by the guards around it.

use std::collections::BTreeSet;

use naga::Span;

use super::Analysis;
use super::affine::{Affine, Range, Variable};
use super::form::{Condition, Relation};
use super::guard::{Check, Constraint};
use super::poly::{Atom, Poly};
use crate::diagnostic::Position;
use crate::ir::{Address, AtomicOp, BufferId, Extent, Memory, Scalar, Space};

/// What is done to a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is loaded.
    Read,
    /// It is stored.
    Write,
    /// It is updated atomically.
    Update {
        /// How.
        op: AtomicOp,
        /// As `i32`, or else `u32`.
        signed: bool,
        /// Whether anybody looks at the result.
        used: bool,
    },
}

/// An access to a storage buffer, where it stands.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) buffer: BufferId,
    pub(super) action: Action,
    pub(super) pattern: Pattern,
    /// The address before guards were looked at.
    plain: Option<Plain>,
    /// Number of guards in force.
    guards: usize,
}

/// An affine address, and what must hold for it to be in bounds.
#[derive(Clone, Debug)]
struct Plain {
    address: Affine,
    bounds: Vec<Constraint>,
    complete: bool,
    checks: Vec<Check>,
}

/// A place in the WGSL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Where.
    pub position: Position,
    /// The WGSL there, its first line.
    pub snippet: String,
}

/// Words that one place in the WGSL touches.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Which, per invocation.
    pub reach: Reach,
    /// The WGSL.
    pub site: Site,
}

/// A set of words, per invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum Reach {
    /// Any of the buffer.
    Whole {
        /// Why nothing better is known.
        reason: String,
    },
    /// `width` words from `address` on, where all `constraints` hold.
    Words(Words),
}

/// Words at an affine address.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    /// First word.
    pub address: Affine,
    /// Number of words.
    pub width: u32,
    /// Guards.
    pub constraints: Vec<Constraint>,
    /// Any word may be touched if one of these fails.
    pub checks: Vec<Check>,
    /// Whether every combination of values of the variables that the constraints admit surely takes place.
    pub exact: bool,
}

impl Analysis<'_> {
    /// Notes an access to a word, if it is one of a storage buffer.
    pub(super) fn access(&mut self, address: &Address, action: Action, span: Span) {
        let Memory::Buffer(buffer) = address.memory else {
            return;
        };
        if self.kernel.bindings[buffer.0 as usize].space == Space::Uniform {
            return;
        }
        let snippet = self.source.excerpt(span).lines().next().unwrap_or_default();
        let site = Site {
            position: self.source.position(span),
            snippet: snippet.trim().to_owned(),
        };
        let plain = self.plain(address, buffer);
        let reach = match &plain {
            Ok(plain) => Reach::Words(self.guarded(plain)),
            Err(reason) => Reach::Whole {
                reason: reason.clone(),
            },
        };
        self.accesses.push(Access {
            buffer,
            action,
            pattern: Pattern { reach, site },
            plain: plain.ok(),
            guards: self.guards.len(),
        });
    }

    /// Adds, for each word that both arms of a branch surely write, a write that does not depend on the branch. The accesses
    /// from `first` on are those of one arm, from `middle` on those of the other.
    pub(super) fn join_writes(&mut self, first: usize, middle: usize) {
        let arm_guards = self.guards.len() + 1;
        let sure = |access: &&Access| access.action == Action::Write && access.guards == arm_guards;
        let (accept, reject) = self.accesses[first..].split_at(middle - first);
        let mut joined: Vec<Access> = Vec::new();
        for write in accept.iter().filter(sure) {
            let same = |other: &&Access| {
                let addresses = (&write.plain, &other.plain);
                other.buffer == write.buffer
                    && matches!(addresses, (Some(a), Some(b)) if a.address == b.address)
            };
            if reject.iter().filter(sure).any(|other| same(&other)) {
                joined.push(write.clone());
            }
        }
        for mut write in joined {
            if let Some(plain) = &write.plain {
                write.pattern.reach = Reach::Words(self.guarded(plain));
            }
            write.guards = self.guards.len();
            self.accesses.push(write);
        }
    }

    fn plain(&mut self, address: &Address, buffer: BufferId) -> Result<Plain, String> {
        let too_far = || "the index is computed beyond 64 bits".to_owned();
        let mut plain = Plain {
            address: Affine::from(i64::from(address.offset)),
            bounds: Vec::new(),
            complete: true,
            checks: Vec::new(),
        };
        for term in &address.terms {
            let index = match self.form(term.index).integer() {
                Ok(index) => index.clone(),
                Err(unknown) => return Err(format!("the index depends on {}", unknown.reason)),
            };
            let signed = self.kernel.value(term.index).ty == Scalar::I32;
            let step = Poly::from(i64::from(term.stride));
            plain.address = index
                .scaled(&step)
                .and_then(|words| plain.address.plus(&words))
                .ok_or_else(too_far)?;
            let extent = match term.extent {
                Extent::Runtime { .. } if address.terms.len() == 1 && term.stride == 1 => continue,
                Extent::Runtime { offset } => self.atoms.poly(Atom::ArrayLength {
                    binding: buffer.0,
                    offset,
                    stride: term.stride,
                }),
                Extent::Fixed(extent) if self.stays_below(&index, extent) => continue,
                Extent::Fixed(extent) => Poly::from(i64::from(extent)),
            };
            if address.terms.len() > 1 && !self.always_fits(&index, signed) {
                plain.checks.push(Check {
                    value: index.clone(),
                    signed,
                });
            }
            plain.complete &= self.within_bounds(&index, extent, signed, &mut plain.bounds);
        }
        plain.address = plain.address.with_global_ids(self.kernel.workgroup_size);
        Ok(plain)
    }

    /// The words at an address under the guards in force.
    fn guarded(&self, plain: &Plain) -> Words {
        let (mut constraints, complete) = self.active_constraints();
        for bound in &plain.bounds {
            if !constraints.contains(bound) {
                constraints.push(bound.clone());
            }
        }
        let all = constraints.clone();
        constraints.retain(|constraint| !all.iter().any(|other| implies(other, constraint)));
        let address = self.in_guarded_sums(plain.address.clone(), &constraints);
        let exact = complete
            && plain.complete
            && plain.checks.is_empty()
            && self.is_box(&address, &constraints);
        Words {
            address,
            width: 1,
            constraints,
            checks: plain.checks.clone(),
            exact,
        }
    }

    /// All that is known to hold here, and whether that is all that must hold to get here.
    fn active_constraints(&self) -> (Vec<Constraint>, bool) {
        let mut constraints: Vec<Constraint> = Vec::new();
        for guard in &self.guards {
            for constraint in &guard.constraints {
                if !constraints.contains(constraint) {
                    constraints.push(constraint.clone());
                }
            }
        }
        (constraints, self.guards.iter().all(|guard| guard.complete))
    }

    /// Whether an index is sure to lie inside a fixed extent.
    fn stays_below(&self, index: &Affine, extent: u32) -> bool {
        self.upper_bound(index)
            .is_some_and(|greatest| greatest < i64::from(extent))
    }

    /// The greatest value of a sum of positive multiples of quantities with constant bounds, none of them negative.
    pub(super) fn upper_bound(&self, sum: &Affine) -> Option<i64> {
        let base = sum.base.constant().filter(|base| *base >= 0)?;
        sum.terms
            .iter()
            .try_fold(base, |greatest, (variable, factor)| {
                let factor = factor.constant().filter(|factor| *factor > 0)?;
                greatest.checked_add(factor.checked_mul(self.last_value(*variable)?)?)
            })
    }

    /// The greatest value of a variable that is never negative, if it is a constant.
    fn last_value(&self, variable: Variable) -> Option<i64> {
        match variable.range().map(|index| &self.ranges[index]) {
            None => {
                let axis = variable.0.checked_sub(Variable::local(0).0)?;
                Some(i64::from(self.kernel.workgroup_size[axis as usize]) - 1)
            }
            Some(Range::Remainder {
                divisor,
                signed: false,
                ..
            }) => Some(divisor.constant().filter(|divisor| *divisor > 0)? - 1),
            Some(Range::Within { low, high, .. }) if low.constant() >= Some(0) => high.constant(),
            Some(_) => None,
        }
    }

    /// Adds the constraints 0 <= index < extent; whether they say just that.
    fn within_bounds(
        &mut self,
        index: &Affine,
        extent: Poly,
        signed: bool,
        constraints: &mut Vec<Constraint>,
    ) -> bool {
        let compare = |relation, a: &Affine, b: &Affine| Condition::Compare {
            relation,
            a: a.clone(),
            b: b.clone(),
            signed,
        };
        let mut inside = compare(Relation::Less, index, &Affine::from(extent));
        if signed {
            inside = compare(Relation::LessEqual, &Affine::from(0), index).and(inside);
        }
        let guard = self.guard(&inside, true, None, 0);
        for constraint in guard.constraints {
            if !constraints.contains(&constraint) {
                constraints.push(constraint);
            }
        }
        guard.complete
    }

    /// The address in terms of the sums that guards bound, the longest first.
    pub(super) fn in_guarded_sums(
        &self,
        mut address: Affine,
        constraints: &[Constraint],
    ) -> Affine {
        let sums: BTreeSet<(usize, Variable)> = constraints
            .iter()
            .filter_map(
                |constraint| match &self.ranges[constraint.variable.range()?] {
                    Range::Sum(sum) => Some((sum.terms.len(), constraint.variable)),
                    _ => None,
                },
            )
            .collect();
        for (_, variable) in sums.into_iter().rev() {
            let Some(Range::Sum(sum)) = variable.range().map(|index| &self.ranges[index]) else {
                continue;
            };
            let Some((factor, mut rest)) = address.split_off(sum) else {
                continue;
            };
            rest.terms.insert(variable, factor);
            address = rest;
        }
        address
    }

    /// Whether the constraints bound each of the address's variables by itself, so that all combinations occur.
    pub(super) fn is_box(&self, address: &Affine, constraints: &[Constraint]) -> bool {
        let mut used = BTreeSet::new();
        for variable in address.terms.keys() {
            let Some(sources) = self.sources(*variable) else {
                return false;
            };
            for source in sources {
                if !used.insert(source) {
                    return false;
                }
            }
        }
        let in_address = |variable: &Variable| {
            address.terms.contains_key(variable)
                || address.terms.keys().any(|term| {
                    matches!(term.range().map(|index| &self.ranges[index]), Some(Range::Sum(sum)) if sum.terms.contains_key(variable))
                })
        };
        constraints.iter().all(|constraint| {
            let variable = constraint.variable;
            constraint.coefficient.is_zero()
                || in_address(&variable)
                || (!self.is_sum(variable)
                    && self
                        .sources(variable)
                        .is_some_and(|sources| sources.iter().all(|source| !used.contains(source))))
        })
    }

    fn is_sum(&self, variable: Variable) -> bool {
        matches!(
            variable.range().map(|index| &self.ranges[index]),
            Some(Range::Sum(_))
        )
    }

    /// The independent quantities that a variable is made of: `workgroup_id` and `local_invocation_id` along each axis, and
    /// counters. None for a variable that need not take every value between its bounds.
    fn sources(&self, variable: Variable) -> Option<Vec<Variable>> {
        match variable.range().map(|index| &self.ranges[index]) {
            None if variable.0 < 3 => {
                let axis = variable.0 as u8;
                Some(vec![Variable::workgroup(axis), Variable::local(axis)])
            }
            None | Some(Range::Counter { .. } | Range::Member { .. }) => Some(vec![variable]),
            Some(Range::Sum(sum)) => {
                let sources: Option<Vec<_>> = sum
                    .terms
                    .keys()
                    .map(|member| self.sources(*member))
                    .collect();
                Some(sources?.concat())
            }
            Some(_) => None,
        }
    }
}

/// Whether `tight` makes `loose` needless.
fn implies(tight: &Constraint, loose: &Constraint) -> bool {
    let slack = || loose.base.minus(&tight.base)?.constant();
    tight.variable == loose.variable
        && tight.coefficient == loose.coefficient
        && tight
            .checks
            .iter()
            .all(|check| loose.checks.contains(check))
        && slack().is_some_and(|slack| slack > 0)
}

/// What is read: loads, and atomic updates unless they are `combined` afterwards.
pub(super) fn reads(accesses: &[&Access], combined: bool) -> Vec<Pattern> {
    let is_read = |access: &&&Access| match access.action {
        Action::Read => true,
        Action::Write => false,
        Action::Update { .. } => !combined,
    };
    let read = |access: &&Access| {
        let mut pattern = access.pattern.clone();
        if let Reach::Words(words) = &mut pattern.reach {
            words.exact = false;
        }
        pattern
    };
    accesses.iter().filter(is_read).map(read).collect()
}

/// What is written; by an atomic update never for certain.
pub(super) fn writes(accesses: &[&Access]) -> Vec<Pattern> {
    let write = |access: &&Access| {
        let mut pattern = access.pattern.clone();
        if let (Action::Update { .. }, Reach::Words(words)) = (access.action, &mut pattern.reach) {
            words.exact = false;
        }
        (access.action != Action::Read).then_some(pattern)
    };
    accesses.iter().filter_map(write).collect()
}
