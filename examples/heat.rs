//! Heat in a plate: the Jacobi stencil as an explicit time step, drawn as a PNG. `cargo run --release --example heat -- [FILE.png]`.
//!
//! The plate's rows are split over all devices; the cut's neighbours are all that moves between steps.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::time::Instant;

use impel::Runtime;
use impel_kernels::jacobi::wgsl as jacobi;

const WIDTH: usize = 960;
const HEIGHT: usize = 640;
const STEPS: usize = 500;

fn main() -> Result<(), Box<dyn Error>> {
    let output = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "heat.png".to_owned());
    let rt = Runtime::new()?;
    let start = plate();
    let warmest = start.iter().copied().fold(0.0, f32::max);
    let mut now = rt.array_from_vec(start)?;
    let mut next = rt.zeros::<f32>(WIDTH * HEIGHT)?;

    let params = jacobi::Params {
        width: WIDTH as u32,
        height: HEIGHT as u32,
        relaxation: 0.9,
    };
    let mut step = rt.graph(|g| {
        let src = &g.array("now", &mut now)?;
        let dst = &mut g.array("next", &mut next)?;
        g.launch(jacobi::jacobi { params, src, dst }.over([WIDTH, HEIGHT]))?;
        g.swap("now", "next")
    })?;
    let clock = Instant::now();
    step.replay(STEPS).wait()?;
    drop(step);
    let temperatures = now.read()?;
    println!(
        "{STEPS} steps of {WIDTH} × {HEIGHT} in {:.2} s",
        clock.elapsed().as_secs_f64()
    );
    println!("{}", rt.report());

    // Heat flows from warm to cold: nothing gets warmer than the warmest place was, nor colder than the edges.
    assert!(temperatures.iter().all(|&t| (0.0..=warmest).contains(&t)));
    // The edges keep their temperature.
    assert!(temperatures[..WIDTH].iter().all(|&t| t == 0.0));
    draw(&output, &temperatures)?;
    println!("the picture is in {output}");
    Ok(())
}

/// A cold plate with hot letters: bars that spell "IMPEL" on a grid of cells, one string per row of cells.
fn plate() -> Vec<f32> {
    const LETTERS: [&str; 7] = [
        "###.#...#.####..#####.#....",
        ".#..##.##.#...#.#.....#....",
        ".#..#.#.#.#...#.#.....#....",
        ".#..#.#.#.####..####..#....",
        ".#..#...#.#.....#.....#....",
        ".#..#...#.#.....#.....#....",
        "###.#...#.#.....#####.#####",
    ];
    let (columns, rows) = (LETTERS[0].len(), LETTERS.len());
    let cell = WIDTH * 4 / 5 / columns;
    let (left, top) = ((WIDTH - cell * columns) / 2, (HEIGHT - cell * rows) / 2);
    let mut plate = vec![0.0; WIDTH * HEIGHT];
    for y in 0..cell * rows {
        for x in 0..cell * columns {
            if LETTERS[y / cell].as_bytes()[x / cell] == b'#' {
                plate[(top + y) * WIDTH + left + x] = 1.0;
            }
        }
    }
    plate
}

/// Writes temperatures from 0 to 1 in the colours of glowing iron.
fn draw(output: &str, temperatures: &[f32]) -> Result<(), Box<dyn Error>> {
    let glow = |t: f32| {
        [
            (t * 3.0).min(1.0),
            (t * 3.0 - 0.8).clamp(0.0, 1.0),
            (t * 3.0 - 1.9).clamp(0.0, 1.0),
        ]
    };
    let pixels: Vec<u8> = temperatures
        .iter()
        .flat_map(|&t| glow(t.sqrt()).map(|value| (value * 255.0) as u8))
        .collect();
    let file = File::create(output).map_err(|error| format!("cannot write {output}: {error}"))?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), WIDTH as u32, HEIGHT as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    Ok(writer.finish()?)
}
