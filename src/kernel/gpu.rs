//! How is a part of a launch dispatched? The small uniform buffer that tells a GPU module which workgroups to run, and the
//! folding of long dispatches into as many dimensions as an adapter's limit asks for.

use smallvec::SmallVec;

use crate::lanes::Tile;

/// What a GPU runs: WGSL with every binding in group 0, numbered in the order of
/// [`Kernel::bindings`](super::Kernel::bindings), and one more uniform buffer behind them, at binding
/// [`launch_binding`](GpuModule::launch_binding), that holds the words of [`launch_words`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuModule {
    /// The module.
    pub wgsl: &'static str,
    /// Name of its entry point for dispatches in the shape of the part.
    pub entry: &'static str,
    /// Name of its entry point for [folded](dispatch_size) dispatches.
    pub folded: &'static str,
    /// Binding of the launch description, in group 0.
    pub launch_binding: u32,
    /// The module for arrays of which only a range is bound: its launch description goes on with [`window_words`]. None if no
    /// binding is a runtime-sized array.
    pub windowed: Option<&'static str>,
}

impl GpuModule {
    /// The entry point that runs `tile` in a dispatch of `workgroups`.
    pub fn entry_for(&self, tile: Tile, workgroups: [u32; 3]) -> &'static str {
        if workgroups == tile_extent(tile) {
            self.entry
        } else {
            self.folded
        }
    }
}

/// What of a runtime-sized array is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First bound element.
    pub first: u32,
    /// Elements of the whole array.
    pub len: u32,
}

/// Words of the launch description for each runtime-sized array of a windowed module.
pub const WINDOW_WORDS: usize = 4;

/// The rest of the launch description of a windowed module, one entry per binding that
/// [may be bound in part](super::Binding::may_be_windowed).
pub fn window_words(windows: &[Window]) -> SmallVec<[u32; 8 * WINDOW_WORDS]> {
    let words = windows
        .iter()
        .map(|window| [window.first, window.len, 0, 0]);
    words.flatten().collect()
}

/// Size of the launch description in words: three vectors of three, each padded to four.
pub const LAUNCH_WORDS: usize = 12;

/// The launch description for running `tile` of a launch of `num_workgroups`: first workgroup, extent of the tile, workgroups
/// of the whole launch.
pub fn launch_words(tile: Tile, num_workgroups: [u32; 3]) -> [u32; LAUNCH_WORDS] {
    let mut words = [0; LAUNCH_WORDS];
    words[0..3].copy_from_slice(&tile.lo);
    words[4..7].copy_from_slice(&tile_extent(tile));
    words[8..11].copy_from_slice(&num_workgroups);
    words
}

/// Workgroups of `tile` along x, y, z; all 0 for an empty one.
fn tile_extent(tile: Tile) -> [u32; 3] {
    let extent = [0, 1, 2].map(|axis| tile.hi[axis].saturating_sub(tile.lo[axis]));
    if extent.contains(&0) { [0; 3] } else { extent }
}

/// The dispatch that runs `tile` where no dimension may exceed `max_per_dimension` (wgpu's
/// `max_compute_workgroups_per_dimension`).
///
/// The tile's own shape if that fits; else its workgroups in a row, folded into rows and layers, with at most a row too many:
/// the module skips what lies past the end. None if even that does not fit.
pub fn dispatch_size(tile: Tile, max_per_dimension: u32) -> Option<[u32; 3]> {
    let extent = tile_extent(tile);
    if extent.iter().all(|size| *size <= max_per_dimension) {
        return Some(extent);
    }
    let max = u64::from(max_per_dimension.max(1));
    let total = extent
        .iter()
        .try_fold(1_u64, |product, size| product.checked_mul(u64::from(*size)))?;
    let layers = total.div_ceil(max * max);
    let rows = total.div_ceil(layers).div_ceil(max);
    let row = total.div_ceil(layers * rows);
    let dispatch = [row, rows, layers].map(|size| size as u32);
    // The module counts workgroups in 32 bits.
    let counts = u32::try_from(u128::from(row) * u128::from(rows) * u128::from(layers)).is_ok();
    (layers <= max && counts).then_some(dispatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(lo: u32, hi: u32) -> Tile {
        Tile {
            lo: [lo, 0, 0],
            hi: [hi, 1, 1],
        }
    }

    #[test]
    fn a_tile_that_fits_keeps_its_shape() {
        let tile = Tile {
            lo: [2, 3, 0],
            hi: [9, 5, 4],
        };
        assert_eq!(dispatch_size(tile, 65_535), Some([7, 2, 4]));
        assert_eq!(dispatch_size(line(5, 5), 65_535), Some([0, 0, 0]));
    }

    #[test]
    fn every_workgroup_of_a_long_tile_is_dispatched_and_few_besides() {
        for total in [65_536_u32, 65_537, 1 << 20, 16_777_259, u32::MAX - 70_000] {
            let size = dispatch_size(line(0, total), 65_535).unwrap();
            assert!(size.iter().all(|size| *size <= 65_535), "{size:?}");
            let dispatched: u64 = size.iter().map(|size| u64::from(*size)).product();
            assert!(dispatched >= u64::from(total));
            let surplus = dispatched - u64::from(total);
            assert!(
                surplus < u64::from(size[1]) * u64::from(size[2]),
                "{size:?}"
            );
        }
    }

    #[test]
    fn a_tile_beyond_the_limits_is_refused() {
        assert_eq!(dispatch_size(line(0, 28), 3), None);
        assert_eq!(dispatch_size(line(0, 27), 3), Some([3, 3, 3]));
        assert_eq!(dispatch_size(line(0, u32::MAX), 65_535), None);
    }

    #[test]
    fn the_launch_description_has_the_layout_of_three_padded_vectors() {
        let tile = Tile {
            lo: [1, 2, 3],
            hi: [5, 4, 9],
        };
        assert_eq!(
            launch_words(tile, [10, 11, 12]),
            [1, 2, 3, 0, 4, 2, 6, 0, 10, 11, 12, 0]
        );
    }
}
