//! What do a handful of noisy samples say?

use std::collections::VecDeque;
use std::fmt;

use super::work::Work;

/// Samples kept per class of work.
const KEPT_MAX: usize = 16;
/// Weight of a sample relative to the one after it.
const DECAY: f64 = 0.85;
/// Samples further from the median than this many spreads do not count towards the spread.
const OUTLIER_SPREADS: f64 = 4.0;
/// Median absolute deviation to standard deviation, for normal noise.
const MAD_TO_SIGMA: f64 = 1.4826;

/// One measured part: its work, the prior for that in ns, and its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) work: Work,
    pub(super) work_ns: f64,
    pub(super) ns: f64,
}

/// The last samples of one class of work, oldest first, and what they say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Class {
    points: VecDeque<Point>,
    summary: Summary,
    /// How many of the last samples are not on disk yet.
    fresh: usize,
}

/// The middle of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Summary {
    /// The sample that stands for the class.
    pub(super) work_ns: f64,
    /// Its time.
    pub(super) ns: f64,
    /// Relative spread of the samples (one standard deviation, outliers left out).
    pub(super) spread: f64,
}

impl Class {
    pub(super) fn push(&mut self, point: Point) {
        if self.points.len() == KEPT_MAX {
            self.points.pop_front();
        }
        self.points.push_back(point);
        self.fresh = (self.fresh + 1).min(KEPT_MAX);
        self.summary = summary(self.points.make_contiguous());
    }

    /// The samples that are not on disk yet, oldest first.
    pub(super) fn fresh(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.points
            .iter()
            .skip(self.points.len() - self.fresh)
            .copied()
    }

    pub(super) fn mark_news(&mut self) {
        self.fresh = self.points.len();
    }

    pub(super) fn mark_kept(&mut self) {
        self.fresh = 0;
    }

    pub(super) fn points(&self) -> impl ExactSizeIterator<Item = Point> + '_ {
        self.points.iter().copied()
    }

    pub(super) fn samples(&self) -> u32 {
        self.points.len() as u32
    }

    pub(super) fn summary(&self) -> Summary {
        self.summary
    }
}

/// The sample in the middle, by slowness relative to its prior.
///
/// Noise only ever slows a part down, so of two samples the faster is believed; from three on it is the median, weighted
/// towards recent samples, so that one spike changes nothing and a lasting change wins after about five samples.
fn summary(points: &[Point]) -> Summary {
    let ratio = |point: &Point| point.ns / point.work_ns.max(1.0);
    let newest = points.len() - 1;
    let weighted = points.iter().enumerate().map(|(index, point)| {
        let age = (newest - index) as i32;
        (ratio(point), DECAY.powi(age))
    });
    let middle = if points.len() < 3 {
        points.iter().map(ratio).fold(f64::INFINITY, f64::min)
    } else {
        weighted_median(&mut weighted.clone().collect::<Vec<_>>())
    };
    let nearest = |a: &&Point, b: &&Point| {
        let distance = |point: &Point| (ratio(point) - middle).abs();
        distance(a).total_cmp(&distance(b))
    };
    let Some(chosen) = points.iter().min_by(nearest) else {
        return Summary::default();
    };
    let away = |(value, weight): (f64, f64)| ((value / middle - 1.0).abs(), weight);
    let mut deviations: Vec<_> = weighted.map(away).collect();
    let rough = weighted_median(&mut deviations) * MAD_TO_SIGMA;
    let (mut total, mut weights) = (0.0, 0.0);
    for (deviation, weight) in deviations {
        if deviation <= OUTLIER_SPREADS * rough {
            total += weight * deviation * deviation;
            weights += weight;
        }
    }
    Summary {
        work_ns: chosen.work_ns,
        ns: chosen.ns,
        spread: f64::sqrt(total / f64::max(weights, f64::MIN_POSITIVE)),
    }
}

/// The value below which half of the weight lies.
fn weighted_median(weighted: &mut [(f64, f64)]) -> f64 {
    weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = weighted.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    for (value, weight) in weighted.iter() {
        below += weight;
        if below >= half {
            return *value;
        }
    }
    weighted.last().map_or(0.0, |(value, _)| *value)
}

/// The fixed cost `a` of `a + b·work` through the middles of several classes, or `None` where they do not tell.
///
/// The median over all pairs of classes at least a factor four apart (Theil and Sen's estimator), kept between zero and the
/// shortest time seen.
pub(super) fn fixed_ns(middles: impl Iterator<Item = Summary> + Clone) -> Option<f64> {
    let mut intercepts = Vec::new();
    for low in middles.clone() {
        for high in middles
            .clone()
            .filter(|high| high.work_ns >= 4.0 * low.work_ns.max(1.0))
        {
            let slope = (high.ns - low.ns) / (high.work_ns - low.work_ns);
            intercepts.push((low.ns - slope * low.work_ns, 1.0));
        }
    }
    let shortest = middles
        .map(|middle| middle.ns)
        .fold(f64::INFINITY, f64::min);
    (!intercepts.is_empty()).then(|| weighted_median(&mut intercepts).clamp(0.0, shortest))
}

