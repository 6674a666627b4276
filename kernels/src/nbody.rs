//! Gravitational acceleration of every body by every body, with Plummer softening.

use impel::{Array, Runtime};

use crate::shape::{KernelError, length, size};

impel::shader!(pub mod wgsl = "shaders/nbody.wgsl");

/// Computes `accelerations` of `bodies` (position in x, y, z; mass times the constant of gravity in w), with softening length
/// ε, whose square `softening_squared` is greater than zero.
///
/// # Errors
/// [`KernelError::Length`] if the arrays' lengths differ, and errors of the launch.
pub fn nbody(
    rt: &Runtime,
    softening_squared: f32,
    bodies: &Array<[f32; 4]>,
    accelerations: &mut Array<[f32; 4]>,
) -> Result<(), KernelError> {
    length(
        "nbody",
        ("accelerations", accelerations),
        bodies.len(),
        "the number of bodies",
    )?;
    if bodies.is_empty() {
        return Ok(());
    }
    let n = size("nbody", "bodies.len()", bodies.len())?;
    rt.launch(
        wgsl::nbody {
            params: wgsl::Params {
                n,
                softening_squared,
            },
            bodies,
            accelerations,
        }
        .over(n),
    )?;
    Ok(())
}
