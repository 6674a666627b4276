//! Which words does this tile of this launch touch? Interval arithmetic over an [`AccessMap`] once all uniforms are numbers.

use std::ops::{Index, IndexMut};

use smallvec::SmallVec;

use super::access::{
    AccessMap, Affine, BufferAccess, Check, ConstraintId, Pattern, Range, Reach, Site, Uniform,
    UniformId, Variable,
};
use super::disjoint::{Conflict, ConflictKind};
use super::interval::Interval;
use crate::lanes::Tile;
use crate::region::{Footprint, Span, SpanSet, Touch};

/// What an [`AccessMap`] leaves open until launch.
#[derive(Clone, Copy, Debug)]
pub struct Environment<'a> {
    /// One entry per binding of the kernel.
    pub bindings: &'a [Bound<'a>],
    /// Workgroups of the whole launch.
    pub num_workgroups: [u32; 3],
    /// Invocations per workgroup.
    pub workgroup_size: [u32; 3],
}

/// What is bound at launch.
#[derive(Clone, Copy, Debug)]
pub enum Bound<'a> {
    /// The content of a uniform buffer, in words.
    Uniform(&'a [u32]),
    /// An array of so many words.
    Array(u64),
}

/// An [`AccessMap`] whose uniforms are numbers: ready to tell the footprint of any tile of one launch.
#[derive(Debug)]
pub struct Resolved<'a> {
    pub(super) map: &'a AccessMap,
    /// Value of each uniform; none where it is unknown.
    values: SmallVec<[Option<i64>; 32]>,
    /// Words of each buffer of the map.
    pub(super) lengths: SmallVec<[u64; 8]>,
    pub(super) num_workgroups: [u32; 3],
    workgroup_size: [u32; 3],
    /// Whether some `global_invocation_id` leaves 31 bits, where no analysis holds.
    pub(super) huge: bool,
}

/// Intervals of all variables of a map.
#[derive(Debug)]
pub(super) struct Intervals {
    /// Those of the builtin ids in the tile.
    natural: [Interval; Variable::BUILTINS],
    /// Those of the variables of the pattern at hand, narrowed by its guards.
    narrowed: SmallVec<[Interval; 24]>,
}

impl Index<usize> for Intervals {
    type Output = Interval;

    fn index(&self, variable: usize) -> &Interval {
        &self.narrowed[variable]
    }
}

impl IndexMut<usize> for Intervals {
    fn index_mut(&mut self, variable: usize) -> &mut Interval {
        &mut self.narrowed[variable]
    }
}