/// How long a part is expected to take, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Expected time, launch included, in ns: `fixed_ns + work_ns`.
    pub ns: f64,
    /// What the part costs however small it is, in ns.
    pub fixed_ns: f64,
    /// What grows with the part, in ns.
    pub work_ns: f64,
    /// One standard deviation, relative to `ns`: wide for a kernel whose time depends on its data.
    pub spread: f64,
    /// How much the numbers can be relied on, from 0 (a guess) to nearly 1 (many recent samples of this size).
    pub confidence: f64,
    /// Launches of this kernel since the device last had a part in one.
    pub idle_launches: u64,
    /// Where the numbers come from.
    pub source: Source,
}

/// What a prediction rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing but a guess about the device.
    Guess,
    /// The kernel's static counts against the device's measured limits.
    Prior,
    /// The first run in a process, which did some things for the first time.
    FirstRun,
    /// This many earlier parts of another size, scaled.
    Scaled(u32),
    /// This many earlier parts of this size.
    Measured(u32),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u32| if count == 1 { "" } else { "s" };
        match *self {
            Self::Guess => f.write_str("guessed, device not measured"),
            Self::Prior => f.write_str("from device limits"),
            Self::FirstRun => f.write_str("from a first run"),
            Self::Scaled(n) => write!(
                f,
                "scaled from {n} launch{}",
                if n == 1 { "" } else { "es" }
            ),
            Self::Measured(n) => write!(f, "from {n} sample{}", plural(n)),
        }
    }
}

impl fmt::Display for Prediction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (us, percent) = (self.ns / 1e3, self.spread * 100.0);
        write!(f, "{us:.1} µs ± {percent:.0} % ({})", self.source)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn class(times: impl IntoIterator<Item = f64>) -> Class {
        let mut class = Class::default();
        for ns in times {
            class.push(Point {
                work: Work::default(),
                work_ns: 1000.0,
                ns,
            });
        }
        class
    }

    #[test]
    fn one_spike_changes_nothing() {
        for times in [
            vec![1000.0, 90_000.0],
            vec![90_000.0, 1000.0],
            vec![1000.0, 1010.0, 90_000.0],
            vec![1000.0, 1010.0, 990.0, 90_000.0, 1005.0],
        ] {
            let summary = class(times.clone()).summary();
            assert!(
                (summary.ns / 1000.0 - 1.0).abs() < 0.02,
                "{times:?}: {summary:?}"
            );
        }
        let noisy = class([1000.0, 1010.0, 990.0, 1005.0, 90_000.0, 995.0]).summary();
        assert!(noisy.spread < 0.02, "{noisy:?}");
    }

    #[test]
    fn a_lasting_change_is_believed_within_six_samples() {
        let times = std::iter::repeat_n(1000.0, 16).chain(std::iter::repeat_n(3000.0, 6));
        assert!((class(times).summary().ns - 3000.0).abs() < 1e-9);
    }

    #[test]
    fn time_that_depends_on_the_data_shows_as_spread() {
        let uneven = class([500.0, 1500.0, 700.0, 1300.0, 1000.0, 600.0, 1400.0]);
        assert!(uneven.summary().spread > 0.25, "{:?}", uneven.summary());
    }

    #[test]
    fn the_fixed_cost_is_found_from_two_sizes() {
        let middle = |work_ns: f64| Summary {
            work_ns,
            ns: 5000.0 + 2.0 * work_ns,
            spread: 0.0,
        };
        let found = fixed_ns([1e3, 1e4, 1e6].map(middle).into_iter()).unwrap();
        assert!((found - 5000.0).abs() < 1e-6, "{found}");
        assert_eq!(fixed_ns([1e3, 2e3].map(middle).into_iter()), None);
    }

    proptest! {
        #![proptest_config(crate::seeded::cases(256, 0x5eed))]

        #[test]
        fn a_third_of_samples_may_be_spikes(
            spikes in proptest::collection::vec(2.0_f64..100.0, 3),
            noise in proptest::collection::vec(0.95_f64..1.05, 9),
            at in 0_usize..9,
        ) {
            let mut times: Vec<f64> = noise.iter().map(|factor| 1000.0 * factor).collect();
            for (offset, spike) in spikes.iter().enumerate() {
                times.insert((at + 4 * offset) % times.len(), 1000.0 * spike);
            }
            let ns = class(times).summary().ns;
            prop_assert!((940.0..1060.0).contains(&ns), "{ns}");
        }
    }
}
