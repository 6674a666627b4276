//! Moves every body one leapfrog step: first the kick, then the drift.

use impel::{Array, Runtime};

use crate::shape::{KernelError, length, size};

impel::shader!(pub mod wgsl = "shaders/nbody_step.wgsl");

/// Adds `kick` times the acceleration to each velocity, then `drift` times the velocity to each position.
///
/// # Errors
/// [`KernelError::Length`] if the arrays' lengths differ, and errors of the launch.
pub fn nbody_step(
    rt: &Runtime,
    kick: f32,
    drift: f32,
    accelerations: &Array<[f32; 4]>,
    velocities: &mut Array<[f32; 4]>,
    bodies: &mut Array<[f32; 4]>,
) -> Result<(), KernelError> {
    length(
        "nbody_step",
        ("accelerations", accelerations),
        bodies.len(),
        "the number of bodies",
    )?;
    length(
        "nbody_step",
        ("velocities", velocities),
        bodies.len(),
        "the number of bodies",
    )?;
    if bodies.is_empty() {
        return Ok(());
    }
    let n = size("nbody_step", "bodies.len()", bodies.len())?;
    let params = wgsl::Params { n, kick, drift };
    rt.launch(
        wgsl::nbody_step {
            params,
            accelerations,
            velocities,
            bodies,
        }
        .over(n),
    )?;
    Ok(())
}