impl AccessMap {
    /// Puts in what is known at launch.
    ///
    /// Costs a few nanoseconds per uniform; allocates only for maps with more than 32 of them.
    ///
    /// # Panics
    /// If `environment` has fewer bindings than the map names, or a uniform buffer where the map names an array.
    pub fn resolve(&self, environment: &Environment<'_>) -> Resolved<'_> {
        let mut values = SmallVec::with_capacity(self.uniforms.len());
        for uniform in self.uniforms {
            let value = uniform_value(*uniform, environment, &values);
            values.push(value);
        }
        let length = |buffer: &BufferAccess| array_words(environment, buffer.binding);
        let huge = (0..3).any(|axis| {
            let invocations = u64::from(environment.num_workgroups[axis])
                * u64::from(environment.workgroup_size[axis]);
            invocations > 1 << 31
        });
        Resolved {
            map: self,
            values,
            lengths: self.buffers.iter().map(length).collect(),
            num_workgroups: environment.num_workgroups,
            workgroup_size: environment.workgroup_size,
            huge,
        }
    }
}

fn array_words(environment: &Environment<'_>, binding: u16) -> u64 {
    match environment.bindings[usize::from(binding)] {
        Bound::Array(words) => words,
        Bound::Uniform(_) => panic!("binding {binding} is a uniform buffer, not an array"),
    }
}

fn uniform_value(
    uniform: Uniform,
    environment: &Environment<'_>,
    values: &[Option<i64>],
) -> Option<i64> {
    let value = |id: UniformId| values[usize::from(id.0)];
    let shift = |id: UniformId| {
        value(id)
            .filter(|count| (0..32).contains(count))
            .map(|count| 1_i64 << count)
    };
    match uniform {
        Uniform::Const(constant) => Some(constant),
        Uniform::Word {
            binding,
            word,
            signed,
        } => uniform_word(environment, binding, word, signed),
        Uniform::ArrayLength {
            binding,
            offset,
            stride,
        } => {
            let words = array_words(environment, binding).saturating_sub(u64::from(offset));
            i64::try_from(words / u64::from(stride.max(1))).ok()
        }
        Uniform::NumWorkgroups(axis) => {
            Some(i64::from(environment.num_workgroups[usize::from(axis)]))
        }
        Uniform::Add(a, b) => value(a)?.checked_add(value(b)?),
        Uniform::Multiply(a, b) => value(a)?.checked_mul(value(b)?),
        Uniform::Divide(a, b) => match value(b)? {
            0 => value(a),
            divisor => value(a)?.checked_div(divisor),
        },
        Uniform::Remainder(a, b) => match value(b)? {
            0 => Some(0),
            divisor => value(a)?.checked_rem(divisor),
        },
        Uniform::Min(a, b) => Some(value(a)?.min(value(b)?)),
        Uniform::Max(a, b) => Some(value(a)?.max(value(b)?)),
        Uniform::ShiftLeft(a, b) => value(a)?.checked_mul(shift(b)?),
        Uniform::ShiftRight(a, b) => Some(value(a)?.div_euclid(shift(b)?)),
        Uniform::And(a, b) => match (value(a)?, value(b)?) {
            (a, b) if a >= 0 && b >= 0 => Some(a & b),
            _ => None,
        },
        Uniform::Fits {
            value: inner,
            signed,
        } => value(inner).filter(|value| Interval::of_type(signed).contains(*value)),
    }
}

fn uniform_word(
    environment: &Environment<'_>,
    binding: u16,
    word: u32,
    signed: bool,
) -> Option<i64> {
    let Bound::Uniform(words) = environment.bindings[usize::from(binding)] else {
        return None;
    };
    // A word past the end reads 0, as any index out of bounds.
    let word = words.get(word as usize).copied().unwrap_or(0);
    Some(if signed {
        i64::from(word as i32)
    } else {
        i64::from(word)
    })
}

/// What one pattern comes to in a tile.
struct Reached {
    words: Span,
    exact: bool,
}

impl Resolved<'_> {
    /// What `tile` reads and writes: at least what its invocations do.
    ///
    /// Costs about ten nanoseconds per variable of each pattern, and one allocation.
    pub fn footprint(&self, tile: Tile) -> Footprint {
        let empty = (0..3).any(|axis| tile.lo[axis] >= tile.hi[axis]);
        if empty {
            return Footprint {
                arguments: vec![Touch::default(); self.map.buffers.len()],
            };
        }
        let mut intervals = self.builtin_intervals(tile);
        let touch = |(buffer, words): (&BufferAccess, &u64)| {
            let reads = buffer
                .reads
                .iter()
                .map(|pattern| self.reached(pattern, *words, &mut intervals).words)
                .filter(|span| !span.is_empty())
                .collect();
            self.touch(buffer, *words, reads, &mut intervals)
        };
        Footprint {
            arguments: self
                .map
                .buffers
                .iter()
                .zip(&self.lengths)
                .map(touch)
                .collect(),
        }
    }

    /// Adds the writes to the reads of one buffer.
    fn touch(
        &self,
        buffer: &BufferAccess,
        words: u64,
        reads: SpanSet,
        intervals: &mut Intervals,
    ) -> Touch {
        let (mut writes, mut sure) = (SpanSet::EMPTY, SpanSet::EMPTY);
        for pattern in buffer.writes {
            let reached = self.reached(pattern, words, intervals);
            writes.insert(reached.words);
            if reached.exact {
                sure.insert(reached.words);
            }
        }
        Touch {
            reads,
            exact: !writes.is_empty() && sure.covers_all(&writes),
            writes,
            combine: buffer.combine.is_some(),
        }
    }

    /// The WGSL that makes two parts conflict: an access by `tile`, the part called the other one, outside of what it writes
    /// itself where that is known. None if `conflict` is about none of this kernel's arguments.
    pub fn site(&self, conflict: &Conflict, tile: Tile) -> Option<&Site> {
        let buffer = self.map.buffers.get(conflict.argument)?;
        let words = *self.lengths.get(conflict.argument)?;
        let mut intervals = self.builtin_intervals(tile);
        let (patterns, own) = match conflict.kind {
            ConflictKind::Write => (buffer.writes, SpanSet::EMPTY),
            ConflictKind::Read => {
                let write = |pattern| self.reached(pattern, words, &mut intervals).words;
                (buffer.reads, buffer.writes.iter().map(write).collect())
            }
        };
        let outside = patterns
            .iter()
            .find(|pattern| !own.covers(self.reached(pattern, words, &mut intervals).words));
        let site = outside.or(patterns.first())?.site;
        Some(&self.map.sites[usize::from(site.0)])
    }

