//! How far may floats differ? For each kernel, by what WGSL's error of each operation adds up to.
//!
//! WGSL rounds `+`, `-` and `*` to one of the two nearest numbers: an error of at most ε = 2⁻²³ of the result, which the oracle
//! and a device may each have; hence the factor 2 in all bounds. `a * b + c` may be one operation, which only saves an error. Numbers
//! below the least normal one may be flushed to zero, which is added everywhere.

use crate::problems::Problem;

const EPSILON: f64 = f32::EPSILON as f64;

type Verdict = Result<(), String>;

fn number(word: u32) -> f64 {
    f64::from(f32::from_bits(word))
}

/// Objects to the first number of a binding that differs by more than `bound(index)`.
fn within(
    binding: usize,
    expected: &[Vec<u32>],
    got: &[Vec<u32>],
    bound: impl Fn(usize) -> f64,
) -> Verdict {
    let (expected, got) = (&expected[binding], &got[binding]);
    for at in 0..expected.len() {
        let (want, have) = (number(expected[at]), number(got[at]));
        let most = 2.0 * bound(at) + f64::from(f32::MIN_POSITIVE);
        let difference = (want - have).abs();
        if difference > most || difference.is_nan() {
            return Err(format!(
                "binding {binding}, element {at}: {want} expected, {have} found: they differ by {difference:e}, {most:e} is allowed"
            ));
        }
    }
    Ok(())
}

/// α·x + y: ε of the product and ε of the sum.
pub(crate) fn saxpy(problem: &Problem, expected: &[Vec<u32>], got: &[Vec<u32>]) -> Verdict {
    let [parameters, x, y] = &problem.words[..] else {
        unreachable!("two arrays")
    };
    let alpha = number(parameters[0]);
    within(2, expected, got, |at| {
        let product = (alpha * number(x[at])).abs();
        EPSILON * (2.0 * product + number(y[at]).abs())
    })
}

/// A sum of three additions, a difference, a product and a sum, none of whose results exceeds |c| + |r|·(Σ/4 + |c|).
pub(crate) fn jacobi(problem: &Problem, expected: &[Vec<u32>], got: &[Vec<u32>]) -> Verdict {
    let [parameters, src, _] = &problem.words[..] else {
        unreachable!("two arrays")
    };
    let relaxation = number(parameters[2]).abs().max(1.0);
    let largest = src
        .iter()
        .map(|&word| number(word).abs())
        .fold(0.0, f64::max);
    within(2, expected, got, |_| {
        6.0 * EPSILON * (largest + relaxation * 2.0 * largest)
    })
}

/// Each of the k products has ε, and each of the k additions ε of a partial sum: (k + 1)·ε·Σ|a·b|.
pub(crate) fn matmul(problem: &Problem, expected: &[Vec<u32>], got: &[Vec<u32>]) -> Verdict {
    let [parameters, a, b, _] = &problem.words[..] else {
        unreachable!("three arrays")
    };
    let (m, k) = (parameters[1] as usize, parameters[2] as usize);
    within(3, expected, got, |at| {
        let (row, column) = (at / m, at % m);
        let products = (0..k).map(|i| (number(a[row * k + i]) * number(b[i * m + column])).abs());
        (k + 1) as f64 * EPSILON * products.sum::<f64>()
    })
}

/// n·ε·Σ|x| for a chunk of n elements, though pairwise addition makes fewer.
pub(crate) fn sum(problem: &Problem, expected: &[Vec<u32>], got: &[Vec<u32>]) -> Verdict {
    let chunks: Vec<&[u32]> = problem.words[1].chunks(impel_kernels::sum::CHUNK).collect();
    within(2, expected, got, |at| {
        // An element takes part in at most 64 additions of its invocation and 6 of the tree.
        let additions = chunks[at].len().min(70) as f64;
        let total: f64 = chunks[at].iter().map(|&word| number(word).abs()).sum();
        additions * EPSILON * total
    })
}

