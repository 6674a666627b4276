//! Who takes which units next, while a launch is under way? Dynamic balance along the axis of a cut; pure.
//!
//! A plan rests on predictions. [`Balance`] obeys its cuts as far as the predictions hold and corrects them while the devices
//! work: each device takes its planned interval in chunks, from its own side, and when neighbours meet, whoever is free takes
//! what is left where the end would come last. Every decision follows one estimate. With `a` the time from which a device can
//! work on something new (what it has under way, then the fixed cost of a chunk) and `p` its units per ns, all end together at
//!
//! ```text
//! T = (units left + Σ a·p) / Σ p          over the devices with a < T
//! ```
//!
//! and a device's share is `(T - a)·p`: nothing where its fixed cost exceeds the time left. A chunk is that part of the share
//! which the device should have *even if* it is as slow as it may be and the others as fast as they may be. So a plan that is sure costs
//! one large chunk and a few small ones (guided sizes, shrinking with what is left), and a guess starts with a small probe.
//! After each chunk the speed of its device is known better, and so is how far it can be trusted: kernels whose time depends on
//! their data keep getting small chunks.
//!
//! Events go in ([`finished`](Balance::finished), [`failed`](Balance::failed)), decisions come out ([`next`](Balance::next)); time
//! is whatever the caller says. The chunks that are taken and not failed tile the launch exactly once.
//!
//! The scheme generalises guided self-scheduling (Polychronopoulos and Kuck, 1987) and factoring (Hummel, Schonberg and Flynn,
//! 1992) to devices of unequal, uncertain speeds.

mod free;
mod hand;
#[cfg(test)]
mod promises;
mod terms;

pub use terms::Terms;

use free::Free;
use hand::Hand;

use super::situation::Units;
use super::{Plan, SplitVerdict};
use crate::machine::DeviceId;

/// A chunk's work takes at least this many times its fixed cost, unless less is left.
const WORK_PER_FIXED_MIN: f64 = 4.0;
/// …and at least this part of the whole launch: that much later than the others may be the last one done.
const WORK_PART_MIN: f64 = 0.01;
/// A device without a part in the plan is tried if it could contribute this much of the joint speed.
const RESERVE_GAIN_MIN: f64 = 0.08;

/// A launch that is predicted to take less is carried out as planned, in ns.
const BALANCED_NS_MIN: f64 = 500_000.0;

/// Whether a plan that the planner was free to make is to be shared out as it goes: it takes long enough, and is no trial of a device.
pub fn is_worthwhile(plan: &Plan) -> bool {
    let free = !matches!(
        plan.split,
        SplitVerdict::Trial { .. } | SplitVerdict::Refused(_)
    );
    free && plan.makespan_ns() >= BALANCED_NS_MIN
}

/// Units that a device is to work on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chunk {
    /// Who takes them.
    pub device: DeviceId,
    /// The units of the axis.
    pub units: Units,
    /// How long they should keep the device: copies, launch and work, in ns.
    pub predicted_ns: f64,
}

/// How long a chunk kept its device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Took {
    /// Waiting for its words, in ns.
    pub copies_ns: f64,
    /// Working, launch included, in ns.
    pub work_ns: f64,
}

/// What a device is to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turn {
    /// Work on this.
    Take(Chunk),
    /// Nothing for now: ask again after the next event.
    Wait,
    /// Nothing more: the launch is done, or nobody is left who could do the rest.
    Done,
}

/// A launch under way, and who has taken what of it.
#[derive(Clone, Debug)]
pub struct Balance {
    extent: u64,
    multiple: u64,
    free: Free,
    /// In the order of the axis.
    hands: Vec<Hand>,
}

impl Balance {
    /// A launch of `extent` units, cut at multiples of `multiple`, of which nothing has been taken yet.
    ///
    /// `terms` has one entry per device that may take part, in the order in which they lie along the axis.
    ///
    /// # Panics
    /// If `terms` is empty or its planned intervals do not lie side by side from 0 to `extent`.
    pub fn new(extent: u64, multiple: u64, terms: Vec<Terms>) -> Self {
        let mut at = 0;
        for own in &terms {
            assert!(
                own.planned.lo == at && own.planned.hi >= at,
                "planned intervals lie side by side"
            );
            at = own.planned.hi;
        }
        assert_eq!(at, extent, "planned intervals cover the axis");
        Self {
            extent,
            multiple: multiple.max(1),
            free: Free::new(extent),
            hands: terms.into_iter().map(Hand::new).collect(),
        }
    }

    /// What `device` is to do next, at `now_ns`. It may have work under way already: then what it takes is queued behind that.
    ///
    /// A device that takes no part has nothing to do.
    pub fn next(&mut self, device: DeviceId, now_ns: f64) -> Turn {
        self.next_within(device, now_ns, f64::INFINITY)
    }

