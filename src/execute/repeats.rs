//! Is a launch part of an iteration? How often it was repeated on the same arrays tells over how many launches copies pay off.

use smallvec::SmallVec;

use super::job::Job;
use crate::graph::ArrayId;
use crate::plan::Plan;

/// Copies are never taken to pay off over more launches: some of them come again in each.
const HORIZON_MAX: u32 = 32;

/// How often in a row a launch ran on the same arrays, in whatever order: steps that swap two arrays are repeats, too.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    arrays: SmallVec<[ArrayId; 8]>,
    count: u32,
    /// Whether the last of them copied about as much as the first.
    in_vain: bool,
    /// Most bytes that one of these launches copied.
    bytes_max: u64,
}

impl Repeats {
    /// Over how many launches copies pay off: what was repeated `n` times is expected to be repeated as often again, and what is
    /// recorded in a graph as often as it is replayed. A power of two, so that plans change seldom.
    pub(super) fn horizon(&self, job: &Job<'_>) -> f64 {
        let again = self.arrays == arrays(job);
        if again && self.in_vain {
            return 1.0;
        }
        let seen = if again { 2 * self.count } else { 0 };
        let expected = seen.max(job.repeats).clamp(1, HORIZON_MAX);
        f64::from(1 << expected.ilog2())
    }

    /// Notes that a launch follows `plan`. Where each repeat copies as much as the first, none of them saves the next one anything.
    pub(super) fn note(&mut self, job: &Job<'_>, plan: &Plan) {
        let arrays = arrays(job);
        let bytes: u64 = plan.parts.iter().map(|part| part.bytes_in).sum();
        if self.arrays == arrays {
            self.in_vain = bytes > 0 && bytes >= self.bytes_max / 2;
            self.count = if self.in_vain {
                0
            } else {
                self.count.saturating_add(1)
            };
        } else {
            *self = Self {
                arrays,
                count: 0,
                in_vain: false,
                bytes_max: bytes,
            };
        }
        self.bytes_max = self.bytes_max.max(bytes);
    }
}

fn arrays(job: &Job<'_>) -> SmallVec<[ArrayId; 8]> {
    let mut arrays: SmallVec<[ArrayId; 8]> = job.slots.iter().map(|slot| slot.core.id()).collect();
    arrays.sort_unstable();
    arrays
}
