//! Lesson 7: a simulation that can be stopped at any moment, by Ctrl-C or by the power, and goes on where its last checkpoint was.
//! `cargo run --release --example 07_checkpoint -- [--checkpoint FILE] [--every STEPS] [--steps STEPS]`.
//!
//! Python reads the same file: `safetensors.numpy.load_file("heat.safetensors")["temperature"]`.

use std::error::Error;
use std::path::{Path, PathBuf};

use impel::{Array, CheckpointError, Policy, Runtime};

impel::shader!(mod jacobi = "shaders/jacobi.wgsl");

const WIDTH: usize = 256;
const HEIGHT: usize = 192;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse(std::env::args().skip(1))?;
    // A plan that is the same in every process: then a resumed run ends bit for bit as an undisturbed one.
    let rt = Runtime::builder().policy(Policy::CpuOnly).build()?;
    let temperature = simulate(&rt, &options)?;

    let mean = temperature.read()?.iter().sum::<f32>() / (WIDTH * HEIGHT) as f32;
    println!("mean temperature after {} steps: {mean:.6}", options.steps);
    assert!(mean > 0.0 && mean < 1.0);
    println!(
        "the state is in {}; with more --steps, the next run goes on from there",
        options.checkpoint.display()
    );
    Ok(())
}

/// What to compute, and where to keep it.
pub(crate) struct Options {
    pub(crate) checkpoint: PathBuf,
    pub(crate) every: u64,
    pub(crate) steps: u64,
}

/// Runs the simulation to its last step, from its last checkpoint if there is one.
pub(crate) fn simulate(rt: &Runtime, options: &Options) -> Result<Array<f32>, Box<dyn Error>> {
    let (mut step, mut now) = start(rt, &options.checkpoint)?;
    let mut next = rt.zeros::<f32>(WIDTH * HEIGHT)?;
    while step < options.steps {
        let params = jacobi::Params {
            width: WIDTH as u32,
            height: HEIGHT as u32,
            relaxation: 0.9,
        };
        let sweep = jacobi::jacobi {
            params,
            src: &now,
            dst: &mut next,
        };
        rt.launch(sweep.over([WIDTH, HEIGHT]))?;
        std::mem::swap(&mut now, &mut next);
        step += 1;
        if step.is_multiple_of(options.every) || step == options.steps {
            rt.checkpoint(&options.checkpoint, &[("temperature", &now)], step)?;
        }
    }
    Ok(now)
}

/// The step and the state to begin with.
fn start(rt: &Runtime, checkpoint: &Path) -> Result<(u64, Array<f32>), Box<dyn Error>> {
    match rt.restore(checkpoint) {
        Ok(saved) => {
            println!("going on from step {}", saved.step());
            Ok((saved.step(), saved.array("temperature")?))
        }
        Err(CheckpointError::Missing { .. }) => {
            println!("starting with a cold plate whose upper edge is hot");
            let mut plate = vec![0.0_f32; WIDTH * HEIGHT];
            plate[..WIDTH].fill(1.0);
            Ok((0, rt.array_from_vec(plate)?))
        }
        // A damaged checkpoint is no reason to begin again in silence.
        Err(error) => Err(error.into()),
    }
}

impl Options {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            checkpoint: std::env::temp_dir().join("heat.safetensors"),
            every: 100,
            steps: 1000,
        };
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} what?"))?;
            match word.as_str() {
                "--checkpoint" => options.checkpoint = value.into(),
                "--every" => options.every = value.parse::<u64>()?.max(1),
                "--steps" => options.steps = value.parse()?,
                _ => return Err(format!("{word} is no option").into()),
            }
        }
        Ok(options)
    }
}
