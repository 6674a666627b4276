//! Are the functions as accurate as promised, on a sweep through all of `f32`, and what are they where they have no number?
#![allow(clippy::inline_always)]

mod every_token;
mod measure;

use every_token::{Check, Lanes, Random, on_every_token, samples};
use impel_lanes::{Isa, Level, scalar};
use measure::{FUNCTIONS, error_of, worst_of};

/// A prime near 2^15 (a larger one where Miri interprets the tests), so that the sweep meets every exponent with ever other significands.
const STRIDE: u64 = if cfg!(miri) { 200_000_033 } else { 32_771 };

#[test]
fn functions_keep_their_promise_on_every_level() {
    for function in FUNCTIONS {
        let levels: Vec<Level> = Level::available().collect();
        let worst = worst_of(function, &levels, 1, 1 << 32, STRIDE);
        for (level, worst) in levels.iter().zip(worst) {
            assert!(
                worst.error <= function.promise,
                "{} on {level} is {} units off at {:e}, more than {}",
                function.name,
                worst.error,
                worst.at,
                function.promise
            );
        }
    }
}

/// `f32_pow` and `f32_atan2` of seeded pairs on any token.
struct Pairs;

impl Check for Pairs {
    fn check<S: Isa>(&self, s: S, token: &str) {
        let mut random = Random::new(7);
        for turn in 0..samples(4096, 8) {
            let (mut a, mut b) = (vec![0.0; S::LANES], vec![0.0; S::LANES]);
            for l in 0..S::LANES {
                let (x, y) = (
                    f32::from_bits(random.word().cast_unsigned()),
                    random.word() as f32 / 2f32.powi(31),
                );
                // Half of the powers have a result that is neither 0 nor infinite.
                let exponent = if turn % 2 == 0 {
                    y * 150.0 / x.abs().log2()
                } else {
                    y * 100.0
                };
                (a[l], b[l]) = (x, exponent);
            }
            let (x, y) = (f32::pack(s, &a), f32::pack(s, &b));
            let powers = f32::unpack(s, s.f32_pow(x, y));
            let angles = f32::unpack(s, s.f32_atan2(x, y));
            for l in 0..S::LANES {
                let (x, y) = (f64::from(a[l]), f64::from(b[l]));
                let power = if x < 0.0 && y != 0.0 {
                    f64::NAN
                } else {
                    x.powf(y)
                };
                let error = error_of(powers[l], power);
                assert!(
                    error <= 4.0,
                    "{token}: pow({x:e}, {y:e}) is {error} units off: {:e}",
                    powers[l]
                );
                let error = error_of(angles[l], x.atan2(y));
                assert!(
                    error <= 4.0,
                    "{token}: atan2({x:e}, {y:e}) is {error} units off: {:e}",
                    angles[l]
                );
            }
        }
    }
}

#[test]
fn functions_of_two_arguments_are_within_four_units() {
    on_every_token(&Pairs);
}

/// What functions are at the ends of their domains.
struct Ends;

impl Check for Ends {
    fn check<S: Isa>(&self, s: S, token: &str) {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        macro_rules! at {
            ($($op:ident: $($x:expr => $y:expr),*;)*) => {
                $(for (x, expected) in [$(($x, $y)),*] {
                    let y = s.f32_lane(s.$op(s.f32_splat(x)), S::LANES - 1);
                    assert!(Lanes::<S>::same(y, expected), "{token}: {}({x}) is {y:?}, not {expected:?}", stringify!($op));
                })*
            };
        }
        at! {
            f32_exp: 100.0 => inf, -200.0 => 0.0, inf => inf, -inf => 0.0, nan => nan, 0.0 => 1.0;
            f32_exp2: 128.0 => inf, -150.0 => 0.0, -149.0 => 1e-45, inf => inf, -inf => 0.0, nan => nan, 10.0 => 1024.0;
            f32_log: 0.0 => -inf, -0.0 => -inf, -1.0 => nan, inf => inf, -inf => nan, nan => nan, 1.0 => 0.0;
            f32_log2: 0.0 => -inf, -0.0 => -inf, -1.0 => nan, inf => inf, -inf => nan, nan => nan, 1e-45 => -149.0, 8.0 => 3.0;
            f32_inverse_sqrt: 0.0 => inf, inf => 0.0, -1.0 => nan, nan => nan, 4.0 => 0.5;
            f32_sin: inf => nan, nan => nan, 0.0 => 0.0;
            f32_cos: inf => nan, nan => nan, 0.0 => 1.0;
            f32_tan: inf => nan, nan => nan, 0.0 => 0.0;
            f32_asin: 1.5 => nan, -1.5 => nan, nan => nan, -0.0 => -0.0, 1.0 => std::f32::consts::FRAC_PI_2;
            f32_acos: 1.5 => nan, -1.5 => nan, nan => nan, 1.0 => 0.0, -1.0 => std::f32::consts::PI;
            f32_atan: inf => std::f32::consts::FRAC_PI_2, -inf => -std::f32::consts::FRAC_PI_2, nan => nan, -0.0 => -0.0;
            f32_sinh: inf => inf, -inf => -inf, nan => nan, 100.0 => inf, -0.0 => -0.0;
            f32_cosh: inf => inf, -inf => inf, nan => nan, -100.0 => inf, 0.0 => 1.0;
            f32_tanh: inf => 1.0, -inf => -1.0, nan => nan, 20.0 => 1.0, -0.0 => -0.0;
            f32_asinh: inf => inf, -inf => -inf, nan => nan, -0.0 => -0.0;
            f32_acosh: inf => inf, 1.0 => 0.0, 0.5 => nan, -3.0 => nan, -inf => nan, nan => nan;
            f32_atanh: 1.0 => inf, -1.0 => -inf, 1.5 => nan, inf => nan, nan => nan, -0.0 => -0.0;
        }
    }
}

