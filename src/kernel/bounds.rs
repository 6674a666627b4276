//! Do the parameters of a launch let it write past the end of an array? Where a shader's own guards state how far it writes, an
//! array that is shorter is a mistake of the caller, which WGSL would answer by dropping the writes.

use super::access::{ConstraintId, Pattern, Reach, Site, Variable};
use super::evaluate::{Intervals, Narrowed, Resolved};
use crate::lanes::Tile;

/// Number of variables that grow with the grid: global ids and workgroup ids.
const GRID_VARIABLES: u16 = 6;

/// A write that the guards let past the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrun<'a> {
    /// Number of the array argument, in the order of the kernel's storage bindings.
    pub argument: usize,
    /// Words that the array would need.
    pub needed_words: u64,
    /// The WGSL that writes.
    pub site: &'a Site,
}

impl Resolved<'_> {
    /// The first write that the launch's guards let past the end of its array.
    ///
    /// Only writes count that are bounded above by guards along every axis of the grid and that surely happen up to their end: a
    /// kernel without guards may be launched over a grid rounded up to whole workgroups, and what it writes past the end
    /// is dropped.
    pub fn overrun(&self) -> Option<Overrun<'_>> {
        let whole = Tile {
            lo: [0; 3],
            hi: self.num_workgroups,
        };
        if self.num_workgroups.contains(&0) {
            return None;
        }
        let mut intervals = self.builtin_intervals(whole);
        for (argument, buffer) in self.map.buffers.iter().enumerate() {
            let words = self.lengths[argument];
            for pattern in buffer.writes {
                let needed = self.stated_end(pattern, &mut intervals);
                if let Some(needed_words) = needed.filter(|needed| *needed > words) {
                    let site = &self.map.sites[usize::from(pattern.site.0)];
                    return Some(Overrun {
                        argument,
                        needed_words,
                        site,
                    });
                }
            }
        }
        None
    }

    /// One past the last word that a pattern surely touches, where guards state it.
    fn stated_end(&self, pattern: &Pattern, intervals: &mut Intervals) -> Option<u64> {
        let Reach::Words {
            address,
            width,
            variables,
            constraints,
            checks,
            exact: true,
        } = &pattern.reach
        else {
            return None;
        };
        let bounded = address.terms.iter().all(|term| {
            let coefficient = self.value(term.coefficient);
            coefficient.is_some_and(|coefficient| {
                term.variable.0 >= GRID_VARIABLES
                    || coefficient == 0
                    || self.has_bound(term.variable, constraints, coefficient > 0)
            })
        });
        if self.huge || !bounded {
            return None;
        }
        let Narrowed::Ranges { all_used: true } = self.narrow(variables, constraints, intervals)
        else {
            return None;
        };
        let sure = self.fit(checks, intervals) && self.is_dense(address, *width, intervals);
        let last = self.affine(address, intervals).hi;
        sure.then(|| {
            u64::try_from(last)
                .ok()
                .map(|last| last + u64::from(*width))
        })?
    }

    /// Whether a guard bounds a variable from above, or else from below.
    fn has_bound(&self, variable: Variable, constraints: &[ConstraintId], above: bool) -> bool {
        constraints.iter().any(|id| {
            let constraint = &self.map.constraints[usize::from(id.0)];
            // Where it holds, coefficient · variable + base >= 0.
            let bounds = |coefficient: i64| {
                if above {
                    coefficient < 0
                } else {
                    coefficient > 0
                }
            };
            constraint.variable == variable
                && self.value(constraint.coefficient).is_some_and(bounds)
        })
    }
}