    /// Intervals of the builtin ids; room for the other variables.
    pub(super) fn builtin_intervals(&self, tile: Tile) -> Intervals {
        let mut natural = [Interval::ALL; Variable::BUILTINS];
        for axis in 0..3 {
            let size = i64::from(self.workgroup_size[axis]);
            let (lo, hi) = (i64::from(tile.lo[axis]), i64::from(tile.hi[axis]));
            natural[axis] = Interval::new(lo * size, hi * size - 1);
            natural[3 + axis] = Interval::new(lo, hi - 1);
            natural[6 + axis] = Interval::new(0, size - 1);
        }
        let mut narrowed =
            SmallVec::from_elem(Interval::ALL, Variable::BUILTINS + self.map.ranges.len());
        narrowed[..Variable::BUILTINS].copy_from_slice(&natural);
        Intervals { natural, narrowed }
    }

    /// The words of a buffer of `words` words that `pattern` touches.
    fn reached(&self, pattern: &Pattern, words: u64, intervals: &mut Intervals) -> Reached {
        let whole = Reached {
            words: Span::new(0, words),
            exact: false,
        };
        let Reach::Words {
            address,
            width,
            variables,
            constraints,
            checks,
            exact,
        } = &pattern.reach
        else {
            return whole;
        };
        if self.huge {
            return whole;
        }
        match self.narrow(variables, constraints, intervals) {
            Narrowed::Empty => Reached {
                words: Span::default(),
                exact: true,
            },
            Narrowed::Ranges { all_used } if self.fit(checks, intervals) => {
                let exact = *exact && all_used && self.is_dense(address, *width, intervals);
                let hull = self.affine(address, intervals);
                clamped(hull, *width, words).map_or(whole, |words| Reached { words, exact })
            }
            Narrowed::Ranges { .. } => whole,
        }
    }

    /// Computes the intervals of `variables`, as narrowed by `constraints`.
    pub(super) fn narrow(
        &self,
        variables: &[Variable],
        constraints: &[ConstraintId],
        intervals: &mut Intervals,
    ) -> Narrowed {
        let mut all_used = true;
        let mut constraints = constraints
            .iter()
            .map(|id| &self.map.constraints[usize::from(id.0)])
            .peekable();
        for variable in variables {
            let at = usize::from(variable.0);
            intervals[at] = match at.checked_sub(Variable::BUILTINS) {
                None => intervals.natural[at],
                Some(range) => self.range(&self.map.ranges[range], intervals),
            };
            while let Some(constraint) =
                constraints.next_if(|constraint| constraint.variable == *variable)
            {
                let (coefficient, base) = (
                    self.value(constraint.coefficient),
                    self.value(constraint.base),
                );
                let (Some(coefficient), Some(base), true) =
                    (coefficient, base, self.fit(constraint.checks, intervals))
                else {
                    all_used = false;
                    continue;
                };
                let Some(narrower) = intervals[at].where_not_negative(coefficient, base) else {
                    return Narrowed::Empty;
                };
                intervals[at] = narrower;
            }
        }
        debug_assert!(
            constraints.peek().is_none(),
            "constraints are ordered by variable, each of which is listed"
        );
        Narrowed::Ranges { all_used }
    }

    pub(super) fn fit(&self, checks: &[Check], intervals: &Intervals) -> bool {
        checks.iter().all(|check| {
            Interval::of_type(check.signed).covers(self.affine(&check.value, intervals))
        })
    }

    /// The interval of a variable that is no builtin id, before its own constraints.
    fn range(&self, range: &Range, intervals: &Intervals) -> Interval {
        let typed = |affine: &Affine, signed: bool| {
            let interval = self.affine(affine, intervals);
            Interval::of_type(signed)
                .covers(interval)
                .then_some(interval)
        };
        match range {
            Range::Counter => Interval::FROM_ZERO,
            Range::CounterTo {
                distance,
                step,
                checks,
            } => match self.value(*step) {
                Some(step) if step > 0 && self.fit(checks, intervals) => {
                    match self.affine(distance, intervals).hi {
                        i64::MAX => Interval::FROM_ZERO,
                        far => Interval::new(0, far.max(0) / step),
                    }
                }
                _ => Interval::FROM_ZERO,
            },
            Range::Sum(sum) => self.affine(sum, intervals),
            Range::Min { a, b, signed } => match (typed(a, *signed), typed(b, *signed)) {
                (Some(a), Some(b)) => a.min(b),
                _ => Interval::of_type(*signed),
            },
            Range::Max { a, b, signed } => match (typed(a, *signed), typed(b, *signed)) {
                (Some(a), Some(b)) => a.max(b),
                _ => Interval::of_type(*signed),
            },
            Range::Either(a, b) => self.affine(a, intervals).hull(self.affine(b, intervals)),
            Range::Quotient {
                value,
                divisor,
                signed,
            } => match (typed(value, *signed), self.value(*divisor)) {
                (Some(value), Some(divisor)) if value.lo >= 0 && divisor > 0 => {
                    Interval::new(value.lo / divisor, value.hi / divisor)
                }
                _ => Interval::of_type(*signed),
            },
            Range::Remainder {
                value,
                divisor,
                signed,
            } => match (typed(value, *signed), self.value(*divisor)) {
                (value, Some(divisor)) if divisor > 0 => remainder(value, divisor, *signed),
                _ => Interval::of_type(*signed),
            },
            Range::Within { low, high } => match (self.value(*low), self.value(*high)) {
                (Some(low), Some(high)) if low <= high => Interval::new(low, high),
                _ => Interval::ALL,
            },
        }
    }

