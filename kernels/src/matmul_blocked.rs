//! Matrix product C = A · B by tiles in workgroup memory and blocks in registers.

use impel::{Array, Runtime};

use crate::shape::{KernelError, length, size};

impel::shader!(pub mod wgsl = "shaders/matmul_blocked.wgsl");

/// Computes `c` = `a` · `b` for `a` of n rows and k columns, `b` of k rows and m columns; `shape` is [n, m, k]. All row by row.
///
/// # Errors
/// [`KernelError::Length`] if an array does not have its shape, and errors of the launch.
pub fn matmul_blocked(
    rt: &Runtime,
    shape: [usize; 3],
    a: &Array<f32>,
    b: &Array<f32>,
    c: &mut Array<f32>,
) -> Result<(), KernelError> {
    let [n, m, k] = shape;
    length("matmul_blocked", ("a", a), n * k, "n times k")?;
    length("matmul_blocked", ("b", b), k * m, "k times m")?;
    length("matmul_blocked", ("c", c), n * m, "n times m")?;
    if c.is_empty() {
        return Ok(());
    }
    let [n, m, k] = [
        size("matmul_blocked", "n", n)?,
        size("matmul_blocked", "m", m)?,
        size("matmul_blocked", "k", k)?,
    ];
    rt.launch(
        wgsl::matmul_blocked {
            params: wgsl::Params { n, m, k },
            a,
            b,
            c,
        }
        .workgroups([m.div_ceil(64), n.div_ceil(64)]),
    )?;
    Ok(())
}
