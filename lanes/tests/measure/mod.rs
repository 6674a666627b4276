//! How far are the functions of one argument from the truth? Errors in units of the last place, against doubles.
#![allow(dead_code, reason = "every user takes its part")]
#![allow(unreachable_pub, reason = "a module of a test and of an example")]
#![allow(clippy::inline_always)]

use impel_lanes::{Body, Buffer, Isa, Launch, Level, Tile, run, scalar};

/// A function of one argument: how it is computed, what it should be, and how far off WGSL lets it be.
pub struct Function {
    /// Name of the operation of `Isa`.
    pub name: &'static str,
    /// The truth, to the accuracy of doubles.
    pub truth: fn(f64) -> f64,
    /// What is promised: no error is larger, in units of the last place of the truth.
    pub promise: f64,
    number: usize,
}

macro_rules! functions {
    ($($number:literal $op:ident $truth:expr, $promise:expr;)*) => {
        /// Every function of one argument that is no exact operation.
        pub const FUNCTIONS: &[Function] =
            &[$(Function { name: stringify!($op), truth: $truth, promise: $promise, number: $number }),*];

        $(
            impl Body for Map<$number> {
                const LANES_MAX: usize = 64;

                #[inline(always)]
                fn run<S: Isa>(&self, s: S, launch: &Launch<'_>, _: Tile) {
                    let [from, to] = [launch.buffers[0], launch.buffers[1]];
                    let (mut i, on) = (0, s.mask_splat(true));
                    while i < from.words() {
                        s.store_linear_f32(to, i, on, s.$op(s.load_linear_f32(from, i, on)));
                        i += S::LANES as u32;
                    }
                }
            }
        )*

        impl Function {
            /// The function of every element of `from`.
            pub fn apply(&self, level: Level, from: &mut [u32], to: &mut [u32]) {
                let buffers = [Buffer::exclusive(from), Buffer::exclusive(to)];
                let launch = Launch { buffers: &buffers, num_workgroups: [1; 3] };
                let tile = Tile { lo: [0; 3], hi: [1; 3] };
                match self.number {
                    $($number => run(level, &Map::<$number>, &launch, tile),)*
                    _ => unreachable!("functions are numbered here"),
                }
            }
        }
    };
}

struct Map<const NUMBER: usize>;

functions! {
    0 f32_inverse_sqrt |x| 1.0 / x.sqrt(), 2.0;
    1 f32_exp f64::exp, 2.0;
    2 f32_exp2 f64::exp2, 2.0;
    3 f32_log f64::ln, 2.0;
    4 f32_log2 f64::log2, 2.0;
    5 f32_sin f64::sin, 2.0;
    6 f32_cos f64::cos, 2.0;
    7 f32_tan f64::tan, 4.0;
    8 f32_asin f64::asin, 4.0;
    9 f32_acos f64::acos, 4.0;
    10 f32_atan f64::atan, 4.0;
    11 f32_sinh f64::sinh, 4.0;
    12 f32_cosh f64::cosh, 4.0;
    13 f32_tanh f64::tanh, 4.0;
    14 f32_asinh f64::asinh, 4.0;
    15 f32_acosh f64::acosh, 4.0;
    16 f32_atanh f64::atanh, 4.0;
}

/// The largest error found, and where.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worst {
    /// In units of the last place of the truth; infinite where one is a number and the other is not.
    pub error: f64,
    /// The argument.
    pub at: f32,
}

impl Worst {
    /// The worse one of two.
    pub fn or(self, other: Worst) -> Worst {
        if other.error > self.error {
            other
        } else {
            self
        }
    }
}

/// Distance of neighbouring `f32` at `x`, which is finite.
fn unit(x: f64) -> f64 {
    let exponent = (x.abs().to_bits() >> 52).clamp(1023 - 126, 1023 + 127);
    f64::from_bits((exponent - 23) << 52)
}

/// How far `y` is from `truth`, in units of the last place.
pub fn error_of(y: f32, truth: f64) -> f64 {
    if truth.is_nan() || y.is_nan() {
        return if truth.is_nan() && y.is_nan() {
            0.0
        } else {
            f64::INFINITY
        };
    }
    // Infinity stands where the next number would, if there were one.
    let largest = 2f64.powi(128);
    let near = if y.is_infinite() {
        largest.copysign(f64::from(y))
    } else {
        f64::from(y)
    };
    (near - truth.clamp(-largest, largest)).abs()
        / unit(truth.clamp(-f64::from(f32::MAX), f64::from(f32::MAX)))
}

/// The largest error of `function` on each of `levels` over the bit patterns `first`, `first + stride`, … below `end`.
pub fn worst_of(
    function: &Function,
    levels: &[Level],
    first: u64,
    end: u64,
    stride: u64,
) -> Vec<Worst> {
    let mut from = Vec::new();
    let mut to = vec![vec![0; 4096]; levels.len()];
    let mut worst = vec![Worst::default(); levels.len()];
    let mut next = first;
    while next < end {
        from.clear();
        while next < end && from.len() < 4096 {
            from.push(next as u32);
            next += stride;
        }
        let count = from.len();
        for (to, level) in to.iter_mut().zip(levels) {
            function.apply(*level, &mut from, &mut to[..count]);
        }
        for (i, &x) in from.iter().enumerate() {
            let x = f32::from_bits(x);
            let truth = (function.truth)(f64::from(x));
            // The levels mostly agree to the last bit.
            let mut known = None;
            for (to, worst) in to.iter().zip(&mut worst) {
                let y = to[i];
                let error = match known {
                    Some((same, error)) if same == y => error,
                    _ if flushed(function, x, y) => 0.0,
                    _ => error_of(f32::from_bits(y), truth),
                };
                known = Some((y, error));
                *worst = worst.or(Worst { error, at: x });
            }
        }
    }
    worst
}

/// The estimate of AVX2 takes subnormal numbers for zero, as WGSL allows.
fn flushed(function: &Function, x: f32, y: u32) -> bool {
    function.name == "f32_inverse_sqrt" && x.is_subnormal() && f32::from_bits(y).is_infinite()
}

/// A function of two arguments: its name, how it is computed for uniform values, which is how lanes are, and the truth.
pub type PairFunction = (&'static str, fn(f32, f32) -> f32, fn(f64, f64) -> f64);

/// Every function of two arguments that is no exact operation.
pub const PAIR_FUNCTIONS: [PairFunction; 2] = [
    ("f32_pow", scalar::f32_pow, f64::powf),
    ("f32_atan2", scalar::f32_atan2, f64::atan2),
];

/// The largest error over `count` seeded pairs: any first argument, and a second one such that most powers are finite.
pub fn worst_of_pairs((_, function, truth): PairFunction, count: u32) -> Worst {
    let (mut state, mut worst) = (1u64, Worst::default());
    for _ in 0..count {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let a = f32::from_bits((state >> 33) as u32);
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let b = ((state >> 40) as f32 / 2f32.powi(23) - 1.0) * 150.0 / a.log2().abs().max(1e-6);
        let error = error_of(function(a, b), truth(f64::from(a), f64::from(b)));
        worst = worst.or(Worst { error, at: a });
    }
    worst
}