    /// As [`next`](Self::next), but no more than should keep the device for `busy_ns_max`.
    pub fn next_within(&mut self, device: DeviceId, now_ns: f64, busy_ns_max: f64) -> Turn {
        let Some(at) = self.position(device) else {
            return Turn::Done;
        };
        let idle = self.hands.iter().all(|hand| hand.flying.is_empty());
        if self.free.is_empty() || self.hands.iter().all(|hand| hand.out) {
            return if idle { Turn::Done } else { Turn::Wait };
        }
        let Some(wanted) = self.wanted(at, now_ns, idle) else {
            return Turn::Wait;
        };
        let most = (busy_ns_max / self.hands[at].unit_ns()).max(1.0);
        let wanted = (wanted as f64).min(most) as u64;
        let units = self.place(at, wanted, now_ns);
        self.take(at, units, now_ns)
    }

    /// The oldest chunk under way on `device` is complete, and took so long.
    ///
    /// # Panics
    /// If the device has nothing under way.
    pub fn finished(&mut self, device: DeviceId, took: Took, now_ns: f64) {
        let hand = self.hand_mut(device);
        let flying = hand.flying.pop_front().expect("a chunk is under way");
        hand.learn(&flying, took);
        if let Some(next) = hand.flying.front_mut() {
            next.started_ns = now_ns;
        }
    }

    /// `device` failed: all that it took, complete or not, is to be done by others, and it gets no more.
    pub fn failed(&mut self, device: DeviceId) {
        let Some(at) = self.position(device) else {
            return;
        };
        let hand = &mut self.hands[at];
        hand.out = true;
        hand.own = None;
        hand.flying.clear();
        for units in hand.done.drain(..) {
            self.free.give_back(units);
        }
    }

    /// `device` does not begin the chunk that it took last.
    ///
    /// # Panics
    /// If the device has nothing under way.
    pub fn put_back(&mut self, device: DeviceId) {
        let hand = self.hand_mut(device);
        let flying = hand.flying.pop_back().expect("a chunk is under way");
        hand.done.retain(|own| *own != flying.units);
        hand.own = hand.done.last().copied();
        self.free.give_back(flying.units);
    }

    /// `device` does not begin the chunk that it took last, and gets no more; what it did and has under way counts.
    ///
    /// # Panics
    /// If the device has nothing under way.
    pub fn withdraw(&mut self, device: DeviceId) {
        self.put_back(device);
        self.hand_mut(device).out = true;
    }

    /// The units that nobody has taken: after [`Turn::Done`], what no device was left to do.
    pub fn left(&self) -> &[Units] {
        self.free.spans()
    }

    /// What each device has taken, as few intervals as there are, in the order of the axis.
    pub fn taken(&self) -> Vec<(DeviceId, Units)> {
        let of = |hand: &Hand| {
            let device = hand.terms.device;
            hand.done
                .iter()
                .map(move |units| (device, *units))
                .collect::<Vec<_>>()
        };
        let mut taken: Vec<(DeviceId, Units)> = self.hands.iter().flat_map(of).collect();
        taken.sort_unstable_by_key(|(_, units)| units.lo);
        taken.dedup_by(|next, last| {
            let joined = next.0 == last.0 && next.1.lo == last.1.hi;
            if joined {
                last.1.hi = next.1.hi;
            }
            joined
        });
        taken
    }

    fn position(&self, device: DeviceId) -> Option<usize> {
        self.hands
            .iter()
            .position(|hand| hand.terms.device == device)
    }

    fn hand_mut(&mut self, device: DeviceId) -> &mut Hand {
        let at = self.position(device).expect("a device that takes part");
        &mut self.hands[at]
    }

