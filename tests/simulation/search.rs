//! What is the best static split there is? Searched, without the planner's shapes and curves, from the definition of a part's cost.

use impel::cost::Link;
use impel::lanes::Tile;
use impel::machine::MemoryId;
use impel::plan::{Candidate, Units};
use impel::region::{Residency, SpanSet, Touch, WORD_BYTES};
use impel::simulate::Launched;

use crate::cases::number;

/// The end time is bisected to within this fraction.
const TOLERANCE: f64 = 2e-3;

/// End time of the best cuts along the axis, all devices of the launch taking part or not.
///
/// The time of a part grows with its range. So for a given end time the devices may, in order, take all they can: if
/// that does not reach the end of the axis, no cuts do. The least end time for which it does is bisected. What all parts together
/// need from the memories of other devices takes its time, too, which cannot be bisected: from there, and from what was planned,
/// borders are moved as long as that helps.
pub(crate) fn best_split_ns(launched: &Launched<'_>, planned: &[Units]) -> f64 {
    let (found_ns, found) = bisect(launched);
    let starts = [found.as_deref(), Some(planned)].into_iter().flatten();
    let descended = starts.map(|cuts| descend(launched, cuts));
    descended.fold(found_ns, f64::min)
}

/// The end time of the cuts whose parts end first, and the cuts; none where one device alone is as good.
pub(crate) fn bisect(launched: &Launched<'_>) -> (f64, Option<Vec<Units>>) {
    let extent = launched.load.units;
    let all = Units { lo: 0, hi: extent };
    let candidates = launched.situation.candidates.iter();
    let alone = candidates.map(|candidate| part_ns(launched, candidate, all, false));
    let single_ns = alone.fold(f64::INFINITY, f64::min);
    let (mut low, mut high, mut best) = (0.0, single_ns, None);
    while high - low > TOLERANCE * high {
        let middle = f64::midpoint(low, high);
        if let Some(cuts) = cuts(launched, middle) {
            (high, best) = (middle, Some(cuts));
        } else {
            low = middle;
        }
    }
    let home_ns = best.as_ref().map_or(0.0, |cuts| home_ns(launched, cuts));
    (high.max(home_ns).min(single_ns), best)
}

/// End time of `cuts`: of their parts, and of what these need from other devices' memories.
pub(crate) fn end_ns(launched: &Launched<'_>, cuts: &[Units]) -> f64 {
    let ends = ends_ns(launched, cuts);
    ends.into_iter().fold(home_ns(launched, cuts), f64::max)
}

fn ends_ns(launched: &Launched<'_>, cuts: &[Units]) -> Vec<f64> {
    let parts = launched.situation.candidates.iter().zip(cuts);
    parts
        .map(|(candidate, units)| part_ns(launched, candidate, *units, true))
        .collect()
}

/// The end time that is reached from `cuts` by moving one border after another, a long way first and then less, as long as that helps.
fn descend(launched: &Launched<'_>, cuts: &[Units]) -> f64 {
    let extent = launched.load.units;
    let taking = |cuts: &[Units]| cuts.iter().filter(|units| !units.is_empty()).count();
    if taking(cuts) < 2 {
        return f64::INFINITY;
    }
    // Among equals, the one whose devices have less to do is nearer to something better.
    let score = |cuts: &[Units]| {
        let ends = ends_ns(launched, cuts);
        let home_ns = home_ns(launched, cuts);
        let end_ns = ends.iter().copied().fold(home_ns, f64::max);
        (end_ns, end_ns + 1e-3 * (home_ns + ends.iter().sum::<f64>()))
    };
    let mut cuts = cuts.to_vec();
    let mut best = score(&cuts);
    let multiple = multiple(launched);
    let mut step = (extent / 4).max(multiple) / multiple * multiple;
    while step >= multiple {
        let mut moved = false;
        for border in 0..cuts.len() - 1 {
            let at = cuts[border].hi;
            let ends = [cuts[border].lo, cuts[border + 1].hi];
            for to in [at + step, at.saturating_sub(step), ends[0], ends[1]] {
                let to = to.min(extent).div_ceil(multiple) * multiple;
                let mut other = cuts.clone();
                // Borders in the way move along.
                for own in &mut other[..=border] {
                    own.lo = own.lo.min(to);
                    own.hi = own.hi.min(to);
                }
                other[border].hi = to.min(extent);
                for own in &mut other[border + 1..] {
                    own.lo = own.lo.max(to.min(extent));
                    own.hi = own.hi.max(to.min(extent));
                }
                other[border + 1].lo = to.min(extent);
                if taking(&other) < 2 {
                    continue;
                }
                let reached = score(&other);
                if reached.1 < best.1 * (1.0 - 1e-6) {
                    (cuts, best, moved) = (other, reached, true);
                }
            }
        }
        if !moved {
            step = step / 2 / multiple * multiple;
        }
    }
    best.0
}

