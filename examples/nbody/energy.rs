//! How much energy is there? A shader of the example's own, over the same arrays.

use std::error::Error;

use impel::{Array, Runtime};

impel::shader!(mod wgsl = "examples/nbody/energy.wgsl");

/// Kinetic and potential energy of all bodies.
pub(crate) fn total(
    rt: &Runtime,
    softening_squared: f32,
    bodies: &Array<[f32; 4]>,
    velocities: &Array<[f32; 4]>,
) -> Result<f64, Box<dyn Error>> {
    let n = u32::try_from(bodies.len())?;
    let mut energies = rt.zeros::<f32>(bodies.len())?;
    let params = wgsl::Params {
        n,
        softening_squared,
    };
    rt.launch(
        wgsl::energy {
            params,
            bodies,
            velocities,
            energies: &mut energies,
        }
        .over(n),
    )?;
    Ok(energies
        .read()?
        .iter()
        .map(|&energy| f64::from(energy))
        .sum())
}
