/// The kernel `sum` for any instruction set.
#[derive(Clone, Copy, Debug)]
pub struct SumBody;

impl ::impel::lanes::Body for SumBody {
    const LANES_MAX: usize = 16;

    #[inline(always)]
    fn run<S: ::impel::lanes::Isa>(&self, s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
        sum_tile(::impel::lanes::X::<_, 4>::new(s), launch, tile);
    }
}

#[inline(always)]
#[allow(unused, clippy::all, clippy::pedantic)]
fn sum_tile<S: ::impel::lanes::Isa>(s: S, launch: &::impel::lanes::Launch<'_>, tile: ::impel::lanes::Tile) {
    let lanes = S::LANES as u32;
    let groups = launch.num_workgroups;
    let b0_params = launch.buffers[0];
    let b1_x = launch.buffers[1];
    let b2_partials = launch.buffers[2];
    let params_0u = b0_params.load_u32(0u32);
    for wz in tile.lo[2]..tile.hi[2] {
        for wy in tile.lo[1]..tile.hi[1] {
            for wx in tile.lo[0]..tile.hi[0] {
                let mut w0_sums = [0u32; 64];
                let w0_sums = ::impel::lanes::Buffer::exclusive(&mut w0_sums);
                let mut x2_half: u32 = 0u32;
                let v0 = wx;
                x2_half = 32u32;
                let v9 = v0.wrapping_mul(4096u32);
                let mut g = 0usize;
                let mut lx = 0u32;
                while lx < 64u32 {
                    let mut entry = s.mask_splat(true);
                    let mut x0_own = s.f32_splat(0.0f32);
                    let mut x1_offset: u32 = 0u32;
                    let v1 = lx;
                    x0_own = s.f32_splat(0.0f32);
                    x1_offset = 0u32;
                    let v10 = v9.wrapping_add(v1);
                    'l1: loop {
                        let v11 = x1_offset;
                        let v12 = v11 >= 4096u32;
                        if v12 {
                            break 'l1;
                        }
                        let v13 = v10.wrapping_add(v11);
                        let v14 = s.u32_lt(s.i32_add(s.u32_splat(v13), s.i32_iota()), s.u32_splat(params_0u));
                        let v15 = x0_own;
                        s.prefetch_linear(b1_x, v13);
                        let v16 = s.load_linear_f32(b1_x, v13, entry);
                        let v17 = s.f32_add(v15, v16);
                        x0_own = s.f32_select(v14, v17, x0_own);
                        let v18 = v11.wrapping_add(64u32);
                        x1_offset = v18;
                    }
                    let v19 = x0_own;
                    s.store_linear_f32(w0_sums, v1, entry, v19);
                    lx += lanes;
                    g += 1;
                }
                // All gangs have come here.
                'l2: loop {
                    let v20 = x2_half;
                    let v21 = v20 <= 0u32;
                    if v21 {
                        break 'l2;
                    }
                    let mut g = 0usize;
                    let mut lx = 0u32;
                    while lx < 64u32 {
                        let mut entry = s.mask_splat(true);
                        let v1 = lx;
                        let v22 = s.u32_lt(s.i32_add(s.u32_splat(v1), s.i32_iota()), s.u32_splat(v20));
                        let m37t = s.mask_and(entry, v22);
                        if s.any(m37t) {
                            let v23 = s.load_linear_f32(w0_sums, v1, m37t);
                            let v24 = v1.wrapping_add(v20);
                            let ok1 = s.u32_lt(s.i32_add(s.u32_splat(v24), s.i32_iota()), s.u32_splat(64u32));
                            let v25 = s.f32_select(ok1, s.load_linear_f32(w0_sums, v24, s.mask_and(m37t, ok1)), s.f32_splat(0.0f32));
                            let v26 = s.f32_add(v23, v25);
                            s.store_linear_f32(w0_sums, v1, m37t, v26);
                        }
                        lx += lanes;
                        g += 1;
                    }
                    // All gangs have come here.
                    let v27 = ::impel::lanes::scalar::u32_div(v20, 2u32);
                    x2_half = v27;
                }
                let mut g = 0usize;
                let mut lx = 0u32;
                while lx < 64u32 {
                    let mut entry = s.mask_splat(true);
                    let v1 = lx;
                    let v28 = s.i32_eq(s.i32_add(s.u32_splat(v1), s.i32_iota()), s.u32_splat(0u32));
                    let m47t = s.mask_and(entry, v28);
                    if s.any(m47t) {
                        let v29 = w0_sums.load_f32(0u32);
                        b2_partials.store_f32(v0, v29);
                    }
                    lx += lanes;
                    g += 1;
                }
            }
        }
    }
}
