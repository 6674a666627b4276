//! Sum of an array, in chunks and then of the chunks' sums.

use impel::{Array, Runtime};

use crate::shape::{KernelError, size};

impel::shader!(pub mod wgsl = "shaders/sum.wgsl");

/// Elements that one workgroup adds up.
pub const CHUNK: usize = 4096;

/// Starts the sums of chunks of [`CHUNK`] elements of `x`, and returns them as an array.
///
/// # Errors
/// Errors of the launch, and of making the array.
pub fn partials(rt: &Runtime, x: &Array<f32>) -> Result<Array<f32>, KernelError> {
    let mut partials = rt.zeros(x.len().div_ceil(CHUNK))?;
    if !x.is_empty() {
        let n = size("sum", "x.len()", x.len())?;
        let launch = wgsl::sum {
            params: wgsl::Params { n },
            x,
            partials: &mut partials,
        };
        rt.launch(launch.workgroups(x.len().div_ceil(CHUNK)))?;
    }
    Ok(partials)
}

/// The sum of all elements of `x`; waits for it. The chunks' sums are added in double precision on the host, in the order of
/// the chunks, whichever device computed them.
///
/// # Errors
/// Errors of the launch, and of making and reading arrays.
pub fn sum(rt: &Runtime, x: &Array<f32>) -> Result<f32, KernelError> {
    let partials = partials(rt, x)?;
    let partials = partials.read()?;
    Ok(partials
        .iter()
        .fold(0.0, |sum, &partial| sum + f64::from(partial)) as f32)
}
