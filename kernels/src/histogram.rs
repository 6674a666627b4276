//! How often each value of one byte occurs.

use impel::{Array, Runtime};

use crate::shape::{KernelError, length, size};

impel::shader!(pub mod wgsl = "shaders/histogram.wgsl");

/// Elements that one workgroup counts.
pub const CHUNK: usize = 32768;
/// Number of bins.
pub const BINS: usize = 256;

/// Adds to each of the 256 `bins` how many elements of `data` have its number in the eight bits that start at bit `shift`.
///
/// # Errors
/// [`KernelError::Length`] if there are not 256 bins, and errors of the launch.
pub fn histogram(
    rt: &Runtime,
    shift: u32,
    data: &Array<u32>,
    bins: &mut Array<u32>,
) -> Result<(), KernelError> {
    length(
        "histogram",
        ("bins", bins),
        BINS,
        "one for each value of a byte",
    )?;
    if data.is_empty() {
        return Ok(());
    }
    let n = size("histogram", "data.len()", data.len())?;
    let launch = wgsl::histogram {
        params: wgsl::Params { n, shift },
        data,
        bins,
    };
    rt.launch(launch.workgroups(data.len().div_ceil(CHUNK)))?;
    Ok(())
}
