/// The kernel `black_scholes` for any instruction set.
#[derive(Clone, Copy, Debug)]
pub struct BlackScholesBody;

impl ::impel::lanes::Body for BlackScholesBody {
    const LANES_MAX: usize = 16;

    #[inline(always)]
    fn run<S: ::impel::lanes::Isa>(&self, s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
        black_scholes_tile(s, launch, tile);
    }
}

#[inline(always)]
#[allow(unused, clippy::all, clippy::pedantic)]
fn black_scholes_tile<S: ::impel::lanes::Isa>(s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
    let lanes = S::LANES as u32;
    let groups = launch.num_workgroups;
    let b0_params = launch.buffers[0];
    let b1_spot = launch.buffers[1];
    let b2_strike = launch.buffers[2];
    let b3_years = launch.buffers[3];
    let b4_call = launch.buffers[4];
    let b5_put = launch.buffers[5];
    let params_0u = b0_params.load_u32(0u32);
    let params_2f = b0_params.load_f32(2u32);
    let params_1f = b0_params.load_f32(1u32);
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
                let v14 = s.u32_ge(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(params_0u));
                let m15f = s.mask_and_not(entry, v14);
                if s.any(m15f) {
                    let v15 = s.load_linear_f32(b1_spot, v0, m15f);
                    let v16 = s.load_linear_f32(b2_strike, v0, m15f);
                    let v17 = s.load_linear_f32(b3_years, v0, m15f);
                    let v18 = s.f32_sqrt(v17);
                    let v19 = s.f32_mul(s.f32_splat(params_2f), v18);
                    let v20 = params_2f * 0.5f32;
                    let v22 = s.uniform_contract(v20, params_2f, params_1f);
                    let v24 = s.f32_div(v15, v16);
                    let v25 = s.f32_log(v24);
                    let v26 = s.f32_contract(s.f32_splat(v22), v17, v25);
                    let v27 = s.f32_div(v26, v19);
                    let v28 = s.f32_sub(v27, v19);
                    let v29 = s.f32_abs(v27);
                    let v30 = s.f32_mul(v29, s.f32_splat(0.70710677f32));
                    let v32 = s.f32_contract(v30, s.f32_splat(0.3275911f32), s.f32_splat(1.0f32));
                    let v33 = s.f32_div(s.f32_splat(1.0f32), v32);
                    let v35 = s.f32_contract(v33, s.f32_splat(1.0614054f32), s.f32_splat((-1.4531521f32)));
                    let v37 = s.f32_contract(v33, v35, s.f32_splat(1.4214138f32));
                    let v39 = s.f32_contract(v33, v37, s.f32_splat((-0.28449672f32)));
                    let v41 = s.f32_contract(v33, v39, s.f32_splat(0.2548296f32));
                    let v42 = s.f32_mul(v33, v41);
                    let v43 = s.f32_neg(v30);
                    let v44 = s.f32_mul(v43, v30);
                    let v45 = s.f32_exp(v44);
                    let v46 = s.f32_mul(v42, v45);
                    let v47 = s.f32_mul(v46, s.f32_splat(0.5f32));
                    let v48 = s.f32_sub(s.f32_splat(1.0f32), v47);
                    let v49 = s.f32_gt(v27, s.f32_splat(0.0f32));
                    let v50 = s.f32_select(v49, v48, v47);
                    let v51 = s.f32_abs(v28);
                    let v52 = s.f32_mul(v51, s.f32_splat(0.70710677f32));
                    let v54 = s.f32_contract(v52, s.f32_splat(0.3275911f32), s.f32_splat(1.0f32));
                    let v55 = s.f32_div(s.f32_splat(1.0f32), v54);
                    let v57 = s.f32_contract(v55, s.f32_splat(1.0614054f32), s.f32_splat((-1.4531521f32)));
                    let v59 = s.f32_contract(v55, v57, s.f32_splat(1.4214138f32));
                    let v61 = s.f32_contract(v55, v59, s.f32_splat((-0.28449672f32)));
                    let v63 = s.f32_contract(v55, v61, s.f32_splat(0.2548296f32));
                    let v64 = s.f32_mul(v55, v63);
                    let v65 = s.f32_neg(v52);
                    let v66 = s.f32_mul(v65, v52);
                    let v67 = s.f32_exp(v66);
                    let v68 = s.f32_mul(v64, v67);
                    let v69 = s.f32_mul(v68, s.f32_splat(0.5f32));
                    let v70 = s.f32_sub(s.f32_splat(1.0f32), v69);
                    let v71 = s.f32_gt(v28, s.f32_splat(0.0f32));
                    let v72 = s.f32_select(v71, v70, v69);
                    let v73 = -params_1f;
                    let v74 = s.f32_mul(s.f32_splat(v73), v17);
                    let v75 = s.f32_exp(v74);
                    let v76 = s.f32_mul(v16, v75);
                    let v77 = s.f32_mul(v15, v50);
                    let v79 = s.f32_contract(s.f32_neg(v76), v72, v77);
                    s.store_linear_f32(b4_call, v0, m15f, v79);
                    let v80 = s.f32_sub(s.f32_splat(1.0f32), v72);
                    let v81 = s.f32_mul(v76, v80);
                    let v82 = s.f32_sub(s.f32_splat(1.0f32), v50);
                    let v84 = s.f32_contract(s.f32_neg(v15), v82, v81);
                    s.store_linear_f32(b5_put, v0, m15f, v84);
                }
                gx = gx.wrapping_add(lanes);
                left = left.saturating_sub(lanes);
            }
            gy = gy.wrapping_add(1);
        }
        gz = gz.wrapping_add(1);
    }
}
