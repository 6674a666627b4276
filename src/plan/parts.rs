//! What is a plan, and does it cover its launch?

use thiserror::Error;

use super::situation::workgroups;
use crate::cost::Source;
use crate::lanes::Tile;
use crate::machine::DeviceId;

/// Who does which part of one launch, and why. Printed, it is what `explain` shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Workgroups of the launch along x, y, z.
    pub grid: [u32; 3],
    /// The axis along which it is cut: 0, 1 or 2 for x, y or z. `None` where it is not cut.
    pub axis: Option<usize>,
    /// Tiles and their devices, in the order of the axis. Empty for a launch of no workgroups.
    pub parts: Vec<Part>,
    /// Devices without a part, and why.
    pub rejected: Vec<(DeviceId, Reason)>,
    /// Why the launch was split, or not.
    pub split: SplitVerdict,
}

/// One tile on one device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Who does it.
    pub device: DeviceId,
    /// What it does.
    pub tile: Tile,
    /// When it is expected to be done, in ns from now: waiting, copies and work.
    pub predicted_ns: f64,
    /// Of that, copies, in ns.
    pub transfer_ns: f64,
    /// Bytes to copy into the device's memory beforehand.
    pub bytes_in: u64,
    /// Bytes to copy out of it for the next reader or to be combined, as far as that is known.
    pub bytes_out: u64,
    /// What the prediction rests on.
    pub source: Source,
}

/// Why a device has no part in a launch.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// It is a software GPU and nobody asked for it.
    Software,
    /// Its memory has no room for the arrays, not even piece by piece, as said here.
    NoRoom(String),
    /// An array begins at an address that the device cannot bind.
    Misaligned {
        /// Number of the array argument.
        argument: usize,
        /// Where it begins, in bytes.
        offset: u64,
        /// What that must be a multiple of.
        alignment: u64,
    },
    /// It would take longer than systems allow, and the launch cannot be cut.
    TooLong {
        /// What the launch would take, in ns.
        ns: f64,
        /// The longest that may be, in ns.
        ns_max: f64,
    },
    /// The kernel cannot run there, as said here.
    Unsupported(String),
    /// It failed and has been retired, as said here.
    Retired(String),
    /// The policy names other devices.
    Policy,
    /// No share of it lets the launch end earlier.
    NoGain {
        /// When it would end if this device did everything, in ns.
        alone_ns: f64,
        /// Of that, copies, in ns.
        transfer_ns: f64,
    },
}

/// Why a launch was split, or was not. Times are of the whole launch, in ns.
#[derive(Clone, Debug, PartialEq)]
pub enum SplitVerdict {
    /// Nothing to do.
    Empty,
    /// Only one device can take part.
    OneDevice,
    /// The policy says so.
    Policy,
    /// The kernel must not be cut; the sentence says where and why.
    Refused(String),
    /// Split, because the best single device would take this long.
    Split {
        /// The best single device.
        single: DeviceId,
        /// Its time.
        single_ns: f64,
    },
    /// Split as last time, because the best cut is no more than a little better.
    Kept {
        /// Time with the cut as it is.
        kept_ns: f64,
        /// Time with the best cut.
        best_ns: f64,
    },
    /// Another cut than usual, to try a device that has been left out for long.
    Trial {
        /// The device.
        device: DeviceId,
        /// Launches without it.
        idle_launches: u64,
        /// Time of the usual plan.
        usual_ns: f64,
    },
    /// The plan with the least energy, or energy times time.
    Frugal {
        /// Energy that all devices draw until it is done, in joules.
        joules: f64,
        /// Its time.
        ns: f64,
        /// Energy of the fastest plan, in joules.
        fastest_joules: f64,
        /// Time of the fastest plan.
        fastest_ns: f64,
    },
    /// Not split, because the best split takes about as long or longer.
    NotWorth {
        /// Time of the best split.
        split_ns: f64,
        /// Time of the best single device.
        single_ns: f64,
    },
    /// Not split, because no second device could be done with anything before the best one has finished.
    TooShort {
        /// Time of the best single device.
        single_ns: f64,
        /// What the next device takes for the least share; infinite if there is none.
        next_ns: f64,
    },
}