    /// How many units device number `at` should take now, if any. With nothing under way anywhere somebody must.
    fn wanted(&self, at: usize, now_ns: f64, idle: bool) -> Option<u64> {
        let hand = &self.hands[at];
        // Before its speed is known, a device gets one chunk at a time.
        if hand.out || (!hand.flying.is_empty() && !hand.is_measured()) {
            return None;
        }
        let mut joint: Vec<Pace> = (0..self.hands.len())
            .map(|other| self.pace(other, now_ns))
            .collect();
        let all: f64 = joint.iter().map(|pace| pace.speed).sum();
        for (hand, pace) in self.hands.iter().zip(&mut joint) {
            // A device that the plan leaves out brings little, and each word that it writes has to come back.
            let reserve = hand.terms.planned.is_empty();
            if reserve && pace.speed * pace.doubt < RESERVE_GAIN_MIN * all {
                *pace = Pace::NONE;
            }
        }
        let own = joint[at];
        let end_ns = self.end_ns(&joint);
        let share = (end_ns - own.from_ns) * own.speed;
        if own.speed == 0.0 || (share <= 0.0 && !idle) {
            return None;
        }
        if share < self.multiple as f64 {
            // Less than can be cut off is for whoever would be done with that first.
            let done = |pace: &Pace| pace.from_ns + self.multiple as f64 / pace.speed;
            let first = joint.iter().map(done).fold(f64::INFINITY, f64::min);
            return (done(&own) <= first).then_some(self.multiple);
        }
        let worst: Vec<Pace> = joint
            .iter()
            .enumerate()
            .map(|(other, pace)| pace.doubted(other == at))
            .collect();
        let sure = (self.end_ns(&worst) - own.from_ns) * worst[at].speed;
        let least_ns = (WORK_PER_FIXED_MIN * hand.terms.chunk_ns).max(WORK_PART_MIN * end_ns);
        let least = least_ns * own.speed;
        let most = hand.terms.chunk_ns_max / hand.doubt() * own.speed;
        let units = sure.max(least).min(share).min(most);
        Some((units as u64).max(1))
    }

    /// When all end together: the water level over the devices that begin before it.
    fn end_ns(&self, paces: &[Pace]) -> f64 {
        let mut order: Vec<&Pace> = paces.iter().filter(|pace| pace.speed > 0.0).collect();
        order.sort_by(|a, b| a.from_ns.total_cmp(&b.from_ns));
        let (mut units, mut speed, mut end_ns) = (self.free.units() as f64, 0.0, f64::INFINITY);
        for pace in order {
            if pace.from_ns >= end_ns {
                break;
            }
            units += pace.from_ns * pace.speed;
            speed += pace.speed;
            end_ns = units / speed;
        }
        end_ns
    }

    /// From when, and how fast, device number `at` could work on more.
    fn pace(&self, at: usize, now_ns: f64) -> Pace {
        let hand = &self.hands[at];
        if hand.out {
            return Pace::NONE;
        }
        let overdue = hand.overdue(now_ns);
        let copies_ns = self
            .next_side(at, now_ns)
            .map_or(0.0, |side| hand.copies_ns(side) / side.len().max(1) as f64);
        Pace {
            from_ns: hand.busy_until_ns(now_ns, 1.0) + hand.start_ns(),
            soonest_ns: hand.busy_until_ns(now_ns, hand.doubt()) + hand.start_ns(),
            speed: 1.0 / (hand.unit_ns() * overdue + copies_ns),
            doubt: hand.doubt(),
        }
    }

    /// The units that device number `at` would take first: those beside its own, of its own plan before others'.
    fn next_side(&self, at: usize, now_ns: f64) -> Option<Units> {
        let hand = &self.hands[at];
        let planned = hand.terms.planned;
        if let Some(own) = hand.own {
            let left = self.free.ending_at(own.lo);
            let right = self.free.starting_at(own.hi);
            let sides = [left, right];
            let mine = |side: &Units| side.intersection(planned).len();
            let most_mine = sides.iter().flatten().copied().max_by_key(mine);
            if let Some(side) = most_mine.filter(|side| mine(side) > 0) {
                return Some(self.near(at, side));
            }
            let beyond = |side: &Units| self.drain_ns(*side, at, now_ns);
            let latest = |a: &Units, b: &Units| beyond(a).total_cmp(&beyond(b));
            if let Some(side) = sides.iter().flatten().copied().max_by(latest) {
                return Some(side);
            }
        } else if let Some(found) = self.free.around(planned) {
            return Some(self.near(at, found));
        }
        let slow = |a: &Units, b: &Units| {
            self.drain_ns(*a, at, now_ns)
                .total_cmp(&self.drain_ns(*b, at, now_ns))
        };
        self.free.spans().iter().copied().max_by(slow)
    }

    /// What device number `at` should take first of `side`: where its words are depends on where its units are, and its plan knows.
    fn near(&self, at: usize, side: Units) -> Units {
        let terms = &self.hands[at].terms;
        let mine = side.intersection(terms.planned);
        if mine.is_empty() || terms.copies.is_empty() {
            side
        } else {
            mine
        }
    }

    /// When the devices beside `side`, other than number `at`, would have done it.
    fn drain_ns(&self, side: Units, at: usize, now_ns: f64) -> f64 {
        let beside = |hand: &&Hand| {
            hand.own
                .is_some_and(|own| own.hi == side.lo || own.lo == side.hi)
        };
        let others = self
            .hands
            .iter()
            .enumerate()
            .filter(|(other, hand)| *other != at && !hand.out && beside(hand));
        let (mut units, mut speed) = (side.len() as f64, 0.0);
        for (_, hand) in others {
            let own = 1.0 / hand.unit_ns();
            units += hand.busy_until_ns(now_ns, 1.0) * own;
            speed += own;
        }
        if speed > 0.0 {
            units / speed
        } else {
            f64::INFINITY
        }
    }

