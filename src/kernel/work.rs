//! How much does an invocation of this launch compute? The static counts of a kernel, repeated as often as its loops go round.

use std::fmt;

use super::access::{Affine, Trips};
use super::evaluate::{Intervals, Resolved};
use super::interval::Interval;
use crate::lanes::Tile;

/// How often a loop is taken to go round when nobody knows.
pub const TRIPS_GUESSED: f64 = 32.0;

/// What an invocation does, on average over a launch; both arms of every branch are counted, as SIMD code runs them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkEstimate {
    /// Additions, multiplications, comparisons, … of `f32`.
    pub flops: f64,
    /// Operations on integers and truth values.
    pub int_ops: f64,
    /// Divisions, roots and transcendental functions of `f32`, and atomic read-modify-writes.
    pub special: f64,
    /// Bytes loaded from storage, repeated loads included.
    pub bytes_read: f64,
    /// Bytes stored to storage.
    pub bytes_written: f64,
    /// Whether a loop was counted with [`TRIPS_GUESSED`].
    pub guessed: bool,
}

impl fmt::Display for WorkEstimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = if self.guessed { "about " } else { "" };
        write!(
            f,
            "{about}{} flops, {} integer operations, {} special functions, {} bytes read, {} bytes written",
            self.flops, self.int_ops, self.special, self.bytes_read, self.bytes_written
        )
    }
}

impl Resolved<'_> {
    /// What an invocation of this launch computes.
    pub fn work(&self) -> WorkEstimate {
        let mut estimate = WorkEstimate::default();
        let whole = Tile {
            lo: [0; 3],
            hi: self.num_workgroups,
        };
        if self.num_workgroups.contains(&0) {
            return estimate;
        }
        let intervals = self.builtin_intervals(whole);
        for counts in self.map.work.counts {
            let mut repeats = 1.0;
            for index in counts.loops {
                let trips = self.trips(&self.map.work.loops[usize::from(*index)], &intervals);
                estimate.guessed |= trips.is_none();
                repeats *= trips.unwrap_or(TRIPS_GUESSED);
            }
            estimate.flops += repeats * f64::from(counts.flops);
            estimate.int_ops += repeats * f64::from(counts.int_ops);
            estimate.special += repeats * f64::from(counts.special);
            estimate.bytes_read += repeats * f64::from(counts.bytes_read);
            estimate.bytes_written += repeats * f64::from(counts.bytes_written);
        }
        estimate
    }

    /// The most rounds that the loops of one invocation go together, without loops that the compiler wrote out; none if nobody
    /// knows before they run. Some devices stop loops after so many rounds.
    pub fn loop_rounds_max(&self) -> Option<f64> {
        let whole = Tile {
            lo: [0; 3],
            hi: self.num_workgroups,
        };
        if self.num_workgroups.contains(&0) {
            return Some(0.0);
        }
        let intervals = self.builtin_intervals(whole);
        let most =
            |index: &u16| self.trips_max(&self.map.work.loops[usize::from(*index)], &intervals);
        let mut nests: Vec<&[u16]> = self
            .map
            .work
            .counts
            .iter()
            .map(|counts| counts.loops)
            .collect();
        nests.sort_unstable();
        nests.dedup();
        let rounds = |nest: &[u16]| nest.iter().map(most).product::<Option<f64>>();
        nests
            .into_iter()
            .filter(|nest| !nest.is_empty())
            .map(rounds)
            .sum()
    }

    fn trips_max(&self, trips: &Trips, intervals: &Intervals) -> Option<f64> {
        let Trips::Counted { first, limit, step } = trips else {
            return None;
        };
        let step = self.value(*step).filter(|step| *step > 0)?;
        let (first, limit) = (
            self.affine(first, intervals).lo,
            self.affine(limit, intervals).hi,
        );
        (first != i64::MIN && limit != i64::MAX).then(|| {
            ((limit as f64 - first as f64) / step as f64)
                .ceil()
                .max(0.0)
        })
    }

    fn trips(&self, trips: &Trips, intervals: &Intervals) -> Option<f64> {
        let Trips::Counted { first, limit, step } = trips else {
            return None;
        };
        let middle = |affine: &Affine| -> Option<f64> {
            let Interval { lo, hi } = self.affine(affine, intervals);
            (lo != i64::MIN && hi != i64::MAX).then(|| f64::midpoint(lo as f64, hi as f64))
        };
        let step = self.value(*step).filter(|step| *step > 0)?;
        let distance = middle(limit)? - middle(first)?;
        Some((distance / step as f64).ceil().max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::access::{AccessMap, Counts, Split, Uniform, UniformId, Work};
    use crate::kernel::{Bound, Environment};

    const fn constant(id: u16) -> Affine {
        Affine {
            base: UniformId(id),
            terms: &[],
        }
    }

    /// Uniform 0 is 0, 1 is 3, 2 is the first word of the parameters.
    const fn map(loops: &'static [Trips], counts: &'static [Counts]) -> AccessMap {
        AccessMap {
            uniforms: &[
                Uniform::Const(0),
                Uniform::Const(3),
                Uniform::Word {
                    binding: 0,
                    word: 0,
                    signed: false,
                },
            ],
            ranges: &[],
            constraints: &[],
            sites: &[],
            buffers: &[],
            split: Split::WhereDisjoint,
            work: Work { loops, counts },
        }
    }

    const fn block(loops: &'static [u16]) -> Counts {
        Counts {
            loops,
            flops: 2,
            int_ops: 1,
            special: 0,
            bytes_read: 4,
            bytes_written: 0,
        }
    }

    /// A loop from 0 to the parameter in steps of 3, and one of one round in it.
    const TWO_LOOPS: &[Trips] = &[
        Trips::Counted {
            first: constant(0),
            limit: constant(2),
            step: UniformId(1),
        },
        Trips::Counted {
            first: constant(0),
            limit: constant(1),
            step: UniformId(1),
        },
        Trips::Unknown,
    ];

    fn resolved_rounds(map: &AccessMap, parameter: u32) -> Option<f64> {
        let bindings = [Bound::Uniform(&[parameter])];
        let environment = Environment {
            bindings: &bindings,
            num_workgroups: [4, 1, 1],
            workgroup_size: [64, 1, 1],
        };
        map.resolve(&environment).loop_rounds_max()
    }

    #[test]
    fn rounds_multiply_in_nests_and_add_up_side_by_side() {
        let straight = map(TWO_LOOPS, const { &[block(&[])] });
        assert_eq!(resolved_rounds(&straight, 10), Some(0.0));
        let nested = map(
            TWO_LOOPS,
            const { &[block(&[0]), block(&[0, 1]), block(&[0])] },
        );
        assert_eq!(resolved_rounds(&nested, 10), Some(4.0 + 4.0));
        assert_eq!(resolved_rounds(&nested, 0), Some(0.0));
    }

    #[test]
    fn a_loop_that_nobody_can_count_has_no_bound() {
        let map = map(TWO_LOOPS, const { &[block(&[0]), block(&[2])] });
        assert_eq!(resolved_rounds(&map, 10), None);
    }
}
