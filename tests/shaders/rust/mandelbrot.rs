/// The kernel `mandelbrot` for any instruction set.
#[derive(Clone, Copy, Debug)]
pub struct MandelbrotBody;

impl ::impel::lanes::Body for MandelbrotBody {
    const LANES_MAX: usize = 16;

    #[inline(always)]
    fn run<S: ::impel::lanes::Isa>(&self, s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
        mandelbrot_tile(::impel::lanes::X::<_, 4>::new(s), launch, tile);
    }
}

#[inline(always)]
#[allow(unused, clippy::all, clippy::pedantic)]
fn mandelbrot_tile<S: ::impel::lanes::Isa>(s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
    let lanes = S::LANES as u32;
    let groups = launch.num_workgroups;
    let b0_params = launch.buffers[0];
    let b1_counts = launch.buffers[1];
    let params_0u = b0_params.load_u32(0u32);
    let params_1u = b0_params.load_u32(1u32);
    let params_3f = b0_params.load_f32(3u32);
    let params_5f = b0_params.load_f32(5u32);
    let params_4f = b0_params.load_f32(4u32);
    let params_6f = b0_params.load_f32(6u32);
    let params_2u = b0_params.load_u32(2u32);
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
                let mut x0_re = s.f32_splat(0.0f32);
                let mut x1_im = s.f32_splat(0.0f32);
                let mut x2_count = s.u32_splat(0u32);
                let v0 = gx;
                let v1 = gy;
                x0_re = s.f32_splat(0.0f32);
                x1_im = s.f32_splat(0.0f32);
                x2_count = s.u32_splat(0u32);
                let v14 = s.u32_ge(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(params_0u));
                let v15 = v1 >= params_1u;
                let v16 = s.mask_or(v14, s.mask_splat(v15));
                let m20f = s.mask_and_not(entry, v16);
                if s.any(m20f) {
                    let v17 = s.f32_from_u32(s.i32_add(s.u32_splat(v0), s.i32_iota()));
                    let v19 = s.f32_contract(v17, s.f32_splat(params_5f), s.f32_splat(params_3f));
                    let v20 = v1 as f32;
                    let v22 = s.uniform_contract(v20, params_6f, params_4f);
                    let mut m27 = m20f;
                    'l1: loop {
                        let v23 = x2_count;
                        let v24 = s.u32_lt(v23, s.u32_splat(params_2u));
                        let v25 = x0_re;
                        let v26 = s.f32_mul(v25, v25);
                        let v27 = x1_im;
                        let v29 = s.f32_contract(v27, v27, v26);
                        let v30 = s.f32_le(v29, s.f32_splat(4.0f32));
                        let v31 = s.mask_and(v24, v30);
                        let v32 = s.mask_not(v31);
                        let m38t = s.mask_and(m27, v32);
                        m27 = s.mask_and_not(m27, m38t);
                        if !s.any(m27) { break 'l1; }
                        let v33 = s.f32_contract(s.f32_neg(v27), v27, v26);
                        let v34 = s.f32_add(v33, v19);
                        let v35 = s.f32_mul(v25, s.f32_splat(2.0f32));
                        let v37 = s.f32_contract(v35, v27, s.f32_splat(v22));
                        x1_im = v37;
                        x0_re = v34;
                        let v38 = s.i32_add(v23, s.u32_splat(1u32));
                        x2_count = s.i32_select(m27, v38, x2_count);
                    }
                    let v39 = v1.wrapping_mul(params_0u);
                    let v40 = v39.wrapping_add(v0);
                    let v41 = x2_count;
                    s.store_linear_i32(b1_counts, v40, m20f, v41);
                }
                gx = gx.wrapping_add(lanes);
                left = left.saturating_sub(lanes);
            }
            gy = gy.wrapping_add(1);
        }
        gz = gz.wrapping_add(1);
    }
}
