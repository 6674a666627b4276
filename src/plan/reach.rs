//! Which cuts make the last device finish as early as possible?

use super::curve::Curve;
use super::situation::Units;

/// A further device must make the end come this much sooner, relatively.
pub(super) const GAIN_MIN: f64 = 0.015;
/// The end time is found to within this fraction.
const TOLERANCE: f64 = 1e-3;
/// Bound on the end times tried; each halves the bracket.
const TURNS_MAX: u32 = 60;

/// Shares of an axis: candidates and their units, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shares {
    pub(super) taken: Vec<(usize, Units)>,
    /// When the last is done.
    pub(super) end_ns: f64,
    /// When it would be, were no device left out that brings next to nothing.
    pub(super) least_ns: f64,
}

/// For every curve, in order, its units, and the time at which the last is done.
#[derive(Clone, Debug, PartialEq)]
struct Level {
    units: Vec<Units>,
    end_ns: f64,
}

/// The shares with the least end time, on as few devices as do as well.
pub(super) fn fewest(curves: &[Curve<'_>], extent: u64, multiple: u64) -> Shares {
    let mut taking: Vec<&Curve<'_>> = curves.iter().collect();
    let Some(mut level) = balance(&taking, extent, multiple, f64::INFINITY) else {
        return Shares::default();
    };
    let least_ns = level.end_ns;
    let enough_ns = least_ns / (1.0 - GAIN_MIN);
    loop {
        let used = level.units.iter().map(|units| units.lo < units.hi);
        let mut used = used.collect::<Vec<bool>>().into_iter();
        taking.retain(|_| used.next().unwrap_or(false));
        level.units.retain(|units| units.lo < units.hi);
        let Some((out, without)) = without_one(&taking, &level, (extent, multiple), enough_ns)
        else {
            break;
        };
        taking.remove(out);
        level = without;
    }
    let candidates = taking.iter().map(|curve| curve.candidate);
    Shares {
        taken: candidates.zip(level.units).collect(),
        end_ns: level.end_ns,
        least_ns,
    }
}

/// The shares with the least end time, however little a device adds.
pub(super) fn everybody(curves: &[Curve<'_>], extent: u64, multiple: u64) -> Shares {
    let all: Vec<&Curve<'_>> = curves.iter().collect();
    let Some(level) = balance(&all, extent, multiple, f64::INFINITY) else {
        return Shares::default();
    };
    let shares = curves.iter().map(|curve| curve.candidate).zip(level.units);
    Shares {
        taken: shares.filter(|(_, units)| !units.is_empty()).collect(),
        end_ns: level.end_ns,
        least_ns: level.end_ns,
    }
}

/// The shares in which candidate `alone` leaves the least possible to one other, whichever: when that one is done, and the shares.
pub(super) fn with_a_second(
    curves: &[Curve<'_>],
    alone: usize,
    extent: u64,
    multiple: u64,
) -> impl Iterator<Item = (f64, Shares)> {
    let own = curves.iter().position(|curve| curve.candidate == alone);
    let pair = move |other: usize| {
        let own = own.filter(|own| *own != other)?;
        let cut = if other < own {
            multiple
        } else {
            (extent - 1) / multiple * multiple
        };
        let units = [
            Units { lo: 0, hi: cut },
            Units {
                lo: cut,
                hi: extent,
            },
        ];
        let pair = [own.min(other), own.max(other)].map(|at| &curves[at]);
        let ends_ns = [0, 1].map(|at| pair[at].ns(units[at]));
        let end_ns = ends_ns[0].max(ends_ns[1]);
        let shares = Shares {
            taken: [0, 1].map(|at| (pair[at].candidate, units[at])).to_vec(),
            end_ns,
            least_ns: end_ns,
        };
        Some((ends_ns[usize::from(other > own)], shares))
    };
    (0..curves.len()).filter_map(pair)
}

/// Which of three or more curves to leave out, and the shares of the others, if those still end by `enough_ns`.
fn without_one(
    used: &[&Curve<'_>],
    level: &Level,
    (extent, multiple): (u64, u64),
    enough_ns: f64,
) -> Option<(usize, Level)> {
    if used.len() < 3 {
        return None;
    }
    let speed: f64 = used.iter().map(|curve| 1.0 / curve.unit_ns).sum();
    let far = used.iter().any(|curve| curve.reaches_far());
    let worth_trying = |out: &usize| {
        // The others take at least so much longer with its units; but fewer devices may need fewer words of others.
        if far {
            return true;
        }
        let others = speed - 1.0 / used[*out].unit_ns;
        level.end_ns * (1.0 - TOLERANCE) + level.units[*out].len() as f64 / others <= enough_ns
    };
    let left_out = (0..used.len()).filter(worth_trying).filter_map(|out| {
        let mut fewer = used.to_vec();
        fewer.remove(out);
        Some((out, balance(&fewer, extent, multiple, enough_ns)?))
    });
    left_out.min_by(|a, b| a.1.end_ns.total_cmp(&b.1.end_ns))
}

/// The shares of `0..extent`, cut at multiples of `multiple`, with the least end time; `None` if that is later than `within_ns`.
///
/// Every curve grows with its range, so the earlier curves may greedily take all they can within a given end time: if that does not
/// reach the end of the axis, nothing does. Curves that cannot finish one unit in time take none. With the end time every cut
/// moves on, never back: the cuts of too early and of late enough end times enclose those between.
fn balance(curves: &[&Curve<'_>], extent: u64, multiple: u64, within_ns: f64) -> Option<Level> {
    let all = Units { lo: 0, hi: extent };
    let alone_ns = curves
        .iter()
        .map(|curve| curve.ns(all))
        .fold(f64::INFINITY, f64::min);
    let axis = Axis { extent, multiple };
    let mut low = Taken {
        end_ns: without_copies(curves, extent),
        cuts: vec![0; curves.len()],
    };
    let mut high = Taken {
        end_ns: alone_ns,
        cuts: vec![extent; curves.len()],
    };
    if within_ns < alone_ns {
        high = axis.greedy(curves, within_ns, &low, &high).ok()?;
    }
    // Without copies the balance is known but for whole units: try the end time at which that is enough.
    let speed: f64 = curves.iter().map(|curve| 1.0 / curve.unit_ns).sum();
    let mut next_ns = low.end_ns + (curves.len() as u64 * multiple) as f64 / speed;
    let (mut ns_per_unit, mut known) = (1.0 / speed, false);
    let mut tightened = false;
    for turn in 0..TURNS_MAX {
        if high.end_ns - low.end_ns <= TOLERANCE * high.end_ns {
            break;
        }
        match axis.greedy(curves, next_ns.min(high.end_ns), &low, &high) {
            Ok(enough) => {
                high = enough;
                // Often it is hardly more than enough.
                next_ns = if tightened {
                    f64::midpoint(low.end_ns, high.end_ns)
                } else {
                    high.end_ns * (1.0 - 0.9 * TOLERANCE)
                };
                tightened = !tightened;
            }
            Err(too_early) => {
                // What is reached grows with the end time, along few straight lines.
                let more = too_early.reached().saturating_sub(low.reached()) as f64;
                if known && more > 0.0 {
                    ns_per_unit = (too_early.end_ns - low.end_ns) / more;
                }
                known = true;
                low = too_early;
                let left = (extent - low.reached() + multiple) as f64;
                next_ns = low.end_ns + left * ns_per_unit * 1.0001;
                // Halving guards against bends and leaps.
                if next_ns >= high.end_ns || turn % 3 == 2 {
                    next_ns = f64::midpoint(low.end_ns, high.end_ns);
                }
            }
        }
    }
    if high.end_ns >= alone_ns {
        high = axis.greedy(curves, alone_ns, &low, &high).ok()?;
    }
    let starts = [0].into_iter().chain(high.cuts.iter().copied());
    let units: Vec<Units> = starts
        .zip(&high.cuts)
        .map(|(lo, hi)| Units { lo, hi: *hi })
        .collect();
    let ends = curves
        .iter()
        .zip(&units)
        .map(|(curve, units)| curve.ns(*units));
    let end_ns = ends.fold(0.0, f64::max);
    Some(Level { units, end_ns })
}

/// The least end time if nothing had to be copied and units could be divided: `T = (N + Σ a/b) / Σ 1/b` over the devices whose
/// fixed cost `a` lies below it.
fn without_copies(curves: &[&Curve<'_>], extent: u64) -> f64 {
    let mut by_base: Vec<_> = curves
        .iter()
        .map(|curve| (curve.base_ns, curve.unit_ns))
        .collect();
    by_base.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut units, mut speed, mut end_ns) = (extent as f64, 0.0, f64::INFINITY);
    for (base_ns, unit_ns) in by_base {
        if base_ns >= end_ns {
            break;
        }
        units += base_ns / unit_ns;
        speed += 1.0 / unit_ns;
        end_ns = units / speed;
    }
    end_ns
}

/// Where each curve's units end, if all, in order, take what they can finish by `end_ns`.
struct Taken {
    end_ns: f64,
    cuts: Vec<u64>,
}

impl Taken {
    fn reached(&self) -> u64 {
        self.cuts.last().copied().unwrap_or(0)
    }
}

/// What is cut, and where it may be cut.
struct Axis {
    extent: u64,
    multiple: u64,
}

impl Axis {
    /// Each curve takes what it can finish by `end_ns`, which lies between `low` and `high`; an error if that is too early.
    fn greedy(
        &self,
        curves: &[&Curve<'_>],
        end_ns: f64,
        low: &Taken,
        high: &Taken,
    ) -> Result<Taken, Taken> {
        let mut lo = 0;
        let mut cuts = Vec::with_capacity(curves.len());
        for (index, curve) in curves.iter().enumerate() {
            let last = index + 1 == curves.len();
            let whole = Units {
                lo,
                hi: self.extent,
            };
            lo = if last && (lo == self.extent || curve.ns(whole) <= end_ns) {
                self.extent
            } else {
                self.reach(curve, lo, end_ns, [low.cuts[index], high.cuts[index]])
            };
            cuts.push(lo);
        }
        let taken = Taken { end_ns, cuts };
        if lo == self.extent {
            Ok(taken)
        } else {
            Err(taken)
        }
    }

    /// The furthest cut that `curve`, beginning at `lo`, reaches by `end_ns`; it is one of `between`, ends included.
    fn reach(&self, curve: &Curve<'_>, lo: u64, end_ns: f64, between: [u64; 2]) -> u64 {
        if end_ns <= curve.base_ns || lo == self.extent {
            return lo;
        }
        if curve.is_straight() {
            let units = ((end_ns - curve.base_ns) / curve.unit_ns) as u64;
            let rest = Units {
                lo,
                hi: self.extent,
            };
            // Rounding must not take the last unit away from who can do all.
            return if lo.saturating_add(units) >= self.extent || curve.ns(rest) <= end_ns {
                self.extent
            } else {
                self.before(lo + units).max(lo)
            };
        }
        let ns = |hi: u64| curve.ns(Units { lo, hi });
        let mut good = between[0].max(lo);
        let mut bad = (between[1] + self.multiple).min(self.extent);
        if between[1] == self.extent {
            if ns(self.extent) <= end_ns {
                return self.extent;
            }
            bad = self.extent;
        }
        let mut ends = None;
        let mut turn = 0;
        while bad - good > self.multiple {
            // The curve is made of few straight pieces: interpolation hits its piece at once, halving guards against its bends.
            let (good_ns, bad_ns) =
                *ends.get_or_insert_with(|| (ns(good).max(curve.base_ns), ns(bad)));
            turn += 1;
            let fraction = if turn % 3 == 0 {
                0.5
            } else {
                (end_ns - good_ns) / (bad_ns - good_ns)
            };
            let wanted = self.before(good + ((bad - good) as f64 * fraction) as u64);
            let cut = wanted.clamp(good + self.multiple, self.before(bad - 1));
            let cut_ns = ns(cut);
            if cut_ns <= end_ns {
                (good, ends) = (cut, Some((cut_ns, bad_ns)));
            } else {
                (bad, ends) = (cut, Some((good_ns, cut_ns)));
            }
        }
        good
    }

    /// The last place at or before `unit` where a cut may be.
    fn before(&self, unit: u64) -> u64 {
        unit / self.multiple * self.multiple
    }
}
