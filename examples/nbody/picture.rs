//! What does it look like? Panels side by side, one for each moment, in which bodies add up to light.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

/// Pixels along each side of a panel.
const SIDE: usize = 420;
/// Half of the width of the part of space that a panel shows.
const REACH: f32 = 1.5;
/// Light of one body in each galaxy, in red, green and blue.
const LIGHT: [[f32; 3]; 2] = [[0.45, 0.65, 1.0], [1.0, 0.62, 0.30]];

/// A row of panels.
pub(crate) struct Picture {
    galaxy: Vec<u8>,
    panels: usize,
    drawn: Vec<Vec<[f32; 3]>>,
}

impl Picture {
    /// An empty picture of bodies that belong to these galaxies.
    pub(crate) fn new(panels: usize, galaxy: Vec<u8>) -> Picture {
        Picture {
            galaxy,
            panels,
            drawn: Vec::new(),
        }
    }

    /// Whether the state after `step` of `steps` is drawn.
    pub(crate) fn is_due(&self, step: usize, steps: usize) -> bool {
        self.drawn.len() < self.panels && step == self.drawn.len() * steps / (self.panels - 1)
    }

    /// Draws the bodies into the next panel.
    pub(crate) fn draw(&mut self, bodies: &[[f32; 4]]) {
        let mut panel = vec![[0.0; 3]; SIDE * SIDE];
        let scale = SIDE as f32 / (2.0 * REACH);
        for (body, &galaxy) in bodies.iter().zip(&self.galaxy) {
            let column = (body[0] + REACH) * scale - 0.5;
            let row = (REACH - body[1]) * scale - 0.5;
            splat(&mut panel, column, row, LIGHT[usize::from(galaxy)]);
        }
        self.drawn.push(panel);
    }

    /// Writes the picture as PNG.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let file = File::create(path)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        let width = SIDE * self.drawn.len();
        let mut encoder = png::Encoder::new(BufWriter::new(file), width as u32, SIDE as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        // Fewer bodies must shine brighter for the same picture.
        let exposure = 9000.0 / self.galaxy.len() as f32;
        let mut pixels = Vec::with_capacity(width * SIDE * 3);
        for row in 0..SIDE {
            for panel in &self.drawn {
                for light in &panel[row * SIDE..(row + 1) * SIDE] {
                    pixels.extend(light.map(|value| shade(value * exposure)));
                }
            }
        }
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&pixels)?;
        Ok(writer.finish()?)
    }
}

/// Spreads one body's light over the four pixels around its place, and a little further.
fn splat(panel: &mut [[f32; 3]], column: f32, row: f32, light: [f32; 3]) {
    let (x0, y0) = (column.floor(), row.floor());
    for dy in -1..=2_i32 {
        for dx in -1..=2_i32 {
            let (x, y) = (x0 + dx as f32, y0 + dy as f32);
            if x < 0.0 || y < 0.0 || x >= SIDE as f32 || y >= SIDE as f32 {
                continue;
            }
            let distance_squared = (x - column).powi(2) + (y - row).powi(2);
            let weight = (-1.4 * distance_squared).exp();
            let pixel = &mut panel[y as usize * SIDE + x as usize];
            for (total, part) in pixel.iter_mut().zip(light) {
                *total += part * weight;
            }
        }
    }
}

/// Light as a byte: the sky is dark blue, and bright places saturate slowly.
fn shade(light: f32) -> u8 {
    let tone = 1.0 - (-0.55 * light).exp();
    (8.0 + 247.0 * tone.powf(0.75)) as u8
}