/// A kick has two operations, a drift two more and the kick's error times `drift`. The fourth components are copied.
pub(crate) fn nbody_step(problem: &Problem, expected: &[Vec<u32>], got: &[Vec<u32>]) -> Verdict {
    let [parameters, accelerations, velocities, bodies] = &problem.words[..] else {
        unreachable!("three arrays")
    };
    let (kick, drift) = (number(parameters[1]).abs(), number(parameters[2]).abs());
    let pushed = |at: usize| {
        let push = kick * number(accelerations[at]).abs();
        (number(velocities[at]).abs() + push, 2.0 * push)
    };
    let velocity_error = |at: usize| {
        let (velocity, push) = pushed(at);
        EPSILON * (velocity + push)
    };
    within(2, expected, got, |at| {
        if at % 4 == 3 { 0.0 } else { velocity_error(at) }
    })?;
    within(3, expected, got, |at| {
        let moved = drift * pushed(at).0;
        let own = EPSILON * (number(bodies[at]).abs() + 2.0 * moved);
        if at % 4 == 3 {
            0.0
        } else {
            own + drift * velocity_error(at)
        }
    })
}

/// A term has about 20 ε: the offset 1; its square with softening, all positive, 2 + 1 and 3 for the additions; `inverseSqrt` half of
/// these 6 and 2 ULP of its own; its cube three times these 5, and 3 for the products; the last product 1 and the offset's 1. n terms are
/// added: (n + 20)·ε·Σ|term|.
pub(crate) fn nbody(problem: &Problem, expected: &[Vec<u32>], got: &[Vec<u32>]) -> Verdict {
    let [parameters, bodies, _] = &problem.words[..] else {
        unreachable!("two arrays")
    };
    let n = parameters[0] as usize;
    let softening = number(parameters[1]);
    let place = |body: usize, axis: usize| number(bodies[4 * body + axis]);
    within(2, expected, got, |at| {
        let (body, axis) = (at / 4, at % 4);
        if axis == 3 {
            return 0.0;
        }
        let term = |other: usize| {
            let squares = (0..3).map(|axis| (place(other, axis) - place(body, axis)).powi(2));
            let distance = (squares.sum::<f64>() + softening).sqrt();
            (place(other, 3) * (place(other, axis) - place(body, axis)) / distance.powi(3)).abs()
        };
        (n as f64 + 20.0) * EPSILON * (0..n).map(term).sum::<f64>()
    })
}

/// With δ the error of d1 and d2: 2.5 ULP of s/k become as much of its logarithm, which has 2⁻²¹ = 4 ε of its own near 1 and 3 ULP
/// elsewhere; the drift has 4 ε; all of it is divided by the deviation σ√T, whose own error and the division's are 8 ε of d.
/// N(d) has 0.4·δ, and 40 ε: 12 operations on a polynomial whose terms' magnitudes add up to 4.5, halved, and 3 + 2·d² ULP of `exp` times e^(-d²/2),
/// which is at most 5 ε. The price is s and the discounted k, at most k, times these, and 8 ε for discounting, products and difference.
pub(crate) fn black_scholes(problem: &Problem, expected: &[Vec<u32>], got: &[Vec<u32>]) -> Verdict {
    let [parameters, spot, strike, years, _, _] = &problem.words[..] else {
        unreachable!("five arrays")
    };
    let (rate, volatility) = (number(parameters[1]), number(parameters[2]));
    let bound = |at: usize| {
        let (s, k, t) = (number(spot[at]), number(strike[at]), number(years[at]));
        let deviation = volatility * t.sqrt();
        let drift = (rate + 0.5 * volatility * volatility) * t;
        let d1 = ((s / k).ln() + drift) / deviation;
        let logarithm = EPSILON * (2.5 + 4.0 + 3.0 * (s / k).ln().abs());
        let delta = (logarithm + 4.0 * EPSILON * drift) / deviation
            + 8.0 * EPSILON * (d1.abs() + deviation);
        (s + k) * (0.4 * delta + 48.0 * EPSILON)
    };
    within(4, expected, got, bound)?;
    within(5, expected, got, bound)
}
