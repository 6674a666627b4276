//! Escape time of z ← z² + c for every pixel of an image.

use impel::{Array, Runtime};

use crate::shape::{KernelError, length, size};

impel::shader!(pub mod wgsl = "shaders/mandelbrot.wgsl");

/// A part of the complex plane and its picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Pixels along a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Real part at the left and right edges.
    pub re: (f32, f32),
    /// Imaginary part at the first and behind the last row.
    pub im: (f32, f32),
    /// Steps after which a point counts as inside.
    pub max_iterations: u32,
}

impl View {
    /// The shader's parameters.
    ///
    /// # Errors
    /// [`KernelError::TooLarge`] if the picture does not fit 32 bits.
    pub fn params(&self) -> Result<wgsl::Params, KernelError> {
        Ok(wgsl::Params {
            width: size("mandelbrot", "width", self.width)?,
            height: size("mandelbrot", "height", self.height)?,
            max_iterations: self.max_iterations,
            left: self.re.0,
            top: self.im.0,
            step_x: (self.re.1 - self.re.0) / self.width as f32,
            step_y: (self.im.1 - self.im.0) / self.height as f32,
        })
    }
}

/// Counts the steps to escape for each pixel, row by row; `max_iterations` where there is no escape.
///
/// # Errors
/// [`KernelError::Length`] if `counts` has not one element per pixel, and errors of the launch.
pub fn mandelbrot(rt: &Runtime, view: &View, counts: &mut Array<u32>) -> Result<(), KernelError> {
    length(
        "mandelbrot",
        ("counts", counts),
        view.width * view.height,
        "width times height",
    )?;
    if counts.is_empty() {
        return Ok(());
    }
    let params = view.params()?;
    rt.launch(wgsl::mandelbrot { params, counts }.over([view.width, view.height]))?;
    Ok(())
}
