//! Lesson 3: launches that depend on each other. Their order follows from the arrays that they read and write.

use impel::Runtime;

impel::shader!(mod saxpy = "shaders/saxpy.wgsl");
impel::shader!(mod sum = "shaders/sum.wgsl");

/// Elements that one workgroup of the second kernel adds up; see its WGSL.
const CHUNK: usize = 4096;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rt = Runtime::new()?;
    let n = 100_000;
    let x = rt.array_from_vec((0..n).map(|i| i as f32 / n as f32).collect::<Vec<_>>())?;
    let mut y = rt.array_from_vec(vec![1.0_f32; n])?;
    let mut partials = rt.zeros::<f32>(n.div_ceil(CHUNK))?;
    let length = u32::try_from(n)?;

    // The second launch reads what the first one writes, so it comes after it. Neither call waits, and on a GPU `y` stays there
    // between the two.
    rt.launch(
        saxpy::saxpy {
            params: saxpy::Params {
                alpha: 2.0,
                n: length,
            },
            x: &x,
            y: &mut y,
        }
        .over(n),
    )?;
    rt.launch(
        sum::sum {
            params: sum::Params { n: length },
            x: &y,
            partials: &mut partials,
        }
        .workgroups(n.div_ceil(CHUNK)),
    )?;

    // Only the chunks' sums come home.
    let total: f64 = partials
        .read()?
        .iter()
        .map(|&partial| f64::from(partial))
        .sum();
    // Σ (2·i/n + 1) for i in 0..n.
    let expected = 2.0 * (n as f64 - 1.0) / 2.0 + n as f64;
    println!("sum = {total}, expected {expected}");
    assert!((total - expected).abs() < 1e-6 * expected);
    Ok(())
}
