//! On what are operations tested? On every token that this machine has, with numbers at the edges and seeded random ones.
#![allow(dead_code, reason = "every test file uses its part")]
#![allow(unreachable_pub, reason = "a module of several test crates")]

use impel_lanes::{Body, Isa, Launch, Level, Strict, Tile, X, run};

/// `many` samples, or `few` of them where Miri interprets the tests.
pub const fn samples(many: usize, few: usize) -> usize {
    if cfg!(miri) { few } else { many }
}

/// Something to be held true of any instruction set.
pub trait Check: Sync {
    fn check<S: Isa>(&self, s: S, token: &str);
}

struct Tokens<'a, C, const LANES_MAX: usize>(&'a C, Level);

impl<C: Check, const LANES_MAX: usize> Body for Tokens<'_, C, LANES_MAX> {
    const LANES_MAX: usize = LANES_MAX;

    #[inline(always)]
    fn run<S: Isa>(&self, s: S, _: &Launch<'_>, _: Tile) {
        let Tokens(check, level) = self;
        check.check(s, &format!("{level} with {} lanes", S::LANES));
        if LANES_MAX > 1 && !cfg!(miri) {
            check.check(X::<_, 2>::new(s), &format!("{level} X2"));
            check.check(Strict::new(s), &format!("{level} strict"));
        }
    }
}

/// Holds `check` against every level with its own number of lanes, two gangs of it, its strict form, and one lane.
pub fn on_every_token<C: Check>(check: &C) {
    let launch = Launch {
        buffers: &[],
        num_workgroups: [1; 3],
    };
    let tile = Tile {
        lo: [0; 3],
        hi: [1; 3],
    };
    for level in Level::available() {
        run(level, &Tokens::<C, 64>(check, level), &launch, tile);
        run(level, &Tokens::<C, 1>(check, level), &launch, tile);
    }
}

/// A seeded generator (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn word(&mut self) -> i32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as i32
    }
}

const FLOATS: [f32; 44] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    3.0,
    -7.25,
    0.499_999_97,
    -0.999_999_94,
    1.000_000_1,
    std::f32::consts::PI,
    -std::f32::consts::FRAC_PI_2,
    100.0,
    -200.0,
    1e-10,
    -1e10,
    65_504.0,
    65_519.996,
    65_520.0,
    6.1e-5,
    5.96e-8,
    8_388_607.5,
    8_388_609.0,
    16_777_216.0,
    2_147_483_520.0,
    2_147_483_648.0,
    -2_147_483_648.0,
    -2_147_483_904.0,
    4_294_967_040.0,
    4_294_967_296.0,
    3e38,
    f32::MAX,
    f32::MIN,
    f32::MIN_POSITIVE,
    1e-40,
    -1e-45,
    f32::EPSILON,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
];

const WORDS: [i32; 23] = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    7,
    8,
    16,
    31,
    32,
    33,
    63,
    255,
    -256,
    65_535,
    0x0055_AA00,
    0x7FFF_FFFE,
    i32::MAX,
    i32::MIN,
    i32::MIN + 1,
    16_777_217,
    0x4049_0FDB,
];

/// Numbers of one type to test with.
pub trait Samples: Copy {
    fn edges() -> Vec<Self>;
    fn random(random: &mut Random) -> Self;
}

impl Samples for f32 {
    fn edges() -> Vec<f32> {
        FLOATS.to_vec()
    }
    fn random(random: &mut Random) -> f32 {
        match random.word() & 3 {
            0 => f32::from_bits(random.word().cast_unsigned()),
            1 => random.word() as f32 / 1e6,
            2 => random.word() as f32 / 2_147_483_648.0,
            _ => (random.word() >> 20) as f32 / 2.0,
        }
    }
}

impl Samples for i32 {
    fn edges() -> Vec<i32> {
        WORDS.to_vec()
    }
    fn random(random: &mut Random) -> i32 {
        let word = random.word();
        word >> (random.word() & 31)
    }
}

impl Samples for bool {
    fn edges() -> Vec<bool> {
        vec![false, true]
    }
    fn random(random: &mut Random) -> bool {
        random.word() & 1 == 1
    }
}

/// Every edge with every edge of the other arguments, and 512 random combinations.
pub fn combinations<A: Samples, B: Samples, C: Samples>() -> Vec<(A, B, C)> {
    let mut all = Vec::new();
    for a in A::edges() {
        for b in B::edges().into_iter().take(samples(usize::MAX, 4)) {
            // One of the third argument's edges each, all of them in turn.
            for turn in 0..3 {
                let c = C::edges();
                all.push((a, b, c[(all.len() + turn * 5) % c.len()]));
            }
        }
    }
    let mut random = Random::new(all.len() as u64);
    all.extend((0..samples(512, 32)).map(|_| {
        (
            A::random(&mut random),
            B::random(&mut random),
            C::random(&mut random),
        )
    }));
    all
}

/// How lane values of one type are made and taken apart.
pub trait Lanes<S: Isa>: Samples {
    type Value: Copy;
    fn pack(s: S, lanes: &[Self]) -> Self::Value;
    fn unpack(s: S, value: Self::Value) -> Vec<Self>;
    fn same(self, other: Self) -> bool;
    fn show(self) -> String;
}

impl<S: Isa> Lanes<S> for f32 {
    type Value = S::F32;
    fn pack(s: S, lanes: &[f32]) -> S::F32 {
        s.f32_from_slice(lanes)
    }
    fn unpack(s: S, value: S::F32) -> Vec<f32> {
        let mut lanes = vec![0.0; S::LANES];
        s.f32_to_slice(value, &mut lanes);
        lanes
    }
    fn same(self, other: f32) -> bool {
        self.to_bits() == other.to_bits() || self.is_nan() && other.is_nan()
    }
    fn show(self) -> String {
        format!("{self:?}")
    }
}

impl<S: Isa> Lanes<S> for i32 {
    type Value = S::I32;
    fn pack(s: S, lanes: &[i32]) -> S::I32 {
        s.i32_from_slice(lanes)
    }
    fn unpack(s: S, value: S::I32) -> Vec<i32> {
        let mut lanes = vec![0; S::LANES];
        s.i32_to_slice(value, &mut lanes);
        lanes
    }
    fn same(self, other: i32) -> bool {
        self == other
    }
    fn show(self) -> String {
        format!("{self:#x}")
    }
}

impl<S: Isa> Lanes<S> for bool {
    type Value = S::Mask;
    fn pack(s: S, lanes: &[bool]) -> S::Mask {
        let mut bits = 0;
        for (l, on) in lanes.iter().enumerate() {
            bits |= u64::from(*on) << l;
        }
        s.mask_from_bits(bits)
    }
    fn unpack(s: S, value: S::Mask) -> Vec<bool> {
        let bits = s.mask_bits(value);
        (0..S::LANES).map(|l| bits >> l & 1 == 1).collect()
    }
    fn same(self, other: bool) -> bool {
        self == other
    }
    fn show(self) -> String {
        format!("{self:?}")
    }
}
