//! What goes wrong on an imagined GPU, and when? A schedule that a test writes down, or that a seed makes.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::lanes::Tile;
use crate::machine::DeviceId;

/// Something that goes wrong on an imagined GPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// On which GPU.
    pub gpu: DeviceId,
    /// In which of its operations.
    pub phase: Phase,
    /// In how many-th such operation, from 1.
    pub nth: u32,
    /// Before, during or after it; what is not done yet then is not done.
    pub moment: Moment,
    /// What happens.
    pub kind: FaultKind,
}

/// An operation of a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Phase {
    /// Memory is taken for an array.
    Allocate,
    /// Words are sent to the GPU.
    Upload,
    /// A part is handed to the driver.
    Submit,
    /// A part runs.
    Compute,
    /// Words come home.
    Download,
}

/// When in an operation something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// Nothing of it is done.
    Before,
    /// Half of it is done.
    During,
    /// All of it is done.
    After,
}

/// What happens to an imagined GPU.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultKind {
    /// The device is gone, with all that its memory held.
    Lost,
    /// The driver finds no memory for the operation.
    OutOfMemory,
    /// The driver calls the operation invalid.
    Invalid,
    /// The operation never ends.
    Hang,
    /// The part writes other words than it should.
    WrongResult,
    /// The operation takes so many times as long.
    Slow(f64),
}

impl Fault {
    /// Faults that a seed makes: `count` of them, on any of `gpus` GPUs, in one of the first `among` operations of each phase.
    pub fn random(seed: u64, gpus: u8, count: usize, among: u32) -> Vec<Self> {
        let mut state = seed;
        let mut below = |bound: u64| random(&mut state) % bound.max(1);
        (0..count)
            .map(|_| {
                let phase = Phase::ALL[below(Phase::ALL.len() as u64) as usize];
                let kind = match below(6) {
                    0 | 1 => FaultKind::Lost,
                    2 => FaultKind::OutOfMemory,
                    3 => FaultKind::Invalid,
                    4 => FaultKind::Hang,
                    _ => FaultKind::Slow(1.0 + below(1000) as f64),
                };
                Self {
                    gpu: DeviceId(1 + below(gpus.into()) as u8),
                    phase,
                    nth: 1 + below(among.into()) as u32,
                    moment: Moment::ALL[below(3) as usize],
                    kind,
                }
            })
            .collect()
    }
}

impl Phase {
    /// All of them, in the order in which a launch meets them.
    pub const ALL: [Self; 5] = [
        Self::Allocate,
        Self::Upload,
        Self::Submit,
        Self::Compute,
        Self::Download,
    ];
}

impl Moment {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Before, Self::During, Self::After];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            gpu,
            phase,
            nth,
            moment,
            kind,
        } = self;
        write!(f, "{gpu}: {kind} {moment} {phase} {nth}")
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Allocate => "allocation",
            Self::Upload => "upload",
            Self::Submit => "submission",
            Self::Compute => "compute",
            Self::Download => "download",
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
        })
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => f.pad("device lost"),
            Self::OutOfMemory => f.pad("out of memory"),
            Self::Invalid => f.pad("validation error"),
            Self::Hang => f.pad("never ends"),
            Self::WrongResult => f.pad("wrong result"),
            Self::Slow(times) => f.pad(&format!("{times} times slower")),
        }
    }
}

/// The faults of one GPU, and how many operations it has seen.
#[derive(Debug)]
pub(super) struct Schedule {
    faults: Vec<Fault>,
    seen: [AtomicU32; Phase::ALL.len()],
}

impl Schedule {
    pub(super) fn of(gpu: DeviceId, faults: &[Fault]) -> Self {
        let own = faults.iter().filter(|fault| fault.gpu == gpu);
        Self {
            faults: own.copied().collect(),
            seen: Default::default(),
        }
    }

    /// One more operation begins: what goes wrong in it.
    pub(super) fn next(&self, phase: Phase) -> Option<Fault> {
        // Relaxed: a counter, which orders nothing.
        let nth = self.seen[phase as usize].fetch_add(1, Ordering::Relaxed) + 1;
        let mut faults = self.faults.iter();
        faults
            .find(|fault| fault.phase == phase && fault.nth == nth)
            .copied()
    }
}

/// What goes wrong in an operation under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strike(pub(super) Option<Fault>);

impl Strike {
    pub(super) const NONE: Self = Self(None);

    /// How many times as long the operation takes.
    pub(super) fn slower(self) -> f64 {
        match self.0.map(|fault| fault.kind) {
            Some(FaultKind::Slow(times)) => times,
            _ => 1.0,
        }
    }

    /// How much of `whole` is done.
    pub(super) fn done_of(self, whole: usize) -> usize {
        match self.0 {
            Some(Fault {
                kind: FaultKind::WrongResult | FaultKind::Slow(_),
                ..
            })
            | None => whole,
            Some(fault) => match fault.moment {
                Moment::Before => 0,
                Moment::During => whole / 2,
                Moment::After => whole,
            },
        }
    }

    /// How much of a tile is done.
    pub(super) fn done_of_tile(self, tile: Tile) -> Tile {
        let Some(axis) = (0..3).rev().find(|&axis| tile.hi[axis] > tile.lo[axis] + 1) else {
            return tile;
        };
        let extent = (tile.hi[axis] - tile.lo[axis]) as usize;
        let mut done = tile;
        done.hi[axis] = tile.lo[axis] + self.done_of(extent) as u32;
        done
    }
}

/// The next number of a sequence (`SplitMix64`, Steele, Lea and Flood 2014).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_the_operation_it_names_and_no_other() {
        let fault = Fault {
            gpu: DeviceId(2),
            phase: Phase::Upload,
            nth: 2,
            moment: Moment::During,
            kind: FaultKind::Lost,
        };
        let own = Schedule::of(DeviceId(2), &[fault]);
        assert_eq!(own.next(Phase::Upload), None);
        assert_eq!(own.next(Phase::Download), None);
        assert_eq!(own.next(Phase::Upload), Some(fault));
        assert_eq!(own.next(Phase::Upload), None);
        let other = Schedule::of(DeviceId(1), &[fault]);
        assert!((0..4).all(|_| other.next(Phase::Upload).is_none()));
        assert_eq!(fault.to_string(), "GPU 2: device lost during upload 2");
    }

    #[test]
    fn a_seed_makes_the_same_faults_again() {
        let faults = Fault::random(7, 3, 50, 9);
        assert_eq!(faults, Fault::random(7, 3, 50, 9));
        assert_ne!(faults, Fault::random(8, 3, 50, 9));
        assert!(faults.iter().all(|fault| (1..=3).contains(&fault.gpu.0)));
        assert!(faults.iter().all(|fault| (1..=9).contains(&fault.nth)));
    }
}
