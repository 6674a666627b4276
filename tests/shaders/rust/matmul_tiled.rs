/// The kernel `matmul_tiled` for any instruction set.
#[derive(Clone, Copy, Debug)]
pub struct MatmulTiledBody;

impl ::impel::lanes::Body for MatmulTiledBody {
    const LANES_MAX: usize = 16;

    #[inline(always)]
    fn run<S: ::impel::lanes::Isa>(&self, s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
        matmul_tiled_tile(s, launch, tile);
    }
}

#[inline(always)]
#[allow(unused, clippy::all, clippy::pedantic)]
fn matmul_tiled_tile<S: ::impel::lanes::Isa>(s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
    let lanes = S::LANES as u32;
    let groups = launch.num_workgroups;
    let b0_params = launch.buffers[0];
    let b1_a = launch.buffers[1];
    let b2_b = launch.buffers[2];
    let b3_c = launch.buffers[3];
    let params_2u = b0_params.load_u32(2u32);
    let params_0u = b0_params.load_u32(0u32);
    let params_1u = b0_params.load_u32(1u32);
    for wz in tile.lo[2]..tile.hi[2] {
        for wy in tile.lo[1]..tile.hi[1] {
            for wx in tile.lo[0]..tile.hi[0] {
                let mut w0_tile_a = [0u32; 256];
                let w0_tile_a = ::impel::lanes::Buffer::exclusive(&mut w0_tile_a);
                let mut w1_tile_b = [0u32; 256];
                let w1_tile_b = ::impel::lanes::Buffer::exclusive(&mut w1_tile_b);
                let mut x1_k0: u32 = 0u32;
                #[derive(Clone, Copy)]
                struct Kept<S: ::impel::lanes::Isa> {
                    x0_sum: S::F32,
                }
                let mut kept = [Kept::<S> { x0_sum: s.f32_splat(0.0f32) }; 32];
                x1_k0 = 0u32;
                let mut g = 0usize;
                for ly in 0..16u32 {
                    let mut lx = 0u32;
                    while lx < 16u32 {
                        let mut entry = s.mask_splat(true);
                        let mut x0_sum = s.f32_splat(0.0f32);
                        let v0 = wx.wrapping_mul(16u32).wrapping_add(lx);
                        let v1 = wy.wrapping_mul(16u32).wrapping_add(ly);
                        let v2 = lx;
                        let v3 = ly;
                        x0_sum = s.f32_splat(0.0f32);
                        kept[g].x0_sum = x0_sum;
                        lx += lanes;
                        g += 1;
                    }
                }
                'l1: loop {
                    let v11 = x1_k0;
                    let v12 = v11 >= params_2u;
                    if v12 {
                        break 'l1;
                    }
                    let mut g = 0usize;
                    for ly in 0..16u32 {
                        let mut lx = 0u32;
                        while lx < 16u32 {
                            let mut entry = s.mask_splat(true);
                            let mut x2_from_a = s.f32_splat(0.0f32);
                            let mut x3_from_b = s.f32_splat(0.0f32);
                            let v0 = wx.wrapping_mul(16u32).wrapping_add(lx);
                            let v1 = wy.wrapping_mul(16u32).wrapping_add(ly);
                            let v2 = lx;
                            let v3 = ly;
                            x2_from_a = s.f32_splat(0.0f32);
                            let v13 = v1 < params_0u;
                            let v14 = v11.wrapping_add(v2);
                            let v15 = s.u32_lt(s.i32_add(s.u32_splat(v14), s.i32_iota()), s.u32_splat(params_2u));
                            let v16 = s.mask_and(s.mask_splat(v13), v15);
                            let v17 = v1.wrapping_mul(params_2u);
                            let v18 = v17.wrapping_add(v11);
                            let v19 = v18.wrapping_add(v2);
                            let v20 = s.load_linear_f32(b1_a, v19, entry);
                            x2_from_a = s.f32_select(v16, v20, x2_from_a);
                            let v21 = x2_from_a;
                            s.store_linear_f32(w0_tile_a, v3.wrapping_mul(16u32).wrapping_add(v2), entry, v21);
                            x3_from_b = s.f32_splat(0.0f32);
                            let v22 = v11.wrapping_add(v3);
                            let v23 = v22 < params_2u;
                            let v24 = s.u32_lt(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(params_1u));
                            let v25 = s.mask_and(s.mask_splat(v23), v24);
                            let v26 = v22.wrapping_mul(params_1u);
                            let v27 = v26.wrapping_add(v0);
                            let v28 = s.load_linear_f32(b2_b, v27, entry);
                            x3_from_b = s.f32_select(v25, v28, x3_from_b);
                            let v29 = x3_from_b;
                            s.store_linear_f32(w1_tile_b, v3.wrapping_mul(16u32).wrapping_add(v2), entry, v29);
                            lx += lanes;
                            g += 1;
                        }
                    }
                    // All gangs have come here.
                    let mut g = 0usize;
                    for ly in 0..16u32 {
                        let mut lx = 0u32;
                        while lx < 16u32 {
                            let mut entry = s.mask_splat(true);
                            let mut x4_i: u32 = 0u32;
                            let mut x0_sum = kept[g].x0_sum;
                            let v2 = lx;
                            let v3 = ly;
                            x4_i = 0u32;
                            'l2: loop {
                                let v30 = x4_i;
                                let v31 = v30 >= 16u32;
                                if v31 {
                                    break 'l2;
                                }
                                let v32 = x0_sum;
                                let ok1 = v30 < 16u32;
                                let v33 = if ok1 { w0_tile_a.load_f32(v3.wrapping_mul(16u32).wrapping_add(v30)) } else { 0.0f32 };
                                let v34 = if ok1 { s.load_linear_f32(w1_tile_b, v30.wrapping_mul(16u32).wrapping_add(v2), entry) } else { s.f32_splat(0.0f32) };
                                let v36 = s.f32_contract(s.f32_splat(v33), v34, v32);
                                x0_sum = v36;
                                let v37 = v30.wrapping_add(1u32);
                                x4_i = v37;
                            }
                            kept[g].x0_sum = x0_sum;
                            lx += lanes;
                            g += 1;
                        }
                    }
                    // All gangs have come here.
                    let v38 = v11.wrapping_add(16u32);
                    x1_k0 = v38;
                }
                let mut g = 0usize;
                for ly in 0..16u32 {
                    let mut lx = 0u32;
                    while lx < 16u32 {
                        let mut entry = s.mask_splat(true);
                        let mut x0_sum = kept[g].x0_sum;
                        let v0 = wx.wrapping_mul(16u32).wrapping_add(lx);
                        let v1 = wy.wrapping_mul(16u32).wrapping_add(ly);
                        let v39 = v1 < params_0u;
                        let v40 = s.u32_lt(s.i32_add(s.u32_splat(v0), s.i32_iota()), s.u32_splat(params_1u));
                        let v41 = s.mask_and(s.mask_splat(v39), v40);
                        let m64t = s.mask_and(entry, v41);
                        if s.any(m64t) {
                            let v42 = v1.wrapping_mul(params_1u);
                            let v43 = v42.wrapping_add(v0);
                            let v44 = x0_sum;
                            s.store_linear_f32(b3_c, v43, m64t, v44);
                        }
                        lx += lanes;
                        g += 1;
                    }
                }
            }
        }
    }
}
