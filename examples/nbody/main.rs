//! Two galaxies collide. Every body attracts every other one: the forces of a step are one launch over all devices, the motion
//! is another.
//!
//! `cargo run --release --example nbody -- [--bodies N] [--steps N] [--devices cpu|gpu|all] [--output FILE.png]`

mod energy;
mod galaxies;
mod options;
mod picture;

use std::error::Error;
use std::time::Instant;

use impel_kernels::{nbody, nbody_step};
use indicatif::{ProgressBar, ProgressStyle};

use galaxies::Bodies;
use options::Options;
use picture::Picture;

/// Time of a step, in units in which the galaxies' total mass, their distance scale and the constant of gravity are one.
const STEP: f32 = 0.004;
/// Square of the length below which gravity is softened.
const SOFTENING_SQUARED: f32 = 0.05 * 0.05;
/// Largest relative change of the total energy that counts as correct.
const DRIFT_MAX: f64 = 1e-3;
/// Moments that are drawn, first and last included.
const PANELS: usize = 4;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_command_line()?;
    let rt = options.devices.runtime()?;
    println!("{}\n", rt.machine());

    let Bodies {
        positions,
        velocities,
        galaxy,
    } = galaxies::colliding(options.bodies);
    let mut bodies = rt.array_from_vec(positions)?;
    let mut velocities = rt.array_from_vec(velocities)?;
    let mut accelerations = rt.zeros::<[f32; 4]>(options.bodies)?;
    let n = u32::try_from(options.bodies)?;

    let params = nbody::wgsl::Params {
        n,
        softening_squared: SOFTENING_SQUARED,
    };
    let forces = nbody::wgsl::nbody {
        params,
        bodies: &bodies,
        accelerations: &mut accelerations,
    }
    .over(n);
    println!(
        "the plan for the forces of one step:\n{}",
        rt.explain(&forces)?
    );
    drop(forces);

    let before = energy::total(&rt, SOFTENING_SQUARED, &bodies, &velocities)?;
    let mut picture = Picture::new(PANELS, galaxy);
    picture.draw(&bodies.read()?);
    let progress = ProgressBar::new(options.steps as u64).with_style(ProgressStyle::with_template(
        "{bar:40} step {pos}/{len}, {eta} left",
    )?);
    let start = Instant::now();
    for step in 0..options.steps {
        nbody::nbody(&rt, SOFTENING_SQUARED, &bodies, &mut accelerations)?;
        // Velocities lag half a step behind the positions; the first kick is half a step long to set that up.
        let kick = if step == 0 { STEP / 2.0 } else { STEP };
        nbody_step::nbody_step(
            &rt,
            kick,
            STEP,
            &accelerations,
            &mut velocities,
            &mut bodies,
        )?;
        if picture.is_due(step + 1, options.steps) {
            picture.draw(&bodies.read()?);
        }
        // Launches return at once; waiting now and then keeps the progress bar honest.
        if step % 10 == 9 {
            rt.sync();
        }
        progress.inc(1);
    }
    // The last half kick brings the velocities to the time of the positions.
    nbody::nbody(&rt, SOFTENING_SQUARED, &bodies, &mut accelerations)?;
    nbody_step::nbody_step(
        &rt,
        STEP / 2.0,
        0.0,
        &accelerations,
        &mut velocities,
        &mut bodies,
    )?;
    rt.sync();
    progress.finish();
    let seconds = start.elapsed().as_secs_f64();

    let after = energy::total(&rt, SOFTENING_SQUARED, &bodies, &velocities)?;
    let drift = (after - before) / before;
    let pairs = (options.bodies as f64).powi(2) * (options.steps + 1) as f64;
    println!("\n{}\n", rt.report());
    println!(
        "{} steps of {} bodies in {seconds:.1} s: {:.2} billion pairs a second",
        options.steps,
        options.bodies,
        pairs / seconds / 1e9
    );
    println!("energy {before:.6} before, {after:.6} after: relative drift {drift:.1e}");
    picture.save(&options.output)?;
    println!("the picture is in {}", options.output.display());
    assert!(
        drift.abs() <= DRIFT_MAX,
        "the energy drifted by {drift:.1e}, more than {DRIFT_MAX:.0e}"
    );
    Ok(())
}
