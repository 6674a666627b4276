//! The Mandelbrot set as a PNG: `cargo run --release --example mandelbrot -- [FILE.png]`.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::time::Instant;

use impel::Runtime;
use impel_kernels::mandelbrot::{View, mandelbrot};

const WIDTH: usize = 1600;
const HEIGHT: usize = 1200;

fn main() -> Result<(), Box<dyn Error>> {
    let output = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "mandelbrot.png".to_owned());
    let rt = Runtime::new()?;
    // The valley between the head and the body of the set.
    let view = View {
        width: WIDTH,
        height: HEIGHT,
        re: (-0.790, -0.720),
        im: (0.1600, 0.1075),
        max_iterations: 1000,
    };
    let mut counts = rt.zeros(WIDTH * HEIGHT)?;

    let start = Instant::now();
    mandelbrot(&rt, &view, &mut counts)?;
    let counts = counts.read()?;
    let seconds = start.elapsed().as_secs_f64();

    let steps: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    println!(
        "{WIDTH} × {HEIGHT} pixels, {:.2} billion iterations in {seconds:.3} s",
        steps as f64 / 1e9
    );
    println!("{}", rt.report());

    // The valley has both: points of the set, and points that escape.
    assert!(counts.contains(&view.max_iterations));
    assert!(counts.iter().any(|&count| count < view.max_iterations));

    let pixels: Vec<u8> = counts
        .iter()
        .flat_map(|&count| colour(count, view.max_iterations))
        .collect();
    let file = File::create(&output).map_err(|error| format!("cannot write {output}: {error}"))?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), WIDTH as u32, HEIGHT as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    println!("the picture is in {output}");
    Ok(())
}

/// Black inside; outside a cycle through dark blue, white and amber on a logarithmic scale.
fn colour(count: u32, inside: u32) -> [u8; 3] {
    if count == inside {
        return [0; 3];
    }
    let phase = (f64::from(count) + 1.0).ln() * 1.3;
    let wave = |shift: f64| 0.5 - 0.5 * (phase * 2.0 + shift).cos();
    [wave(0.9), wave(0.5), wave(0.0)].map(|value| (255.0 * value) as u8)
}
