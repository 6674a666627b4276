//! Which units has nobody taken yet?

use crate::plan::situation::Units;

/// Free units of the axis: ascending, disjoint, never side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Free {
    spans: Vec<Units>,
}

impl Free {
    pub(super) fn new(extent: u64) -> Self {
        let all = Units { lo: 0, hi: extent };
        Self {
            spans: Vec::from_iter((extent > 0).then_some(all)),
        }
    }

    pub(super) fn spans(&self) -> &[Units] {
        &self.spans
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    pub(super) fn units(&self) -> u64 {
        self.spans.iter().map(Units::len).sum()
    }

    /// The free interval that ends at `unit`.
    pub(super) fn ending_at(&self, unit: u64) -> Option<Units> {
        self.spans.iter().copied().find(|span| span.hi == unit)
    }

    /// The free interval that starts at `unit`.
    pub(super) fn starting_at(&self, unit: u64) -> Option<Units> {
        self.spans.iter().copied().find(|span| span.lo == unit)
    }

    /// The free interval that shares most with `planned`, or touches it where that is empty.
    pub(super) fn around(&self, planned: Units) -> Option<Units> {
        let touches = |span: &&Units| span.lo <= planned.hi && planned.lo <= span.hi;
        let shared = |span: &&Units| span.intersection(planned).len();
        self.spans
            .iter()
            .filter(touches)
            .filter(|span| planned.is_empty() || shared(span) > 0)
            .max_by_key(shared)
            .copied()
    }

    /// Takes `units` out.
    ///
    /// # Panics
    /// If they are empty or not all free.
    pub(super) fn take(&mut self, units: Units) {
        let within = |span: &Units| span.lo <= units.lo && units.hi <= span.hi;
        let at = self.spans.iter().position(within);
        let at = at
            .filter(|_| !units.is_empty())
            .expect("only free units are taken");
        let Units { lo, hi } = self.spans.remove(at);
        for rest in [Units { lo: units.hi, hi }, Units { lo, hi: units.lo }] {
            if !rest.is_empty() {
                self.spans.insert(at, rest);
            }
        }
    }

    /// Puts back `units` that had been taken.
    pub(super) fn give_back(&mut self, units: Units) {
        self.spans.push(units);
        self.spans.sort_unstable_by_key(|span| span.lo);
        self.spans.dedup_by(|next, last| {
            assert!(last.hi <= next.lo, "units come back once");
            let joined = last.hi == next.lo;
            if joined {
                last.hi = next.hi;
            }
            joined
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(lo: u64, hi: u64) -> Units {
        Units { lo, hi }
    }

    #[test]
    fn what_is_taken_and_given_back_is_whole_again() {
        let mut free = Free::new(100);
        free.take(units(40, 60));
        free.take(units(0, 10));
        free.take(units(90, 100));
        assert_eq!(free.spans(), [units(10, 40), units(60, 90)]);
        assert_eq!(free.units(), 60);
        assert_eq!(free.ending_at(40), Some(units(10, 40)));
        assert_eq!(free.starting_at(60), Some(units(60, 90)));
        assert_eq!(free.around(units(50, 80)), Some(units(60, 90)));
        assert_eq!(free.around(units(40, 40)), Some(units(10, 40)));
        assert_eq!(free.around(units(45, 55)), None);
        for taken in [units(90, 100), units(40, 60), units(0, 10)] {
            free.give_back(taken);
        }
        assert_eq!(free, Free::new(100));
    }

    #[test]
    #[should_panic(expected = "only free units are taken")]
    fn units_are_not_taken_twice() {
        let mut free = Free::new(10);
        free.take(units(2, 4));
        free.take(units(3, 5));
    }
}
