//! Which numbers and shares are drawn? Always the same ones.

use impel::DeviceId;

/// `SplitMix64` (Steele, Lea and Flood 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `low` up to `high`.
    pub(crate) fn float(&mut self, low: f32, high: f32) -> f32 {
        let unit = (self.next() >> 40) as f32 / (1_u64 << 24) as f32;
        low + unit * (high - low)
    }

    /// The bits of `len` such numbers.
    pub(crate) fn floats(&mut self, len: usize, low: f32, high: f32) -> Vec<u32> {
        (0..len).map(|_| self.float(low, high).to_bits()).collect()
    }

    /// `len` integers of any bits.
    pub(crate) fn words(&mut self, len: usize) -> Vec<u32> {
        (0..len).map(|_| self.next() as u32).collect()
    }

    /// A share for each device; now and then none.
    pub(crate) fn shares(&mut self, devices: &[DeviceId]) -> Vec<(DeviceId, f64)> {
        let mut shares: Vec<(DeviceId, f64)> = devices
            .iter()
            .map(|device| (*device, (self.next() % 5) as f64))
            .collect();
        if shares.iter().all(|(_, share)| *share < 1.0) {
            shares[0].1 = 1.0;
        }
        shares
    }
}
