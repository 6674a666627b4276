//! Lesson 1: one kernel, two arrays. The WGSL is compiled with the program; the launch runs wherever it is fastest.

use impel::Runtime;

impel::shader!(mod saxpy = "shaders/saxpy.wgsl");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rt = Runtime::new()?;

    // The arrays take the vectors over; nothing is copied.
    let n = 1 << 20;
    let x = rt.array_from_vec(vec![1.5_f32; n])?;
    let mut y = rt.array_from_vec(vec![10.0_f32; n])?;

    // `shader!` made a struct for the entry point, with one field for each binding: `&x` is read, `&mut y` is written.
    let params = saxpy::Params {
        alpha: 2.0,
        n: u32::try_from(n)?,
    };
    rt.launch(
        saxpy::saxpy {
            params,
            x: &x,
            y: &mut y,
        }
        .over(n),
    )?;

    // Launches return at once; reading waits for what it needs.
    let first = y.read_range(0..4)?;
    println!("2 · 1.5 + 10 = {first:?}");
    assert_eq!(*first, [13.0; 4]);
    Ok(())
}
