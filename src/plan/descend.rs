//! How are cuts mended that make too many words come from other GPUs' memories?
//!
//! Links of other GPUs serve all parts, so a cut that suits one part holds up another, and the least end time cannot be bisected. One border
//! after another is moved, far first and then less, as long as that helps.

use super::curve::Curve;
use super::situation::Units;

/// Bound on the moves that are tried.
const MOVES_MAX: usize = 800;
/// Among cuts that end at the same time, those whose parts and links have less to do are nearer to better ones.
const TIE: f64 = 1e-3;

/// Cuts being mended: units of every curve, in order, some of them none.
pub(super) struct Descent<'c, 'a> {
    curves: &'c [Curve<'a>],
    extent: u64,
    multiple: u64,
    /// Time of the other GPUs' links that no cut changes.
    fixed_ns: f64,
    units: Vec<Units>,
    /// Of each curve: its end, and what it takes of other GPUs' links.
    ns: Vec<(f64, f64)>,
    score: f64,
}

impl<'c, 'a> Descent<'c, 'a> {
    /// Begins with the shares `taken`, which take `home_ns` of other GPUs' links.
    pub(super) fn new(
        curves: &'c [Curve<'a>],
        (extent, multiple): (u64, u64),
        taken: &[(usize, Units)],
        home_ns: f64,
    ) -> Self {
        let mut at = 0;
        let own = |curve: &Curve<'_>| {
            let share = taken.iter().find(|(index, _)| *index == curve.candidate);
            let lo = at;
            at = share.map_or(at, |(_, units)| units.hi);
            Units { lo, hi: at }
        };
        let units: Vec<Units> = curves.iter().map(own).collect();
        let ns: Vec<(f64, f64)> = curves
            .iter()
            .zip(&units)
            .map(|(curve, own)| (curve.ns(*own), curve.far_ns(*own)))
            .collect();
        let far_ns: f64 = ns.iter().map(|own| own.1).sum();
        let mut descent = Self {
            curves,
            extent,
            multiple,
            fixed_ns: (home_ns - far_ns).max(0.0),
            units,
            ns,
            score: 0.0,
        };
        descent.score = descent.weigh(&descent.ns);
        descent
    }

    /// Moves borders until nothing helps: candidates and their units.
    pub(super) fn run(mut self) -> Vec<(usize, Units)> {
        let whole = self.extent / self.multiple * self.multiple;
        let mut step = (whole / 4 / self.multiple).max(1) * self.multiple;
        let mut moves = 0;
        while step > 0 && moves < MOVES_MAX {
            let mut better = false;
            for border in 0..self.curves.len() - 1 {
                let at = self.units[border].hi;
                // A little, or until one device has nothing left.
                let ends = [self.units[border].lo, self.units[border + 1].hi];
                for to in [at + step, at.saturating_sub(step), ends[0], ends[1]] {
                    moves += 1;
                    better |= self.try_cuts(&[(border, to)]);
                }
                // A device's units as they are, but elsewhere.
                if border + 2 < self.curves.len() {
                    let (at, next) = (self.units[border].hi, self.units[border + 1].hi);
                    let back = [at, next].map(|at| at.saturating_sub(step));
                    for [to, next_to] in [[at + step, next + step], back] {
                        moves += 1;
                        better |= self.try_cuts(&[(border, to), (border + 1, next_to)]);
                    }
                }
            }
            if !better {
                step = step / 2 / self.multiple * self.multiple;
            }
        }
        let shares = self.curves.iter().zip(&self.units);
        shares
            .filter(|(_, units)| !units.is_empty())
            .map(|(curve, units)| (curve.candidate, *units))
            .collect()
    }

    /// Moves ends of shares, by number, to the places for cuts before those given, and the borders in the way along, if that is better.
    fn try_cuts(&mut self, cuts: &[(usize, u64)]) -> bool {
        let mut units = self.units.clone();
        for (border, to) in cuts {
            let to = if *to >= self.extent {
                self.extent
            } else {
                to / self.multiple * self.multiple
            };
            for own in &mut units[..=*border] {
                *own = Units {
                    lo: own.lo.min(to),
                    hi: own.hi.min(to),
                };
            }
            units[*border].hi = to;
            for own in &mut units[border + 1..] {
                *own = Units {
                    lo: own.lo.max(to),
                    hi: own.hi.max(to),
                };
            }
            units[border + 1].lo = to;
        }
        let own = |at: usize| {
            if units[at] == self.units[at] {
                self.ns[at]
            } else {
                (
                    self.curves[at].ns(units[at]),
                    self.curves[at].far_ns(units[at]),
                )
            }
        };
        let ns: Vec<(f64, f64)> = (0..units.len()).map(own).collect();
        let score = self.weigh(&ns);
        let shared = units.iter().filter(|own| !own.is_empty()).count() > 1;
        let better = shared && score < self.score * (1.0 - 1e-6);
        if better {
            (self.units, self.ns, self.score) = (units, ns, score);
        }
        better
    }

    fn weigh(&self, ns: &[(f64, f64)]) -> f64 {
        let home_ns = self.fixed_ns + ns.iter().map(|own| own.1).sum::<f64>();
        let end_ns = ns.iter().map(|own| own.0).fold(home_ns, f64::max);
        end_ns + TIE * (home_ns + ns.iter().map(|own| own.0).sum::<f64>())
    }
}
