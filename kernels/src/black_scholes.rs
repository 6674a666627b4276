//! Prices of European call and put options by the formula of Black and Scholes.

use impel::{Array, Runtime};

use crate::shape::{KernelError, length, size};

impel::shader!(pub mod wgsl = "shaders/black_scholes.wgsl");

/// The market of all options.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Market {
    /// Riskless interest a year, compounded continuously.
    pub rate: f32,
    /// Standard deviation of the logarithm of the price over a year, greater than 0.
    pub volatility: f32,
}

/// The options: arrays of one length, all values greater than 0.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Price of the underlying.
    pub spot: &'a Array<f32>,
    /// Exercise price.
    pub strike: &'a Array<f32>,
    /// Years to expiry.
    pub years: &'a Array<f32>,
}

/// Computes the prices of a call and a put for each option.
///
/// # Errors
/// [`KernelError::Length`] if the arrays' lengths differ, and errors of the launch.
pub fn black_scholes(
    rt: &Runtime,
    market: Market,
    options: Options<'_>,
    call: &mut Array<f32>,
    put: &mut Array<f32>,
) -> Result<(), KernelError> {
    let Options {
        spot,
        strike,
        years,
    } = options;
    for array in [
        ("strike", strike),
        ("years", years),
        ("call", &*call),
        ("put", &*put),
    ] {
        length("black_scholes", array, spot.len(), "the length of `spot`")?;
    }
    if spot.is_empty() {
        return Ok(());
    }
    let n = size("black_scholes", "spot.len()", spot.len())?;
    let params = wgsl::Params {
        n,
        rate: market.rate,
        volatility: market.volatility,
    };
    rt.launch(
        wgsl::black_scholes {
            params,
            spot,
            strike,
            years,
            call,
            put,
        }
        .over(n),
    )?;
    Ok(())
}
