//! `y ← alpha·x + y`, element by element.

use impel::{Array, Runtime};

use crate::shape::{KernelError, length, size};

impel::shader!(pub mod wgsl = "shaders/saxpy.wgsl");

/// Adds `alpha` times `x` to `y`, which have the same length.
///
/// # Errors
/// [`KernelError::Length`] if they have not, and errors of the launch.
pub fn saxpy(
    rt: &Runtime,
    alpha: f32,
    x: &Array<f32>,
    y: &mut Array<f32>,
) -> Result<(), KernelError> {
    length("saxpy", ("x", x), y.len(), "the length of `y`")?;
    if y.is_empty() {
        return Ok(());
    }
    let n = size("saxpy", "y.len()", y.len())?;
    rt.launch(
        wgsl::saxpy {
            params: wgsl::Params { alpha, n },
            x,
            y,
        }
        .over(n),
    )?;
    Ok(())
}
