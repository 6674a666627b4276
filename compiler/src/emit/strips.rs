//! How does a kernel run that cannot tell where workgroups end? Row by row of the whole tile, in strips along x.

use super::expression::Context;
use super::gang::Gang;
use super::text::Text;
use super::{names, needed_arrays, needed_vars};

/// Prints the loops over the tile and the body of a strip.
pub(super) fn print(cx: Context<'_>, text: &mut Text) {
    let size = cx.kernel.workgroup_size;
    for (axis, name) in ["x", "y", "z"].into_iter().enumerate() {
        let size = size[axis];
        text.line(format!(
            "let {name}_lo = tile.lo[{axis}].wrapping_mul({size}u32);"
        ));
        text.line(format!(
            "let {name}_hi = tile.hi[{axis}].wrapping_mul({size}u32);"
        ));
    }
    text.line("let mut gz = z_lo;");
    text.open("while gz != z_hi");
    text.line("let mut gy = y_lo;");
    text.open("while gy != y_hi");
    text.line("let mut gx = x_lo;");
    text.line("let mut left = x_hi.wrapping_sub(x_lo);");
    text.open("while left != 0");
    text.line("let mut entry = s.first_lanes(left);");
    let mut gang = Gang::new(cx, std::mem::take(text), "entry");
    declare(&mut gang);
    gang.run(&cx.tree.body.iter().collect::<Vec<_>>());
    *text = gang.text;
    text.line("gx = gx.wrapping_add(lanes);");
    text.line("left = left.saturating_sub(lanes);");
    text.close();
    text.line("gy = gy.wrapping_add(1);");
    text.close();
    text.line("gz = gz.wrapping_add(1);");
    text.close();
}

/// Declares the variables and private arrays.
fn declare(gang: &mut Gang<'_>) {
    for var in needed_vars(gang.cx) {
        gang.declare_var(var);
    }
    for array in needed_arrays(gang.cx) {
        let (name, zeros) = (names::array(gang.cx.kernel, array), gang.array_zeros(array));
        gang.text.line(format!("let mut {name} = {zeros};"));
    }
}