    /// Where the next `wanted` units of device number `at` lie.
    fn place(&self, at: usize, wanted: u64, now_ns: f64) -> Units {
        let hand = &self.hands[at];
        let side = self.next_side(at, now_ns).expect("something is free");
        let copies_ns = hand.copies_ns(side);
        if copies_ns == 0.0 {
            return self.within(at, side, wanted);
        }
        // Copies may be dearer or cheaper in the units at hand than on the average of those that come next.
        let time_ns = |units: Units| hand.unit_ns() * units.len() as f64 + hand.copies_ns(units);
        let most_ns = (hand.unit_ns() + copies_ns / side.len() as f64) * wanted as f64;
        let (mut good, mut bad) = (1, side.len().div_ceil(self.multiple) + 1);
        while bad - good > 1 {
            let blocks = u64::midpoint(good, bad);
            if time_ns(self.within(at, side, blocks * self.multiple)) <= most_ns {
                good = blocks;
            } else {
                bad = blocks;
            }
        }
        self.within(at, side, good * self.multiple)
    }

    /// `wanted` units of the free interval `side`, where device number `at` should take them, cut at multiples.
    fn within(&self, at: usize, side: Units, wanted: u64) -> Units {
        let hand = &self.hands[at];
        let blocks = wanted.div_ceil(self.multiple).max(1) * self.multiple;
        if blocks >= side.len() {
            return side;
        }
        let up = |lo: u64| Units {
            lo,
            hi: (lo + blocks).min(side.hi),
        };
        let down = |hi: u64| Units {
            lo: (hi - blocks).div_ceil(self.multiple) * self.multiple,
            hi,
        };
        if let Some(own) = hand.own {
            if own.hi == side.lo {
                return up(side.lo);
            }
            if own.lo == side.hi {
                return down(side.hi);
            }
        }
        // A first chunk lies in the middle of what is planned, so that both neighbours can meet it; but at the ends of the axis.
        let plan = hand.terms.planned;
        let own = hand.own.is_none();
        if own && plan.lo == 0 && side.lo == 0 {
            return up(0);
        }
        if own && plan.hi == self.extent && side.hi == self.extent {
            return down(self.extent);
        }
        let aim = if own { plan.intersection(side) } else { side };
        let aim = if aim.is_empty() && !own { side } else { aim };
        let middle = if own {
            u64::midpoint(plan.lo, plan.hi)
        } else {
            u64::midpoint(aim.lo, aim.hi)
        };
        let lo = middle.saturating_sub(blocks / 2) / self.multiple * self.multiple;
        let last = (side.hi - blocks) / self.multiple * self.multiple;
        up(lo.clamp(side.lo, last.max(side.lo)))
    }

    fn take(&mut self, at: usize, units: Units, now_ns: f64) -> Turn {
        self.free.take(units);
        let hand = &mut self.hands[at];
        let flying = hand.begin(units, now_ns);
        hand.flying.push_back(flying);
        hand.entered = true;
        hand.done.push(units);
        hand.own = Some(match hand.own {
            Some(own) if own.hi == units.lo => Units {
                hi: units.hi,
                ..own
            },
            Some(own) if own.lo == units.hi => Units {
                lo: units.lo,
                ..own
            },
            _ => units,
        });
        let device = hand.terms.device;
        Turn::Take(Chunk {
            device,
            units,
            predicted_ns: flying.predicted_ns,
        })
    }
}

/// From when, and how fast, a device could work on more.
#[derive(Clone, Copy, Debug)]
struct Pace {
    from_ns: f64,
    /// The same, were it as fast as it may be.
    soonest_ns: f64,
    /// Units per ns.
    speed: f64,
    /// The factor by which that may be wrong, 1 or more.
    doubt: f64,
}

impl Pace {
    const NONE: Self = Self {
        from_ns: f64::INFINITY,
        soonest_ns: f64::INFINITY,
        speed: 0.0,
        doubt: 1.0,
    };

    /// As slow as it may be for oneself, as fast as it may be for another.
    fn doubted(self, oneself: bool) -> Self {
        if oneself {
            Self {
                speed: self.speed / self.doubt,
                ..self
            }
        } else {
            Self {
                speed: self.speed * self.doubt,
                from_ns: self.soonest_ns,
                ..self
            }
        }
    }
}
