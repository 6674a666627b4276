//! Seeded random numbers, launches and tiles.

use impel::lanes::Tile;
use naga::AddressSpace;

use crate::shader::{Launch, Shader, words};

/// `SplitMix64` (Steele, Lea and Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        (self.next() % u64::from(end.max(1))) as u32
    }

    /// Part of a grid, empty along no axis.
    pub(crate) fn tile(&mut self, num_workgroups: [u32; 3]) -> Tile {
        let mut tile = Tile {
            lo: [0; 3],
            hi: num_workgroups,
        };
        for (lo, hi) in tile.lo.iter_mut().zip(&mut tile.hi) {
            *lo = self.below(*hi);
            *hi = *lo + 1 + self.below(*hi - *lo);
        }
        tile
    }

    /// The launch of a shader's header with other grids, array lengths and, where they are small, parameters.
    pub(crate) fn vary(&mut self, shader: &Shader, launch: &Launch) -> Launch {
        let oracle = shader.oracle();
        let mut varied = launch.clone();
        for count in &mut varied.num_workgroups {
            if *count > 1 || self.below(4) == 0 {
                *count = 1 + self.below(2 * *count + 2);
            }
        }
        for (bound, bytes) in oracle.bindings().iter().zip(&mut varied.buffers) {
            if bound.space == AddressSpace::Uniform {
                *bytes = self.vary_parameters(bytes);
            } else {
                self.vary_length(bytes, bound.size_bytes_min as usize);
            }
        }
        varied
    }

    /// Other numbers in place of numbers that look like counts.
    fn vary_parameters(&mut self, bytes: &[u8]) -> Vec<u8> {
        let vary = |word: u32| match self.below(8) {
            0..=3 if word < 1 << 20 => self.below(2 * word + 3),
            4 if word < 1 << 20 => word + 1,
            _ => word,
        };
        words(bytes)
            .into_iter()
            .map(vary)
            .flat_map(u32::to_le_bytes)
            .collect()
    }

    fn vary_length(&mut self, bytes: &mut Vec<u8>, size_bytes_min: usize) {
        let count = bytes.len() / 4;
        let varied = match self.below(3) {
            0 => count,
            1 => self.below(count as u32 + 1) as usize,
            _ => count + self.below(count as u32 + 9) as usize,
        };
        let length = (varied * 4).max(size_bytes_min.next_multiple_of(4));
        while bytes.len() < length {
            let word = self.below(16);
            bytes.extend(word.to_le_bytes());
        }
        bytes.truncate(length);
    }
}
