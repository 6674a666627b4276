//! Lesson 2: see what impel will do, and what it did.

use impel::{Policy, Runtime};

impel::shader!(mod saxpy = "shaders/saxpy.wgsl");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rt = Runtime::new()?;
    println!("{}\n", rt.machine());

    let n = 1 << 22;
    let x = rt.array_from_vec(vec![1.0_f32; n])?;
    let mut y = rt.array_from_vec(vec![2.0_f32; n])?;
    let params = saxpy::Params {
        alpha: 3.0,
        n: u32::try_from(n)?,
    };

    // A plan says who does which part, why, and how long that should take. It can be had without launching.
    let launch = saxpy::saxpy {
        params,
        x: &x,
        y: &mut y,
    }
    .over(n);
    let plan = rt.explain(&launch)?;
    println!("the planner's choice:\n{plan}");

    // A policy overrides the planner.
    let launch = launch.with_policy(Policy::CpuOnly);
    let plan = rt.explain(&launch)?;
    println!("with Policy::CpuOnly:\n{plan}");
    assert!(
        plan.parts
            .iter()
            .all(|part| part.device == impel::DeviceId::CPU)
    );

    rt.launch(launch)?;
    assert_eq!(*y.read_range(n - 1..)?, [5.0]);
    println!("what happened:\n{}", rt.report());
    Ok(())
}
