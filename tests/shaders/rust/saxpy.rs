/// The kernel `saxpy` for any instruction set.
#[derive(Clone, Copy, Debug)]
pub struct SaxpyBody;

impl ::impel::lanes::Body for SaxpyBody {
    const LANES_MAX: usize = 16;

    #[inline(always)]
    fn run<S: ::impel::lanes::Isa>(&self, s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
        saxpy_tile(s, launch, tile);
    }
}

#[inline(always)]
#[allow(unused, clippy::all, clippy::pedantic)]
fn saxpy_tile<S: ::impel::lanes::Isa>(s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
    let lanes = S::LANES as u32;
    let groups = launch.num_workgroups;
    let b0_params = launch.buffers[0];
    let b1_x = launch.buffers[1];
    let b2_y = launch.buffers[2];
    let params_1u = b0_params.load_u32(1u32);
    let params_0f = b0_params.load_f32(0u32);
    let x_lo = tile.lo[0].wrapping_mul(64u32);
    let x_hi = tile.hi[0].wrapping_mul(64u32);
    let y_lo = tile.lo[1].wrapping_mul(1u32);
    let y_hi = tile.hi[1].wrapping_mul(1u32);
    let z_lo = tile.lo[2].wrapping_mul(1u32);
    let z_hi = tile.hi[2].wrapping_mul(1u32);
    let mut gz = z_lo;
    while gz != z_hi {
        let mut gy = y_lo;
        while gy != y_hi {
            let mut gx = x_lo;
            let mut left = x_hi.wrapping_sub(x_lo);
            while left != 0 {
                let mut entry = s.first_lanes(left);
                let v0 = gx;
                let v3 = s.u32_ge(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(params_1u));
                let m4f = s.mask_and_not(entry, v3);
                if s.any(m4f) {
                    let v4 = s.load_linear_f32(b1_x, v0, m4f);
                    let v6 = s.load_linear_f32(b2_y, v0, m4f);
                    let v7 = s.f32_contract(s.f32_splat(params_0f), v4, v6);
                    s.store_linear_f32(b2_y, v0, m4f, v7);
                }
                gx = gx.wrapping_add(lanes);
                left = left.saturating_sub(lanes);
            }
            gy = gy.wrapping_add(1);
        }
        gz = gz.wrapping_add(1);
    }
}