/// How the parts of a plan fail to tile a launch exactly once.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TilingError {
    /// The plan was made for another grid.
    #[error("the plan is for a grid of {planned:?} workgroups, the launch has {launched:?}")]
    OtherGrid {
        /// The plan's grid.
        planned: [u32; 3],
        /// The launch's grid.
        launched: [u32; 3],
    },
    /// A part is empty or reaches outside the grid.
    #[error("part {part}, {tile}, is empty or outside a grid of {grid:?} workgroups")]
    Outside {
        /// Number of the part.
        part: usize,
        /// Its tile.
        tile: Tile,
        /// The launch's grid.
        grid: [u32; 3],
    },
    /// Two parts share a workgroup.
    #[error("parts {first} and {second} of the plan overlap")]
    Overlap {
        /// Number of one part.
        first: usize,
        /// Number of the other part.
        second: usize,
    },
    /// A workgroup is in no part.
    #[error("the parts of the plan cover {covered} of {total} workgroups")]
    Gap {
        /// Workgroups in parts.
        covered: u64,
        /// Workgroups of the launch.
        total: u64,
    },
}

impl Plan {
    /// Checks that the parts tile `grid` exactly once.
    ///
    /// # Errors
    /// Names the first part that does not fit.
    pub fn check(&self, grid: [u32; 3]) -> Result<(), TilingError> {
        if self.grid != grid {
            return Err(TilingError::OtherGrid {
                planned: self.grid,
                launched: grid,
            });
        }
        for (part, own) in self.parts.iter().enumerate() {
            let tile = own.tile;
            if (0..3).any(|axis| tile.lo[axis] >= tile.hi[axis] || tile.hi[axis] > grid[axis]) {
                return Err(TilingError::Outside { part, tile, grid });
            }
            for (first, other) in self.parts[..part].iter().enumerate() {
                if meet(&tile, &other.tile) {
                    return Err(TilingError::Overlap {
                        first,
                        second: part,
                    });
                }
            }
        }
        let covered = self.parts.iter().map(|part| workgroups(&part.tile)).sum();
        let total = grid.iter().map(|extent| u64::from(*extent)).product();
        if covered == total {
            Ok(())
        } else {
            Err(TilingError::Gap { covered, total })
        }
    }

    /// When the last part is expected to be done, in ns from now.
    pub fn makespan_ns(&self) -> f64 {
        self.parts
            .iter()
            .map(|part| part.predicted_ns)
            .fold(0.0, f64::max)
    }
}

fn meet(a: &Tile, b: &Tile) -> bool {
    (0..3).all(|axis| a.lo[axis] < b.hi[axis] && b.lo[axis] < a.hi[axis])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(cuts: &[(u32, u32)]) -> Plan {
        let part = |(lo, hi): &(u32, u32)| Part {
            device: DeviceId::CPU,
            tile: Tile {
                lo: [0, *lo, 0],
                hi: [4, *hi, 1],
            },
            predicted_ns: 1.0,
            transfer_ns: 0.0,
            bytes_in: 0,
            bytes_out: 0,
            source: Source::Prior,
        };
        Plan {
            grid: [4, 10, 1],
            axis: Some(1),
            parts: cuts.iter().map(part).collect(),
            rejected: Vec::new(),
            split: SplitVerdict::Policy,
        }
    }

    #[test]
    fn parts_must_tile_the_grid_exactly_once() {
        let grid = [4, 10, 1];
        assert_eq!(plan(&[(0, 3), (3, 10)]).check(grid), Ok(()));
        assert_eq!(plan(&[(3, 10), (0, 3)]).check(grid), Ok(()));
        let overlap = plan(&[(0, 4), (3, 10)]).check(grid);
        assert_eq!(
            overlap,
            Err(TilingError::Overlap {
                first: 0,
                second: 1
            })
        );
        let gap = plan(&[(0, 3), (4, 10)]).check(grid);
        assert_eq!(
            gap,
            Err(TilingError::Gap {
                covered: 36,
                total: 40
            })
        );
        assert!(matches!(
            plan(&[(0, 11)]).check(grid),
            Err(TilingError::Outside { part: 0, .. })
        ));
        assert!(matches!(
            plan(&[(0, 0), (0, 10)]).check(grid),
            Err(TilingError::Outside { .. })
        ));
        assert!(matches!(
            plan(&[(0, 10)]).check([4, 9, 1]),
            Err(TilingError::OtherGrid { .. })
        ));
    }
}
