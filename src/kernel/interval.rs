//! Between which bounds does an integer lie? Intervals that may be open to either side; every operation errs outwards.

/// All integers from `lo` to `hi`, both included. `i64::MIN` and `i64::MAX` stand for no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) lo: i64,
    pub(super) hi: i64,
}

impl Interval {
    pub(super) const ALL: Self = Self {
        lo: i64::MIN,
        hi: i64::MAX,
    };
    pub(super) const FROM_ZERO: Self = Self {
        lo: 0,
        hi: i64::MAX,
    };

    pub(super) const fn new(lo: i64, hi: i64) -> Self {
        debug_assert!(lo <= hi);
        Self { lo, hi }
    }

    pub(super) const fn point(value: i64) -> Self {
        Self {
            lo: value,
            hi: value,
        }
    }

    /// The values of `i32`, or else of `u32`.
    pub(super) const fn of_type(signed: bool) -> Self {
        if signed {
            Self::new(i32::MIN as i64, i32::MAX as i64)
        } else {
            Self::new(0, u32::MAX as i64)
        }
    }

    pub(super) const fn is_finite(self) -> bool {
        self.lo != i64::MIN && self.hi != i64::MAX
    }

    pub(super) const fn contains(self, value: i64) -> bool {
        self.lo <= value && value <= self.hi
    }

    pub(super) const fn covers(self, other: Self) -> bool {
        self.lo <= other.lo && other.hi <= self.hi
    }

    pub(super) fn hull(self, other: Self) -> Self {
        Self::new(self.lo.min(other.lo), self.hi.max(other.hi))
    }

    pub(super) fn min(self, other: Self) -> Self {
        Self::new(self.lo.min(other.lo), self.hi.min(other.hi))
    }

    pub(super) fn max(self, other: Self) -> Self {
        Self::new(self.lo.max(other.lo), self.hi.max(other.hi))
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let add = |a: i64, b: i64, open: i64| {
            if a == open || b == open {
                open
            } else {
                a.checked_add(b).unwrap_or(open)
            }
        };
        Self {
            lo: add(self.lo, other.lo, i64::MIN),
            hi: add(self.hi, other.hi, i64::MAX),
        }
    }

    pub(super) fn times(self, factor: i64) -> Self {
        if factor == 0 {
            return Self::point(0);
        }
        let scale = |end: i64, open: i64| match end {
            i64::MIN | i64::MAX => open,
            end => end.checked_mul(factor).unwrap_or(open),
        };
        let (low_end, high_end) = if factor > 0 {
            (self.lo, self.hi)
        } else {
            (self.hi, self.lo)
        };
        Self {
            lo: scale(low_end, i64::MIN),
            hi: scale(high_end, i64::MAX),
        }
    }

    /// The values v with `factor · v + base >= 0`; none if there are none.
    pub(super) fn where_not_negative(self, factor: i64, base: i64) -> Option<Self> {
        let mut narrowed = self;
        match factor {
            0 if base < 0 => return None,
            0 => {}
            1 => narrowed.lo = self.lo.max(base.saturating_neg()),
            -1 => narrowed.hi = self.hi.min(base),
            // v >= ⌈-base / factor⌉ = -⌊base / factor⌋
            2.. => narrowed.lo = self.lo.max(-base.div_euclid(factor)),
            // v <= ⌊base / -factor⌋; rem_euclid and div_euclid need a divisor that negates.
            _ => narrowed.hi = self.hi.min(base.div_euclid(factor.saturating_neg())),
        }
        (narrowed.lo <= narrowed.hi).then_some(narrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constraint_keeps_exactly_the_values_that_satisfy_it() {
        for factor in -5..=5_i64 {
            for base in -30..=30_i64 {
                let kept = Interval::new(-9, 9).where_not_negative(factor, base);
                for value in -9..=9 {
                    let holds = factor * value + base >= 0;
                    assert_eq!(
                        kept.is_some_and(|kept| kept.contains(value)),
                        holds,
                        "{factor} · {value} + {base}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_open_end_stays_open() {
        let open = Interval::FROM_ZERO;
        assert_eq!(
            open.times(-3),
            Interval {
                lo: i64::MIN,
                hi: 0
            }
        );
        assert_eq!(open.plus(Interval::point(-4)).lo, -4);
        assert_eq!(open.plus(Interval::point(-4)).hi, i64::MAX);
        assert_eq!(open.times(0), Interval::point(0));
    }

    #[test]
    fn an_overflow_opens_the_end() {
        let far = Interval::point(i64::MAX - 1);
        assert_eq!(far.plus(Interval::point(5)).hi, i64::MAX);
        assert_eq!(far.times(-5).lo, i64::MIN);
    }
}
