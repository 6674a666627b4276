// Price of European call and put options by the formula of Black and Scholes (1973), without dividends:
//
//   d1 = (ln(S / K) + (r + σ²/2) · T) / (σ · √T)      call = S · N(d1) - K · e^(-rT) · N(d2)
//   d2 = d1 - σ · √T                                  put  = K · e^(-rT) · N(-d2) - S · N(-d1)
//
//   spot    n elements: price S of the underlying, greater than 0
//   strike  n elements: exercise price K, greater than 0, in the same currency
//   years   n elements: time T to expiry, greater than 0
//   call, put  n elements each, in that currency
//   grid    n invocations along x
//
// `rate` is the riskless interest r a year, compounded continuously; `volatility` is σ a year, greater than 0.

struct Params {
    n: u32,
    rate: f32,
    volatility: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> spot: array<f32>;
@group(0) @binding(2) var<storage, read> strike: array<f32>;
@group(0) @binding(3) var<storage, read> years: array<f32>;
@group(0) @binding(4) var<storage, read_write> call: array<f32>;
@group(0) @binding(5) var<storage, read_write> put: array<f32>;

const SQRT_HALF: f32 = 0.70710678;

// The complementary error function of x >= 0, by formula 7.1.26 of Abramowitz and Stegun, Handbook of Mathematical
// Functions (1964): absolute error at most 1.5e-7.
fn erfc_of_positive(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.3275911 * x);
    let polynomial = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return polynomial * exp(-x * x);
}

// The standard normal distribution N(d): the probability of a value below d.
fn normal_below(d: f32) -> f32 {
    let tail = 0.5 * erfc_of_positive(abs(d) * SQRT_HALF);
    return select(tail, 1.0 - tail, d > 0.0);
}

@compute @workgroup_size(64)
fn black_scholes(@builtin(global_invocation_id) gid: vec3<u32>) {
    if (gid.x >= params.n) {
        return;
    }
    let s = spot[gid.x];
    let k = strike[gid.x];
    let t = years[gid.x];
    let deviation = params.volatility * sqrt(t);
    let drift = (params.rate + 0.5 * params.volatility * params.volatility) * t;
    let d1 = (log(s / k) + drift) / deviation;
    let d2 = d1 - deviation;
    let below_d1 = normal_below(d1);
    let below_d2 = normal_below(d2);
    let discounted = k * exp(-params.rate * t);
    call[gid.x] = s * below_d1 - discounted * below_d2;
    put[gid.x] = discounted * (1.0 - below_d2) - s * (1.0 - below_d1);
}
