//! What does the planner need to know?

use super::{Plan, Reason};
use crate::cost::{Link, Power, Prediction};
use crate::lanes::Tile;
use crate::machine::{DeviceId, MemoryId};
use crate::region::Residency;

/// A launch about to be planned: its grid, the devices, where its arrays are.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Workgroups along x, y, z.
    pub grid: [u32; 3],
    /// Whether and how the launch may be cut.
    pub splitting: Splitting<'a>,
    /// The devices of the machine, in the order in which they lie along the axis: the CPU first.
    pub candidates: &'a [Candidate],
    /// The array arguments, in the order of the footprint's.
    pub arguments: &'a [Argument<'a>],
    /// The plan of the last launch of this kernel over this grid: its cuts stay where moving them does not pay.
    pub previous: Option<&'a Plan>,
    /// Over how many launches like this one the copies pay off: 1 for a single launch, more for a step that is repeated.
    pub horizon: f64,
    /// What to minimise.
    pub objective: Objective,
}

/// Whether and how a launch may be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Splitting<'a> {
    /// Into ranges of workgroups along an axis.
    Along {
        /// 0, 1 or 2 for x, y or z.
        axis: usize,
        /// Cuts lie at multiples of this many workgroups.
        multiple: u32,
    },
    /// Not at all, for this reason (a sentence of the kernel's access map, with its WGSL line).
    Refused(&'a str),
}

/// A device as the planner sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Which device.
    pub device: DeviceId,
    /// Why it cannot take part in this launch, if it cannot.
    pub unusable: Option<Reason>,
    /// When it will be free, in ns from now.
    pub ready_ns: f64,
    /// Its time for the whole launch, arrays in place.
    pub whole: Prediction,
    /// Copies into its memory; [`Link::NONE`] for the CPU.
    pub up: Link,
    /// Copies out of its memory; [`Link::NONE`] for the CPU.
    pub down: Link,
    /// Longest that one dispatch may take, in ns: systems take a GPU away from whoever keeps it longer. Infinite where nobody does.
    pub dispatch_ns_max: f64,
    /// What it draws, where that is known.
    pub power: Option<Power>,
}

/// An array argument.
#[derive(Clone, Copy, Debug)]
pub struct Argument<'a> {
    /// Where its words are.
    pub residency: &'a Residency,
    /// The memory that will read what this launch writes, if that is known: moving it there is counted.
    pub next: Option<MemoryId>,
}

/// What to minimise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Objective {
    /// The time until the last device is done.
    #[default]
    Time,
    /// The energy that all devices draw until the last one is done.
    Energy,
    /// The product of both: as frugal as can be without being slow.
    EnergyDelay,
}

/// Who decides where a launch runs.
///
/// A policy says where, never what: a kernel that cannot be split runs whole under [`Policy::Split`] too, on the device with the
/// largest fraction.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Policy {
    /// The planner, by predicted time.
    #[default]
    Auto,
    /// The CPU does everything.
    CpuOnly,
    /// This GPU does everything; an error if it cannot.
    GpuOnly(DeviceId),
    /// Each of these devices does this fraction of every launch that can be split; an error if one of them cannot. The
    /// fractions are relative to their sum.
    Split(Vec<(DeviceId, f64)>),
    /// Exactly this plan, for launches of its grid.
    Fixed(Plan),
}

/// A range of workgroups along the axis of a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// The first of them.
    pub lo: u64,
    /// One past the last of them.
    pub hi: u64,
}

impl Units {
    /// How many there are.
    pub fn len(&self) -> u64 {
        self.hi.saturating_sub(self.lo)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.lo >= self.hi
    }

    /// Those that are also in `other`.
    pub fn intersection(self, other: Self) -> Self {
        let lo = self.lo.max(other.lo);
        Self {
            lo,
            hi: self.hi.min(other.hi).max(lo),
        }
    }
}

impl Situation<'_> {
    /// The whole launch as one tile.
    pub(super) fn whole(&self) -> Tile {
        Tile {
            lo: [0; 3],
            hi: self.grid,
        }
    }

    /// The tile of `units` along `axis`, whole along the others.
    pub(super) fn tile(&self, axis: usize, units: Units) -> Tile {
        let mut tile = self.whole();
        tile.lo[axis] = units.lo as u32;
        tile.hi[axis] = units.hi as u32;
        tile
    }

    /// Position of `device` among the candidates.
    pub(super) fn position(&self, device: DeviceId) -> Option<usize> {
        self.candidates
            .iter()
            .position(|candidate| candidate.device == device)
    }

    /// The link out of `memory`, which for the host's is none.
    pub(super) fn down(&self, memory: MemoryId) -> Link {
        let owner = self
            .candidates
            .iter()
            .find(|candidate| candidate.device.memory() == memory);
        owner.map_or(Link::NONE, |owner| owner.down)
    }
}

/// Number of workgroups in a tile.
pub(super) fn workgroups(tile: &Tile) -> u64 {
    tile.lo
        .iter()
        .zip(&tile.hi)
        .map(|(lo, hi)| u64::from(hi.saturating_sub(*lo)))
        .product()
}