/// What each device takes if all, in order, take what they can do by `end_ns`; none if that does not reach the end of the axis.
fn cuts(launched: &Launched<'_>, end_ns: f64) -> Option<Vec<Units>> {
    let extent = launched.load.units;
    let multiple = multiple(launched);
    let mut lo = 0;
    let mut taken = Vec::new();
    for candidate in launched.situation.candidates {
        // One device alone is no split.
        let blocks = if lo == 0 {
            (extent - 1) / multiple
        } else {
            (extent - lo).div_ceil(multiple)
        };
        let units = |count: u64| Units {
            lo,
            hi: (lo + count * multiple).min(extent),
        };
        // `good` blocks can be done, `bad` blocks cannot.
        let (mut good, mut bad) = (0, blocks + 1);
        while bad - good > 1 {
            let middle = u64::midpoint(good, bad);
            if part_ns(launched, candidate, units(middle), true) <= end_ns {
                good = middle;
            } else {
                bad = middle;
            }
        }
        taken.push(units(good));
        lo = units(good).hi;
        if lo == extent {
            return Some(taken);
        }
    }
    None
}

/// Time to bring home, one copy after another, what each part in turn needs and is neither in main memory nor in its own.
pub(crate) fn home_ns(launched: &Launched<'_>, cuts: &[Units]) -> f64 {
    let situation = launched.situation;
    let mut ns = 0.0;
    for (index, argument) in situation.arguments.iter().enumerate() {
        let residency = argument.residency;
        let mut home = residency.valid(MemoryId::HOST).clone();
        if home.words() == residency.words() {
            continue;
        }
        let taking = situation.candidates.iter().zip(cuts);
        for (candidate, units) in taking.filter(|(_, units)| !units.is_empty()) {
            let tile = tile(launched, *units);
            let needs = contents(&(launched.footprint)(tile).arguments[index]);
            let own = residency.valid(candidate.device.memory());
            let mut far = needs.difference(own).difference(&home);
            for holder in residency
                .holders()
                .filter(|holder| *holder != MemoryId::HOST)
            {
                let found = far.intersection(residency.valid(holder));
                let link = launched.machine.devices[number(impel::DeviceId(holder.0))].link_down;
                ns += copy_ns(link, &found);
                far = far.difference(&found);
                home = home.union(&found);
            }
        }
    }
    ns
}

fn tile(launched: &Launched<'_>, units: Units) -> Tile {
    let mut tile = Tile {
        lo: [0; 3],
        hi: launched.situation.grid,
    };
    tile.lo[launched.axis] = units.lo as u32;
    tile.hi[launched.axis] = units.hi as u32;
    tile
}

fn multiple(launched: &Launched<'_>) -> u64 {
    match launched.situation.splitting {
        impel::plan::Splitting::Along { multiple, .. } => u64::from(multiple),
        impel::plan::Splitting::Refused(_) => launched.load.units,
    }
}

/// Time of `units` on `candidate`, copies before and after from the true footprint.
pub(crate) fn part_ns(
    launched: &Launched<'_>,
    candidate: &Candidate,
    units: Units,
    shared: bool,
) -> f64 {
    if units.is_empty() {
        return 0.0;
    }
    let situation = launched.situation;
    let tile = tile(launched, units);
    let memory = candidate.device.memory();
    let mut ns = candidate.ready_ns + candidate.whole.fixed_ns;
    ns += candidate.whole.work_ns * units.len() as f64 / launched.load.units as f64;
    for (argument, touch) in situation
        .arguments
        .iter()
        .zip(&(launched.footprint)(tile).arguments)
    {
        let private = touch.combine && shared;
        if !private || memory == MemoryId::HOST {
            ns += in_ns(launched, candidate, argument.residency, &contents(touch));
        }
        let home = private || argument.next == Some(MemoryId::HOST);
        if home && memory != MemoryId::HOST {
            ns += copy_ns(candidate.down, &touch.writes);
        }
    }
    ns
}

fn contents(touch: &Touch) -> SpanSet {
    if touch.exact || touch.writes.is_empty() {
        touch.reads.clone()
    } else {
        touch.reads.union(&touch.writes)
    }
}

fn in_ns(
    launched: &Launched<'_>,
    candidate: &Candidate,
    residency: &Residency,
    needs: &SpanSet,
) -> f64 {
    let memory = candidate.device.memory();
    let missing = needs.difference(residency.valid(memory));
    let mut ns = copy_ns(candidate.up, &missing);
    let mut far = missing.difference(residency.valid(MemoryId::HOST));
    for holder in residency
        .holders()
        .filter(|holder| *holder != MemoryId::HOST)
    {
        let found = far.intersection(residency.valid(holder));
        if !found.is_empty() {
            let own = &launched.machine.devices[number(impel::DeviceId(holder.0))];
            ns += copy_ns(own.link_down, &found);
            far = far.difference(&found);
        }
    }
    ns
}

fn copy_ns(link: Link, words: &SpanSet) -> f64 {
    if words.is_empty() || link == Link::NONE {
        return 0.0;
    }
    // What lies near travels together.
    let gap_words = link.latency_ns * link.bytes_per_s / 1e9 / WORD_BYTES as f64;
    let copied = words.merged(gap_words as u64);
    let bytes = (copied.words() * WORD_BYTES) as f64;
    link.latency_ns * copied.spans().len() as f64 + bytes * 1e9 / link.bytes_per_s
}
