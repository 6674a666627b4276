//! Matrix product C = A · B by square tiles in workgroup memory.

use impel::{Array, Runtime};

use crate::shape::{KernelError, length, size};

impel::shader!(pub mod wgsl = "shaders/matmul_tiled.wgsl");

/// Computes `c` = `a` · `b` for `a` of n rows and k columns, `b` of k rows and m columns; `shape` is [n, m, k]. All row by row.
///
/// # Errors
/// [`KernelError::Length`] if an array does not have its shape, and errors of the launch.
pub fn matmul_tiled(
    rt: &Runtime,
    shape: [usize; 3],
    a: &Array<f32>,
    b: &Array<f32>,
    c: &mut Array<f32>,
) -> Result<(), KernelError> {
    let [n, m, k] = shape;
    length("matmul_tiled", ("a", a), n * k, "n times k")?;
    length("matmul_tiled", ("b", b), k * m, "k times m")?;
    length("matmul_tiled", ("c", c), n * m, "n times m")?;
    if c.is_empty() {
        return Ok(());
    }
    let [n, m, k] = [
        size("matmul_tiled", "n", n)?,
        size("matmul_tiled", "m", m)?,
        size("matmul_tiled", "k", k)?,
    ];
    rt.launch(
        wgsl::matmul_tiled {
            params: wgsl::Params { n, m, k },
            a,
            b,
            c,
        }
        .over([m, n]),
    )?;
    Ok(())
}
