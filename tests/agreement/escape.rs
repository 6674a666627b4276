//! May a pixel of the Mandelbrot set differ? Only where |z|² lies within the error of f32 of the threshold 4, and seldom.

use crate::problems::Problem;

const EPSILON: f64 = f32::EPSILON as f64;
/// Largest part of all pixels that may differ.
const PART_MAX: f64 = 0.005;

/// Accepts pixels that differ where f32 cannot tell whether |z| exceeds 2, if they are at most 0.5 % of all (or one).
pub(crate) fn near_threshold(
    problem: &Problem,
    expected: &[Vec<u32>],
    got: &[Vec<u32>],
) -> Result<(), String> {
    let (expected, got) = (&expected[1], &got[1]);
    let different: Vec<usize> = (0..expected.len())
        .filter(|&at| expected[at] != got[at])
        .collect();
    for &at in &different {
        let step = expected[at].min(got[at]);
        let (distance, error) = distance_to_threshold(&problem.words[0], at, step);
        if distance > error {
            return Err(format!(
                "pixel {at}: {} steps expected, {} found, but after {step} steps |z|² is {distance:e} from 4, and its error is {error:e}",
                expected[at], got[at]
            ));
        }
    }
    let most = ((expected.len() as f64 * PART_MAX) as usize).max(1);
    if different.len() > most {
        return Err(format!(
            "{} of {} pixels differ",
            different.len(),
            expected.len()
        ));
    }
    Ok(())
}

/// How far |z|² is from 4 after some steps, and by how much a computation in f32 may be wrong there.
///
/// z is followed in f64, with bounds of the error of its parts in f32: each step squares and adds with three rounding errors
/// of the largest magnitudes involved, and carries on what was wrong before.
fn distance_to_threshold(parameters: &[u32], pixel: usize, steps: u32) -> (f64, f64) {
    let number = |at: usize| f64::from(f32::from_bits(parameters[at]));
    let width = parameters[0] as usize;
    let (column, row) = ((pixel % width) as f64, (pixel / width) as f64);
    let (c_re, c_im) = (number(3) + column * number(5), number(4) + row * number(6));
    let c_error = 2.0 * EPSILON * (number(3).abs() + number(4).abs() + c_re.abs() + c_im.abs());
    let (mut re, mut im) = (0.0_f64, 0.0_f64);
    let (mut re_error, mut im_error) = (0.0_f64, 0.0_f64);
    for _ in 0..steps {
        let squares = 2.0 * (re.abs() * re_error + im.abs() * im_error)
            + re_error * re_error
            + im_error * im_error;
        let product = 2.0 * (re.abs() * im_error + im.abs() * re_error + re_error * im_error);
        re_error = squares + c_error + 3.0 * EPSILON * (re * re + im * im + c_re.abs());
        im_error = product + c_error + 3.0 * EPSILON * (2.0 * (re * im).abs() + c_im.abs());
        (re, im) = (re * re - im * im + c_re, 2.0 * re * im + c_im);
    }
    let square = re * re + im * im;
    let error = 2.0 * (re.abs() * re_error + im.abs() * im_error)
        + re_error * re_error
        + im_error * im_error
        + 2.0 * EPSILON * square;
    ((square - 4.0).abs(), error)
}
