//! Which cuts make the last device finish as early as possible?

use super::curve::Curve;
use super::situation::Units;

/// A further device must make the end come this much sooner, relatively.
pub(super) const GAIN_MIN: f64 = 0.02;
/// The end time is found to within this fraction.
const TOLERANCE: f64 = 5e-4;
/// Bound on the halvings of the end time's bracket; each gives a binary digit.
const HALVINGS_MAX: u32 = 48;

/// Shares of an axis: for every curve, in order, its units, and the time at which the last is done.
#[derive(Clone, Debug, PartialEq)]
struct Shares {
    units: Vec<Units>,
    end_ns: f64,
}

/// The shares with the least end time, on as few devices as do as well: candidates and their units.
pub(super) fn fewest(
    curves: &[Curve<'_>],
    extent: u64,
    multiple: u64,
    upper_ns: f64,
) -> Vec<(usize, Units)> {
    let mut taking: Vec<&Curve<'_>> = curves.iter().collect();
    let Some(mut shares) = balance(&taking, extent, multiple, upper_ns) else {
        return Vec::new();
    };
    let enough_ns = shares.end_ns / (1.0 - GAIN_MIN);
    loop {
        let used = shares.units.iter().map(|units| units.lo < units.hi);
        let mut used = used.collect::<Vec<bool>>().into_iter();
        taking.retain(|_| used.next().unwrap_or(false));
        shares.units.retain(|units| units.lo < units.hi);
        let Some((out, without)) = without_one(&taking, extent, multiple, enough_ns) else {
            break;
        };
        taking.remove(out);
        shares = without;
    }
    taking
        .iter()
        .map(|curve| curve.candidate)
        .zip(shares.units)
        .collect()
}

/// Which of three or more curves to leave out, and the shares of the others, if those still end by `enough_ns`.
fn without_one(
    used: &[&Curve<'_>],
    extent: u64,
    multiple: u64,
    enough_ns: f64,
) -> Option<(usize, Shares)> {
    if used.len() < 3 {
        return None;
    }
    let left_out = (0..used.len()).filter_map(|out| {
        let mut fewer = used.to_vec();
        fewer.remove(out);
        Some((out, balance(&fewer, extent, multiple, enough_ns)?))
    });
    left_out.min_by(|a, b| a.1.end_ns.total_cmp(&b.1.end_ns))
}

/// The shares of `0..extent`, cut at multiples of `multiple`, with the least end time.
///
/// Every curve grows with its range, so the earlier curves may greedily take all they can within a given end time: if that does not
/// reach the end of the axis, nothing does. Curves that cannot finish one unit in time take none.
///
/// `None` if not even `upper_ns` is enough.
fn balance(curves: &[&Curve<'_>], extent: u64, multiple: u64, upper_ns: f64) -> Option<Shares> {
    let floor_ns = without_copies(curves, extent);
    let rounding_ns = (curves.len() as u64 * multiple) as f64 / speed(curves);
    let near_ns = (floor_ns + rounding_ns).min(upper_ns);
    let mut best = greedy(curves, extent, multiple, near_ns);
    let (mut low_ns, mut high_ns) = if best.is_some() {
        (floor_ns, near_ns)
    } else {
        (near_ns, upper_ns)
    };
    if best.is_none() {
        best = Some(greedy(curves, extent, multiple, upper_ns)?);
    }
    for _ in 0..HALVINGS_MAX {
        if high_ns - low_ns <= TOLERANCE * high_ns {
            break;
        }
        let middle_ns = f64::midpoint(low_ns, high_ns);
        match greedy(curves, extent, multiple, middle_ns) {
            Some(units) => (best, high_ns) = (Some(units), middle_ns),
            None => low_ns = middle_ns,
        }
    }
    let units = best?;
    let ends = curves
        .iter()
        .zip(&units)
        .map(|(curve, units)| curve.ns(*units));
    let end_ns = ends.fold(0.0, f64::max);
    Some(Shares { units, end_ns })
}

/// Units per ns of all curves together.
fn speed(curves: &[&Curve<'_>]) -> f64 {
    curves.iter().map(|curve| 1.0 / curve.unit_ns).sum()
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

/// Each curve's units if all, in order, take what they can finish by `end_ns`; `None` if that does not reach `extent`.
fn greedy(curves: &[&Curve<'_>], extent: u64, multiple: u64, end_ns: f64) -> Option<Vec<Units>> {
    let mut lo = 0;
    let mut shares = Vec::with_capacity(curves.len());
    for curve in curves {
        let hi = reach(curve, lo, extent, multiple, end_ns);
        shares.push(Units { lo, hi });
        lo = hi;
    }
    (lo == extent).then_some(shares)
}

/// The furthest cut that `curve`, beginning at `lo`, reaches by `end_ns`.
fn reach(curve: &Curve<'_>, lo: u64, extent: u64, multiple: u64, end_ns: f64) -> u64 {
    let ns = |hi: u64| curve.ns(Units { lo, hi });
    if lo == extent || ns(extent) <= end_ns {
        return extent;
    }
    let first = lo + multiple;
    if first >= extent || ns(first) > end_ns {
        return lo;
    }
    let (mut good, mut good_ns) = (first, ns(first));
    let (mut bad, mut bad_ns) = (extent, ns(extent));
    let mut turn = 0;
    while bad - good > multiple {
        // The curve is made of few straight pieces: interpolation hits its piece at once, halving guards against its bends.
        turn += 1;
        let fraction = if turn % 3 == 0 {
            0.5
        } else {
            (end_ns - good_ns) / (bad_ns - good_ns)
        };
        let wanted = good + ((bad - good) as f64 * fraction) as u64;
        let cut =
            (wanted / multiple * multiple).clamp(good + multiple, (bad - 1) / multiple * multiple);
        let cut_ns = ns(cut);
        if cut_ns <= end_ns {
            (good, good_ns) = (cut, cut_ns);
        } else {
            (bad, bad_ns) = (cut, cut_ns);
        }
    }
    good
}