    pub(super) fn value(&self, id: UniformId) -> Option<i64> {
        self.values[usize::from(id.0)]
    }

    pub(super) fn affine(&self, affine: &Affine, intervals: &Intervals) -> Interval {
        let mut sum = self
            .value(affine.base)
            .map_or(Interval::ALL, Interval::point);
        for term in affine.terms {
            let product = self
                .value(term.coefficient)
                .map_or(Interval::ALL, |coefficient| {
                    intervals[usize::from(term.variable.0)].times(coefficient)
                });
            sum = sum.plus(product);
        }
        sum
    }

    /// Whether `affine`, taken `width` words wide over all values of its variables, leaves no gap: sorted by size, no
    /// coefficient steps over what the smaller ones fill.
    pub(super) fn is_dense(&self, affine: &Affine, width: u32, intervals: &Intervals) -> bool {
        let mut steps: SmallVec<[(i64, i64); 8]> = SmallVec::new();
        for term in affine.terms {
            let at = usize::from(term.variable.0);
            let Some(coefficient) = self.value(term.coefficient) else {
                return false;
            };
            if !self.takes_every_value(at, intervals) || !intervals[at].is_finite() {
                return false;
            }
            steps.push((
                coefficient.saturating_abs(),
                intervals[at].hi - intervals[at].lo,
            ));
        }
        steps.sort_unstable();
        let mut filled = i64::from(width);
        for (step, count) in steps {
            if count > 0 && step > filled {
                return false;
            }
            filled = filled.saturating_add(step.saturating_mul(count));
        }
        true
    }

    /// Whether a variable takes every value of its interval somewhere in the tile.
    fn takes_every_value(&self, variable: usize, intervals: &Intervals) -> bool {
        match variable.checked_sub(Variable::BUILTINS) {
            None => true,
            Some(derived) => match &self.map.ranges[derived] {
                Range::Counter => true,
                Range::CounterTo { distance, .. } => distance.terms.is_empty(),
                Range::Sum(sum) => self.is_dense(sum, 1, intervals),
                _ => false,
            },
        }
    }
}

pub(super) enum Narrowed {
    /// No invocation of the tile passes the guards.
    Empty,
    /// The intervals are set.
    Ranges {
        /// Whether every constraint could be used.
        all_used: bool,
    },
}

/// `value % divisor` for a divisor greater than 0; `value` is none where it may have wrapped around.
fn remainder(value: Option<Interval>, divisor: i64, signed: bool) -> Interval {
    match value {
        Some(value) if value.lo >= 0 && value.lo / divisor == value.hi / divisor => {
            Interval::new(value.lo % divisor, value.hi % divisor)
        }
        Some(value) if value.lo >= 0 => Interval::new(0, divisor - 1),
        _ if signed => Interval::new(1 - divisor, divisor - 1),
        _ => Interval::new(0, divisor - 1),
    }
}

/// The words from `hull.lo` to `hull.hi + width` that a buffer of `words` words has; none where an index may have wrapped
/// around to one that is in bounds.
fn clamped(hull: Interval, width: u32, words: u64) -> Option<Span> {
    let wraps_nowhere = Interval::new(i64::from(i32::MIN), i64::from(u32::MAX));
    if !wraps_nowhere.covers(hull) {
        return None;
    }
    let end = words.min(1 << 31) as i64;
    let lo = hull.lo.clamp(0, end);
    let hi = (hull.hi + i64::from(width)).clamp(lo, end);
    Some(Span::new(lo as u64, hi as u64))
}
