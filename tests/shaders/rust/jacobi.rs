/// The kernel `jacobi` for any instruction set.
#[derive(Clone, Copy, Debug)]
pub struct JacobiBody;

impl ::impel::lanes::Body for JacobiBody {
    const LANES_MAX: usize = 16;

    #[inline(always)]
    fn run<S: ::impel::lanes::Isa>(&self, s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
        jacobi_tile(s, launch, tile);
    }
}

#[inline(always)]
#[allow(unused, clippy::all, clippy::pedantic)]
fn jacobi_tile<S: ::impel::lanes::Isa>(s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
    let lanes = S::LANES as u32;
    let groups = launch.num_workgroups;
    let b0_params = launch.buffers[0];
    let b1_src = launch.buffers[1];
    let b2_dst = launch.buffers[2];
    let params_0u = b0_params.load_u32(0u32);
    let params_1u = b0_params.load_u32(1u32);
    let params_2f = b0_params.load_f32(2u32);
    let x_lo = tile.lo[0].wrapping_mul(16u32);
    let x_hi = tile.hi[0].wrapping_mul(16u32);
    let y_lo = tile.lo[1].wrapping_mul(16u32);
    let y_hi = tile.hi[1].wrapping_mul(16u32);
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
                let mut x0_value = s.f32_splat(0.0f32);
                let v0 = gx;
                let v1 = gy;
                let v8 = s.u32_ge(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(params_0u));
                let v9 = v1 >= params_1u;
                let v10 = s.mask_or(v8, s.mask_splat(v9));
                let m11f = s.mask_and_not(entry, v10);
                if s.any(m11f) {
                    let v11 = v1.wrapping_mul(params_0u);
                    let v12 = v11.wrapping_add(v0);
                    let v13 = s.load_linear_f32(b1_src, v12, m11f);
                    x0_value = v13;
                    let v14 = v1 > 0u32;
                    let v15 = v1.wrapping_add(1u32);
                    let v16 = v15 < params_1u;
                    let v17 = v14 & v16;
                    let v18 = s.u32_gt(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(0u32));
                    let v19 = s.mask_and(s.mask_splat(v17), v18);
                    let v20 = v0.wrapping_add(1u32);
                    let v21 = s.u32_lt(s.i32_add(s.u32_splat(v20), s.i32_iota()), s.u32_splat(params_0u));
                    let v22 = s.mask_and(v19, v21);
                    let m25t = s.mask_and(m11f, v22);
                    if s.any(m25t) {
                        let v23 = v12.wrapping_sub(1u32);
                        let v24 = s.load_linear_f32(b1_src, v23, m25t);
                        let v25 = v12.wrapping_add(1u32);
                        let v26 = s.load_linear_f32(b1_src, v25, m25t);
                        let v27 = s.f32_add(v24, v26);
                        let v28 = v12.wrapping_sub(params_0u);
                        let v29 = s.load_linear_f32(b1_src, v28, m25t);
                        let v30 = s.f32_add(v27, v29);
                        let v31 = v12.wrapping_add(params_0u);
                        let v32 = s.load_linear_f32(b1_src, v31, m25t);
                        let v33 = s.f32_add(v30, v32);
                        let v35 = s.f32_contract(v33, s.f32_splat(0.25f32), s.f32_neg(v13));
                        let v37 = s.f32_contract(s.f32_splat(params_2f), v35, v13);
                        x0_value = s.f32_select(m25t, v37, x0_value);
                    }
                    let v38 = x0_value;
                    s.store_linear_f32(b2_dst, v12, m11f, v38);
                }
                gx = gx.wrapping_add(lanes);
                left = left.saturating_sub(lanes);
            }
            gy = gy.wrapping_add(1);
        }
        gz = gz.wrapping_add(1);
    }
}