#[test]
fn functions_have_their_limits_at_the_ends_of_their_domains() {
    on_every_token(&Ends);
}

/// Powers and angles where the formula alone gives no number.
struct SpecialPairs;

impl Check for SpecialPairs {
    fn check<S: Isa>(&self, s: S, token: &str) {
        let (inf, nan) = (f32::INFINITY, f32::NAN);
        let values = [
            0.0,
            -0.0,
            0.5,
            1.0,
            2.0,
            1e-45,
            f32::MAX,
            inf,
            nan,
            -1.0,
            -inf,
        ];
        for a in values {
            for b in values {
                let (x, y) = (s.f32_splat(a), s.f32_splat(b));
                let power = s.f32_lane(s.f32_pow(x, y), 0);
                let expected = if a < 0.0 && b != 0.0 {
                    f64::NAN
                } else {
                    f64::from(a).abs().powf(f64::from(b))
                };
                assert!(
                    error_of(power, expected) <= 2.0,
                    "{token}: pow({a}, {b}) is {power}, not {expected}"
                );
                let angle = s.f32_lane(s.f32_atan2(x, y), 0);
                assert!(
                    error_of(angle, f64::from(a).atan2(f64::from(b))) <= 4.0,
                    "{token}: atan2({a}, {b}) is {angle}"
                );
                if !angle.is_nan() {
                    assert_eq!(
                        angle.is_sign_negative(),
                        a.is_sign_negative(),
                        "{token}: atan2({a}, {b}) is {angle}"
                    );
                }
            }
        }
    }
}

#[test]
fn powers_and_angles_are_defined_at_zero_and_infinity() {
    on_every_token(&SpecialPairs);
}

/// Holds lanes against the functions for uniform values.
struct Uniform;

impl Check for Uniform {
    fn check<S: Isa>(&self, s: S, token: &str) {
        let mut random = Random::new(11);
        for _ in 0..samples(512, 4) {
            let x: Vec<f32> = (0..S::LANES)
                .map(|_| every_token::Samples::random(&mut random))
                .collect();
            let v = f32::pack(s, &x);
            macro_rules! agree {
                ($($op:ident)*) => {
                    $(for (l, y) in f32::unpack(s, s.$op(v)).into_iter().enumerate() {
                        assert!(Lanes::<S>::same(y, scalar::$op(x[l])), "{token}: {}({:e})", stringify!($op), x[l]);
                    })*
                };
            }
            let power = f32::unpack(s, s.f32_pow(s.f32_abs(v), s.f32_splat(0.7)));
            let angle = f32::unpack(s, s.f32_atan2(v, s.f32_splat(-3.0)));
            for l in 0..S::LANES {
                assert!(
                    Lanes::<S>::same(power[l], scalar::f32_pow(x[l].abs(), 0.7)),
                    "{token}: pow({:e})",
                    x[l]
                );
                assert!(
                    Lanes::<S>::same(angle[l], scalar::f32_atan2(x[l], -3.0)),
                    "{token}: atan2({:e})",
                    x[l]
                );
            }
            agree! {
                f32_exp f32_exp2 f32_log f32_log2 f32_sin f32_cos f32_tan f32_asin f32_acos f32_atan
                f32_sinh f32_cosh f32_tanh f32_asinh f32_acosh f32_atanh
            }
        }
    }
}

#[test]
fn lanes_and_uniform_values_agree_to_the_last_bit() {
    on_every_token(&Uniform);
}
