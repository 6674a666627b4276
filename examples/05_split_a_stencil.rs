//! Lesson 5: a stencil over several devices. Each owns a band of rows; between steps only the rows at the cuts move.

use impel::{DeviceId, Policy, Runtime};

impel::shader!(mod jacobi = "shaders/jacobi.wgsl");

const WIDTH: usize = 512;
const HEIGHT: usize = 384;
const STEPS: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rt = Runtime::new()?;
    let every: Vec<(DeviceId, f64)> = rt.machine().devices().map(|(id, _)| (id, 1.0)).collect();
    let split = stencil(&rt, &Policy::Split(every.clone()))?;
    println!("split over {} devices:\n{}\n", every.len(), rt.report());

    let alone = Runtime::builder().policy(Policy::CpuOnly).build()?;
    let whole = stencil(&alone, &Policy::CpuOnly)?;
    let difference = split
        .iter()
        .zip(&whole)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    println!("largest difference to the CPU alone: {difference:e}");
    assert!(difference < 1e-5);
    if every.len() == 1 {
        println!(
            "(there is no second device here: with IMPEL_SOFTWARE_GPU=1 an emulated GPU takes part)"
        );
    }
    Ok(())
}

/// Heat spreading from a hot upper edge.
fn stencil(rt: &Runtime, policy: &Policy) -> Result<Vec<f32>, Box<dyn std::error::Error>> {
    let mut start = vec![0.0_f32; WIDTH * HEIGHT];
    start[..WIDTH].fill(1.0);
    let mut now = rt.array_from_vec(start)?;
    let mut next = rt.zeros::<f32>(WIDTH * HEIGHT)?;
    let params = jacobi::Params {
        width: WIDTH as u32,
        height: HEIGHT as u32,
        relaxation: 1.0,
    };
    for _ in 0..STEPS {
        let sweep = jacobi::jacobi {
            params,
            src: &now,
            dst: &mut next,
        }
        .over([WIDTH, HEIGHT]);
        rt.launch(sweep.with_policy(policy.clone()))?;
        // The two handles change places; no element moves.
        std::mem::swap(&mut now, &mut next);
    }
    Ok(now.into_vec()?)
}
