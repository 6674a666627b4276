//! One sweep of the damped Jacobi iteration for Laplace's equation on a grid.

use impel::{Array, Runtime};

use crate::shape::{KernelError, length, size};

impel::shader!(pub mod wgsl = "shaders/jacobi.wgsl");

/// A grid and its damping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Elements along a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 for the plain sweep; 4·κ·dt/h² for an explicit step of the heat equation, stable up to 1.
    pub relaxation: f32,
}

/// Writes every element of `dst`: the edges of `src` as they are, the inside moved towards the mean of its four neighbours.
///
/// # Errors
/// [`KernelError::Length`] if an array has not `width · height` elements, and errors of the launch.
pub fn jacobi(
    rt: &Runtime,
    grid: Grid,
    src: &Array<f32>,
    dst: &mut Array<f32>,
) -> Result<(), KernelError> {
    let Grid {
        width,
        height,
        relaxation,
    } = grid;
    length("jacobi", ("src", src), width * height, "width times height")?;
    length("jacobi", ("dst", dst), width * height, "width times height")?;
    if dst.is_empty() {
        return Ok(());
    }
    let params = wgsl::Params {
        width: size("jacobi", "width", width)?,
        height: size("jacobi", "height", height)?,
        relaxation,
    };
    rt.launch(wgsl::jacobi { params, src, dst }.over([width, height]))?;
    Ok(())
}
