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
    /// Divisions, roots and transcendental functions of `f32`.
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
